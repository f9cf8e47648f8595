// moe_matmul against its reference in every number format, and the reference against matmul: with all
// experts chosen in their order, it is the product of all their rows.
#include "support/rig.h"

#include <criterion/criterion.h>

enum { EXPERTS = 4, ROWS = 64, TOKENS = 3 };

typedef struct shape {
    uint32_t format, cols, used;
    bool whole; // a row of x for each pair, a scale and a bias
    bool as_matmul;
    uint32_t tile, n_tok; // of many tokens; tile 0: pair by pair
} shape;

static void build(rig_case *c) {
    static const int32_t some[] = {3, 0, 1, 1, -1, 4},
                         every[] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    const shape *s = c->user;
    uint64_t w[3] = {EXPERTS, ROWS, s->cols}, one[2] = {TOKENS, 1}, table[2] = {TOKENS, s->used};
    uint64_t x[3] = {TOKENS, s->whole ? s->used : 1, s->cols}, rows[2] = {EXPERTS * ROWS, s->cols};
    const gw_format *format = gw_format_at(s->format);
    gw_value *in[5] = {rig_weight_of(c, format, s->as_matmul ? 2 : 3, s->as_matmul ? rows : w),
                       rig_f32(c, "x", 3, x)};
    if (s->as_matmul) {
        rig_output(c, &gw_op_matmul, in, 2, NULL, 0);
        return;
    }
    in[2] = rig_i32(c, "ids", TOKENS * s->used, s->used == EXPERTS ? every : some);
    cr_assert(!gw_graph_reshape(&c->graph, in[2], 2, table, &in[2], NULL));
    if (s->whole) in[3] = rig_f32(c, "scale", 2, one);
    if (s->whole) in[4] = rig_weight(c, &gw_format_f32, EXPERTS, ROWS);
    rig_output(c, &gw_op_moe_matmul, in, s->whole ? 5 : 3, NULL, 0);
}

// Experts that many tokens chose, and one that none did; ids outside.
static void build_many(rig_case *c) {
    const shape *s = c->user;
    static int32_t ids[64 * 3];
    uint64_t w[3] = {EXPERTS + 1, ROWS, s->cols}, one[2] = {s->n_tok, 1};
    uint64_t x[3] = {s->n_tok, s->whole ? s->used : 1, s->cols}, table[2] = {s->n_tok, s->used};
    const gw_moe_group_attrs attrs = {.n_experts = EXPERTS + 1, .tile = s->tile};
    for (uint32_t i = 0; i < s->n_tok * s->used; i++)
        ids[i] = i % 7 == 0 ? -1 : i % 5 == 0 ? 1 : i % 3 == 0 ? 0 : 2;
    gw_value *in[6] = {rig_weight_of(c, gw_format_at(s->format), 3, w), rig_f32(c, "x", 3, x),
                       rig_i32(c, "ids", s->n_tok * s->used, ids)};
    cr_assert(!gw_graph_reshape(&c->graph, in[2], 2, table, &in[2], NULL));
    if (s->whole) in[3] = rig_f32(c, "scale", 2, one);
    if (s->whole) in[4] = rig_weight(c, &gw_format_f32, EXPERTS + 1, ROWS);
    if (s->tile) in[5] = rig_node(c, &gw_op_moe_group, &in[2], 1, &attrs, sizeof attrs);
    rig_output(c, &gw_op_moe_matmul, in, s->tile ? 6 : s->whole ? 5 : 3, NULL, 0);
}

static uint32_t cols_of(uint32_t format, uint32_t cols) {
    uint32_t block = gw_format_at(format)->block;
    return (cols + block - 1) / block * block;
}

Test(ops, moe_matmul) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        if (!rig_sees(format)) continue;
        const shape s = {
            format, cols_of(format, format % 2 ? 96 : 1120), 2, format % 3 == 0, false, 0, 0};
        const char *label = gw_format_at(format)->name;
        rig_compare(&r, build, &s, (rig_fill)(format % RIG_N_FILLS), label);
        if (format % 5 == 0) rig_compare_tunes(&r, build, &s, RIG_NORMAL, label);
    }
    rig_close(&r);
}

Test(ops, moe_matmul_by_tiles) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        if (!rig_sees(format)) continue;
        const shape s = {format,
                         cols_of(format, format % 2 ? 96 : 544),
                         3,
                         format % 3 == 0,
                         false,
                         format % 4 ? 16 : 32,
                         format % 2 ? 61 : 64};
        shape by_pairs = s;
        const char *label = gw_format_at(format)->name;
        by_pairs.tile = 0;
        rig_compare(&r, build_many, &s, (rig_fill)(format % RIG_N_FILLS), label);
        rig_same(&r, build_many, &s, &by_pairs, RIG_NORMAL, label);
        if (format % 5 == 0) rig_compare_tunes(&r, build_many, &s, RIG_NORMAL, label);
    }
    rig_close(&r);
}

Test(ops, moe_matmul_of_all_experts_is_matmul) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        if (!rig_sees(format)) continue;
        const shape a = {format, cols_of(format, 544), EXPERTS, false, false, 0, 0};
        const shape b = {format, a.cols, EXPERTS, false, true, 0, 0};
        rig_same(&r, build, &a, &b, RIG_NORMAL, gw_format_at(format)->name);
    }
    rig_close(&r);
}
