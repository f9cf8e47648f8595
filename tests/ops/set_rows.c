// set_rows against its reference, and the reference against what its words say.
#include "support/rig.h"

#include <criterion/criterion.h>

enum { N = 5, STATE = 7 };
// The first and the last row, one outside on each side.
static const int32_t rows[N] = {6, 0, -1, 3, 7};

static void build(rig_case *c) {
    const uint32_t *m = c->user;
    uint64_t x[2] = {N, *m}, state[2] = {STATE, *m};
    gw_value *in[3] = {rig_f32(c, "x", 2, x), rig_i32(c, "rows", N, rows),
                       rig_state(c, "state", GODWIT_F32, 2, state)};
    rig_node(c, &gw_op_set_rows, in, 3, NULL, 0);
}

Test(ops, set_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 33, 64, 1000};
    for (int i = 0; i < 4; i++) {
        rig_compare(&r, build, &sizes[i], (rig_fill)(i % RIG_N_FILLS), "set_rows");
        rig_compare_tunes(&r, build, &sizes[i], RIG_NORMAL, "set_rows");
    }
    rig_close(&r);
}

Test(ops, set_rows_reference_writes_what_is_named) {
    enum { M = 3 };
    float x[N * M], state[STATE * M];
    uint32_t params[4] = {M, N, STATE, 1};
    for (int i = 0; i < N * M; i++) x[i] = (float)i;
    for (int i = 0; i < STATE * M; i++) state[i] = -1.0f;
    gw_reference_args args = {.params = params, .bufs = {x, (void *)(uintptr_t)rows, state}};
    gw_reference(&gw_op_set_rows, &args);
    for (int r = 0; r < STATE; r++) {
        int from = r == 6 ? 0 : r == 0 ? 1 : r == 3 ? 3 : -1;
        for (int k = 0; k < M; k++) {
            float want = from < 0 ? -1.0f : (float)(from * M + k);
            cr_assert(state[r * M + k] == want, "row %d", r);
        }
    }
}
