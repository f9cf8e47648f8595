// rope (ONNX RotaryEmbedding): turns pairs of a head's dimensions by an angle that the token's
// position gives
//   x: [n_tok, n_head, head_dim] f32; table: [n_tok, n_rot] f32, (cos, sin) for each of n_rot / 2
//   pairs; y: as x. y0 = x0 * cos - x1 * sin; y1 = x0 * sin + x1 * cos; two products and one sum
//   each.
// The table comes from the host (engine/arch/rope_table.c), so angles need no device sin or cos.
// Source: Su et al., "RoFormer", 2021.
#include "ops/rope.h"

typedef struct rope_params {
    uint32_t n_tok, n_head, head_dim, n_rot, paired;
    gw_columns x;
    uint32_t groups_x;
} rope_params;
_Static_assert(sizeof(rope_params) == 36, "push constants of rope.comp");

static const gw_attr_row attrs[] = {
    {"n_rot", GW_ATTR_U32, offsetof(gw_rope_attrs, n_rot), 0},
    {"paired", GW_ATTR_U32, offsetof(gw_rope_attrs, paired), 1},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *table = node->inputs[1];
    const gw_rope_attrs *a = (const gw_rope_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight && x->n_dims == 3, err,
                "x is not [n_tok, n_head, head_dim] f32");
    GW_OP_CHECK(node, x->dims[2] % 2 == 0, err, "head_dim %llu is odd",
                (unsigned long long)x->dims[2]);
    GW_OP_CHECK(node, a->n_rot % 2 == 0 && a->n_rot >= 2 && a->n_rot <= x->dims[2], err,
                "n_rot is %u; an even number up to head_dim (%llu) is wanted", a->n_rot,
                (unsigned long long)x->dims[2]);
    GW_OP_CHECK(node,
                table->dtype == GODWIT_F32 && !table->weight && table->n_dims == 2 &&
                    table->dims[0] == x->dims[0] && table->dims[1] == a->n_rot,
                err, "the table is not [n_tok, n_rot] f32");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 3};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_rope_attrs *a = (const gw_rope_attrs *)node->attrs;
    uint32_t lanes = plan->tune.elem_lanes;
    rope_params params = {.n_tok = (uint32_t)x->dims[0],
                          .n_head = (uint32_t)x->dims[1],
                          .head_dim = (uint32_t)x->dims[2],
                          .n_rot = a->n_rot,
                          .paired = a->paired};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(x) / 2, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const rope_params *p = params;
    return (uint64_t)p->n_tok * p->n_head;
}

static void reference(const gw_reference_args *args) {
    const rope_params *p = args->params;
    const gw_rope_attrs attrs = {.n_rot = p->n_rot, .paired = p->paired};
    for (uint64_t at = args->first; at < args->end; at++) {
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, at * p->head_dim);
        const float *table = (const float *)args->bufs[1] + at / p->n_head * p->n_rot;
        gw_rope_head(&attrs, x, p->head_dim, table, (float *)args->bufs[2] + at * p->head_dim);
    }
}

const gw_op gw_op_rope = {.name = "rope",
                          .n_inputs_min = 2,
                          .n_inputs_max = 2,
                          .strided_inputs = 1,
                          .attrs = attrs,
                          .infer = infer,
                          .launch = launch,
                          .n_items = n_items,
                          .reference = reference};
