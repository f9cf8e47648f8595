// biased_attention against its reference: caches in all types, grouped heads, slopes and tables, tokens of one text
// and of several, blocks that begin and break off. What the reference gives is held by the families that have such
// biases (tests/families: bloom, mpt, t5, jina-bert-v2), against transformers in double.
#include "ops/kv.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

typedef struct shape {
    uint32_t k_type, v_type, n_head, n_head_kv, head_dim, n_padding, n_bias, zero;
    bool slopes, paged, given; // given: first keys, too
} shape;

enum { CTX = 600, N_TOK = 8, PAGES = 3, ROWS = 5 * 256 };
static const int32_t last[2 * N_TOK] = {0, 31, 255, 256, 513, 599, 599, 40,
                                        0, 7,  255, 100, 256, 300, 599, 41}; // then the first
static const int32_t own[N_TOK] = {0,   31, 255, 256,
                                   513, 0,  300, 3}; // as decoders have it; in the midst

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t row = s->head_dim + s->n_padding;
    uint64_t q[3] = {N_TOK, s->n_head, row}, cache[3] = {s->paged ? ROWS : CTX, s->n_head_kv, row};
    int32_t pages[N_TOK * PAGES];
    for (int i = 0; i < N_TOK * PAGES; i++) pages[i] = s->paged ? i * 7 % 5 : i;
    gw_biased_attention_attrs attrs = {.scale = 0.125f,
                                       .head_dim = s->n_padding ? s->head_dim : 0,
                                       .n_pages = PAGES,
                                       .n_bias = s->n_bias,
                                       .zero = s->zero,
                                       .slopes = s->slopes};
    gw_value *in[7] = {rig_f32(c, "q", 3, q),
                       rig_state(c, "K", s->k_type, 3, cache),
                       rig_state(c, "V", s->v_type, 3, cache),
                       rig_i32(c, "last", s->given ? 2 * N_TOK : N_TOK, last),
                       rig_i32(c, "own", N_TOK, own),
                       rig_i32(c, "pages", s->paged ? N_TOK * PAGES : PAGES, pages),
                       rig_weight(c, &gw_format_f32, 0, s->n_head * s->n_bias)};
    rig_node(c, &gw_op_biased_attention, in, 7, &attrs, sizeof attrs)->keep = true;
}

Test(ops, biased_attention) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16 };
    static const shape shapes[] = {
        {F32, F32, 1, 1, 8, 0, 1, 0, true, false, false},
        {F32, F32, 6, 2, 40, 0, 33, 16, false, false, false},
        {F16, F16, 3, 3, 64, 0, 257, 128, false, false, false},
        {F16, F32, 4, 2, 20, 4, 1, 0, true, false, false},
        {F32, F16, 4, 1, 100, 4, 5, 4, false, false, false},
        {F32, F32, 3, 3, 20, 4, 129, 128, false, false, true},
        {F16, F16, 4, 2, 64, 0, 1, 0, true, false, true},
    };
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY, RIG_MIXED};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int f = 0; f < 4 && rig_sees(i); f++) {
            char label[64];
            snprintf(label, sizeof label, "biased_attention, shape %zu", i);
            shape s = shapes[i];
            rig_compare(&r, build, &s, fills[f], label);
            s.paged = true;
            rig_compare(&r, build, &s, fills[f], label);
        }
        if (rig_sees(i)) rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "biased_attention");
    }
    rig_close(&r);
}

// A text so long that a lane would go through more rounds of loops than llvmpipe lets one have (docs/QUIRKS.md).
static void build_long(rig_case *c) {
    enum { BLOCKS = 66, KEYS = BLOCKS * 256, DIM = 64 };
    static const int32_t last_of[2] = {KEYS - 1, 8191}, own_of[2] = {KEYS - 1, 100};
    static const uint64_t q[3] = {2, 1, DIM}, cache[3] = {KEYS, 1, DIM};
    int32_t pages[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) pages[i] = i;
    const gw_biased_attention_attrs attrs = {
        .scale = 0.125f, .n_pages = BLOCKS, .n_bias = 1, .slopes = true};
    gw_value *in[7] = {rig_f32(c, "q", 3, q),
                       rig_state(c, "K", GODWIT_F16, 3, cache),
                       rig_state(c, "V", GODWIT_F16, 3, cache),
                       rig_i32(c, "last", 2, last_of),
                       rig_i32(c, "own", 2, own_of),
                       rig_i32(c, "pages", BLOCKS, pages),
                       rig_weight(c, &gw_format_f32, 0, 1)};
    rig_node(c, &gw_op_biased_attention, in, 7, &attrs, sizeof attrs)->keep = true;
}

Test(ops, biased_attention_of_long_texts) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    rig_compare(&r, build_long, NULL, RIG_NORMAL, "biased_attention of 16,896 keys");
    rig_close(&r);
}
