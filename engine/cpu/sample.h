// Sampling in vectors: ops/sample.c and ops/sample_parts.c, name for name. Weights are integers, so that
// their sums have no order.
#ifndef GW_CPU_SAMPLE_H
#define GW_CPU_SAMPLE_H

#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/sample.h"

typedef struct lane_sampler {
    const float *logits;
    uint32_t n;
    gw_sample_control c;
    float max;
    uint32_t threshold, last_id; // kept: key > threshold, or == with id <= last_id
    bool use_min_p;
} lane_sampler;

GW_INLINE gw_vu sample_keys(gw_vf logits) {
    gw_vu u = (gw_vu)logits;
    return u ^ ((gw_vu)((gw_vi)u >> 31) | 0x80000000u);
}

GW_INLINE gw_vu ids_from(uint32_t first) {
    gw_vu ids = gw_splat(first);
    for (uint32_t i = 0; i < GW_LANES; i++) ids[i] += i;
    return ids;
}

// Of GW_LANES tokens from i on those that there are and that are kept.
GW_INLINE gw_vi sample_kept(const lane_sampler *s, uint32_t i, gw_vf logits) {
    const gw_vu ids = ids_from(i), keys = sample_keys(logits);
    gw_vi kept = (keys > s->threshold) | ((keys == s->threshold) & (ids <= s->last_id));
    kept &= ids < s->n;
    if (!s->use_min_p) return kept;
    const gw_vf x = logits - s->max, zero = gw_splat_f(0.0f);
    return kept & (gw_exp_v(gw_pick_f(x < 0.0f, x, zero)) >= s->c.min_p);
}

GW_INLINE gw_vu sample_weights(gw_vf x) {
    const gw_vf share = gw_exp_v(gw_pick_f(x < 0.0f, x, gw_splat_f(0.0f)));
    return (gw_vu) __builtin_convertvector(share * 16777216.0f, gw_vi);
}

// What GW_LANES tokens from i on weigh at 1 / temp; 0 where they are not kept.
GW_INLINE gw_vu kept_weights(const lane_sampler *s, uint32_t i, float inv_temp) {
    const gw_vf logits = gw_load_floats(s->logits + i, s->n - i);
    return (gw_vu)sample_kept(s, i, logits) & sample_weights((logits - s->max) * inv_temp);
}

// The same of all from `first` to end - 1. A lane holds 128 weights, each at most 2^24.
static inline uint64_t sum_of_weights(const lane_sampler *s, uint32_t first, uint32_t end,
                                      float inv_temp) {
    enum { MOST = 128 * GW_LANES };
    uint64_t total = 0;
    for (uint32_t at = first; at < end; at += MOST) {
        gw_vu sum = gw_splat(0);
        for (uint32_t i = at; i < end && i < at + MOST; i += GW_LANES)
            sum += kept_weights(s, i, inv_temp);
        for (int k = 0; k < GW_LANES; k++) total += sum[k];
    }
    return total;
}

// What tokens from i on count for in a selection, where their keys end as those that are looked for begin.
GW_INLINE bool lanes_measured(const lane_sampler *s, uint32_t i, uint32_t prefix, uint32_t shift,
                              const bool by_weight, uint32_t keys[GW_LANES],
                              uint32_t measures[GW_LANES]) {
    const gw_vf logits = gw_load_floats(s->logits + i, s->n - i);
    const gw_vu all = sample_keys(logits);
    gw_vi in = ids_from(i) < s->n;
    if (shift < 32) in &= (all >> shift) == prefix >> shift;
    if (!gw_any(in)) return false;
    in &= sample_kept(s, i, logits);
    gw_save(keys, all);
    gw_save(measures, (gw_vu)in & (by_weight ? sample_weights(logits - s->max) : gw_splat(1)));
    return true;
}

static inline void lanes_select_top(lane_sampler *s, uint64_t target, const bool by_weight) {
    uint32_t prefix = 0, keys[GW_LANES], measures[GW_LANES];
    for (uint32_t shift = 24; shift < 32; shift -= 8) {
        uint64_t bins[256] = {0};
        for (uint32_t i = 0; i < s->n; i += GW_LANES) {
            if (!lanes_measured(s, i, prefix, shift + 8, by_weight, keys, measures)) continue;
            for (int k = 0; k < GW_LANES; k++) bins[keys[k] >> shift & 255u] += measures[k];
        }
        uint32_t bin = 255;
        while (bin > 0 && bins[bin] < target) target -= bins[bin--];
        prefix |= bin << shift;
    }
    uint32_t id = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n && sum < target; i += GW_LANES) {
        if (!lanes_measured(s, i, prefix, 0, by_weight, keys, measures)) continue;
        for (uint32_t k = 0; k < GW_LANES && i + k < s->n && sum < target; k++) {
            if (keys[k] != prefix) continue;
            sum += measures[k];
            id = i + k;
        }
    }
    s->threshold = prefix;
    s->last_id = id;
}

static inline uint32_t lanes_draw(const lane_sampler *s) {
    const float inv_temp = s->c.inv_temp;
    const uint64_t total = sum_of_weights(s, 0, s->n, inv_temp);
    const uint64_t u = gw_philox(s->c.seed_lo, s->c.seed_hi, s->c.position);
    const uint64_t target = (u * (total >> 32)) + (u * (total & 0xffffffffu) >> 32);
    uint64_t sum = 0;
    for (uint32_t at = 0; at < s->n; at += GW_SAMPLE_PART) {
        const uint32_t end = s->n - at < GW_SAMPLE_PART ? s->n : at + GW_SAMPLE_PART;
        const uint64_t part = sum_of_weights(s, at, end, inv_temp);
        for (uint32_t i = at; sum + part > target && i < end; i += GW_LANES) {
            uint32_t w[GW_LANES];
            gw_save(w, kept_weights(s, i, inv_temp));
            for (uint32_t k = 0; k < GW_LANES && i + k < end; k++) {
                sum += w[k];
                if (sum > target) return i + k;
            }
        }
        sum += part;
    }
    return s->n - 1;
}

// The first in order of n logits, at least one.
static inline uint32_t first_in_order(const float *logits, uint32_t n) {
    const gw_vu half = gw_splat(0x80000000u);
    gw_vi most = gw_splat_i(INT32_MIN);
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        gw_vi keys = (gw_vi)(sample_keys(gw_load_floats(logits + i, n - i)) ^ half);
        keys = (gw_vi)gw_pick(ids_from(i) < n, (gw_vu)keys, half);
        most = (gw_vi)gw_pick(keys > most, (gw_vu)keys, (gw_vu)most);
    }
    const uint32_t key = (uint32_t)gw_max_of(most) ^ 0x80000000u;
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        if (!gw_any(sample_keys(gw_load_floats(logits + i, n - i)) == key)) continue;
        for (uint32_t k = i; k < n && k < i + GW_LANES; k++)
            if (gw_sample_key(logits[k]) == key) return k;
    }
    return 0;
}

static inline uint32_t first_of_parts(const gw_sample_choice *at) {
    const uint32_t *best = at->parts;
    if (at->n_parts == 0) return first_in_order(at->logits, at->n);
    for (uint32_t i = 1; i < at->n_parts; i++) {
        const uint32_t *part = at->parts + i * GW_SAMPLE_PART_WORDS;
        if (part[0] > best[0]) best = part;
    }
    return best[1];
}

// The logits in the lists of parts, in the order of ids: each part but the last has top_k. Returns how many.
static inline uint32_t gather_lists(const gw_sample_choice *at, float *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < at->n_parts; i++) {
        const uint32_t *list = at->parts + i * GW_SAMPLE_PART_WORDS + 2;
        for (uint32_t k = 0; k < at->c.top_k && list[2 * k + 1] != GW_SAMPLE_NO_ID; k++)
            out[n++] = gw_from_bits(list[2 * k]);
    }
    return n;
}
static inline uint32_t id_in_lists(const gw_sample_choice *at, uint32_t place) {
    const uint32_t *part = at->parts + place / at->c.top_k * GW_SAMPLE_PART_WORDS;
    return part[2 + place % at->c.top_k * 2 + 1];
}

static inline int32_t choose_token(const gw_sample_choice *at) {
    enum { MOST_PARTS = GW_SAMPLE_MAX_VOCAB / GW_SAMPLE_PART };
    float listed[MOST_PARTS * GW_SAMPLE_PART_TOP];
    lane_sampler s = {.logits = at->logits, .n = at->n, .c = at->c, .last_id = UINT32_MAX};
    const uint32_t best = first_of_parts(at);
    const bool from_lists = at->n_parts && gw_sample_is_listed(&at->c);
    s.max = at->logits[best];
    if ((gw_bits(s.max) & 0x7f800000u) == 0x7f800000u) return -1; // not finite
    if (s.c.inv_temp == 0.0f) return (int32_t)best;
    if (from_lists) {
        s.logits = listed;
        s.n = gather_lists(at, listed);
    }
    if (s.c.top_k && s.c.top_k < s.n) lanes_select_top(&s, s.c.top_k, false);
    s.use_min_p = s.c.min_p > 0.0f;
    if (s.c.top_p && s.c.top_p < 1u << 24) {
        const uint64_t total = sum_of_weights(&s, 0, s.n, 1.0f);
        const uint64_t target = (total * s.c.top_p + (1u << 24) - 1) >> 24;
        lanes_select_top(&s, target ? target : 1, true);
    }
    const uint32_t place = lanes_draw(&s);
    return (int32_t)(from_lists ? id_in_lists(at, place) : place);
}

// Items: tokens.
static inline void gw_sample_rows(const gw_reference_args *args) {
    gw_sample_walk(args, choose_token);
}

static inline uint32_t n_keys_from(const gw_vu *keys, uint32_t n_vectors, uint32_t least) {
    gw_vi n = gw_splat_i(0);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n_vectors; i++) n -= keys[i] >= least;
    for (int k = 0; k < GW_LANES; k++) sum += (uint32_t)n[k];
    return sum;
}

// The k first in order: all with a key above the k-th's, which is found bit by bit, and the first ones that
// have it, too. What is no logit has key 0, which `least` never is where that matters.
static inline void list_part(const float *logits, uint32_t first, uint32_t n, uint32_t k,
                             uint32_t *y) {
    gw_vu keys[GW_SAMPLE_PART / GW_LANES];
    const uint32_t n_vectors = (n + GW_LANES - 1) / GW_LANES, best = first_in_order(logits, n);
    uint32_t last = 0, at = 2;
    y[0] = gw_sample_key(logits[best]);
    y[1] = first + best;
    if (k == 0) return;
    for (uint32_t i = 0; i < n_vectors; i++) {
        const uint32_t id = i * GW_LANES;
        keys[i] = sample_keys(gw_load_floats(logits + id, n - id)) & (gw_vu)(ids_from(id) < n);
    }
    for (uint32_t bit = 0x80000000u; bit && k < n; bit >>= 1)
        if (n_keys_from(keys, n_vectors, last | bit) >= k) last |= bit;
    uint32_t n_same = k;
    if (last < UINT32_MAX && k < n) n_same -= n_keys_from(keys, n_vectors, last + 1);
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        if (!gw_any(keys[i / GW_LANES] >= last)) continue;
        for (uint32_t id = i; id < n && id < i + GW_LANES; id++) {
            const uint32_t key = gw_sample_key(logits[id]);
            if (key < last || (key == last && k < n && n_same == 0)) continue;
            n_same -= key == last && k < n;
            y[at++] = gw_bits(logits[id]);
            y[at++] = first + id;
        }
    }
}

// Items: parts.
static inline void gw_sample_parts_rows(const gw_reference_args *args) {
    gw_sample_parts_walk(args, list_part);
}

#endif
