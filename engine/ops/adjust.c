// adjust: rows of logits with some of them changed, before tokens are chosen from them
//   logits: [n_rows, n_vocab] f32; heads: [4 n] i32, for each token the row that it is chosen from
//   (outside: none), its first entry, how many it has, 0; entries: [5 m] i32, gw_sample_adjust;
//   y: [n, n_vocab] f32
// y is the row, 0 where there is none. In it each logit that an entry names is, where it is finite,
// flush(l + bias); then flush(l * repeat) where that is at most 0, else flush(l / repeat); then
// flush(l - minus), flush(l - dry). A bias of -infinity makes it that. A token has at most one entry
// for each id, and ids outside are nothing.
// Source: Keskar et al., "CTRL", 2019 (repeat, as llama.cpp has it for logits below 0).
#include "base/exact_math.h"
#include "ops/ops.h"
#include "ops/sample.h"

typedef struct adjust_params {
    uint32_t n, n_rows, n_tok, n_entries;
    uint32_t groups_x;
} adjust_params;

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *logits = node->inputs[0], *heads = node->inputs[1], *entries = node->inputs[2];
    GW_OP_CHECK(node, logits->dtype == GODWIT_F32 && logits->n_dims == 2, err,
                "logits are not rows of f32");
    GW_OP_CHECK(node,
                heads->dtype == GODWIT_I32 && heads->n_dims == 1 &&
                    heads->dims[0] % GW_SAMPLE_HEAD_WORDS == 0,
                err, "heads are not [4 n] i32");
    GW_OP_CHECK(node,
                entries->dtype == GODWIT_I32 && entries->n_dims == 1 &&
                    entries->dims[0] % GW_SAMPLE_ADJUST_WORDS == 0 && entries->dims[0] < 1u << 31,
                err, "entries are not [5 m] i32");
    const uint64_t n_tok = heads->dims[0] / GW_SAMPLE_HEAD_WORDS;
    GW_OP_CHECK(
        node, gw_value_n_elements(logits) < UINT32_MAX && n_tok * gw_value_row(logits) < UINT32_MAX,
        err, "there are 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {n_tok, gw_value_row(logits)}};
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const adjust_params *p = params;
    return (uint64_t)p->n_tok * gw_div_up(p->n, GW_SAMPLE_PART);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *logits = node->inputs[0];
    adjust_params params = {.n = (uint32_t)gw_value_row(logits),
                            .n_rows = (uint32_t)logits->dims[0],
                            .n_tok = (uint32_t)(node->inputs[1]->dims[0] / GW_SAMPLE_HEAD_WORDS),
                            .n_entries =
                                (uint32_t)(node->inputs[2]->dims[0] / GW_SAMPLE_ADJUST_WORDS)};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, logits, false);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, node->inputs[2], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, plan->tune.row_lanes, 0, &params.n);
    gw_launch_grid(launch, &plan->tune, n_items(&params));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

float gw_sample_adjusted(float l, const gw_sample_adjust *e) {
    if (gw_bits(e->bias) == GW_SAMPLE_NEVER) return e->bias;
    if ((gw_bits(l) & 0x7f800000u) == 0x7f800000u) return l;
    l = gw_flush(l + e->bias);
    l = gw_flush(l <= 0.0f ? l * e->repeat : gw_div(l, e->repeat));
    l = gw_flush(l - e->minus);
    return gw_flush(l - e->dry);
}

// Items: parts of tokens' rows.
static void reference(const gw_reference_args *args) {
    const adjust_params *p = args->params;
    const uint32_t n_parts = gw_div_up(p->n, GW_SAMPLE_PART);
    const gw_sample_adjust *entries = args->bufs[2];
    for (uint64_t i = args->first; i < args->end; i++) {
        const uint32_t *head = (const uint32_t *)args->bufs[1] + i / n_parts * GW_SAMPLE_HEAD_WORDS;
        const uint32_t first = (uint32_t)(i % n_parts) * GW_SAMPLE_PART;
        const uint32_t n = p->n - first < GW_SAMPLE_PART ? p->n - first : GW_SAMPLE_PART;
        const float *from = (const float *)args->bufs[0] + (uint64_t)head[0] * p->n;
        float *y = (float *)args->bufs[3] + i / n_parts * p->n;
        memset(y + first, 0, n * sizeof *y);
        if (head[0] >= p->n_rows) continue;
        memcpy(y + first, from + first, n * sizeof *y);
        for (uint32_t k = head[1]; k < p->n_entries && k - head[1] < head[2]; k++) {
            const uint32_t id = entries[k].id;
            if (id >= first && id - first < n) y[id] = gw_sample_adjusted(from[id], &entries[k]);
        }
    }
}

const gw_op gw_op_adjust = {.name = "adjust",
                            .n_inputs_min = 3,
                            .n_inputs_max = 3,
                            .internal = true,
                            .infer = infer,
                            .launch = launch,
                            .n_items = n_items,
                            .reference = reference};
