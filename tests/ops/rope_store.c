// rope_store against its reference, and against the ops that it stands for: rope, pad_rows, kv_store.
#include "ops/kv.h"
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t k_type, v_type, n_head, n_head_kv, head_dim, n_rot, paired;
    enum { DENSE, COLUMNS, OF_ONE } lie; // OF_ONE: columns of one product
    bool apart;
} shape;

enum { N_TOK = 5, N_ROWS = 37 };
static const int32_t rows[N_TOK] = {0, 36, 5, 37, -1};

static gw_value *padded(rig_case *c, gw_value *x) {
    return gw_value_row(x) % 8 ? rig_node(c, &gw_op_pad_rows, &x, 1, NULL, 0) : x;
}

// Heads first .. of a product.
static gw_value *some_heads(rig_case *c, gw_value *all, uint64_t first, const uint64_t dims[3]) {
    const uint64_t flat[2] = {dims[0], all->dims[1] * all->dims[2]};
    godwit_error err = {0};
    gw_value *v = NULL;
    cr_assert(gw_graph_reshape(&c->graph, all, 2, flat, &v, &err) == GODWIT_OK, "%s", err.message);
    cr_assert(gw_graph_columns(&c->graph, v, first * dims[2], dims[1] * dims[2], &v, &err) ==
                  GODWIT_OK,
              "%s", err.message);
    cr_assert(gw_graph_reshape(&c->graph, v, 3, dims, &v, &err) == GODWIT_OK, "%s", err.message);
    return v;
}

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t row = GW_ALIGN_UP(s->head_dim, 8);
    uint64_t table[2] = {N_TOK, s->n_rot}, cache[3] = {N_ROWS, s->n_head_kv, row};
    const gw_rope_attrs attrs = {.n_rot = s->n_rot, .paired = s->paired};
    const uint64_t n = s->n_head + 2 * s->n_head_kv, all[3] = {N_TOK, n, s->head_dim};
    gw_value *in[7], *one = s->lie == OF_ONE ? rig_columns(c, "qkv", 3, all, 3) : NULL;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t dims[3] = {N_TOK, i ? s->n_head_kv : s->n_head, s->head_dim};
        if (s->lie == DENSE) in[i] = rig_f32(c, "x", 3, dims);
        if (s->lie == COLUMNS) in[i] = rig_columns(c, "x", 3, dims, 33 + i);
        if (s->lie == OF_ONE)
            in[i] = some_heads(c, one, i ? s->n_head + (i - 1) * s->n_head_kv : 0, dims);
    }
    in[3] = rig_f32(c, "table", 2, table);
    in[4] = rig_i32(c, "rows", N_TOK, rows);
    in[5] = rig_state(c, "K", s->k_type, 3, cache);
    in[6] = rig_state(c, "V", s->v_type, 3, cache);
    if (!s->apart) {
        rig_output(c, &gw_op_rope_store, in, 7, &attrs, sizeof attrs);
        return;
    }
    gw_value *q[2] = {in[0], in[3]}, *k[2] = {in[1], in[3]};
    gw_value *turned = padded(c, rig_node(c, &gw_op_rope, q, 2, &attrs, sizeof attrs));
    in[0] = padded(c, rig_node(c, &gw_op_rope, k, 2, &attrs, sizeof attrs));
    in[1] = padded(c, in[2]);
    turned->keep = true;
    gw_value *store[5] = {in[0], in[1], in[4], in[5], in[6]};
    rig_node(c, &gw_op_kv_store, store, 5, NULL, 0);
}

enum { F32 = GODWIT_F32, F16 = GODWIT_F16, K8 = GW_DTYPE_Q8_KEYS, V8 = GW_DTYPE_Q8_VALUES };
static const shape shapes[] = {
    {F32, F32, 1, 1, 2, 2, 1, DENSE, false},     {F32, F32, 4, 2, 48, 32, 0, OF_ONE, false},
    {F16, F16, 6, 2, 48, 48, 1, OF_ONE, false},  {F16, F16, 4, 4, 20, 20, 0, DENSE, false},
    {F32, F16, 2, 1, 98, 64, 1, COLUMNS, false}, {K8, V8, 4, 2, 64, 64, 0, OF_ONE, false},
    {K8, V8, 2, 2, 20, 10, 1, COLUMNS, false},   {F16, V8, 2, 1, 256, 256, 1, DENSE, false},
    {K8, F32, 4, 2, 80, 40, 0, OF_ONE, false},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

Test(ops, rope_store) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (size_t i = 0; i < N_SHAPES; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            if (fill != RIG_HUGE) rig_compare(&r, build, &shapes[i], (rig_fill)fill, "rope_store");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "rope_store");
    }
    rig_close(&r);
}

Test(ops, rope_store_is_rope_and_kv_store) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (size_t i = 0; i < N_SHAPES; i++) {
        shape apart = shapes[i];
        apart.apart = true;
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            if (fill != RIG_HUGE)
                rig_same(&r, build, &shapes[i], &apart, (rig_fill)fill, "rope_store, apart");
    }
    rig_close(&r);
}
