// options.h: the command line as one struct, filled from one table of options (options.c).
//
// A row of the table says which subcommands take the option, so each option is described, parsed
// and documented in one line. Numbers are read strictly: all of the word, and inside the row's
// range.
#ifndef GODWIT_CLI_OPTIONS_H
#define GODWIT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_DEVICES    1u
#define CLI_INSPECT    2u
#define CLI_RUN        4u
#define CLI_KERNELS    8u
#define CLI_BENCH      16u
#define CLI_QUANTIZE   32u
#define CLI_CONVERT    64u
#define CLI_VERIFY     128u
#define CLI_PERPLEXITY 256u
#define CLI_SESSION    512u
#define CLI_BATCH      1024u
#define CLI_RENDER     2048u
#define CLI_CHAT       4096u
#define CLI_TOKENIZE   8192u
#define CLI_EMBED      16384u
#define CLI_RERANK     32768u

struct cli_command;

typedef enum cli_kind {
    CLI_FLAG,
    CLI_TEXT,
    CLI_OUTPUT,  // the name of a file to write
    CLI_NUMBERS, // a list of CLI_U32
    CLI_U32,
    CLI_SEED,
    CLI_F32,
    CLI_CHOICE,
    CLI_PAIR,  // one of a CLI_CHOICE's words, for two things, or two with ',' between
    CLI_WORDS, // may be given again and again
} cli_kind;

// A row of the table. Help, the manual page and the completions of shells are made of these.
typedef struct cli_option {
    const char *name;
    char letter; // 0: none
    cli_kind kind;
    uint32_t commands;
    size_t offset;     // in cli_options
    const char *value; // as shown; of CLI_CHOICE and CLI_PAIR the words, with '|' between
    double min, max;   // of CLI_NUMBERS, CLI_U32 and CLI_F32
    const char *help;
} cli_option;
// NULL past the last.
const cli_option *cli_option_at(size_t index);
// Where a number has less than its type's range: "0 to 100"; else "".
typedef struct cli_range {
    char text[64];
} cli_range;
cli_range cli_option_range(const cli_option *option);

// What --kv was given, or would have been: "f16", or "f16,q8_0".
typedef struct cli_kv_name {
    char text[16];
} cli_kv_name;
cli_kv_name cli_name_of_kv(const uint32_t kv[2]);

#define CLI_NOT_GIVEN UINT32_MAX
enum { CLI_MAX_OPERANDS = 3, CLI_MAX_WORDS = 256, CLI_MAX_NUMBERS = 32 };

// The values of an option that may be given again and again.
typedef struct cli_words {
    const char *items[CLI_MAX_WORDS];
    size_t n;
} cli_words;

// The values of an option that takes a list: "1,2,512".
typedef struct cli_numbers {
    uint32_t items[CLI_MAX_NUMBERS];
    size_t n; // 0: not given
} cli_numbers;

// value is the seed, unless one is to be drawn (-1).
typedef struct cli_seed {
    uint64_t value;
    bool drawn;
} cli_seed;

typedef struct cli_options {
    const char *operand;                    // MODEL or FILE; NULL: none
    const char *operands[CLI_MAX_OPERANDS]; // that one and those after it
    size_t n_operands;
    const char *model;  // as -m; cli_parse makes the operand of it
    const char *prompt; // NULL: none given
    const char *device, *mask, *logits;
    const char *save, *resume;                  // session files, of run
    const char *text, *kl_base;                 // of perplexity; text: a prompt's file, too
    const char *in, *out;                       // of batch; "-": stdin, stdout
    const char *query, *out_file;               // of rerank, of embed
    const char *messages, *tools;               // of render: files
    const char *system, *template_file, *vars;  // of chats
    const char *type, *imatrix;                 // of quantize and convert
    const char *base;                           // of convert
    cli_words tensors;                          // of quantize and convert: PATTERN=FORMAT
    uint32_t n_threads;                         // 0: one a core
    uint32_t n_tokens;                          // CLI_NOT_GIVEN: the subcommand's own default
    cli_numbers prompt_tokens, depth, parallel; // of bench
    uint32_t n_reps;                            // of bench
    uint32_t n_parallel;                        // of batch; 0: as many as fit
    uint32_t n_ctx, n_batch;                    // 0: the library's default
    uint32_t guard;                             // check a product of every guard-th step
    uint32_t n_draft;                           // tokens guessed at once
    uint32_t n_mtp;                             // the same, by a block of the model
    uint32_t checkpoint_every;                  // of recurrent states; 0: none are kept
    uint32_t numerics;                          // index among the words of the row
    uint32_t pooling;                           // of embed, likewise: godwit_pooling
    uint32_t kv[2];                             // likewise: of keys, of values
    float temp, top_p, min_p;                   // of sampling
    float typical_p, top_n_sigma, xtc_probability, xtc_threshold, mirostat_tau, mirostat_eta;
    uint32_t top_k, mirostat; // of sampling; 0: all, none
    cli_seed seed;            // of sampling
    float repeat_penalty, frequency_penalty, presence_penalty;
    uint32_t penalty_last_n, n_logprobs; // n_logprobs: CLI_NOT_GIVEN: none
    uint32_t host_experts;               // CLI_NOT_GIVEN: as many as do not fit
    float dry_multiplier, dry_base;      // of sampling
    uint32_t dry_allowed_length, dry_last_n;
    cli_words dry_breakers;
    cli_words logit_bias; // ID+V
    cli_words loras;      // FILE[:SCALE]
    bool ids, json, stats, graph, passes, scrub, ops, save_tokens_only;
    bool no_prompt, ignore_eos, validation, verbose, help, quick, no_measure, parse_special;
    bool chat, no_generation_prompt, detokenize, no_special, normalize, no_normalize;
    uint64_t given[2]; // a bit for each row of the table
} cli_options;

// Reads argv[0..argc) (the words after the subcommand) into *out_options, which starts at the
// defaults. Says what is wrong and returns false on a usage error.
bool cli_parse(const struct cli_command *command, int argc, char **argv, cli_options *out_options);
// Whether an option was given, by its long name.
bool cli_is_given(const cli_options *options, const char *name);
// The word among words[0..n) that a person may have meant by typed, or NULL.
const char *cli_suggest(const char *typed, const char *const *words, size_t n_words);

// What people know by another name from llama.cpp. The long name that Godwit has for it, or name.
const char *cli_own_name(const char *name);
// What to do instead of an option that Godwit has not, as typed ("-ngl", "--threads"); else NULL.
const char *cli_foreign_hint(const char *word);

#endif
