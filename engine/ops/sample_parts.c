// sample_parts: of each part of a row of logits the first in order and, where few are kept, the first
// top_k: what many workgroups can do for sample, which is one
//   logits: [n_rows, n_vocab] f32; control: [12 n] i32 (gw_sample_control);
//   y: [n * n_parts, 130] i32, for each token a row for each 2,048 logits
// A row of y: key and id of the part's first, then 64 places of two words, logit and id. Where tokens
// are drawn with a top_k of 1 to 64, these are the part's first top_k, in order of ids: of the whole
// row no others can be kept. All other places have logit 0 and id 2^32 - 1; so has all of a row whose
// token is given, with key 0. Keys, and the order: engine/ops/sample.c.
#include "ops/ops.h"
#include "ops/sample.h"

typedef struct sample_parts_params {
    uint32_t n, n_rows, n_tok;
    uint32_t groups_x;
} sample_parts_params;

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *logits = node->inputs[0];
    godwit_status status = gw_sample_check_inputs(node, err);
    if (status != GODWIT_OK) return status;
    *out = (gw_value){.dtype = GODWIT_I32,
                      .n_dims = 2,
                      .dims = {node->inputs[1]->dims[0] / GW_SAMPLE_CONTROL_WORDS *
                                   gw_div_up(gw_value_row(logits), GW_SAMPLE_PART),
                               GW_SAMPLE_PART_WORDS}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *logits = node->inputs[0];
    sample_parts_params params = {.n = (uint32_t)gw_value_row(logits),
                                  .n_rows = (uint32_t)logits->dims[0],
                                  .n_tok =
                                      (uint32_t)node->inputs[1]->dims[0] / GW_SAMPLE_CONTROL_WORDS};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, node->inputs[0], false);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, plan->tune.row_lanes, 0, &params.n);
    gw_launch_grid(launch, &plan->tune,
                   gw_div_up(params.n, GW_SAMPLE_PART) * (uint64_t)params.n_tok);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint32_t first_of(const float *logits, const bool *taken, uint32_t n) {
    uint32_t best = n, most = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = gw_sample_key(logits[i]);
        if (taken[i] || (best < n && key <= most)) continue;
        best = i;
        most = key;
    }
    return best;
}

static void do_part(const float *logits, uint32_t first, uint32_t n, uint32_t k, uint32_t *y) {
    bool taken[GW_SAMPLE_PART] = {false};
    uint32_t best = first_of(logits, taken, n), at = 2;
    y[0] = gw_sample_key(logits[best]);
    y[1] = first + best;
    for (uint32_t i = 0; i < k && i < n; i++) taken[first_of(logits, taken, n)] = true;
    for (uint32_t i = 0; i < n; i++) {
        if (!taken[i]) continue;
        y[at++] = gw_bits(logits[i]);
        y[at++] = first + i;
    }
}

static uint64_t n_items(const void *params) {
    const sample_parts_params *p = params;
    return (uint64_t)p->n_tok * gw_div_up(p->n, GW_SAMPLE_PART);
}

void gw_sample_parts_walk(const gw_reference_args *args,
                          void (*part)(const float *logits, uint32_t first, uint32_t n, uint32_t k,
                                       uint32_t *y)) {
    const sample_parts_params *p = args->params;
    const uint32_t n_parts = gw_div_up(p->n, GW_SAMPLE_PART);
    for (uint64_t i = args->first; i < args->end; i++) {
        gw_sample_control c;
        memcpy(&c, (const gw_sample_control *)args->bufs[1] + i / n_parts, sizeof c);
        uint32_t *y = (uint32_t *)args->bufs[2] + i * GW_SAMPLE_PART_WORDS;
        for (uint32_t k = 0; k < GW_SAMPLE_PART_WORDS; k++) y[k] = k % 2 ? GW_SAMPLE_NO_ID : 0;
        if (c.row & GW_SAMPLE_GIVEN) continue;
        const float *logits = (const float *)args->bufs[0] + gw_sample_row(&c, p->n_rows) * p->n;
        uint32_t k = gw_sample_is_listed(&c) ? c.top_k : 0;
        uint32_t first = (uint32_t)(i % n_parts) * GW_SAMPLE_PART;
        uint32_t n = p->n - first < GW_SAMPLE_PART ? p->n - first : GW_SAMPLE_PART;
        part(logits + first, first, n, k, y);
    }
}

static void reference(const gw_reference_args *args) {
    gw_sample_parts_walk(args, do_part);
}

const gw_op gw_op_sample_parts = {.name = "sample_parts",
                                  .n_inputs_min = 2,
                                  .n_inputs_max = 2,
                                  .internal = true,
                                  .infer = infer,
                                  .launch = launch,
                                  .n_items = n_items,
                                  .reference = reference};
