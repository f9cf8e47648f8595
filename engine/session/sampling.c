// Sampling: what is asked of the next token: checked, and boiled down to what its ops read; and its log
// probabilities, which are made here out of the logits that it is chosen from.
#include "session/internal.h"

#include "base/exact_math.h"
#include "base/status.h"

// --- parameters ----------------------------------------------------------------------------------

#define XTC_THRESHOLD 0.1f
#define XTC_KEY       0x58544300u // "XTC"

static bool in_range(float x, float low, float high) {
    return x >= low && x <= high;
}

static godwit_status check_penalties(const godwit_sample_params *p, godwit_error *err) {
    const float most = GODWIT_PENALTY_MAX;
    if (p->repeat_penalty != 0.0f && !in_range(p->repeat_penalty, 0.01f, most)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: repeat_penalty %g; 0 (off) or 0.01 to %g is wanted",
                       (double)p->repeat_penalty, (double)most);
    }
    if (!in_range(p->frequency_penalty, -most, most) ||
        !in_range(p->presence_penalty, -most, most)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: frequency_penalty %g, presence_penalty %g; %g to %g is wanted",
                       (double)p->frequency_penalty, (double)p->presence_penalty, (double)-most,
                       (double)most);
    }
    if (!in_range(p->dry_multiplier, 0.0f, most) ||
        (p->dry_base != 0.0f && !in_range(p->dry_base, 1.0f, most)) ||
        (p->n_dry_breakers && !p->dry_breakers)) {
        return gw_fail(
            err, GODWIT_INVALID_ARGUMENT,
            "sampling: dry_multiplier %g, dry_base %g, %u dry_breakers%s; 0 to %g, 0 or 1 "
            "to %g are wanted, and tokens",
            (double)p->dry_multiplier, (double)p->dry_base, p->n_dry_breakers,
            p->dry_breakers ? "" : " at NULL", (double)most, (double)most);
    }
    return GODWIT_OK;
}

static godwit_status check_bias(const godwit_sample_params *p, godwit_error *err) {
    const float most = GODWIT_BIAS_MAX;
    if (p->n_logit_bias > GODWIT_LOGIT_BIAS_MAX || (p->n_logit_bias && !p->logit_bias)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: %u biases of logits%s; at most %d are wanted", p->n_logit_bias,
                       p->logit_bias ? "" : " at NULL", GODWIT_LOGIT_BIAS_MAX);
    }
    for (uint32_t i = 0; i < p->n_logit_bias; i++) {
        const godwit_logit_bias *b = &p->logit_bias[i];
        if (b->id >= 0 && (gw_bits(b->bias) == GW_SAMPLE_NEVER || in_range(b->bias, -most, most)))
            continue;
        return gw_fail(
            err, GODWIT_INVALID_ARGUMENT,
            "sampling: logit_bias %u: token %d, bias %g; a token of the vocabulary and %g "
            "to %g, or -infinity, are wanted",
            i, b->id, (double)b->bias, (double)-most, (double)most);
    }
    return GODWIT_OK;
}

// Ids of two tokens or more, each time with -1 behind them.
static bool are_sequences(const int32_t *ids, uint32_t n) {
    uint32_t length = 0;
    if (n && (!ids || ids[n - 1] != -1)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (ids[i] < -1 || (ids[i] == -1 && length < 2)) return false;
        length = ids[i] == -1 ? 0 : length + 1;
    }
    return true;
}

static godwit_status check_filters(const godwit_sample_params *p, godwit_error *err) {
    const float most = GODWIT_PENALTY_MAX;
    if (!in_range(p->top_n_sigma, 0.0f, most) || !in_range(p->typical_p, 0.0f, 1.0f) ||
        !in_range(p->xtc_probability, 0.0f, 1.0f) || !in_range(p->xtc_threshold, 0.0f, 1.0f)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: top_n_sigma %g, typical_p %g, xtc_probability %g, xtc_threshold "
                       "%g; 0 to %g, 0 to 1 thrice are wanted",
                       (double)p->top_n_sigma, (double)p->typical_p, (double)p->xtc_probability,
                       (double)p->xtc_threshold, (double)most);
    }
    if ((p->mirostat != 0 && p->mirostat != 2) || !in_range(p->mirostat_tau, 0.0f, most) ||
        !in_range(p->mirostat_eta, 0.0f, 1.0f)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: mirostat %u, mirostat_tau %g, mirostat_eta %g; 0 or 2, 0 to %g, "
                       "0 to 1 are wanted",
                       p->mirostat, (double)p->mirostat_tau, (double)p->mirostat_eta, (double)most);
    }
    if (!are_sequences(p->dry_sequences, p->n_dry_sequences)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: %u numbers of dry_sequences%s; ids of two tokens or more, each "
                       "time with -1 behind them, are wanted",
                       p->n_dry_sequences, p->dry_sequences ? "" : " at NULL");
    }
    return GODWIT_OK;
}

godwit_status gw_sampling_check(const godwit_sample_params *params, godwit_error *err) {
    if (!in_range(params->temp, 0.0f, GODWIT_TEMP_MAX) || !in_range(params->top_p, 0.0f, 1.0f) ||
        !in_range(params->min_p, 0.0f, 1.0f)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: temp %g, top_p %g, min_p %g; 0 to %g, 0 to 1, 0 to 1 are wanted",
                       (double)params->temp, (double)params->top_p, (double)params->min_p,
                       (double)GODWIT_TEMP_MAX);
    }
    if (params->n_logprobs > GODWIT_LOGPROBS_MAX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: n_logprobs %u; at most %d is wanted", params->n_logprobs,
                       GODWIT_LOGPROBS_MAX);
    }
    godwit_status status = check_penalties(params, err);
    if (status == GODWIT_OK) status = check_filters(params, err);
    return status == GODWIT_OK ? check_bias(params, err) : status;
}

static bool has_penalties(const godwit_sample_params *p) {
    return (p->repeat_penalty != 0.0f && p->repeat_penalty != 1.0f) ||
           p->frequency_penalty != 0.0f || p->presence_penalty != 0.0f;
}

bool gw_sample_changes_logits(const godwit_sample_params *params) {
    return params->n_logit_bias != 0 || has_penalties(params) || params->dry_multiplier != 0.0f;
}

bool gw_sample_needs_history(const godwit_sample_params *params) {
    return params && (has_penalties(params) || params->dry_multiplier != 0.0f ||
                      params->n_logprobs != 0 || gw_mirostat_is_on(params));
}

static bool keeps_row(const godwit_sample_params *p) {
    return p && (p->n_logprobs || gw_mirostat_is_on(p));
}

static uint32_t in_2_24(float x) {
    return (uint32_t)(x * 16777216.0f);
}

// Whether the tokens above the threshold are left out is drawn here, by a key of its own.
static uint32_t xtc_of(const godwit_sample_params *p, const gw_sample_control *c) {
    const float threshold = p->xtc_threshold != 0.0f ? p->xtc_threshold : XTC_THRESHOLD;
    const uint32_t u = gw_philox(c->seed_lo ^ XTC_KEY, c->seed_hi, c->position);
    if (threshold > 0.5f || !((double)u < (double)p->xtc_probability * 4294967296.0)) return 0;
    return in_2_24(threshold) ? in_2_24(threshold) : 1;
}

void gw_sampling_control(const gw_session *s, const godwit_sample_params *params, uint32_t ahead,
                         uint32_t row, gw_sample_control *out) {
    *out = (gw_sample_control){.position = s->n_past + ahead, .row = row};
    if (!params) return;
    // Colder than a thousandth is greedy: e^(1000 d) leaves one token anyway.
    if (params->temp >= GW_SAMPLE_COLDEST) out->inv_temp = 1.0f / params->temp;
    out->seed_lo = (uint32_t)params->seed;
    out->seed_hi = (uint32_t)(params->seed >> 32);
    if (gw_mirostat_is_on(params)) {
        out->mirostat = gw_mirostat_least(s, params);
        return;
    }
    out->top_k = params->top_k;
    out->top_p = in_2_24(params->top_p);
    out->min_p = params->min_p;
    out->top_n_sigma = params->top_n_sigma;
    out->typical_p = in_2_24(params->typical_p);
    out->xtc = xtc_of(params, out);
}

// --- changes of logits ---------------------------------------------------------------------------

enum { PENALTY_LAST_N = 64, DRY_ALLOWED_LENGTH = 2 };
#define DRY_BASE 1.75f
#define DRY_MOST 1e30f // that a token loses

// The change of an id's logit, of the token whose changes begin at `first`; a new one does nothing.
static godwit_status adjust_of(gw_batch *b, size_t first, uint32_t id, gw_sample_adjust **out,
                               godwit_error *err) {
    gw_asked *asked = &b->asked;
    uint32_t *place = &asked->places[id];
    if (*place == 0) {
        gw_sample_adjust *made = gw_vec_push(&asked->adjusts, b->host);
        if (!made) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: sampling");
        *made = (gw_sample_adjust){.id = id, .repeat = 1.0f};
        *place = (uint32_t)(asked->adjusts.n - first);
    }
    *out = &asked->adjusts.items[first + *place - 1];
    return GODWIT_OK;
}

static godwit_status add_bias(gw_batch *b, size_t first, const godwit_sample_params *p,
                              godwit_error *err) {
    const uint32_t n_vocab = b->model->def->h.n_vocab;
    gw_sample_adjust *adjust = NULL;
    for (uint32_t i = 0; i < p->n_logit_bias; i++) {
        const godwit_logit_bias *bias = &p->logit_bias[i];
        if ((uint32_t)bias->id >= n_vocab) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "sampling: logit_bias %u: token %d, the vocabulary has %u", i, bias->id,
                           n_vocab);
        }
        godwit_status status = adjust_of(b, first, (uint32_t)bias->id, &adjust, err);
        if (status != GODWIT_OK) return status;
        if (gw_bits(adjust->bias) != GW_SAMPLE_NEVER)
            adjust->bias =
                gw_bits(bias->bias) == GW_SAMPLE_NEVER ? bias->bias : adjust->bias + bias->bias;
    }
    return GODWIT_OK;
}

// minus counts first, and becomes what is taken off.
static godwit_status add_penalties(gw_batch *b, size_t first, const gw_session *s,
                                   const godwit_sample_params *p, godwit_error *err) {
    const uint32_t last_n = p->penalty_last_n ? p->penalty_last_n : PENALTY_LAST_N;
    if (!has_penalties(p)) return GODWIT_OK;
    const size_t n = s->ids.n - s->n_encoded; // what the decoder has
    for (size_t i = s->ids.n - (n < last_n ? n : last_n); i < s->ids.n; i++) {
        gw_sample_adjust *adjust = NULL;
        godwit_status status = adjust_of(b, first, (uint32_t)s->ids.items[i], &adjust, err);
        if (status != GODWIT_OK) return status;
        adjust->minus += 1.0f;
    }
    for (size_t i = first; i < b->asked.adjusts.n; i++) {
        gw_sample_adjust *adjust = &b->asked.adjusts.items[i];
        if (adjust->minus == 0.0f) continue;
        adjust->minus = adjust->minus * p->frequency_penalty + p->presence_penalty;
        if (p->repeat_penalty != 0.0f) adjust->repeat = p->repeat_penalty;
    }
    return GODWIT_OK;
}

enum { BREAKS = 1, BEGINS = 2 }; // alone; a sequence that does

// Marks the tokens across which no repeat goes, and those with which a sequence does begin.
static godwit_status mark_breakers(gw_batch *b, const godwit_sample_params *p, godwit_error *err) {
    const uint32_t n_vocab = b->model->def->h.n_vocab;
    if (!b->asked.breaks) b->asked.breaks = gw_alloc(b->host, n_vocab, 1);
    if (!b->asked.breaks) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: sampling");
    memset(b->asked.breaks, 0, n_vocab);
    for (uint32_t i = 0; i < p->n_dry_breakers; i++) {
        if ((uint32_t)p->dry_breakers[i] >= n_vocab) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "sampling: dry_breakers %u: token %d, the vocabulary has %u", i,
                           p->dry_breakers[i], n_vocab);
        }
        b->asked.breaks[p->dry_breakers[i]] |= BREAKS;
    }
    for (uint32_t i = 0; i < p->n_dry_sequences; i++) {
        const int32_t id = p->dry_sequences[i];
        if (id >= 0 && (uint32_t)id >= n_vocab) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "sampling: dry_sequences %u: token %d, the vocabulary has %u", i, id,
                           n_vocab);
        }
        if (id >= 0 && (i == 0 || p->dry_sequences[i - 1] == -1)) b->asked.breaks[id] |= BEGINS;
    }
    return GODWIT_OK;
}

// How many of the last tokens a repeat may have: to behind the breaker that begins last, which is the
// longest one that begins there.
static uint32_t repeats_to(const gw_batch *b, const int32_t *end, uint32_t n,
                           const godwit_sample_params *p) {
    for (uint32_t i = 0; i < n; i++) {
        const int32_t token = *(end - 1 - i);
        const uint8_t breaks = b->asked.breaks[token];
        uint32_t longest = 0; // of the tokens from that one on
        if (breaks & BREAKS) longest = 1;
        for (uint32_t k = 0, next = 0; breaks & BEGINS && k < p->n_dry_sequences; k = next + 1) {
            const int32_t *sequence = p->dry_sequences + k;
            for (next = k; p->dry_sequences[next] != -1;) next++;
            const uint32_t length = next - k;
            if (length > longest && length <= i + 1 &&
                memcmp(sequence, end - 1 - i, length * sizeof *sequence) == 0)
                longest = length;
        }
        if (longest) return i + 1 - longest;
    }
    return n;
}

// Of the last n tokens, backwards from the end: for each place i how many tokens from there on back are
// those from the end on back (the Z algorithm). The one behind that place made this repeat longer: dry of
// its change becomes the longest such, up to limit.
static godwit_status find_repeats(gw_batch *b, size_t first, const int32_t *end, uint32_t n,
                                  uint32_t limit, uint32_t allowed, godwit_error *err) {
    uint32_t *z = (uint32_t *)(void *)b->asked.repeats.items;
    for (uint32_t i = 1, left = 0, right = 0; i < n; i++) {
        uint32_t k = 0;
        if (i < right) k = z[i - left] < right - i ? z[i - left] : right - i;
        while (i + k < n && *(end - 1 - k) == *(end - 1 - (i + k))) k++;
        if (i + k > right) {
            left = i;
            right = i + k;
        }
        z[i] = k;
        const int32_t token = *(end - i);
        const float length = (float)(k < limit ? k : limit);
        gw_sample_adjust *adjust = NULL;
        if (length < (float)allowed || b->asked.breaks[token] & BREAKS) continue;
        godwit_status status = adjust_of(b, first, (uint32_t)token, &adjust, err);
        if (status != GODWIT_OK) return status;
        if (length > adjust->dry) adjust->dry = length;
    }
    return GODWIT_OK;
}

// Source: p-e-w's "DRY", 2024, as llama.cpp has it.
static godwit_status add_dry(gw_batch *b, size_t first, const gw_session *s,
                             const godwit_sample_params *p, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t allowed = p->dry_allowed_length ? p->dry_allowed_length : DRY_ALLOWED_LENGTH;
    const float base = p->dry_base != 0.0f ? p->dry_base : DRY_BASE;
    const int32_t *end = s->ids.items + s->ids.n;
    uint32_t n = (uint32_t)s->ids.n - s->n_encoded, limit = 0;
    if (p->dry_multiplier == 0.0f) return GODWIT_OK;
    if (p->dry_last_n && p->dry_last_n < n) n = p->dry_last_n;
    GW_TRY(mark_breakers(b, p, err));
    limit = repeats_to(b, end, n, p);
    if (limit < allowed) goto done;
    b->asked.repeats.n = 0;
    GW_TRY(gw_ids_reserve(&b->asked.repeats, b->host, n, err));
    GW_TRY(find_repeats(b, first, end, n, limit, allowed, err));
    for (size_t i = first; i < b->asked.adjusts.n; i++) {
        float *dry = &b->asked.adjusts.items[i].dry;
        if (*dry == 0.0f) continue;
        *dry = p->dry_multiplier * gw_pow(base, *dry - (float)allowed);
        if (!(*dry < DRY_MOST)) *dry = DRY_MOST;
    }
done:
    return status;
}

static godwit_status add_adjusts(gw_batch *b, const gw_session *s, const godwit_sample_params *p,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_asked *asked = &b->asked;
    const size_t first = asked->adjusts.n;
    if (!gw_sample_changes_logits(p)) return GODWIT_OK;
    if (!asked->places) {
        asked->places = gw_alloc(b->host, b->model->def->h.n_vocab, sizeof *asked->places);
        GW_CHECK_ALLOC(asked->places, err, "sampling");
    }
    GW_TRY(add_bias(b, first, p, err));
    GW_TRY(add_penalties(b, first, s, p, err));
    GW_TRY(add_dry(b, first, s, p, err));
done:
    for (size_t i = first; i < asked->adjusts.n; i++) asked->places[asked->adjusts.items[i].id] = 0;
    asked->heads[asked->n][1] = (int32_t)first;
    asked->heads[asked->n][2] = (int32_t)(asked->adjusts.n - first);
    return status;
}

// --- what a run is asked for ---------------------------------------------------------------------

void gw_sampling_begin(gw_batch *b) {
    b->asked.n = b->asked.n_adjusts = 0;
    b->asked.adjusts.n = 0;
}

// The logits are gone after the run.
static godwit_status keep_row(gw_batch *b, gw_session *s, godwit_error *err) {
    gw_asked *asked = &b->asked;
    const size_t n_vocab = b->model->def->h.n_vocab;
    const size_t bytes = (asked->n + 1) * n_vocab * sizeof *asked->rows;
    if (bytes > asked->rows_bytes) {
        float *grown = gw_realloc(b->host, asked->rows, asked->rows_bytes, bytes);
        if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: logits");
        asked->rows = grown;
        asked->rows_bytes = bytes;
    }
    return gw_session_read_logits(s, asked->rows + asked->n * n_vocab, err);
}

// Programs have room for some, so that one serves many steps.
static uint32_t room_for(size_t n) {
    uint32_t room = n ? 128 : 0;
    while (room < n) room *= 4;
    return room;
}

godwit_status gw_sampling_ask(gw_batch *b, gw_session *s, const godwit_sample_params *params,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_asked *asked = &b->asked;
    int32_t *head = asked->heads[asked->n];
    memset(head, 0, sizeof *asked->heads);
    head[0] = s ? (int32_t)gw_pool_logits_row(&b->pool, s->slot, s->turn) : -1;
    if (s) s->logprobs.n = 0;
    if (s && params) {
        GW_TRY(gw_sampling_check(params, err));
        GW_TRY(add_adjusts(b, s, params, err));
        if (keeps_row(params)) GW_TRY(keep_row(b, s, err));
        if (gw_mirostat_is_on(params)) GW_TRY(gw_mirostat_prepare(s, err));
        while (s->logprobs.n < params->n_logprobs)
            GW_CHECK_ALLOC(gw_vec_push(&s->logprobs, b->host), err, "log probabilities");
        s->logprobs.n = 0;
    }
    asked->n++;
    asked->n_adjusts = room_for(asked->adjusts.n);
done:
    return status;
}

godwit_status gw_sampling_write(gw_batch *b, const gw_step *step, godwit_error *err) {
    const gw_asked *asked = &b->asked;
    if (!step->n_adjusts) return GODWIT_OK;
    godwit_status status = gw_store_write(step->upload, step->heads.offset, asked->heads,
                                          step->n_logits * sizeof *asked->heads, err);
    if (status != GODWIT_OK) return status;
    return gw_store_write(step->upload, step->adjusts.offset, asked->adjusts.items,
                          asked->adjusts.n * sizeof *asked->adjusts.items, err);
}

void gw_sampling_free(gw_batch *b) {
    gw_asked *asked = &b->asked;
    gw_vec_deinit(&asked->adjusts, b->host);
    if (asked->places)
        gw_free(b->host, asked->places, b->model->def->h.n_vocab * sizeof *asked->places);
    if (asked->breaks) gw_free(b->host, asked->breaks, b->model->def->h.n_vocab);
    gw_vec_deinit(&asked->repeats, b->host);
    gw_free(b->host, asked->rows, asked->rows_bytes);
}

// --- log probabilities ---------------------------------------------------------------------------

// e^x for x up to 0 in 2^-40, of which it is 0 or a multiple at least as precise as a float: sums of these
// have no order.
static uint64_t share_of(float x) {
    const uint32_t bits = gw_bits(gw_exp(x));
    const int shift = (int)(bits >> 23) - 127 - 23 + 40;
    const uint64_t mantissa = (bits & 0x7fffffu) | 0x800000u;
    if (bits == 0) return 0;
    return shift < 0 ? mantissa >> -shift : mantissa << shift;
}

// ln of a sum of shares, at least 2^40.
static float ln_of(uint64_t sum) {
    int shift = 0;
    while (sum >> shift >= 1u << 24) shift++;
    return gw_ln((float)(uint32_t)(sum >> shift) *
                 gw_from_bits((uint32_t)(shift - 40 + 127) << 23));
}

static bool is_likelier(const float *logits, int32_t a, int32_t b) {
    const uint32_t key_a = gw_sample_key(logits[a]), key_b = gw_sample_key(logits[b]);
    return key_a > key_b || (key_a == key_b && a < b);
}

static void take_logprobs(gw_session *s, const godwit_sample_params *params, const float *logits,
                          int32_t token) {
    const uint32_t n = s->model->def->h.n_vocab;
    uint32_t n_best = 0, first = 0;
    uint64_t sum = 0;
    godwit_logprob *best = s->logprobs.items + 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = n_best;
        if (gw_sample_key(logits[i]) > gw_sample_key(logits[first])) first = i;
        while (place && is_likelier(logits, (int32_t)i, best[place - 1].id)) place--;
        if (place == params->n_logprobs - 1) continue;
        if (n_best < params->n_logprobs - 1) n_best++;
        memmove(&best[place + 1], &best[place], (n_best - place - 1) * sizeof *best);
        best[place].id = (int32_t)i;
    }
    for (uint32_t i = 0; i < n; i++) {
        const float x = logits[i] - logits[first];
        if (x >= -27.7f) sum += share_of(x < 0.0f ? x : 0.0f);
    }
    const float ln = ln_of(sum);
    s->logprobs.items[0].id = token;
    s->logprobs.n = n_best + 1;
    for (uint32_t i = 0; i <= n_best; i++) {
        godwit_logprob *out = &s->logprobs.items[i];
        out->logprob = gw_flush((logits[out->id] - logits[first]) - ln);
    }
}

void gw_sampling_take(gw_session *s, const godwit_sample_params *params, uint32_t at,
                      int32_t token) {
    const gw_asked *asked = &s->batch->asked;
    if (!keeps_row(params)) return;
    float *logits = asked->rows + (size_t)at * s->model->def->h.n_vocab;
    if (params->n_logprobs) take_logprobs(s, params, logits, token);
    if (!gw_mirostat_is_on(params)) return;
    const uint32_t first = (uint32_t)asked->heads[at][1], n = (uint32_t)asked->heads[at][2];
    for (uint32_t i = first; i < first + n; i++) {
        const gw_sample_adjust *adjust = &asked->adjusts.items[i];
        logits[adjust->id] = gw_sample_adjusted(logits[adjust->id], adjust);
    }
    gw_mirostat_take(s, params, logits, token);
}

size_t gw_session_logprobs(const gw_session *s, godwit_logprob *out, size_t n_max) {
    const size_t n = n_max < s->logprobs.n ? n_max : s->logprobs.n;
    if (n) memcpy(out, s->logprobs.items, n * sizeof *out);
    return s->logprobs.n;
}
