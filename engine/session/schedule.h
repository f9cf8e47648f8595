// Schedule: which tokens the next runs of a batch work on. Policy alone: from a table of sequences to
// how many tokens of each, without a device or memory of its own.
//
// Every sequence that decodes has its token in each step. Prompts come in the order in which they were
// given: as many of their tokens as n_batch has room for ride along, several prompts in one run. In such
// a run each token has its own table of pages, so attention shares no keys between tokens; a chunk that
// would pay for that more than a run of its own costs, has one. Bits depend on none of it.
#ifndef GW_SESSION_SCHEDULE_H
#define GW_SESSION_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GW_STEP_MAX = 64,            // sessions of one run
    GW_MIXED_WORK_MAX = 1 << 18, // tokens * keys of a chunk that shares a run
};

typedef struct gw_schedule_seq {
    uint32_t n_waiting; // tokens of its prompt that are to be worked on; 0: it decodes
    uint32_t n_past;
    uint64_t since; // prompts given earlier have a lower one
    bool waits;     // another prompt that is at work begins alike: its start will be taken over
} gw_schedule_seq;

typedef struct gw_schedule_limits {
    uint32_t n_batch;    // tokens of a run
    uint32_t run_tokens; // a run takes as long as so many more of its tokens
    bool apart;          // tokens of a prompt share no run with others
} gw_schedule_limits;

// A run of all, and behind it, perhaps, one of a chunk of one prompt.
typedef struct gw_schedule {
    uint32_t takes[GW_STEP_MAX]; // tokens of each in the run of all; of one that decodes 1
    uint32_t n_rows, n_run;      // of that run, and with its idle ones; 0: there is none
    uint32_t n_logits;           // the last tokens of that run, which have logits; with idle ones
    uint32_t alone, n_alone, n_alone_run; // who has a run of its own; n_alone 0: nobody
} gw_schedule;

// n: 1 to GW_STEP_MAX.
void gw_schedule_step(const gw_schedule_seq *seqs, uint32_t n, const gw_schedule_limits *limits,
                      gw_schedule *out);

// How many of n tokens of one prompt to run next, at most `most`, and as how many: the rest are idle.
uint32_t gw_schedule_chunk(uint32_t n, uint32_t most, uint32_t run_tokens, uint32_t *out_run);

#endif
