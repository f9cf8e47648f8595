// attention against its reference: caches in all types, grouped heads, windows, fused or not, blocks
// of keys in one launch or apart; the reference against itself with blocks apart and prompts cut,
// and against a plain softmax in double.
#include "ops/kv.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

// --- kernels -------------------------------------------------------------------------------------

typedef struct shape {
    uint32_t k_type, v_type, n_head, n_head_kv, head_dim, window;
    bool quantize;
    uint32_t n_padding; // zeros behind a head
    uint32_t n_tok;     // up to 7: blocks may be apart
    bool paged;         // tokens have pages of their own
} shape;

enum { CTX = 600, N_TOK = 10, PAGES = 3, ROWS = 5 * 256 };
// Units and blocks begin, end and break off; neighbours see other blocks.
static const int32_t pos[N_TOK] = {0, 31, 255, 256, 513, 257, 599, 33, 128, 511};

// latents: keys are values, too, but for what stands behind these.
static void build_of(rig_case *c, const shape *s, float softcap, bool sinks, bool latents) {
    uint64_t row = s->head_dim + s->n_padding;
    uint64_t q[3] = {s->n_tok, s->n_head, row};
    uint64_t cache[3] = {s->paged ? ROWS : CTX, s->n_head_kv, row};
    int32_t pages[N_TOK * PAGES];
    for (int i = 0; i < N_TOK * PAGES; i++) pages[i] = s->paged ? i * 7 % 5 : i;
    gw_attention_attrs attrs = {.scale = 0.125f,
                                .window = s->window,
                                .head_dim = s->n_padding ? s->head_dim : 0,
                                .n_pages = PAGES,
                                .softcap = softcap};
    gw_value *in[6] = {rig_f32(c, "q", 3, q), rig_state(c, "K", s->k_type, 3, cache),
                       rig_state(c, "V", s->v_type, 3, cache), rig_i32(c, "pos", s->n_tok, pos),
                       rig_i32(c, "pages", s->paged ? s->n_tok * PAGES : PAGES, pages)};
    if (latents) in[2] = in[1];
    if (sinks) in[5] = rig_weight(c, &gw_format_f32, 0, s->n_head);
    gw_value *y = rig_node(c, &gw_op_attention, in, sinks ? 6 : 5, &attrs, sizeof attrs);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

static void build_with(rig_case *c, const shape *s, float softcap, bool sinks) {
    build_of(c, s, softcap, sinks, false);
}

static void build(rig_case *c) {
    build_with(c, c->user, 0.0f, false);
}

Test(ops, attention) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16, K8 = GW_DTYPE_Q8_KEYS, V8 = GW_DTYPE_Q8_VALUES };
    static const shape shapes[] = {
        {F32, F32, 1, 1, 8, 0, false, 0, 7, false},    {F32, F32, 6, 2, 40, 0, false, 0, 10, false},
        {F32, F32, 4, 4, 64, 300, true, 0, 7, false},  {F16, F16, 6, 3, 128, 0, true, 0, 10, false},
        {F16, F16, 2, 1, 24, 1, false, 0, 6, false},   {F16, F16, 6, 2, 20, 0, false, 4, 7, false},
        {F32, F32, 2, 2, 98, 40, false, 6, 10, false}, {F16, F16, 16, 4, 30, 0, true, 2, 1, false},
        {F16, F16, 8, 1, 256, 0, true, 0, 5, false},   {K8, V8, 4, 2, 64, 0, true, 0, 7, false},
        {F16, V8, 6, 3, 128, 0, true, 0, 10, false},   {K8, V8, 6, 2, 80, 300, false, 0, 10, false},
        {K8, F16, 4, 2, 40, 0, false, 0, 6, false},    {K8, V8, 2, 2, 98, 40, false, 6, 7, false},
        {F32, V8, 4, 4, 8, 0, false, 0, 10, false},    {K8, V8, 8, 1, 256, 0, true, 0, 5, false},
        {K8, V8, 16, 4, 30, 0, true, 2, 1, false},     {K8, V8, 4, 2, 96, 0, true, 0, 7, false},
    };
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY, RIG_MIXED};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int f = 0; f < 4 && rig_sees(i); f++) {
            char label[64];
            snprintf(label, sizeof label, "attention, shape %zu", i);
            shape s = shapes[i];
            rig_compare(&r, build, &s, fills[f], label);
            s.paged = true;
            rig_compare(&r, build, &s, fills[f], "attention, tokens with pages of their own");
        }
    }
    // Of all sizes of heads, windows and ends of tiles, in the kernels for GPUs.
    static const shape tiles[] = {
        {F16, F16, 4, 1, 128, 0, true, 0, 10, false},
        {F32, F32, 3, 1, 40, 37, false, 0, 10, false},
        {F16, F32, 2, 2, 256, 300, true, 0, 10, false},
        {F16, F16, 3, 1, 264, 0, false, 0, 3, false},
        {F16, F16, 2, 1, 512, 0, true, 0, 2, false},
    };
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        char label[64];
        snprintf(label, sizeof label, "attention, tiles %zu", i);
        rig_compare_tunes(&r, build, &tiles[i], i % 2 ? RIG_NORMAL : RIG_MIXED, label);
    }
    static const size_t tuned[] = {2, 4, 6, 11, 13};
    for (size_t i = 0; i < sizeof tuned / sizeof *tuned; i++) {
        char label[64];
        snprintf(label, sizeof label, "attention, shape %zu", tuned[i]);
        if (rig_sees(i)) rig_compare_tunes(&r, build, &shapes[tuned[i]], RIG_NORMAL, label);
    }
    rig_close(&r);
}

static void build_latents(rig_case *c) {
    build_of(c, c->user, 0.0f, false, true);
}

// Contexts so long that a lane which goes through all of one comes near what llvmpipe lets it have of rounds of
// loops (docs/QUIRKS.md).
static void build_long(rig_case *c) {
    enum { N = 8, BLOCKS = 160, LONG = BLOCKS * 256 };
    const uint64_t dim = *(const uint32_t *)c->user;
    const uint64_t q[3] = {N, 1, dim}, cache[3] = {LONG, 1, dim};
    int32_t pages[BLOCKS], at[N];
    for (int i = 0; i < BLOCKS; i++) pages[i] = i;
    for (int i = 0; i < N; i++) at[i] = LONG - N + i;
    const gw_attention_attrs attrs = {.scale = 0.125f, .n_pages = BLOCKS};
    gw_value *in[5] = {rig_f32(c, "q", 3, q), rig_state(c, "K", GODWIT_F16, 3, cache),
                       rig_state(c, "V", GODWIT_F16, 3, cache), rig_i32(c, "pos", N, at),
                       rig_i32(c, "pages", BLOCKS, pages)};
    rig_node(c, &gw_op_attention, in, 5, &attrs, sizeof attrs)->keep = true;
}

Test(ops, attention_of_long_contexts) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t dims[] = {128, 256};
    for (int i = 0; i < 2; i++)
        rig_compare(&r, build_long, &dims[i], RIG_NORMAL, "attention over 40,960 keys");
    rig_close(&r);
}

// One key head of all; up to the longest heads.
Test(ops, attention_over_latents) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16 };
    static const shape shapes[] = {
        {F16, F16, 16, 1, 512, 0, true, 64, 10, false},
        {F32, F32, 5, 1, 512, 0, false, 64, 7, false},
        {F16, F16, 4, 1, 512, 0, true, 64, 1, false},
        {F32, F32, 3, 1, 96, 300, true, 8, 10, false},
        {F16, F16, 3, 1, 40, 0, false, 16, 4, false},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shape s = shapes[i];
        rig_compare(&r, build_latents, &s, RIG_NORMAL, "attention, latents");
        rig_compare(&r, build_latents, &s, RIG_MIXED, "attention, latents");
        if (i > 1) rig_compare_tunes(&r, build_latents, &s, RIG_NORMAL, "attention, latents");
        s.paged = true;
        rig_compare(&r, build_latents, &s, RIG_MIXED, "attention, latents, own pages");
    }
    rig_close(&r);
}

static void build_capped(rig_case *c) {
    const shape *s = c->user;
    build_with(c, s, s->head_dim == 32 ? 20.0f : 0.5f, false);
}

Test(ops, attention_with_capped_scores) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t types[][2] = {{GODWIT_F32, GODWIT_F32},
                                        {GODWIT_F16, GW_DTYPE_Q8_VALUES},
                                        {GW_DTYPE_Q8_KEYS, GW_DTYPE_Q8_VALUES}};
    for (uint32_t i = 0; i < 3; i++) {
        shape s = {.k_type = types[i][0],
                   .v_type = types[i][1],
                   .n_head = 4,
                   .n_head_kv = 2,
                   .head_dim = 32 + 32 * i,
                   .window = i * 40,
                   .quantize = i == 1,
                   .n_tok = i == 1 ? 7 : 10};
        rig_compare(&r, build_capped, &s, RIG_NORMAL, "attention, capped");
        rig_compare(&r, build_capped, &s, RIG_MIXED, "attention, capped");
        rig_compare_tunes(&r, build_capped, &s, RIG_NORMAL, "attention, capped");
    }
    rig_close(&r);
}

static void build_with_sinks(rig_case *c) {
    build_with(c, c->user, 0.0f, true);
}

Test(ops, attention_with_sinks) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t types[][2] = {{GODWIT_F32, GODWIT_F32},
                                        {GODWIT_F16, GODWIT_F16},
                                        {GODWIT_F16, GW_DTYPE_Q8_VALUES},
                                        {GW_DTYPE_Q8_KEYS, GW_DTYPE_Q8_VALUES}};
    for (uint32_t i = 0; i < 4; i++) {
        shape s = {.k_type = types[i][0],
                   .v_type = types[i][1],
                   .n_head = 4,
                   .n_head_kv = 1 + i % 2,
                   .head_dim = 32 + 32 * i,
                   .window = i % 2 * 40,
                   .quantize = i > 1,
                   .n_tok = i == 1 ? 7 : 10};
        for (int f = 0; f < RIG_N_FILLS; f++)
            if (f != RIG_HUGE)
                rig_compare(&r, build_with_sinks, &s, (rig_fill)f, "attention, sinks");
        rig_compare_tunes(&r, build_with_sinks, &s, RIG_NORMAL, "attention, sinks");
        s.paged = true;
        rig_compare(&r, build_with_sinks, &s, RIG_MIXED, "attention, sinks, paged");
    }
    rig_close(&r);
}

// --- the reference -------------------------------------------------------------------------------

typedef struct params {
    uint32_t n_tok, n_head, n_head_kv, head_dim;
    float scale2;
    uint32_t window, k_type, v_type, quantize, out_dim, n_rows, n_ctx, mode, n_blocks, first, end;
    uint32_t paged;
    float cap2;
    uint32_t has_sinks;
} params;
enum { WALK, PART, COMBINE };

enum { DIM = 48, HEADS = 4, KV = 2, KEYS = 1030, TOKENS = 12, BLOCKS = 5, TURN = 16 };
static float query[TOKENS * HEADS * DIM], keys[KEYS * KV * DIM], values[KEYS * KV * DIM];
static float sinks[HEADS] = {-3.0f, 0.5f, 4.0f, 30.0f};
static float parts[TOKENS * HEADS * BLOCKS * (DIM + 2)];
static uint8_t key_cache[sizeof keys], value_cache[sizeof values];

// Formats of keys and values, and how far a result may be from softmax in double of what the caches
// hold, and of what was put in. Weights of 14 bits count in the first.
static const struct mixture {
    gw_kv_type k, v;
    double held, given;
} mixtures[] = {
    {GW_KV_F32, GW_KV_F32, 2e-6, 2e-6}, {GW_KV_F16, GW_KV_F16, 2e-6, 1e-3},
    {GW_KV_F16, GW_KV_Q8, 7e-4, 1e-2},  {GW_KV_Q8, GW_KV_Q8, 7e-4, 3e-2},
    {GW_KV_Q8, GW_KV_F32, 1e-6, 3e-2},
};
enum { N_MIXTURES = sizeof mixtures / sizeof *mixtures };

static params params_for(uint32_t n_tok, uint32_t window, const struct mixture *m) {
    const float scale2 = 0.2f * 1.44269504f;
    return (params){.n_tok = n_tok,
                    .n_head = HEADS,
                    .n_head_kv = KV,
                    .head_dim = DIM,
                    .scale2 = m->k == GW_KV_Q8 ? scale2 / TURN : scale2,
                    .window = window,
                    .k_type = m->k,
                    .v_type = m->v,
                    .out_dim = DIM,
                    .n_rows = KEYS,
                    .n_ctx = KEYS,
                    .n_blocks = BLOCKS,
                    .end = n_tok * (HEADS / KV)};
}

// sharp: how far scores lie apart.
static void fill(float sharp) {
    uint32_t n = 0;
    for (int i = 0; i < TOKENS * HEADS * DIM; i++)
        query[i] = sharp * ((float)(gw_philox(1, 2, n++) >> 8) * 0x1p-23f - 1.0f);
    for (int i = 0; i < KEYS * KV * DIM; i++) {
        keys[i] = 2.0f * ((float)(gw_philox(1, 3, n++) >> 8) * 0x1p-23f - 1.0f);
        values[i] = (float)(gw_philox(1, 4, n++) >> 8) * 0x1p-23f - 0.7f;
    }
}

static void put(gw_kv_type type, bool v, const float *from, uint8_t *cache) {
    const uint32_t group = gw_kv_group(DIM, v), n_scales = gw_div_up(DIM, group);
    if (type == GW_KV_F32) memcpy(cache, from, sizeof keys);
    for (uint32_t i = 0; type == GW_KV_F16 && i < KEYS * KV * DIM; i++) {
        uint16_t h = (uint16_t)gw_f32_to_f16(from[i]);
        memcpy(cache + 2 * i, &h, 2);
    }
    for (uint32_t r = 0; type == GW_KV_Q8 && r < KEYS * KV; r++) {
        float head[DIM];
        memcpy(head, from + r * DIM, sizeof head);
        gw_rotate(head, DIM);
        gw_kv_pack_head(head, DIM, group, (int8_t *)cache + r * DIM,
                        (float *)(void *)(cache + KEYS * KV * DIM) + r * n_scales);
    }
}
static void put_all(const struct mixture *m) {
    put(m->k, false, keys, key_cache);
    put(m->v, true, values, value_cache);
}

// Element d of head r, in double, as the cache holds it.
static double held(gw_kv_type type, bool v, const uint8_t *cache, uint32_t r, uint32_t d) {
    const uint32_t group = gw_kv_group(DIM, v), at = r * DIM + d;
    float f = 0.0f;
    uint16_t h;
    if (type == GW_KV_F32) memcpy(&f, cache + 4 * at, 4);
    if (type == GW_KV_F32) return (double)f;
    if (type == GW_KV_F16) {
        memcpy(&h, cache + 2 * at, 2);
        return (double)gw_f16_to_f32(h);
    }
    memcpy(&f, cache + KEYS * KV * DIM + 4 * (r * gw_div_up(DIM, group) + d / group), 4);
    return (double)f * ((const int8_t *)cache)[at];
}

static void attend(params *p, const float *q, const int32_t *at, float *y) {
    static uint32_t pages[BLOCKS] = {0, 1, 2, 3, 4};
    void *all = (void *)(uintptr_t)q, *pos_of = (void *)(uintptr_t)at;
    gw_reference_args args = {.params = p,
                              .bufs = {all, key_cache, value_cache, pos_of, pages, y, y, sinks}};
    if (p->mode == PART) args.bufs[5] = parts;
    if (p->mode == COMBINE)
        args = (gw_reference_args){.params = p, .bufs = {pos_of, parts, y, y, sinks}};
    gw_reference(&gw_op_attention, &args);
}

static void positions(int32_t first, uint32_t n, int32_t *out) {
    for (uint32_t i = 0; i < n; i++) out[i] = first + (int32_t)i;
}

// Softmax in double of head h over the keys from lo on: of what the caches hold, or of keys and
// values themselves (m NULL).
static void softmax(const struct mixture *m, int h, int lo, bool sunk, double out[DIM]) {
    static double s[KEYS];
    float q[DIM], q_scales[2];
    int8_t quants[DIM];
    bool q8_k = m && m->k == GW_KV_Q8, q8_v = m && m->v == GW_KV_Q8;
    double top = -1e30, l = 0.0, x[DIM];
    memcpy(q, query + h * DIM, sizeof q);
    if (q8_k) gw_rotate(q, DIM);
    gw_kv_pack_head(q, DIM, 32, quants, q_scales);
    for (int d = 0; d < DIM; d++)
        x[d] = q8_k ? (double)q_scales[d / 32] * quants[d] / TURN : (double)q[d];
    for (int j = lo; j < KEYS; j++) {
        uint32_t r = (uint32_t)(j * KV + h / (HEADS / KV));
        s[j] = 0.0;
        for (uint32_t d = 0; d < DIM; d++)
            s[j] +=
                0.2 * x[d] * (m ? held(m->k, false, key_cache, r, d) : (double)keys[r * DIM + d]);
        top = fmax(top, s[j]);
    }
    for (int d = 0; d < DIM; d++) out[d] = 0.0;
    if (sunk) l = exp((double)sinks[h] - top);
    for (int j = lo; j < KEYS; j++) l += exp(s[j] - top);
    for (int j = lo; j < KEYS; j++) {
        uint32_t r = (uint32_t)(j * KV + h / (HEADS / KV));
        for (uint32_t d = 0; d < DIM; d++)
            out[d] += exp(s[j] - top) / l *
                      (m ? held(m->v, true, value_cache, r, d) : (double)values[r * DIM + d]);
    }
    for (int n = 1; q8_v && n < TURN; n *= 2) {
        for (int i = 0; i < DIM; i++) {
            double a = out[i], b = out[i ^ n];
            if (i & n) continue;
            out[i] = (a + b) / 2;
            out[i ^ n] = (a - b) / 2;
        }
    }
}

static double worst(const float *y, const double *want) {
    double most = 0.0;
    for (int d = 0; d < DIM; d++) most = fmax(most, fabs((double)y[d] - want[d]));
    return most;
}

Test(ops, attention_reference_is_softmax) {
    static float y[HEADS * DIM];
    static const uint32_t windows[] = {0, 700, 257};
    for (int i = 0; i < 3 * N_MIXTURES; i++) {
        const struct mixture *m = &mixtures[i / 3];
        int32_t last = KEYS - 1, w = (int32_t)windows[i % 3], lo = w ? KEYS - w : 0;
        params p = params_for(1, (uint32_t)w, m);
        fill(i % 3 == 1 ? 6.0f : 1.0f);
        put_all(m);
        p.has_sinks = i % 2;
        attend(&p, query, &last, y);
        for (int h = 0; h < HEADS; h++) {
            double want[DIM], off;
            softmax(m, h, lo, p.has_sinks, want);
            off = worst(y + h * DIM, want);
            cr_assert(off < m->held, "%d: head %d: %g off what is held", i, h, off);
            softmax(NULL, h, lo, p.has_sinks, want);
            off = worst(y + h * DIM, want);
            cr_assert(off < m->given, "%d: head %d: %g off what was given", i, h, off);
        }
    }
}

// Queries at each border of a block: their blocks in one launch, and each apart. What is hidden
// from all of them is NaN.
static void check_parts(const struct mixture *m, int32_t at_last, uint32_t n, uint32_t window,
                        float sharp) {
    static float want[7 * HEADS * DIM], got[7 * HEADS * DIM];
    int32_t at[7], last = at_last + (int32_t)n - 1;
    fill(sharp);
    for (int k = (last + 1) * KV * DIM; k < KEYS * KV * DIM; k++) keys[k] = values[k] = NAN;
    int32_t lo = window ? at_last - (int32_t)window + 1 : 0;
    for (int k = 0; k < lo * KV * DIM; k++) keys[k] = values[k] = NAN;
    put_all(m);
    positions(at_last, n, at);
    params p = params_for(n, window, m);
    memset(got, 0xff, sizeof got);
    attend(&p, query, at, want);
    p.mode = PART;
    attend(&p, query, at, got);
    p.mode = COMBINE;
    attend(&p, query, at, got);
    cr_assert(isfinite(want[0]));
    cr_assert(!memcmp(want, got, n * HEADS * DIM * 4), "position %d, window %u", at_last, window);
}

Test(ops, attention_reference_in_parts) {
    static const int32_t lasts[] = {0, 254, 255, 256, 257, 511, 512, 513, 767, 768, 1023, 1024};
    static const uint32_t windows[] = {0, 1, 256, 300};
    for (int i = 0; i < 12; i++) {
        for (int w = 0; w < 4; w++)
            check_parts(&mixtures[(i + w) % N_MIXTURES], lasts[i], 1 + (uint32_t)(i + w) % 6,
                        windows[w], w == 2 ? 20.0f : 1.0f);
    }
}

// A prompt of 12 tokens over the border of a block, cut anywhere.
Test(ops, attention_reference_of_cut_prompts) {
    static float want[TOKENS * HEADS * DIM], got[TOKENS * HEADS * DIM];
    static const uint32_t windows[] = {0, 9, 255};
    fill(1.0f);
    for (int i = 0; i < 3 * N_MIXTURES; i++) {
        const struct mixture *m = &mixtures[i / 3];
        uint32_t window = windows[i % 3];
        int32_t at[TOKENS];
        put_all(m);
        positions(507, TOKENS, at);
        params p = params_for(TOKENS, window, m);
        attend(&p, query, at, want);
        for (uint32_t cut = 1; cut < TOKENS; cut++) {
            params a = params_for(cut, window, m), b = params_for(TOKENS - cut, window, m);
            attend(&a, query, at, got);
            attend(&b, query + cut * HEADS * DIM, at + cut, got + cut * HEADS * DIM);
            cr_assert(!memcmp(want, got, sizeof want), "cut at %u, window %u", cut, window);
        }
    }
}

// A score that is NaN is not lost beside others, nor is a value.
Test(ops, attention_reference_keeps_nan) {
    static float y[HEADS * DIM];
    for (int i = 0; i < 2 * N_MIXTURES; i++) {
        const struct mixture *m = &mixtures[i / 2];
        int32_t last = 700;
        fill(1.0f);
        // Of the first key head; rotation takes a run with it, one scale all of a head's values.
        (i % 2 ? values : keys)[300 * KV * DIM] = NAN;
        put_all(m);
        params p = params_for(1, 0, m);
        attend(&p, query, &last, y);
        for (int d = 0; d < HEADS * DIM; d++) {
            bool of_head = d < HEADS / KV * DIM;
            bool all = i % 2 == 0 || m->v == GW_KV_Q8;
            cr_assert(gw_is_nan(y[d]) == (of_head && (all || d % DIM == 0)), "%d: element %d: %g",
                      i, d, (double)y[d]);
        }
    }
}
