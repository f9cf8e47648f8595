// rope against its reference: both pairings, whole and partial heads.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t n_tok, n_head, head_dim, n_rot, paired;
    bool columns;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[3] = {s->n_tok, s->n_head, s->head_dim}, table[2] = {s->n_tok, s->n_rot};
    gw_rope_attrs attrs = {.n_rot = s->n_rot, .paired = s->paired};
    gw_value *in[2] = {s->columns ? rig_columns(c, "x", 3, dims, 71) : rig_f32(c, "x", 3, dims),
                       rig_f32(c, "table", 2, table)};
    rig_output(c, &gw_op_rope, in, 2, &attrs, sizeof attrs);
}

Test(ops, rope) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {{1, 1, 2, 2, 1, false},    {3, 5, 8, 8, 0, false},
                                   {7, 3, 48, 32, 1, false},  {7, 3, 48, 32, 0, false},
                                   {33, 4, 64, 64, 1, false}, {7, 3, 48, 32, 0, true},
                                   {1, 3, 48, 32, 1, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            if (fill != RIG_HUGE) rig_compare(&r, build, &shapes[i], (rig_fill)fill, "rope");
        }
    }
    rig_compare_tunes(&r, build, &shapes[3], RIG_NORMAL, "rope");
    rig_compare_tunes(&r, build, &shapes[5], RIG_NORMAL, "rope of columns");
    rig_close(&r);
}
