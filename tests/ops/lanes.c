// Lanes in other orders: that they show a barrier that is not there. The operators' tests are run with them as
// lanes.<order>@lavapipe (tests/CMakeLists.txt); one of them by hand, in the build's folder:
//   GODWIT_TEST_LANES=reversed tests/test_ops --filter 'ops/rms_norm'
#include "ops/kv.h"
#include "ops/rms_norm.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void build_rms_norm(rig_case *c) {
    const gw_rms_norm_attrs attrs = {.eps = 1e-5f};
    static const uint64_t dims[2] = {2, 544};
    gw_value *in[2] = {rig_f32(c, "x", 2, dims), rig_weight(c, &gw_format_f32, 0, dims[1])};
    rig_output(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
}

static void build_matmul(rig_case *c) {
    static const uint64_t dims[2] = {2, 1056};
    gw_value *in[2] = {rig_weight(c, &gw_format_q8_0, 40, dims[1]), rig_f32(c, "x", 2, dims)};
    rig_output(c, &gw_op_matmul, in, 2, NULL, 0);
}

static void build_biased_attention(rig_case *c) {
    enum { KEYS = 600, DIM = 40, PAGES = 3 };
    static const int32_t last[2] = {599, 300}, pages[PAGES] = {0, 1, 2};
    static const uint64_t q[3] = {2, 2, DIM}, cache[3] = {KEYS, 1, DIM};
    const gw_biased_attention_attrs attrs = {
        .scale = 0.125f, .n_pages = PAGES, .n_bias = 1, .slopes = true};
    gw_value *in[7] = {rig_f32(c, "q", 3, q),
                       rig_state(c, "K", GODWIT_F16, 3, cache),
                       rig_state(c, "V", GODWIT_F16, 3, cache),
                       rig_i32(c, "last", 2, last),
                       rig_i32(c, "own", 2, last),
                       rig_i32(c, "pages", PAGES, pages),
                       rig_weight(c, &gw_format_f32, 0, 2)};
    rig_output(c, &gw_op_biased_attention, in, 7, &attrs, sizeof attrs);
}

// Not seen: barriers of quantized results, those between passes, and one behind which exponents are searched for:
// with another exponent sums have other powers of two, and mostly the same bits.
static const struct mutant {
    const char *module;
    rig_build build;
    uint32_t seen; // bits
} mutants[] = {{"rms_norm", build_rms_norm, 0x07},
               {"rms_norm_wide", build_rms_norm, 0x07},
               {"matmul.q8_0", build_matmul, 0x03},
               {"biased_attention", build_biased_attention, 0x3d}};

// Whether a barrier's absence is seen in this order.
static bool is_seen(const struct mutant *m, lanes_order order, uint32_t barrier) {
    uint32_t n = 0;
    rig r;
    cr_assert(rig_open_lanes(&r, order, m->module, barrier, &n));
    cr_assert(barrier < n, "%s has %u barriers", m->module, n);
    const bool wrong = rig_is_wrong(&r, m->build, NULL, RIG_NORMAL);
    rig_close(&r);
    return wrong;
}

// lavapipe sees some of these in other orders alone. Made where the tests are run in other orders: once.
Test(ops, lanes_in_other_orders_show_a_barrier_that_is_missing) {
    static const lanes_order orders[] = {LANES_REVERSED, LANES_TRANSPOSED, LANES_BOTH,
                                         LANES_AS_THEY_ARE};
    if (lanes_order_of(getenv("GODWIT_TEST_LANES")) != LANES_BOTH) return;
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        for (uint32_t b = 0; mutants[i].seen >> b; b++) {
            bool seen = !(mutants[i].seen >> b & 1);
            for (int o = 0; o < LANES_N_ORDERS && !seen; o++)
                seen = is_seen(&mutants[i], orders[o], b);
            cr_expect(seen, "%s without barrier %u: nobody notices", mutants[i].module, b);
        }
    }
}
