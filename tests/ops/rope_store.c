// rope_store against its reference, and against the ops that it stands for: rope, pad_rows, kv_store.
#include "ops/kv.h"
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t k_type, v_type, n_head, n_head_kv, head_dim, n_rot, paired;
    bool columns, apart;
} shape;

enum { N_TOK = 5, N_ROWS = 37 };
static const int32_t rows[N_TOK] = {0, 36, 5, 37, -1};

static gw_value *padded(rig_case *c, gw_value *x) {
    return gw_value_row(x) % 8 ? rig_node(c, &gw_op_pad_rows, &x, 1, NULL, 0) : x;
}

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t row = GW_ALIGN_UP(s->head_dim, 8);
    uint64_t table[2] = {N_TOK, s->n_rot}, cache[3] = {N_ROWS, s->n_head_kv, row};
    const gw_rope_attrs attrs = {.n_rot = s->n_rot, .paired = s->paired};
    gw_value *in[7];
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t dims[3] = {N_TOK, i ? s->n_head_kv : s->n_head, s->head_dim};
        in[i] = s->columns ? rig_columns(c, "x", 3, dims, 33 + i) : rig_f32(c, "x", 3, dims);
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
    {F32, F32, 1, 1, 2, 2, 1, false, false},  {F32, F32, 4, 2, 48, 32, 0, true, false},
    {F16, F16, 6, 2, 48, 48, 1, true, false}, {F16, F16, 4, 4, 20, 20, 0, false, false},
    {F32, F16, 2, 1, 98, 64, 1, true, false}, {K8, V8, 4, 2, 64, 64, 0, true, false},
    {K8, V8, 2, 2, 20, 10, 1, true, false},   {F16, V8, 2, 1, 256, 256, 1, false, false},
    {K8, F32, 4, 2, 80, 40, 0, true, false},
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
