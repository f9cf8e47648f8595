// selective_scan: the selective scan of Mamba 1, where each number of a state decays by a factor of its own
//   step = softplus(dt);  s = s * e^(A step);  s = s + B (step v);  y = s C + D v, of each channel
//   inputs: rows: [n_tok, 2, dk] f32, B and C; v, dt: [n_tok, n] f32; segments (ops/recurrent.h); state:
//   [n_blocks, dk, n]; A: [n * dk] and D: [n] constants; y: [n_tok, n]
// step, A step, e to it and step v are flushed, s after either step, and s C and D v before their sum. Order of sums:
// units of 32 rows, each in order from +0; the units in order from +0. Source: Gu and Dao, "Mamba", 2023.
#include "ops/selective_scan.h"

#include "base/exact_math.h"

enum { ROWS = GW_MAX_STATE_ROWS, UNIT = 32 };

static bool is_constant(const gw_value *v, uint64_t n) {
    return gw_is_f32_rows(v) && gw_value_n_elements(v) == n;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *rows = node->inputs[0], *v = node->inputs[1], *dt = node->inputs[2];
    GW_OP_CHECK(node,
                rows->dtype == GODWIT_F32 && rows->n_dims == 3 && rows->dims[1] == 2 &&
                    !rows->weight && rows->dims[2] <= ROWS,
                err, "B and C are not [n_tok, 2, at most %d] f32", ROWS);
    GW_OP_CHECK(
        node, v->dtype == GODWIT_F32 && v->n_dims == 2 && v->dims[0] == rows->dims[0] && !v->weight,
        err, "v is not [n_tok, n] f32");
    GW_OP_CHECK(node,
                dt->dtype == GODWIT_F32 && !dt->weight && dt->n_dims == 2 &&
                    dt->dims[0] == v->dims[0] && dt->dims[1] == v->dims[1],
                err, "dt is not as v");
    const uint64_t n = v->dims[1], dk = rows->dims[2];
    GW_OP_CHECK(node, gw_is_segments(node->inputs[3]), err, "segments are not [4 * n] i32");
    GW_OP_CHECK(node, gw_is_blocks(node->inputs[4], dk, n), err,
                "the state is not [n_blocks, %llu, %llu] f32", (unsigned long long)dk,
                (unsigned long long)n);
    GW_OP_CHECK(node, is_constant(node->inputs[5], n * dk) && is_constant(node->inputs[6], n), err,
                "A and D are not f32 for each of %llu channels", (unsigned long long)n);
    GW_OP_CHECK(node,
                gw_value_n_elements(v) < UINT32_MAX &&
                    gw_value_n_elements(node->inputs[4]) < UINT32_MAX,
                err, "there are 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {v->dims[0], n}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *rows = node->inputs[0], *y = node->outputs[0];
    gw_selective_scan_params params = {.n_tok = (uint32_t)y->dims[0],
                                       .n_segments =
                                           (uint32_t)(node->inputs[3]->dims[0] / GW_SEGMENT_WORDS),
                                       .n_blocks = (uint32_t)node->inputs[4]->dims[0],
                                       .n = (uint32_t)y->dims[1],
                                       .dk = (uint32_t)rows->dims[2]};
    // A channel is long work, so a workgroup has few.
    uint32_t lanes =
        plan->tune.elem_lanes < GW_SCAN_COLUMNS ? plan->tune.elem_lanes : GW_SCAN_COLUMNS;
    params.groups_n = gw_div_up(params.n, lanes);
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, rows, &params.rows);
    gw_launch_bind_columns(launch, node->inputs[1], &params.v);
    gw_launch_bind_columns(launch, node->inputs[2], &params.dt);
    gw_launch_bind(launch, node->inputs[3], false);
    gw_launch_bind(launch, node->inputs[4], true);
    gw_launch_bind(launch, y, true);
    gw_launch_bind_f32(launch, node->inputs[5], false);
    gw_launch_bind_f32(launch, node->inputs[6], false);
    gw_launch_spec(launch, lanes, 1, &params.dk);
    gw_launch_grid(launch, &plan->tune, (uint64_t)params.n_segments * params.groups_n);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    return gw_div_up(((const gw_selective_scan_params *)params)->n, GW_SCAN_COLUMNS);
}

// Channel c at token t; s: [dk].
static void token(const gw_reference_args *args, uint64_t t, uint32_t c, float *s) {
    const gw_selective_scan_params *p = args->params;
    const float *b = (const float *)args->bufs[0] + gw_column_at(&p->rows, t * 2 * p->dk);
    const float *from = (const float *)args->bufs[0] + gw_column_at(&p->rows, (t * 2 + 1) * p->dk);
    const uint64_t at = t * p->n + c;
    const float v = ((const float *)args->bufs[1])[gw_column_at(&p->v, at)];
    const float dt = ((const float *)args->bufs[2])[gw_column_at(&p->dt, at)];
    const float *a = (const float *)args->bufs[6] + (uint64_t)c * p->dk;
    const float step = gw_flush(gw_softplus(dt)), d = gw_flush(step * v);
    float sum = 0.0f;
    for (uint32_t u = 0; u < p->dk; u += UNIT) {
        float unit = 0.0f;
        for (uint32_t i = u; i < u + UNIT && i < p->dk; i++) {
            const float by = gw_flush(gw_exp(gw_flush(a[i] * step)));
            const float left = gw_flush(s[i] * by), more = b[i] * d;
            s[i] = gw_flush(left + more);
            const float product = s[i] * from[i];
            unit = unit + product;
        }
        sum = sum + unit;
    }
    const float skipped = gw_flush(((const float *)args->bufs[7])[c] * v);
    ((float *)args->bufs[5])[at] = gw_flush(gw_flush(sum) + skipped);
}

static void channel(const gw_reference_args *args, uint32_t c) {
    const gw_selective_scan_params *p = args->params;
    float *state = args->bufs[4], s[ROWS];
    for (uint32_t i = 0; i < p->n_segments; i++) {
        gw_segment g;
        if (!gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &g)) continue;
        for (uint32_t k = 0; k < p->dk; k++)
            s[k] = g.from < 0 ? 0.0f : state[gw_scan_state_at(p, g.from, k, c)];
        for (int32_t t = 0; t < g.n; t++) token(args, (uint64_t)(g.first + t), c, s);
        for (uint32_t k = 0; k < p->dk && gw_segment_writes(&g, p->n_blocks); k++)
            state[gw_scan_state_at(p, g.to, k, c)] = s[k];
    }
}

static void reference(const gw_reference_args *args) {
    const gw_selective_scan_params *p = args->params;
    const uint64_t end = args->end * GW_SCAN_COLUMNS < p->n ? args->end * GW_SCAN_COLUMNS : p->n;
    for (uint64_t c = args->first * GW_SCAN_COLUMNS; c < end; c++) channel(args, (uint32_t)c);
}

const gw_op gw_op_selective_scan = {.name = "selective_scan",
                                    .n_inputs_min = 7,
                                    .n_inputs_max = 7,
                                    .internal = true,
                                    .raw_inputs = 96,
                                    .strided_inputs = 7,
                                    .writes_inputs = true,
                                    .infer = infer,
                                    .launch = launch,
                                    .n_items = n_items,
                                    .reference = reference};
