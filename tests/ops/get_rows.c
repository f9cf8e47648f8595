// get_rows against its reference: every format, ids at both ends and outside the table.
#include "support/rig.h"

#include <criterion/criterion.h>

static const int32_t ids[] = {0, 32, 5, 5, 31, -1, 33, 2147483647, 17};

static void build(rig_case *c) {
    const uint32_t *s = c->user; // format, cols
    gw_value *in[2] = {rig_weight(c, gw_format_at(s[0]), 33, s[1]),
                       rig_i32(c, "ids", sizeof ids / sizeof *ids, ids)};
    rig_output(c, &gw_op_get_rows, in, 2, NULL, 0);
}

Test(ops, get_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        if (!rig_sees(format)) continue;
        static const uint32_t cols[] = {32, 96, 1024, 31};
        uint32_t block = gw_format_at(format)->block;
        for (int i = 0; i < (gw_format_is_float(gw_format_at(format)) ? 4 : 3); i++) {
            uint32_t s[2] = {format, (cols[i] + block - 1) / block * block};
            rig_compare(&r, build, s, (rig_fill)(i + 1), gw_format_at(format)->name);
        }
        uint32_t s[2] = {format, (64 + block - 1) / block * block};
        rig_compare_tunes(&r, build, s, RIG_MIXED, gw_format_at(format)->name);
    }
    rig_close(&r);
}
