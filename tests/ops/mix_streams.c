// mix_streams against its reference, and the reference against what its words say.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t n, n_tok, m, r; // r 0: there are no weights
    uint32_t skip;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    const uint32_t r = s->r ? s->r : 1;
    const uint64_t x[3] = {s->n_tok, s->m, s->n}, d[3] = {s->n_tok, r, s->n};
    const uint64_t w[2] = {s->n_tok, (uint64_t)s->m * r};
    const gw_mix_streams_attrs attrs = {.skip = s->skip};
    gw_value *in[3] = {rig_f32(c, "x", 3, x)};
    in[1] = r == s->m ? in[0] : rig_f32(c, "d", 3, d);
    if (s->r) in[2] = rig_f32(c, "w", 2, w);
    rig_output(c, &gw_op_mix_streams, in, s->r ? 3 : 2, &attrs, sizeof attrs);
}

Test(ops, mix_streams) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {
        {1, 3, 2, 1, 0}, {33, 2, 4, 4, 0}, {256, 1, 4, 1, 0}, {65, 3, 4, 0, 1}, {9, 2, 3, 2, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "mix_streams");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "mix_streams");
    }
    rig_close(&r);
}

Test(ops, mix_streams_reference_mixes) {
    float x[] = {1, 2, 3, 4}, d[] = {10, 20, 100, 200}, w[] = {1, 2, -1, 0.5f}, y[4];
    uint32_t params[7] = {2, 1, 2, 2, 1, 0, 1};
    gw_reference_args args = {.params = params, .bufs = {x, d, w, y}};
    gw_reference(&gw_op_mix_streams, &args);
    cr_assert(y[0] == 211.0f && y[1] == 422.0f && y[2] == 43.0f && y[3] == 84.0f);
    uint32_t plain[7] = {2, 1, 2, 1, 0, 1, 1};
    args.params = plain;
    gw_reference(&gw_op_mix_streams, &args);
    cr_assert(y[0] == 1.0f && y[1] == 2.0f && y[2] == 13.0f && y[3] == 24.0f);
}
