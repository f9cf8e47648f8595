// sample: chooses tokens from rows of logits, greedy or drawn, the same ones on every device
//   logits: [n_rows, n_vocab] f32; control: [8 n] i32, a gw_sample_control for each token, which names
//   its row; parts: [n * n_parts, 130] i32 of sample_parts, or none; given: [n_given] i32, tokens that
//   stand before the chosen ones, or none; y: [n_given + n] i32
// Parts change no result: they spare the one workgroup of a token a walk through all logits.
// Logits are ordered by key (the bits, made sortable) and then by lower id. Greedy: the first in
// that order. Drawn: keep the first top_k; of these, those with e^(l - max) >= min_p; of these, the
// shortest run from the top whose weights reach top_p of their sum. Weights are integers,
// trunc(e^(l - max) * 2^24), so that sums have no order. Then, with weights at temperature,
// trunc(e^((l - max) / temp) * 2^24) and their sum W: the first id, in id order, at which the
// running sum passes (draw * W) >> 32, where draw is Philox of (seed, position).
// NaN sorts first, then infinity. Where the first in the order is one of them nothing can be chosen
// and y is -1. Otherwise l - max is below 0 or counts as 0, so a choice is always defined.
#include "ops/sample.h"

#include "ops/ops.h"

typedef struct sample_params {
    uint32_t n, n_parts, n_rows;
    uint32_t n_tok;
    uint32_t groups_x;
    uint32_t n_given;
} sample_params;

// Parts and given are told apart by their dims.
static const gw_value *input_of(const gw_node *node, uint32_t n_dims) {
    for (uint32_t i = 2; i < node->n_inputs; i++)
        if (node->inputs[i]->n_dims == n_dims) return node->inputs[i];
    return NULL;
}

godwit_status gw_sample_check_inputs(const gw_node *node, godwit_error *err) {
    const gw_value *logits = node->inputs[0], *control = node->inputs[1];
    GW_OP_CHECK(node, logits->dtype == GODWIT_F32 && logits->n_dims == 2, err,
                "logits are not rows of f32");
    GW_OP_CHECK(node, gw_value_row(logits) <= GW_SAMPLE_MAX_VOCAB, err,
                "%llu logits; up to 2^18 can be sampled", (unsigned long long)gw_value_row(logits));
    GW_OP_CHECK(node, gw_value_n_elements(logits) < UINT32_MAX, err,
                "the logits have 2^32 elements or more");
    GW_OP_CHECK(node,
                control->dtype == GODWIT_I32 && control->n_dims == 1 && control->dims[0] % 8 == 0,
                err, "control is not [8 n] i32");
    return GODWIT_OK;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *logits = node->inputs[0];
    godwit_status status = gw_sample_check_inputs(node, err);
    if (status != GODWIT_OK) return status;
    const gw_value *parts = input_of(node, 2), *given = input_of(node, 1);
    const uint32_t n_inputs = 2 + (parts != NULL) + (given != NULL);
    uint64_t n = node->inputs[1]->dims[0] / 8, n_given = given ? given->dims[0] : 0;
    GW_OP_CHECK(node, node->n_inputs == n_inputs && (!given || given->dtype == GODWIT_I32), err,
                "what is given is not [n_given] i32");
    GW_OP_CHECK(node,
                !parts || (parts->dtype == GODWIT_I32 && parts->dims[1] == GW_SAMPLE_PART_WORDS &&
                           parts->dims[0] == n * gw_div_up(gw_value_row(logits), GW_SAMPLE_PART)),
                err, "parts are not those of the logits");
    *out = (gw_value){
        .kind = GW_VALUE_OUTPUT, .dtype = GODWIT_I32, .n_dims = 1, .dims = {n_given + n}};
    return GODWIT_OK;
}

// lavapipe leaves loops after 65,535 rounds of all loops of an invocation together, and drawing is a
// dozen walks through the logits.
enum { MOST_OF_A_LANE = 4096 };

static uint32_t lanes_for(const gw_tune *tune, uint32_t n) {
    uint32_t lanes = tune->sample_lanes, least = gw_div_up(n, MOST_OF_A_LANE); // at most 64
    return lanes < least ? least : lanes;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *parts = input_of(node, 2), *given = input_of(node, 1);
    const gw_value *logits = node->inputs[0];
    uint32_t n_tok = (uint32_t)node->inputs[1]->dims[0] / 8;
    sample_params params = {.n = (uint32_t)gw_value_row(logits),
                            .n_parts = parts ? (uint32_t)parts->dims[0] / n_tok : 0,
                            .n_rows = (uint32_t)logits->dims[0],
                            .n_tok = n_tok,
                            .n_given = given ? (uint32_t)given->dims[0] : 0};
    const uint32_t lanes = lanes_for(&plan->tune, params.n);
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, node->inputs[0], false);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, parts ? parts : node->inputs[1], false);
    gw_launch_bind(launch, given ? given : node->inputs[1], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &params.n);
    gw_launch_grid(launch, &plan->tune, n_tok + gw_div_up(params.n_given, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

typedef struct sampler {
    const float *logits;
    uint32_t n;
    gw_sample_control c;
    float max;
    uint32_t threshold, last_id; // kept: key > threshold, or == with id <= last_id
    bool use_min_p;
} sampler;

// e^x for a difference to the largest logit: at most 1, so that a weight fits.
static float share_of(float x) {
    return gw_exp(x < 0.0f ? x : 0.0f);
}

static uint32_t weight_of(float x) {
    return (uint32_t)(share_of(x) * 16777216.0f);
}

static bool is_kept(const sampler *s, uint32_t i) {
    uint32_t key = gw_sample_key(s->logits[i]);
    if (key < s->threshold || (key == s->threshold && i > s->last_id)) return false;
    return !s->use_min_p || share_of(s->logits[i] - s->max) >= s->c.min_p;
}

// What token i counts for in a selection: 1, or its weight; 0 where it is not kept.
static uint64_t measure(const sampler *s, uint32_t i, bool by_weight) {
    if (!is_kept(s, i)) return 0;
    return by_weight ? weight_of(s->logits[i] - s->max) : 1;
}

// Lowers the kept set to its shortest run from the top whose measure reaches target (>= 1, and no
// more than the whole measure): radix selection of the threshold key, then of the last id among its
// equals.
static void select_top(sampler *s, uint64_t target, bool by_weight) {
    uint32_t prefix = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint64_t bins[256] = {0};
        for (uint32_t i = 0; i < s->n; i++) {
            uint32_t key = gw_sample_key(s->logits[i]);
            bool in = shift == 24 || key >> (shift + 8) == prefix >> (shift + 8);
            if (in) bins[key >> shift & 255u] += measure(s, i, by_weight);
        }
        uint32_t bin = 255;
        while (bin > 0 && bins[bin] < target) target -= bins[bin--];
        prefix |= bin << shift;
    }
    uint32_t id = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (gw_sample_key(s->logits[i]) != prefix) continue;
        sum += measure(s, i, by_weight);
        id = i;
        if (sum >= target) break;
    }
    s->threshold = prefix;
    s->last_id = id;
}

static uint32_t draw(const sampler *s) {
    uint64_t total = 0, sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (is_kept(s, i)) total += weight_of((s->logits[i] - s->max) * s->c.inv_temp);
    }
    uint64_t u = gw_philox(s->c.seed_lo, s->c.seed_hi, s->c.position);
    uint64_t target = (u * (total >> 32)) + (u * (total & 0xffffffffu) >> 32);
    for (uint32_t i = 0; i < s->n; i++) {
        if (is_kept(s, i)) sum += weight_of((s->logits[i] - s->max) * s->c.inv_temp);
        if (sum > target) return i;
    }
    return s->n - 1;
}

// Parts are not read: what they say follows from the logits.
static int32_t choose(const gw_sample_choice *at) {
    sampler s = {.logits = at->logits, .n = at->n, .c = at->c, .last_id = UINT32_MAX};
    uint32_t best = 0;
    for (uint32_t i = 1; i < s.n; i++) {
        if (gw_sample_key(s.logits[i]) > gw_sample_key(s.logits[best])) best = i;
    }
    if ((gw_bits(s.logits[best]) & 0x7f800000u) == 0x7f800000u) return -1; // not finite
    if (s.c.inv_temp == 0.0f) return (int32_t)best;
    s.max = s.logits[best];
    if (s.c.top_k && s.c.top_k < s.n) select_top(&s, s.c.top_k, false);
    s.use_min_p = s.c.min_p > 0.0f;
    if (s.c.top_p && s.c.top_p < 1u << 24) {
        uint64_t total = 0;
        for (uint32_t i = 0; i < s.n; i++) total += measure(&s, i, true);
        uint64_t target = (total * s.c.top_p + (1u << 24) - 1) >> 24;
        select_top(&s, target ? target : 1, true);
    }
    return (int32_t)draw(&s);
}

// What is given goes with the first.
static uint64_t n_items(const void *params) {
    const sample_params *p = params;
    return p->n_tok ? p->n_tok : 1;
}

void gw_sample_walk(const gw_reference_args *args,
                    int32_t (*choose_one)(const gw_sample_choice *)) {
    const sample_params *p = args->params;
    int32_t *y = args->bufs[4];
    if (args->first == 0 && p->n_given) memcpy(y, args->bufs[3], p->n_given * sizeof *y);
    for (uint64_t t = args->first; t < args->end && t < p->n_tok; t++) {
        gw_sample_choice at = {.n = p->n, .n_parts = p->n_parts};
        memcpy(&at.c, (const gw_sample_control *)args->bufs[1] + t, sizeof at.c);
        if (at.c.row & GW_SAMPLE_GIVEN) {
            y[p->n_given + t] = (int32_t)(at.c.row & ~GW_SAMPLE_GIVEN);
            continue;
        }
        at.logits = (const float *)args->bufs[0] + gw_sample_row(&at.c, p->n_rows) * p->n;
        at.parts = (const uint32_t *)args->bufs[2] + t * p->n_parts * GW_SAMPLE_PART_WORDS;
        y[p->n_given + t] = choose_one(&at);
    }
}

static void reference(const gw_reference_args *args) {
    gw_sample_walk(args, choose);
}

const gw_op gw_op_sample = {.name = "sample",
                            .n_inputs_min = 2,
                            .n_inputs_max = 4,
                            .internal = true,
                            .infer = infer,
                            .launch = launch,
                            .n_items = n_items,
                            .reference = reference};
