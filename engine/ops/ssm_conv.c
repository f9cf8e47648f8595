// ssm_conv: a short causal convolution of each channel by itself over the tokens of a sequence
//   x: [n_tok, n] f32, or gated [n_tok, 3 n]: b, c, x; w: [n * n_taps] f32 constant; segments
//   (ops/recurrent.h); state: [n_blocks, n_taps - 1, n], the last inputs; bias: [n] f32 constant or
//   missing; y: [n_tok, n]
// u = x, gated flush(b * x); y = flush(sum over taps, the oldest token first, of w * u), where they are
// there flush(y + bias), flush(silu(y)), gated flush(y * c). Source: Poli et al., "Hyena Hierarchy",
// 2023; Gu and Dao, "Mamba", 2023; Liquid AI, "LFM2", 2025.
#include "ops/recurrent.h"

#include "base/limits.h"

enum { CHUNK = 16 }; // tokens of an invocation

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *w = node->inputs[1], *segments = node->inputs[2];
    const gw_value *state = node->inputs[3], *bias = node->n_inputs > 4 ? node->inputs[4] : NULL;
    const gw_ssm_conv_attrs *a = (const gw_ssm_conv_attrs *)node->attrs;
    GW_OP_CHECK(node, a->n_taps >= 2 && a->n_taps <= GW_MAX_CONV_TAPS, err, "%u taps; 2 to %d",
                a->n_taps, GW_MAX_CONV_TAPS);
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && x->n_dims == 2 && !x->weight, err,
                "x is not rows of f32");
    const uint64_t n = a->gated ? x->dims[1] / 3 : x->dims[1];
    GW_OP_CHECK(node, !a->gated || 3 * n == x->dims[1], err, "x is not three parts");
    GW_OP_CHECK(node, gw_is_f32_rows(w) && gw_value_n_elements(w) == n * a->n_taps, err,
                "w is not %u f32 for each of %llu channels", a->n_taps, (unsigned long long)n);
    GW_OP_CHECK(node, !bias || (gw_is_f32_rows(bias) && gw_value_n_elements(bias) == n), err,
                "bias is not a f32 for each channel");
    GW_OP_CHECK(node, gw_is_segments(segments), err, "segments are not [4 * n] i32");
    GW_OP_CHECK(node, gw_is_blocks(state, a->n_taps - 1, n), err,
                "the state is not [n_blocks, %u, %llu] f32", a->n_taps - 1, (unsigned long long)n);
    GW_OP_CHECK(node,
                gw_value_n_elements(x) < UINT32_MAX && gw_value_n_elements(state) < UINT32_MAX, err,
                "there are 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {x->dims[0], n}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0], *bias = node->n_inputs > 4 ? node->inputs[4] : NULL;
    const gw_ssm_conv_attrs *a = (const gw_ssm_conv_attrs *)node->attrs;
    const uint32_t lanes = plan->tune.elem_lanes;
    gw_ssm_conv_params params = {.n = (uint32_t)node->outputs[0]->dims[1],
                                 .n_tok = (uint32_t)x->dims[0],
                                 .n_segments =
                                     (uint32_t)(node->inputs[2]->dims[0] / GW_SEGMENT_WORDS),
                                 .n_blocks = (uint32_t)node->inputs[3]->dims[0],
                                 .n_chunks = gw_div_up(x->dims[0], CHUNK),
                                 .n_taps = a->n_taps,
                                 .gated = a->gated,
                                 .silu = a->silu,
                                 .has_bias = bias != NULL};
    params.groups_n = gw_div_up(params.n, lanes);
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind_f32(launch, node->inputs[1], false);
    gw_launch_bind_f32(launch, bias ? bias : node->inputs[1], false);
    gw_launch_bind(launch, node->inputs[2], false);
    gw_launch_bind(launch, node->inputs[3], true);
    gw_launch_bind(launch, node->outputs[0], true);
    const uint32_t more[] = {a->n_taps, a->gated, a->silu, params.has_bias};
    gw_launch_spec(launch, lanes, 4, more);
    gw_launch_grid(launch, &plan->tune,
                   (uint64_t)params.n_segments * params.n_chunks * params.groups_n);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

typedef struct conv {
    const gw_ssm_conv_params *p;
    const float *x, *w, *bias;
    float *state, *y;
    gw_segment s;
} conv;

static float x_at(const conv *v, uint64_t i) {
    return v->x[gw_column_at(&v->p->x, i)];
}

// What is convolved, of token t of the segment; before it, of its state.
static float taken(const conv *v, int32_t t, uint32_t c) {
    const gw_ssm_conv_params *p = v->p;
    const int32_t tail = (int32_t)p->n_taps - 1;
    if (t < 0)
        return v->s.from < 0
                   ? 0.0f
                   : v->state[((uint64_t)v->s.from * (uint64_t)tail + (uint64_t)(t + tail)) * p->n +
                              c];
    const uint64_t row = (uint64_t)(v->s.first + t);
    if (!p->gated) return x_at(v, row * p->n + c);
    const uint64_t at = row * 3 * p->n + c;
    return gw_flush(x_at(v, at) * x_at(v, at + 2ull * p->n));
}

static float convolved(const conv *v, int32_t t, uint32_t c) {
    const gw_ssm_conv_params *p = v->p;
    float sum = 0.0f;
    for (uint32_t k = 0; k < p->n_taps; k++) {
        const int32_t from = t + (int32_t)k - (int32_t)p->n_taps + 1;
        const float product = v->w[(uint64_t)c * p->n_taps + k] * taken(v, from, c);
        sum = sum + product;
    }
    float y = gw_flush(sum);
    if (p->has_bias) y = gw_flush(y + v->bias[c]);
    if (p->silu) y = gw_flush(gw_silu(y));
    if (p->gated) y = gw_flush(y * x_at(v, (uint64_t)(v->s.first + t) * 3 * p->n + p->n + c));
    return y;
}

static uint64_t n_items(const void *params) {
    return ((const gw_ssm_conv_params *)params)->n;
}

static void reference(const gw_reference_args *args) {
    const gw_ssm_conv_params *p = args->params;
    conv v = {.p = p,
              .x = args->bufs[0],
              .w = args->bufs[1],
              .bias = args->bufs[2],
              .state = args->bufs[4],
              .y = args->bufs[5]};
    const uint32_t tail = p->n_taps - 1;
    for (uint32_t i = 0; i < p->n_segments; i++) {
        if (!gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &v.s)) continue;
        for (int32_t t = 0; t < v.s.n; t++) {
            float *y = v.y + (uint64_t)(v.s.first + t) * p->n;
            for (uint64_t c = args->first; c < args->end; c++) y[c] = convolved(&v, t, (uint32_t)c);
        }
        for (uint32_t k = 0; k < tail && gw_segment_writes(&v.s, p->n_blocks); k++) {
            float *to = v.state + ((uint64_t)v.s.to * tail + k) * p->n;
            for (uint64_t c = args->first; c < args->end; c++)
                to[c] = taken(&v, v.s.n + (int32_t)k - (int32_t)tail, (uint32_t)c);
        }
    }
}

const gw_op gw_op_ssm_conv = {.name = "ssm_conv",
                              .n_inputs_min = 4,
                              .n_inputs_max = 5,
                              .internal = true,
                              .raw_inputs = 18,
                              .strided_inputs = 1,
                              .writes_inputs = true,
                              .infer = infer,
                              .launch = launch,
                              .n_items = n_items,
                              .reference = reference};
