// Schedule: see schedule.h.
#include "session/schedule.h"

// --- buckets -------------------------------------------------------------------------------------

static uint32_t bucket_up(uint32_t n, uint32_t most) {
    uint32_t b = 1;
    while (b < n) b *= 2;
    return b < most ? b : most;
}
static uint32_t bucket_down(uint32_t n, uint32_t most) {
    uint32_t b = 1;
    if (n >= most) return most;
    while (2 * b <= n) b *= 2;
    return b;
}

// A run costs as much as run_tokens beside its own: idle ones are cheaper than another run, or not.
uint32_t gw_schedule_chunk(uint32_t n, uint32_t most, uint32_t run_tokens, uint32_t *out_run) {
    const uint32_t up = bucket_up(n, most), down = bucket_down(n, most);
    const uint32_t rest = n > down ? bucket_up(n - down, most) : 0;
    const uint32_t again = rest ? rest + run_tokens : 0;
    const bool pad = n <= most && up <= down + again;
    *out_run = pad ? up : down;
    return pad ? n : down;
}

// Rows of a run of many sequences: their number changes by few, and then hardly a kernel is another.
static uint32_t rows_up(uint32_t n) {
    enum { EXACT = 16, STEPS = 8 }; // at most an eighth of them is idle
    uint32_t round = 4;
    while (2 * STEPS * round <= n) round *= 2;
    return n <= EXACT ? n : (n + round - 1) / round * round;
}

// --- steps ---------------------------------------------------------------------------------------

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// The prompt that was given first, of those that are not done with; n: none.
static uint32_t next_prompt(const gw_schedule_seq *seqs, uint32_t n, const bool *done) {
    uint32_t first = n;
    for (uint32_t i = 0; i < n; i++) {
        if (!seqs[i].n_waiting || seqs[i].waits || done[i]) continue;
        if (first == n || seqs[i].since < seqs[first].since) first = i;
    }
    return first;
}

// Whether a chunk of n tokens had better share no run.
static bool is_apart(const gw_schedule_seq *seq, uint32_t n, const gw_schedule_limits *l) {
    return l->apart || n >= l->n_batch || (uint64_t)n * (seq->n_past + n) >= GW_MIXED_WORK_MAX;
}

static void give_own_run(const gw_schedule_seq *seqs, uint32_t i, const gw_schedule_limits *l,
                         gw_schedule *out) {
    out->alone = i;
    out->n_alone =
        gw_schedule_chunk(seqs[i].n_waiting, l->n_batch, l->run_tokens, &out->n_alone_run);
}

// Prompts' tokens into what room there is. A chunk for a run of its own is left until it is the first.
static void fill(const gw_schedule_seq *seqs, uint32_t n, const gw_schedule_limits *l,
                 gw_schedule *out) {
    bool done[GW_STEP_MAX] = {false};
    for (uint32_t i; out->n_rows < l->n_batch && (i = next_prompt(seqs, n, done)) < n;) {
        const uint32_t some = smaller(seqs[i].n_waiting, l->n_batch - out->n_rows);
        done[i] = true;
        if (is_apart(&seqs[i], some, l)) continue;
        out->takes[i] = some;
        out->n_rows += some;
    }
}

void gw_schedule_step(const gw_schedule_seq *seqs, uint32_t n, const gw_schedule_limits *l,
                      gw_schedule *out) {
    const bool none[GW_STEP_MAX] = {false};
    uint32_t n_decode = 0, n_taken = 0, n_ends = 0;
    *out = (gw_schedule){.alone = n};
    for (uint32_t i = 0; i < n; i++) {
        out->takes[i] = seqs[i].n_waiting == 0;
        n_decode += out->takes[i];
    }
    out->n_rows = n_decode;
    const uint32_t first = next_prompt(seqs, n, none);
    if (first < n && (n_decode >= l->n_batch ||
                      is_apart(&seqs[first], smaller(seqs[first].n_waiting, l->n_batch), l)))
        give_own_run(seqs, first, l, out);
    else
        fill(seqs, n, l, out);
    for (uint32_t i = 0; i < n; i++) {
        n_taken += out->takes[i] != 0;
        n_ends += out->takes[i] && out->takes[i] >= seqs[i].n_waiting;
    }
    if (n_taken == 1 && n_decode == 0) { // nobody shares its run
        out->takes[first] = out->n_rows = 0;
        give_own_run(seqs, first, l, out);
    }
    if (out->n_rows == 0) return;
    out->n_run = rows_up(out->n_rows);
    if (out->n_rows > n_decode) out->n_run = smaller(out->n_run, l->n_batch);
    out->n_logits =
        out->n_rows == n_decode ? out->n_run : bucket_up(n_ends ? n_ends : 1, out->n_run);
}
