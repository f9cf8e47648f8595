// attention against its reference: both cache types, grouped heads, windows, fused or not, blocks
// of keys in one launch or apart; the reference against itself with blocks apart and prompts cut,
// and against a plain softmax in double.
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
} shape;

enum { CTX = 600, N_TOK = 10 };
// Units and blocks begin, end and break off; neighbours see other blocks.
static const int32_t pos[N_TOK] = {0, 31, 255, 256, 513, 257, 599, 33, 128, 511};

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t row = s->head_dim + s->n_padding;
    uint64_t q[3] = {s->n_tok, s->n_head, row}, cache[3] = {CTX, s->n_head_kv, row};
    gw_attention_attrs attrs = {
        .scale = 0.125f, .window = s->window, .head_dim = s->n_padding ? s->head_dim : 0};
    gw_value *in[4] = {rig_f32(c, "q", 3, q), rig_state(c, "K", s->k_type, 3, cache),
                       rig_state(c, "V", s->v_type, 3, cache), rig_i32(c, "pos", s->n_tok, pos)};
    gw_value *y = rig_node(c, &gw_op_attention, in, 4, &attrs, sizeof attrs);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

Test(ops, attention) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16, K8 = GW_DTYPE_Q8_KEYS, V8 = GW_DTYPE_Q8_VALUES };
    static const shape shapes[] = {
        {F32, F32, 1, 1, 8, 0, false, 0, 7},    {F32, F32, 6, 2, 40, 0, false, 0, 10},
        {F32, F32, 4, 4, 64, 300, true, 0, 7},  {F16, F16, 6, 3, 128, 0, true, 0, 10},
        {F16, F16, 2, 1, 24, 1, false, 0, 6},   {F16, F16, 6, 2, 20, 0, false, 4, 7},
        {F32, F32, 2, 2, 98, 40, false, 6, 10}, {F16, F16, 16, 4, 30, 0, true, 2, 1},
        {F16, F16, 8, 1, 256, 0, true, 0, 5},   {K8, V8, 4, 2, 64, 0, true, 0, 7},
        {F16, V8, 6, 3, 128, 0, true, 0, 10},   {K8, V8, 6, 2, 80, 300, false, 0, 10},
        {K8, F16, 4, 2, 40, 0, false, 0, 6},    {K8, V8, 2, 2, 98, 40, false, 6, 7},
        {F32, V8, 4, 4, 8, 0, false, 0, 10},    {K8, V8, 8, 1, 256, 0, true, 0, 5},
        {K8, V8, 16, 4, 30, 0, true, 2, 1},     {F16, F32, 4, 2, 96, 0, true, 0, 7},
    };
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY, RIG_MIXED};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int f = 0; f < 4; f++) {
            char label[64];
            snprintf(label, sizeof label, "attention, shape %zu", i);
            rig_compare(&r, build, &shapes[i], fills[f], label);
        }
    }
    rig_compare_tunes(&r, build, &shapes[2], RIG_NORMAL, "attention, shape 2");
    rig_compare_tunes(&r, build, &shapes[4], RIG_NORMAL, "attention, shape 4");
    rig_compare_tunes(&r, build, &shapes[6], RIG_NORMAL, "attention, shape 6");
    rig_compare_tunes(&r, build, &shapes[11], RIG_NORMAL, "attention, shape 11");
    rig_compare_tunes(&r, build, &shapes[13], RIG_NORMAL, "attention, shape 13");
    rig_close(&r);
}

// --- the reference -------------------------------------------------------------------------------

typedef struct params {
    uint32_t n_tok, n_head, n_head_kv, head_dim;
    float scale2;
    uint32_t window, k_type, v_type, quantize, out_dim, n_ctx, mode, n_blocks, first, end;
} params;
enum { WALK, PART, COMBINE };

enum { DIM = 48, HEADS = 4, KV = 2, KEYS = 1030, TOKENS = 12, BLOCKS = 5 };
static float query[TOKENS * HEADS * DIM], keys[KEYS * KV * DIM], values[KEYS * KV * DIM];
static float parts[TOKENS * HEADS * BLOCKS * (DIM + 2)];

static params params_for(uint32_t n_tok, uint32_t window) {
    return (params){.n_tok = n_tok,
                    .n_head = HEADS,
                    .n_head_kv = KV,
                    .head_dim = DIM,
                    .scale2 = 0.2f * 1.44269504f,
                    .window = window,
                    .out_dim = DIM,
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

static void attend(params *p, const float *q, const int32_t *at, float *y) {
    gw_reference_args args = {
        .params = p,
        .bufs = {(void *)(uintptr_t)q, keys, values, (void *)(uintptr_t)at, y, y, parts}};
    gw_op_attention.reference(&args);
}

static void positions(int32_t first, uint32_t n, int32_t *out) {
    for (uint32_t i = 0; i < n; i++) out[i] = first + (int32_t)i;
}

Test(ops, attention_reference_is_softmax) {
    static float y[HEADS * DIM];
    static double s[KEYS];
    static const uint32_t windows[] = {0, 700, 257};
    for (int w = 0; w < 3; w++) {
        int32_t last = KEYS - 1, lo = windows[w] ? KEYS - (int32_t)windows[w] : 0;
        params p = params_for(1, windows[w]);
        fill(w == 1 ? 6.0f : 1.0f);
        attend(&p, query, &last, y);
        for (int h = 0; h < HEADS; h++) {
            double top = -1e30, l = 0.0, scale = (double)p.scale2 / 1.4426950408889634;
            for (int j = lo; j < KEYS; j++) {
                s[j] = 0.0;
                for (int d = 0; d < DIM; d++)
                    s[j] += (double)query[h * DIM + d] *
                            (double)keys[(j * KV + h / (HEADS / KV)) * DIM + d] * scale;
                top = fmax(top, s[j]);
            }
            for (int j = lo; j < KEYS; j++) l += exp(s[j] - top);
            for (int d = 0; d < DIM; d++) {
                double want = 0.0;
                for (int j = lo; j < KEYS; j++)
                    want +=
                        exp(s[j] - top) / l * (double)values[(j * KV + h / (HEADS / KV)) * DIM + d];
                cr_assert(fabs((double)y[h * DIM + d] - want) < 4e-6,
                          "window %u, head %d, dimension %d: %g, %g wanted", windows[w], h, d,
                          (double)y[h * DIM + d], want);
            }
        }
    }
}

// Queries at each border of a block: their blocks in one launch, and each apart. What is hidden
// from all of them is NaN.
Test(ops, attention_reference_in_parts) {
    static const int32_t lasts[] = {0, 254, 255, 256, 257, 511, 512, 513, 767, 768, 1023, 1024};
    static const uint32_t windows[] = {0, 1, 256, 300};
    static float want[7 * HEADS * DIM], got[7 * HEADS * DIM];
    for (int i = 0; i < 12; i++) {
        for (int w = 0; w < 4; w++) {
            uint32_t n = 1 + (uint32_t)(i + w) % 6;
            int32_t at[7], last = lasts[i] + (int32_t)n - 1;
            fill(w == 2 ? 20.0f : 1.0f);
            for (int k = (last + 1) * KV * DIM; k < KEYS * KV * DIM; k++) keys[k] = values[k] = NAN;
            int32_t lo = windows[w] ? lasts[i] - (int32_t)windows[w] + 1 : 0;
            for (int k = 0; k < lo * KV * DIM; k++) keys[k] = values[k] = NAN;
            positions(lasts[i], n, at);
            params p = params_for(n, windows[w]);
            memset(got, 0xff, sizeof got);
            attend(&p, query, at, want);
            p.mode = PART;
            attend(&p, query, at, got);
            p.mode = COMBINE;
            attend(&p, query, at, got);
            cr_assert(isfinite(want[0]));
            cr_assert(!memcmp(want, got, n * HEADS * DIM * 4), "position %d, window %u", lasts[i],
                      windows[w]);
        }
    }
}

// A prompt of 12 tokens over the border of a block, cut anywhere.
Test(ops, attention_reference_of_cut_prompts) {
    static float want[TOKENS * HEADS * DIM], got[TOKENS * HEADS * DIM];
    static const uint32_t windows[] = {0, 9, 255};
    fill(1.0f);
    for (int w = 0; w < 3; w++) {
        int32_t at[TOKENS];
        positions(507, TOKENS, at);
        params p = params_for(TOKENS, windows[w]);
        attend(&p, query, at, want);
        for (uint32_t cut = 1; cut < TOKENS; cut++) {
            params a = params_for(cut, windows[w]), b = params_for(TOKENS - cut, windows[w]);
            attend(&a, query, at, got);
            attend(&b, query + cut * HEADS * DIM, at + cut, got + cut * HEADS * DIM);
            cr_assert(!memcmp(want, got, sizeof want), "cut at %u, window %u", cut, windows[w]);
        }
    }
}

// The parts of a block are what they are said to be: a score that is NaN is not lost beside others.
Test(ops, attention_reference_keeps_nan) {
    static float y[HEADS * DIM];
    fill(1.0f);
    keys[300 * KV * DIM] = NAN; // of the first key head
    int32_t last = 700;
    params p = params_for(1, 0);
    attend(&p, query, &last, y);
    for (int i = 0; i < HEADS * DIM; i++)
        cr_assert(gw_is_nan(y[i]) == (i < HEADS / KV * DIM), "element %d: %g", i, (double)y[i]);
}
