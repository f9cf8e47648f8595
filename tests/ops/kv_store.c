// kv_store against its reference: caches in all types, positions at the ends and outside.
#include "ops/kv.h"
#include "ops/q8_act.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t k_type, v_type, n_head, head_dim;
    bool columns, one_state;
} shape;

static const int32_t pos[] = {0, 36, 5, 37, -1};

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[3] = {5, s->n_head, s->head_dim}, cache[3] = {37, s->n_head, s->head_dim};
    gw_value *in[5] = {s->columns ? rig_columns(c, "k", 3, dims, 67) : rig_f32(c, "k", 3, dims),
                       s->columns ? rig_columns(c, "v", 3, dims, 2) : rig_f32(c, "v", 3, dims),
                       rig_i32(c, "pos", 5, pos), rig_state(c, "K", s->k_type, 3, cache),
                       rig_state(c, "V", s->v_type, 3, cache)};
    if (s->one_state) {
        in[1] = in[0];
        in[4] = in[3];
    }
    rig_node(c, &gw_op_kv_store, in, 5, NULL, 0);
}

Test(ops, kv_store) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    enum { F32 = GODWIT_F32, F16 = GODWIT_F16, K8 = GW_DTYPE_Q8_KEYS, V8 = GW_DTYPE_Q8_VALUES };
    static const shape shapes[] = {{F32, F32, 1, 2, false, false},  {F32, F32, 3, 48, false, false},
                                   {F16, F16, 1, 2, false, false},  {F16, F16, 3, 48, false, false},
                                   {F32, F16, 2, 6, false, false},  {K8, V8, 3, 64, false, false},
                                   {K8, V8, 1, 8, false, false},    {K8, V8, 2, 104, false, false},
                                   {F16, V8, 2, 256, false, false}, {K8, F32, 3, 80, false, false},
                                   {F32, F16, 3, 20, true, false},  {K8, V8, 2, 40, true, false},
                                   {F32, F32, 1, 80, false, true},  {F16, F16, 1, 576, true, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "kv_store");
        }
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "kv_store");
    }
    rig_close(&r);
}

// What a q8_0 cache is made of: the rule of int8 activations, and a rotation that keeps products.
Test(ops, kv_pack_is_q8_act) {
    static const float scales[] = {1.0f, 0x1p-40f, 0x1p60f, 0.0f};
    for (int i = 0; i < 4; i++) {
        float v[32], d;
        int8_t a[32], b[32];
        for (uint32_t k = 0; k < 32; k++)
            v[k] = scales[i] * ((float)(gw_philox(5, 6, k) >> 8) * 0x1p-23f - 1.0f);
        if (i == 3) v[7] = NAN;
        d = gw_q8_pack(v, a);
        cr_expect(gw_bits(d) == gw_bits(gw_kv_pack(v, 32, b)) && !memcmp(a, b, 32), "scale %d", i);
    }
}

Test(ops, kv_rotation) {
    static const uint32_t dims[][2] = {{8, 8}, {24, 8}, {80, 16}, {96, 32}, {128, 128}, {256, 256}};
    for (int i = 0; i < 6; i++) {
        const uint32_t d = dims[i][0], h = dims[i][1];
        float x[256], y[256], turned[2][256];
        double before = 0.0, after = 0.0;
        cr_expect(gw_rotation(d) == h, "%u: %u", d, gw_rotation(d));
        for (uint32_t k = 0; k < d; k++) {
            x[k] = turned[0][k] = (float)(gw_philox(1, 2, k) % 99) - 49.0f;
            y[k] = turned[1][k] = (float)(gw_philox(3, 4, k) % 99) - 49.0f;
            before += (double)x[k] * (double)y[k];
        }
        gw_rotate(turned[0], d);
        gw_rotate(turned[1], d);
        for (uint32_t k = 0; k < d; k++) after += (double)turned[0][k] * (double)turned[1][k];
        cr_expect(after == before * h, "%u: products are %g, %g wanted", d, after, before * h);
        gw_rotate_back(turned[0], d);
        cr_expect(!memcmp(turned[0], x, d * sizeof *x), "%u: is not turned back", d);
    }
}
