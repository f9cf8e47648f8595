// kv_store against its reference: both cache types, positions at the ends and outside.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t k_type, v_type, n_head, head_dim;
} shape;

static const int32_t pos[] = {0, 36, 5, 37, -1};

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[3] = {5, s->n_head, s->head_dim}, cache[3] = {37, s->n_head, s->head_dim};
    gw_value *in[5] = {rig_f32(c, "k", 3, dims), rig_f32(c, "v", 3, dims),
                       rig_i32(c, "pos", 5, pos), rig_state(c, "K", s->k_type, 3, cache),
                       rig_state(c, "V", s->v_type, 3, cache)};
    rig_node(c, &gw_op_kv_store, in, 5, NULL, 0);
}

Test(ops, kv_store) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16, K8 = GW_DTYPE_Q8_KEYS, V8 = GW_DTYPE_Q8_VALUES };
    static const shape shapes[] = {
        {F32, F32, 1, 2}, {F32, F32, 3, 48}, {F16, F16, 1, 2}, {F16, F16, 3, 48}, {F32, F16, 2, 6},
        {K8, V8, 3, 64},  {K8, V8, 1, 8},    {K8, V8, 2, 104}, {F16, V8, 2, 256}, {K8, F32, 3, 80}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "kv_store");
        }
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "kv_store");
    }
    rig_close(&r);
}
