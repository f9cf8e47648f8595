// moe_group against its reference, and the reference against what it promises: each pair once, in a tile of its
// expert, tiles of an expert side by side.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t n_tok, n_used, n_experts, tile;
} shape;
static const shape shapes[] = {{1, 1, 1, 1},     {5, 2, 3, 16},    {300, 3, 7, 16},
                               {64, 8, 512, 16}, {40, 5, 130, 32}, {257, 2, 4, 32}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, MOST_PAIRS = 1024 };

static int32_t id_of(const shape *s, uint32_t i) {
    if (i % 11 == 10) return i % 2 ? -1 : (int32_t)s->n_experts; // the last one
    return (int32_t)(gw_philox(3, s->n_experts, i) % s->n_experts * (i % 3) / 2);
}

static void build(rig_case *c) {
    const shape *s = c->user;
    static int32_t ids[MOST_PAIRS];
    uint64_t table[2] = {s->n_tok, s->n_used};
    const gw_moe_group_attrs attrs = {.n_experts = s->n_experts, .tile = s->tile};
    for (uint32_t i = 0; i < s->n_tok * s->n_used; i++) ids[i] = id_of(s, i);
    gw_value *x = rig_i32(c, "ids", s->n_tok * s->n_used, ids);
    cr_assert(!gw_graph_reshape(&c->graph, x, 2, table, &x, NULL));
    rig_output(c, &gw_op_moe_group, &x, 1, &attrs, sizeof attrs);
}

Test(ops, moe_group) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (int i = 0; i < N_SHAPES; i++) {
        rig_compare(&r, build, &shapes[i], RIG_NORMAL, "moe_group");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "moe_group");
    }
    rig_close(&r);
}

// Tiles of a shape, as moe_group.comp's parameters have their number.
static uint32_t tiles_of(const shape *s) {
    const uint32_t n = s->n_tok * s->n_used, some = n < s->n_experts ? n : s->n_experts;
    return (n + some * (s->tile - 1)) / s->tile;
}

Test(ops, moe_group_has_each_pair_in_a_tile_of_its_expert) {
    static uint32_t ids[MOST_PAIRS], groups[16 * MOST_PAIRS];
    static bool seen[MOST_PAIRS];
    for (int k = 0; k < N_SHAPES; k++) {
        const shape *s = &shapes[k];
        const uint32_t n = s->n_tok * s->n_used, n_tiles = tiles_of(s);
        const uint32_t params[4] = {n, s->n_experts, s->tile, n_tiles};
        cr_assert(n_tiles * (1 + s->tile) <= 16 * MOST_PAIRS);
        for (uint32_t i = 0; i < n; i++) ids[i] = (uint32_t)id_of(s, i);
        gw_reference_args args = {.params = params, .bufs = {ids, groups}};
        gw_reference(&gw_op_moe_group, &args);
        memset(seen, 0, sizeof seen);
        uint32_t n_seen = 0, last = 0;
        for (uint32_t t = 0; t < n_tiles && groups[t * (1 + s->tile)] != UINT32_MAX; t++) {
            const uint32_t *tile = &groups[t * (1 + s->tile)];
            cr_assert(tile[0] >= last && tile[0] < s->n_experts && tile[1] < n);
            last = tile[0];
            for (uint32_t j = 1; j <= s->tile && tile[j] != UINT32_MAX; j++, n_seen++) {
                const uint32_t id = ids[tile[j]] < s->n_experts ? ids[tile[j]] : s->n_experts - 1;
                cr_assert(tile[j] < n && !seen[tile[j]] && id == tile[0]);
                seen[tile[j]] = true;
            }
        }
        cr_assert_eq(n_seen, n);
    }
}
