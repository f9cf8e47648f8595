// mix_streams: adds to each of a token's m rows a mixture of r others, or one row, from row skip on
//   x: [n_tok, m, n], d: [n_tok, r, n], w: [n_tok, m * r] f32, or missing: then r is 1; y: as x
// y[i] = x[i] + w[i][0] d[0] + w[i][1] d[1] + .., in this order, flushed at the end; without w: x[i], and d
// is added where i >= skip. Source: Baykal et al., "Alternating Updates for Efficient Transformers", 2023.
#include "ops/streams.h"

static const gw_attr_row attrs[] = {
    {"skip", GW_ATTR_U32, offsetof(gw_mix_streams_attrs, skip), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static bool is_rows(const gw_value *v) {
    return v->dtype == GODWIT_F32 && v->n_dims == 3 && !v->weight;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *d = node->inputs[1];
    const gw_value *w = node->n_inputs > 2 ? node->inputs[2] : NULL;
    GW_OP_CHECK(node, is_rows(x), err, "x is not [n_tok, m, n] f32");
    GW_OP_CHECK(node, is_rows(d) && d->dims[0] == x->dims[0] && d->dims[2] == x->dims[2], err,
                "d is not [n_tok, r, n] f32");
    GW_OP_CHECK(node,
                w ? w->dtype == GODWIT_F32 && w->n_dims == 2 && !w->weight &&
                        w->dims[0] == x->dims[0] && w->dims[1] == x->dims[1] * d->dims[1]
                  : d->dims[1] == 1,
                err, "w is not [n_tok, m * r] f32, or missing where r is 1");
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX && gw_value_n_elements(d) < UINT32_MAX,
                err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 3};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0], *d = node->inputs[1];
    const gw_value *w = node->n_inputs > 2 ? node->inputs[2] : NULL;
    const gw_mix_streams_attrs *a = (const gw_mix_streams_attrs *)node->attrs;
    const uint32_t lanes = plan->tune.elem_lanes;
    gw_mix_streams_params params = {.n = (uint32_t)x->dims[2],
                                    .n_tok = (uint32_t)x->dims[0],
                                    .m = (uint32_t)x->dims[1],
                                    .r = (uint32_t)d->dims[1],
                                    .weighs = w != NULL,
                                    .skip = a->skip};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, x, false);
    gw_launch_bind(launch, d, false);
    gw_launch_bind(launch, w ? w : d, false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(x), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const gw_mix_streams_params *p = params;
    return (uint64_t)p->n_tok * p->m;
}

static void reference(const gw_reference_args *args) {
    const gw_mix_streams_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const uint64_t t = row / p->m, i = row % p->m;
        const float *x = (const float *)args->bufs[0] + row * p->n;
        const float *d = (const float *)args->bufs[1] + t * p->r * p->n;
        const float *w = (const float *)args->bufs[2] + (p->weighs ? row * p->r : 0);
        float *y = (float *)args->bufs[3] + row * p->n;
        for (uint32_t k = 0; k < p->n; k++) {
            float sum = x[k];
            if (!p->weighs && i >= p->skip) sum = sum + d[k];
            for (uint32_t j = 0; p->weighs && j < p->r; j++) {
                const float product = w[j] * d[(uint64_t)j * p->n + k];
                sum = sum + product;
            }
            y[k] = gw_flush(sum);
        }
    }
}

const gw_op gw_op_mix_streams = {.name = "mix_streams",
                                 .n_inputs_min = 2,
                                 .n_inputs_max = 3,
                                 .internal = true,
                                 .attrs = attrs,
                                 .infer = infer,
                                 .launch = launch,
                                 .n_items = n_items,
                                 .reference = reference};
