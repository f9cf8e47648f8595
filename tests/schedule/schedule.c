// The schedule of a batch's steps: how many tokens of each sequence the next runs work on.
#include "../../engine/session/schedule.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A sequence: "d" decodes; "30" has a prompt of 30 tokens, "5+30" after 5 tokens; "w30" waits for another
// one; "30@2" came as the second (else in the order of the row). wanted: what each gets, then
// "| rows of the run: with idle ones, logits" and "| who has a run of its own: tokens, with idle ones".
static const struct step_row {
    uint32_t n_batch;
    bool apart;
    const char *seqs, *wanted;
} step_rows[] = {
    // Decode alone: everybody has a token; up to 16 no row is idle.
    {64, false, "d", "1 | 1: 1, 1"},
    {64, false, "d d d d d", "1 1 1 1 1 | 5: 5, 5"},
    {64, false, "d d d d d d d d d d d d d d d d d",
     "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 | 17: 20, 20"},
    {4, false, "d d d d d", "1 1 1 1 1 | 5: 5, 5"},
    // One prompt alone has the run of a single sequence, in chunks.
    {64, false, "30", "0 | 0: 30, 32"},
    {64, false, "35", "0 | 0: 32, 32"},
    {64, false, "100", "0 | 0: 64, 64"},
    {7, false, "100", "0 | 0: 7, 7"},
    {64, false, "30 w20 w20", "0 0 0 | 0: 30, 32"},
    // Prompts together, each with logits of its last token.
    {64, false, "5 20 9", "5 20 9 | 34: 36, 4"},
    {64, false, "1 1", "1 1 | 2: 2, 2"},
    {64, false, "40 30 20", "40 24 0 | 64: 64, 1"},
    {64, false, "40 24 20", "40 24 0 | 64: 64, 2"},
    {64, false, "40@3 30@1 20@2", "14 30 20 | 64: 64, 2"},
    {512, false, "90 100 11", "90 100 11 | 201: 208, 4"},
    // Prompts beside those that decode: nobody waits for a prompt.
    {64, false, "d d 9", "1 1 9 | 11: 11, 4"},
    {64, false, "40 d 60", "40 1 23 | 64: 64, 2"},
    {64, false, "d 63", "1 63 | 64: 64, 2"},
    {64, false, "w9 d w9", "0 1 0 | 1: 1, 1"},
    {16, false, "d d d d d d 100 3", "1 1 1 1 1 1 0 0 | 6: 6, 6 | 6: 16, 16"},
    {16, false, "d d d d d d 3 100", "1 1 1 1 1 1 3 7 | 16: 16, 8"},
    // More that decode than a run's tokens: prompts get runs of their own.
    {4, false, "d d d d d 3", "1 1 1 1 1 0 | 5: 5, 5 | 5: 3, 4"},
    {4, false, "d d d d 9 9", "1 1 1 1 0 0 | 4: 4, 4 | 4: 4, 4"},
    // A chunk that fills a run, or sees many keys, has one of its own; others wait for it or not.
    {64, false, "d 64 5", "1 0 0 | 1: 1, 1 | 1: 64, 64"},
    {64, false, "d 5 64", "1 5 58 | 64: 64, 2"},
    {512, false, "d 2000+100", "1 100 | 101: 104, 2"},
    {512, false, "d 3000+100", "1 0 | 1: 1, 1 | 1: 100, 128"},
    {512, false, "d 5 3000+100 7", "1 5 0 7 | 13: 13, 4"},
    {512, false, "5 3000+100", "0 0 | 0: 5, 8"},
    // Models whose states take a sequence's tokens in order: no prompt shares a run.
    {64, true, "d d 9 9", "1 1 0 0 | 2: 2, 2 | 2: 8, 8"},
    {64, true, "9@2 9@1", "0 0 | 1: 8, 8"},
    {64, true, "d d", "1 1 | 2: 2, 2"},
};
enum { N_ROWS = sizeof step_rows / sizeof *step_rows, RUN_TOKENS = 4 };

static uint32_t read_seqs(const char *text, gw_schedule_seq *out) {
    uint32_t n = 0;
    for (const char *at = text; *at; n++) {
        gw_schedule_seq *s = &out[n];
        char *end = (char *)(uintptr_t)at;
        *s = (gw_schedule_seq){.since = n + 1};
        s->waits = *at == 'w';
        if (*at == 'd') {
            end = (char *)(uintptr_t)at + 1;
        } else {
            s->n_waiting = (uint32_t)strtoul(at + s->waits, &end, 10);
            if (*end == '+') {
                s->n_past = s->n_waiting;
                s->n_waiting = (uint32_t)strtoul(end + 1, &end, 10);
            }
            if (*end == '@') s->since = strtoul(end + 1, &end, 10);
        }
        at = end + strspn(end, " ");
    }
    return n;
}

static void tell(const gw_schedule *s, uint32_t n, char *out, size_t n_bytes) {
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, n_bytes - at, "%u ", s->takes[i]);
    if (s->n_rows) {
        at += (size_t)snprintf(out + at, n_bytes - at, "| %u: %u, %u", s->n_rows, s->n_run,
                               s->n_logits);
    }
    if (s->n_alone) {
        (void)snprintf(out + at, n_bytes - at, "%s| %u: %u, %u", s->n_rows ? " " : "", s->alone,
                       s->n_alone, s->n_alone_run);
    }
}

ParameterizedTestParameters(schedule, of_a_step) {
    static size_t rows[N_ROWS];
    for (size_t i = 0; i < N_ROWS; i++) rows[i] = i;
    return cr_make_param_array(size_t, rows, N_ROWS);
}

ParameterizedTest(size_t *row, schedule, of_a_step) {
    const struct step_row *r = &step_rows[*row];
    gw_schedule_seq seqs[GW_STEP_MAX] = {0};
    gw_schedule got;
    char text[512];
    const gw_schedule_limits limits = {r->n_batch, RUN_TOKENS, r->apart};
    const uint32_t n = read_seqs(r->seqs, seqs);
    gw_schedule_step(seqs, n, &limits, &got);
    tell(&got, n, text, sizeof text);
    cr_assert_str_eq(text, r->wanted, "%s: %s, wanted %s", r->seqs, text, r->wanted);
}

// Whatever comes: all prompts are worked on to their ends, nobody who decodes is left out, and no run is
// larger than it may be.
Test(schedule, of_steps_ends) {
    enum { N = 40 };
    for (uint32_t round = 0; round < 200; round++) {
        gw_schedule_seq seqs[N];
        uint32_t left = N, state = round * 2654435761u + 1;
        const uint32_t sizes[] = {1, 7, 64, 512};
        const gw_schedule_limits limits = {sizes[round % 4], 1 + round % 64, round % 5 == 0};
        for (uint32_t i = 0; i < N; i++) {
            state = state * 1664525u + 1013904223u;
            seqs[i] = (gw_schedule_seq){state >> 20 & 1 ? state >> 22 : 0, 0, i, false};
        }
        for (uint32_t step = 0; left; step++) {
            gw_schedule s;
            uint32_t rows = 0, ends = 0;
            cr_assert(step < 50000, "round %u: prompts are not worked on", round);
            gw_schedule_step(seqs, N, &limits, &s);
            for (uint32_t i = 0; i < N; i++) {
                if (!seqs[i].n_waiting) cr_assert_eq(s.takes[i], 1);
                if (seqs[i].n_waiting) cr_assert_leq(s.takes[i], seqs[i].n_waiting);
                rows += s.takes[i];
                ends += s.takes[i] && s.takes[i] >= seqs[i].n_waiting;
                if (seqs[i].n_waiting) seqs[i].n_waiting -= s.takes[i];
            }
            cr_assert(rows == s.n_rows && rows <= s.n_run && ends <= s.n_logits);
            cr_assert(s.n_logits <= s.n_run &&
                      s.n_run <= (limits.n_batch > 64 ? limits.n_batch : 64));
            if (s.n_alone) {
                cr_assert(s.n_alone <= s.n_alone_run && s.n_alone_run <= limits.n_batch);
                cr_assert_leq(s.n_alone, seqs[s.alone].n_waiting);
                seqs[s.alone].n_waiting -= s.n_alone;
            }
            left = 0;
            for (uint32_t i = 0; i < N; i++) left += seqs[i].n_waiting;
        }
    }
}
