// quantize_q8 against its reference, and the reference against what the contract says.
#include "support/rig.h"

#include "ops/q8_act.h"

#include <criterion/criterion.h>
#include <math.h>

static void build(rig_case *c) {
    const uint32_t *s = c->user; // rows, columns
    uint64_t dims[2] = {s[0], s[1]};
    gw_value *x = rig_f32(c, "x", 2, dims);
    rig_output(c, &gw_op_quantize_q8, &x, 1, NULL, 0);
}

Test(ops, quantize_q8) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t shapes[][2] = {{1, 32}, {3, 64}, {31, 288}, {1, 4096}};
    for (int fill = 0; fill < RIG_N_FILLS; fill++) {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            rig_compare(&r, build, shapes[i], (rig_fill)fill, "quantize_q8");
        }
    }
    rig_compare_tunes(&r, build, shapes[2], RIG_MIXED, "quantize_q8");
    rig_close(&r);
}

// What a group of a model gone wrong holds: the scale tells of it, whatever the driver makes of max.
typedef struct odd {
    float first, second; // at places 3 and 30 of each second group
    bool none;           // no q is anything
} odd;
static const odd odds[] = {
    {(float)NAN, 0.5f, true},
    {0.25f, (float)INFINITY, true},
    {(float)-INFINITY, (float)NAN, true},
    {0x1p90f, -0x1p-39f, false},
    {-0x1.8p-40f, 0.0f, false}, // d is flushed where these are alone
};
enum { N_ODDS = sizeof odds / sizeof *odds };

static void build_odd(rig_case *c) {
    const odd *o = c->user;
    uint64_t dims[2] = {3, 128};
    gw_value *x = rig_f32(c, "x", 2, dims);
    float *data = (float *)(uintptr_t)c->inputs.items[c->inputs.n - 1].data;
    for (uint32_t at = 0; at < 3 * 128; at += 64) {
        data[at + 3] = o->first;
        data[at + 30] = o->second;
    }
    rig_output(c, &gw_op_quantize_q8, &x, 1, NULL, 0);
}

Test(ops, quantize_q8_of_odd_values) {
    rig r;
    for (uint32_t i = 0; i < N_ODDS; i++) {
        float v[32] = {[3] = odds[i].first, [30] = odds[i].second};
        int8_t q[32];
        uint32_t d = gw_bits(gw_q8_pack(v, q));
        cr_assert(!odds[i].none || d == GW_NAN_BITS, "case %u: d is %08x", i, d);
        for (int k = 0; k < 32 && odds[i].none; k++) cr_assert_eq(q[k], 0);
    }
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t i = 0; i < N_ODDS; i++) {
        rig_compare(&r, build_odd, &odds[i], RIG_NORMAL, "quantize_q8 of odd values");
        rig_compare_tunes(&r, build_odd, &odds[i], RIG_ZEROS, "quantize_q8 of odd values");
    }
    rig_close(&r);
}

Test(ops, quantize_q8_reference_is_near) {
    for (uint32_t i = 0; i < 1000; i++) {
        float v[32], amax = 0.0f;
        int8_t q[32];
        for (uint32_t k = 0; k < 32; k++) {
            v[k] = (float)(int32_t)gw_philox(1, i, k) * gw_pow2((int)(i % 60) - 60);
            amax = fmaxf(amax, fabsf(v[k]));
        }
        double d = (double)gw_q8_pack(v, q);
        for (uint32_t k = 0; k < 32; k++) {
            cr_assert(fabs(d * q[k] - (double)v[k]) <= 0.50001 * d + 0x1p-33, "%g of %g: %d",
                      (double)v[k], (double)amax, q[k]);
        }
    }
}
