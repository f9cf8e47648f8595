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
    float max, first_max, min_max;
    uint32_t threshold, last_id, near, near_id, xtc_key, xtc_id, least;
    float mean;
    bool use_typical, use_min_p;
} lane_sampler;

typedef enum lanes_by { BY_NUMBER, BY_WEIGHT, BY_TYPICAL, BY_DRAW } lanes_by;

GW_INLINE gw_vu sample_keys(gw_vf logits) {
    gw_vu u = (gw_vu)logits;
    return u ^ ((gw_vu)((gw_vi)u >> 31) | 0x80000000u);
}

GW_INLINE gw_vu ids_from(uint32_t first) {
    gw_vu ids = gw_splat(first);
    for (uint32_t i = 0; i < GW_LANES; i++) ids[i] += i;
    return ids;
}

GW_INLINE gw_vf sample_below(gw_vf x) {
    return gw_pick_f(x < 0.0f, x, gw_splat_f(0.0f));
}
GW_INLINE gw_vf sample_shares(gw_vf x) {
    return gw_exp_v(sample_below(x));
}
GW_INLINE gw_vu sample_weights(gw_vf x) {
    return (gw_vu) __builtin_convertvector(sample_shares(x) * 16777216.0f, gw_vi);
}
GW_INLINE gw_vu sample_nearness(const lane_sampler *s, gw_vf logits) {
    const gw_vf d = gw_abs_v(sample_below(logits - s->first_max));
    return ~(gw_vu)gw_flush_v(gw_abs_v(d - s->mean));
}

// Of GW_LANES tokens from i on those that there are and that are kept.
GW_INLINE gw_vi sample_kept(const lane_sampler *s, uint32_t i, gw_vf logits) {
    const gw_vu ids = ids_from(i), keys = sample_keys(logits);
    gw_vi kept = (keys > s->threshold) | ((keys == s->threshold) & (ids <= s->last_id));
    kept &= ids < s->n;
    if (s->xtc_key < UINT32_MAX)
        kept &= (keys < s->xtc_key) | ((keys == s->xtc_key) & (ids >= s->xtc_id));
    if (s->use_typical) {
        const gw_vu near = sample_nearness(s, logits);
        kept &= (near > s->near) | ((near == s->near) & (ids <= s->near_id));
    }
    if (!s->use_min_p) return kept;
    return kept & (sample_shares(logits - s->min_max) >= s->c.min_p);
}

// What GW_LANES tokens from i on weigh, at 1 / temp where they are drawn; 0 where they are not kept.
GW_INLINE gw_vu kept_weights(const lane_sampler *s, uint32_t i, const lanes_by by) {
    const gw_vf logits = gw_load_floats(s->logits + i, s->n - i), x = logits - s->max;
    const gw_vu weights = sample_weights(by == BY_DRAW ? x * s->c.inv_temp : x);
    const gw_vi kept = sample_kept(s, i, logits);
    return (gw_vu)kept & weights & (gw_vu)(weights >= (by == BY_DRAW ? s->least : 0));
}

// The same of all from `first` to end - 1. A lane holds 128 weights, each at most 2^24.
static inline uint64_t sum_of_weights(const lane_sampler *s, uint32_t first, uint32_t end,
                                      const lanes_by by) {
    enum { MOST = 128 * GW_LANES };
    uint64_t total = 0;
    for (uint32_t at = first; at < end; at += MOST) {
        gw_vu sum = gw_splat(0);
        for (uint32_t i = at; i < end && i < at + MOST; i += GW_LANES)
            sum += kept_weights(s, i, by);
        for (int k = 0; k < GW_LANES; k++) total += sum[k];
    }
    return total;
}

// What tokens from i on count for in a selection, where their keys end as those that are looked for begin.
GW_INLINE bool lanes_measured(const lane_sampler *s, uint32_t i, uint32_t prefix, uint32_t shift,
                              const lanes_by by, uint32_t keys[GW_LANES],
                              uint32_t measures[GW_LANES]) {
    const gw_vf logits = gw_load_floats(s->logits + i, s->n - i);
    const gw_vu all = by == BY_TYPICAL ? sample_nearness(s, logits) : sample_keys(logits);
    gw_vi in = ids_from(i) < s->n;
    if (shift < 32) in &= (all >> shift) == prefix >> shift;
    if (!gw_any(in)) return false;
    gw_save(keys, all);
    gw_save(measures, (gw_vu)in & (by == BY_NUMBER ? (gw_vu)sample_kept(s, i, logits) & 1u
                                                   : kept_weights(s, i, by)));
    return true;
}

static inline void lanes_select_top(const lane_sampler *s, uint64_t target, const lanes_by by,
                                    uint32_t *out_key, uint32_t *out_id) {
    uint32_t prefix = 0, keys[GW_LANES], measures[GW_LANES];
    for (uint32_t shift = 24; shift < 32; shift -= 8) {
        uint64_t bins[256] = {0};
        for (uint32_t i = 0; i < s->n; i += GW_LANES) {
            if (!lanes_measured(s, i, prefix, shift + 8, by, keys, measures)) continue;
            for (int k = 0; k < GW_LANES; k++) bins[keys[k] >> shift & 255u] += measures[k];
        }
        uint32_t bin = 255;
        while (bin > 0 && bins[bin] < target) target -= bins[bin--];
        prefix |= bin << shift;
    }
    uint32_t id = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n && sum < target; i += GW_LANES) {
        if (!lanes_measured(s, i, prefix, 0, by, keys, measures)) continue;
        for (uint32_t k = 0; k < GW_LANES && i + k < s->n && sum < target; k++) {
            if (keys[k] != prefix) continue;
            sum += measures[k];
            id = i + k;
        }
    }
    *out_key = prefix;
    *out_id = id;
}

static inline void lanes_keep_top(lane_sampler *s, uint64_t target, const lanes_by by) {
    uint32_t key, id;
    lanes_select_top(s, target, by, &key, &id);
    if (key < s->threshold || (key == s->threshold && id >= s->last_id)) return;
    s->threshold = key;
    s->last_id = id;
}

// The largest distance of a finite logit to the largest one; how many there are.
static inline float lanes_range(const float *logits, uint32_t n, float max, uint32_t *out_n) {
    gw_vf most = gw_splat_f(0.0f);
    gw_vi finite_n = gw_splat_i(0);
    float range = 0.0f;
    *out_n = 0;
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        const gw_vf l = gw_load_floats(logits + i, n - i);
        const gw_vi finite = (((gw_vu)l & GW_INF_BITS) != GW_INF_BITS) & (ids_from(i) < n);
        const gw_vf d = gw_flush_v(gw_abs_v(sample_below(l - max)));
        finite_n -= finite;
        most = gw_pick_f(finite & (d > most), d, most);
    }
    for (int k = 0; k < GW_LANES; k++) {
        if (most[k] > range) range = most[k];
        *out_n += (uint32_t)finite_n[k];
    }
    return range;
}
// Of finite logits the sum of distances to the largest one, in whole 2^-scale; squares: of what lies between
// these and mean.
static inline uint64_t lanes_spread(const float *logits, uint32_t n, float max, int scale,
                                    uint32_t mean, bool squares) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        uint32_t q[GW_LANES];
        const gw_vf l = gw_load_floats(logits + i, n - i);
        const gw_vi finite = (((gw_vu)l & GW_INF_BITS) != GW_INF_BITS) & (ids_from(i) < n);
        gw_vf d = gw_flush_v(gw_abs_v(sample_below(l - max)));
        d = gw_pick_f(finite, d, gw_splat_f(0.0f));
        gw_vi off = __builtin_convertvector(d * gw_pow2(scale), gw_vi);
        if (squares) off = (off - (int32_t)mean) & finite;
        gw_save(q, (gw_vu)off);
        for (int k = 0; k < GW_LANES; k++)
            sum += squares ? (uint64_t)((int64_t)(int32_t)q[k] * (int32_t)q[k]) : q[k];
    }
    return sum;
}

static inline void lanes_keep_sigma(lane_sampler *s) {
    uint32_t n;
    const float range = lanes_range(s->logits, s->n, s->max, &n);
    if (gw_bits(range) == GW_INF_BITS) return;
    const int scale = range > 0.0f ? gw_sample_scale(range) : 0;
    const uint64_t sum = lanes_spread(s->logits, s->n, s->max, scale, 0, false);
    const uint32_t mean = gw_sample_mean(sum, n);
    s->threshold = gw_sample_cut(s->max, s->c.top_n_sigma, scale,
                                 lanes_spread(s->logits, s->n, s->max, scale, mean, true), n);
}

// The mean distance to the largest logit, by weight.
static inline float lanes_mean(const lane_sampler *s) {
    uint64_t weights = 0, distances = 0;
    for (uint32_t i = 0; i < s->n; i += GW_LANES) {
        const gw_vf logits = gw_load_floats(s->logits + i, s->n - i);
        const gw_vi kept = sample_kept(s, i, logits);
        const gw_vf x = sample_below(logits - s->max), weight = gw_exp_v(x) * 1073741824.0f;
        const gw_vf d = gw_pick_f(weight > 0.0f, weight * gw_abs_v(x), gw_splat_f(0.0f));
        uint32_t w[GW_LANES], by_weight[GW_LANES];
        gw_save(w, (gw_vu)(kept & __builtin_convertvector(weight, gw_vi)));
        gw_save(by_weight, (gw_vu)(kept & __builtin_convertvector(d, gw_vi)));
        for (int k = 0; k < GW_LANES; k++) {
            weights += w[k];
            distances += by_weight[k];
        }
    }
    return gw_div(gw_sample_float(distances), gw_sample_float(weights));
}

static inline void lanes_keep_typical(lane_sampler *s) {
    s->mean = lanes_mean(s);
    const uint64_t total = sum_of_weights(s, 0, s->n, BY_WEIGHT);
    uint32_t near, near_id, key = 0;
    lanes_select_top(s, gw_sample_passed(total, s->c.typical_p), BY_TYPICAL, &near, &near_id);
    s->use_typical = true;
    s->near = near;
    s->near_id = near_id;
    for (uint32_t i = 0; i < s->n; i += GW_LANES) {
        uint32_t keys[GW_LANES];
        const gw_vf logits = gw_load_floats(s->logits + i, s->n - i);
        gw_save(keys, (gw_vu)sample_kept(s, i, logits) & sample_keys(logits));
        for (int k = 0; k < GW_LANES; k++) key = keys[k] > key ? keys[k] : key;
    }
    s->max = gw_sample_logit(key);
}

static inline void lanes_leave_out_top(lane_sampler *s) {
    const uint64_t total = sum_of_weights(s, 0, s->n, BY_WEIGHT);
    const uint64_t least = gw_sample_reached(total, s->c.xtc);
    uint32_t key = UINT32_MAX, id = 0;
    for (uint32_t i = 0; i < s->n; i += GW_LANES) {
        uint32_t w[GW_LANES];
        gw_save(w, kept_weights(s, i, BY_WEIGHT));
        for (uint32_t k = 0; k < GW_LANES && i + k < s->n; k++) {
            if (w[k] < least || gw_sample_key(s->logits[i + k]) > key) continue;
            key = gw_sample_key(s->logits[i + k]);
            id = i + k;
        }
    }
    if (key == UINT32_MAX) return;
    s->xtc_key = key;
    s->xtc_id = id;
    s->max = gw_sample_logit(key);
}

static inline uint32_t lanes_draw(lane_sampler *s) {
    if (s->c.mirostat)
        s->least = gw_sample_least(sum_of_weights(s, 0, s->n, BY_DRAW), s->c.mirostat);
    const uint64_t total = sum_of_weights(s, 0, s->n, BY_DRAW);
    const uint64_t u = gw_philox(s->c.seed_lo, s->c.seed_hi, s->c.position);
    const uint64_t target = (u * (total >> 32)) + (u * (total & 0xffffffffu) >> 32);
    uint64_t sum = 0;
    for (uint32_t at = 0; at < s->n; at += GW_SAMPLE_PART) {
        const uint32_t end = s->n - at < GW_SAMPLE_PART ? s->n : at + GW_SAMPLE_PART;
        const uint64_t part = sum_of_weights(s, at, end, BY_DRAW);
        for (uint32_t i = at; sum + part > target && i < end; i += GW_LANES) {
            uint32_t w[GW_LANES];
            gw_save(w, kept_weights(s, i, BY_DRAW));
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

static inline bool fraction_cuts(uint32_t fraction) {
    return fraction && fraction < 1u << 24;
}

static inline int32_t choose_token(const gw_sample_choice *at) {
    enum { MOST_PARTS = GW_SAMPLE_MAX_VOCAB / GW_SAMPLE_PART };
    float listed[MOST_PARTS * GW_SAMPLE_PART_TOP];
    lane_sampler s = {
        .logits = at->logits, .n = at->n, .c = at->c, .last_id = UINT32_MAX, .xtc_key = UINT32_MAX};
    const uint32_t best = first_of_parts(at);
    const bool from_lists = at->n_parts && gw_sample_is_listed(&at->c);
    s.max = s.first_max = at->logits[best];
    if ((gw_bits(s.max) & 0x7f800000u) == 0x7f800000u) return -1; // not finite
    if (s.c.inv_temp == 0.0f) return (int32_t)best;
    if (s.c.top_n_sigma > 0.0f) lanes_keep_sigma(&s);
    if (from_lists) {
        s.logits = listed;
        s.n = gather_lists(at, listed);
    }
    if (s.c.top_k && s.c.top_k < s.n) lanes_keep_top(&s, s.c.top_k, BY_NUMBER);
    if (fraction_cuts(s.c.typical_p)) lanes_keep_typical(&s);
    if (fraction_cuts(s.c.top_p)) {
        const uint64_t total = sum_of_weights(&s, 0, s.n, BY_WEIGHT);
        lanes_keep_top(&s, gw_sample_reached(total, s.c.top_p), BY_WEIGHT);
    }
    s.min_max = s.max;
    s.use_min_p = s.c.min_p > 0.0f;
    if (fraction_cuts(s.c.xtc)) lanes_leave_out_top(&s);
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
