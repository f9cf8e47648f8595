// sample: chooses tokens from rows of logits, greedy or drawn, the same ones on every device
//   logits: [n_rows, n_vocab] f32; control: [12 n] i32, a gw_sample_control for each token, which names
//   its row; parts: [n * n_parts, 130] i32 of sample_parts, or none; given: [n_given] i32, tokens that
//   stand before the chosen ones, or none; y: [n_given + n] i32
// Parts change no result: they spare the one workgroup of a token a walk through all logits.
// Logits are ordered by key (the bits, made sortable) and then by lower id. Greedy: the first in
// that order. Drawn: from what these leave, each of what the one before it left (llama.cpp's order):
//   top-n-sigma  logits from max - n * their standard deviation on (gw_sample_cut)
//   top-k        the first top_k
//   typical      in the order of | surprise - entropy |, then of id, the shortest run that passes typical_p
//   top-p        the shortest run from the top that reaches top_p
//   min-p        e^(l - max) >= min_p
//   XTC          of those that have at least xtc of all all but the last
//   mirostat     at temperature: those that have at least mirostat of all, and those as likely as the first
// Weights are integers, trunc(e^(l - max) * 2^24), so that sums have no order; max is that of what the
// last one left. Of typical, ln of the sum is in surprise and in entropy, and so in neither: | d - mean of d |,
// d = max - l, is the same; its mean is that of weights trunc(e^-d * 2^30), in integers as well.
// Then, with weights at temperature, trunc(e^((l - max) / temp) * 2^24) and their sum W: the first id, in
// id order, at which the running sum passes (draw * W) >> 32, where draw is Philox of (seed, position).
// NaN sorts first, then infinity. Where the first in the order is one of them nothing can be chosen
// and y is -1. Otherwise l - max is below 0 or counts as 0, so a choice is always defined. What is not
// finite is nothing to a standard deviation; where the largest distance is not, top-n-sigma leaves all.
// Sources: Tang et al., "Top-nsigma", 2024; Meister et al., "Locally typical sampling", 2022; p-e-w's "XTC",
// 2024; Basu et al., "Mirostat", 2020 (its second algorithm); as llama.cpp has them.
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
                control->dtype == GODWIT_I32 && control->n_dims == 1 &&
                    control->dims[0] % GW_SAMPLE_CONTROL_WORDS == 0,
                err, "control is not [12 n] i32");
    return GODWIT_OK;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *logits = node->inputs[0];
    godwit_status status = gw_sample_check_inputs(node, err);
    if (status != GODWIT_OK) return status;
    const gw_value *parts = input_of(node, 2), *given = input_of(node, 1);
    const uint32_t n_inputs = 2 + (parts != NULL) + (given != NULL);
    const uint64_t n = node->inputs[1]->dims[0] / GW_SAMPLE_CONTROL_WORDS;
    const uint64_t n_given = given ? given->dims[0] : 0;
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

// lavapipe leaves loops after 65,535 rounds of all loops of an invocation together, and drawing is up to
// 27 walks through the logits.
enum { MOST_OF_A_LANE = 2048 };

static uint32_t lanes_for(const gw_tune *tune, uint32_t n) {
    uint32_t lanes = tune->sample_lanes, least = gw_div_up(n, MOST_OF_A_LANE); // at most 128
    return lanes < least ? least : lanes;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *parts = input_of(node, 2), *given = input_of(node, 1);
    const gw_value *logits = node->inputs[0];
    uint32_t n_tok = (uint32_t)node->inputs[1]->dims[0] / GW_SAMPLE_CONTROL_WORDS;
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

// What is kept: key > threshold, or == with id <= last_id; the same of nearness; key < xtc_key, or == with
// id >= xtc_id; what min-p keeps; a weight of at least least, at temperature.
typedef struct sampler {
    const float *logits;
    uint32_t n;
    gw_sample_control c;
    float max, first_max, min_max; // of what is left, of all, of what min-p began with
    uint32_t threshold, last_id, near, near_id, xtc_key, xtc_id, least;
    float mean; // distance to first_max
    bool use_typical, use_min_p;
} sampler;

// A difference to the largest logit, which counts as 0 where it is not below; e^ that: at most 1, so that
// a weight fits.
static float below(float x) {
    return x < 0.0f ? x : 0.0f;
}
static float share_of(float x) {
    return gw_exp(below(x));
}

// Larger: nearer to what is typical.
static uint32_t nearness(const sampler *s, uint32_t i) {
    const float d = gw_abs(below(s->logits[i] - s->first_max));
    return ~gw_bits(gw_flush(gw_abs(d - s->mean)));
}

static bool is_kept(const sampler *s, uint32_t i) {
    const uint32_t key = gw_sample_key(s->logits[i]);
    if (key < s->threshold || (key == s->threshold && i > s->last_id)) return false;
    if (key > s->xtc_key || (key == s->xtc_key && i < s->xtc_id)) return false;
    if (s->use_typical) {
        const uint32_t near = nearness(s, i);
        if (near < s->near || (near == s->near && i > s->near_id)) return false;
    }
    return !s->use_min_p || share_of(s->logits[i] - s->min_max) >= s->c.min_p;
}

typedef enum measure_by { BY_NUMBER, BY_WEIGHT, BY_TYPICAL, BY_DRAW } measure_by;

static uint32_t order_of(const sampler *s, uint32_t i, measure_by by) {
    return by == BY_TYPICAL ? nearness(s, i) : gw_sample_key(s->logits[i]);
}

// What token i counts for: 1, or its weight; 0 where it is not kept.
static uint64_t measure(const sampler *s, uint32_t i, measure_by by) {
    if (!is_kept(s, i)) return 0;
    if (by == BY_NUMBER) return 1;
    const float x = s->logits[i] - s->max;
    const uint32_t weight = gw_sample_weight(by == BY_DRAW ? x * s->c.inv_temp : x);
    return by == BY_DRAW && weight < s->least ? 0 : weight;
}
static uint64_t total_of(const sampler *s, measure_by by) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->n; i++) total += measure(s, i, by);
    return total;
}

// The end of the shortest run from the top of an order whose measure reaches target (>= 1): radix selection
// of its key, then of the last id among its equals. Key 0 where all do not reach it.
static void select_top(const sampler *s, uint64_t target, measure_by by, uint32_t *out_key,
                       uint32_t *out_id) {
    uint32_t prefix = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint64_t bins[256] = {0};
        for (uint32_t i = 0; i < s->n; i++) {
            uint32_t key = order_of(s, i, by);
            bool in = shift == 24 || key >> (shift + 8) == prefix >> (shift + 8);
            if (in) bins[key >> shift & 255u] += measure(s, i, by);
        }
        uint32_t bin = 255;
        while (bin > 0 && bins[bin] < target) target -= bins[bin--];
        prefix |= bin << shift;
    }
    uint32_t id = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (order_of(s, i, by) != prefix) continue;
        sum += measure(s, i, by);
        id = i;
        if (sum >= target) break;
    }
    *out_key = prefix;
    *out_id = id;
}

// Of a run from the top, which never becomes longer.
static void keep_top(sampler *s, uint64_t target, measure_by by) {
    uint32_t key, id;
    select_top(s, target, by, &key, &id);
    if (key < s->threshold || (key == s->threshold && id >= s->last_id)) return;
    s->threshold = key;
    s->last_id = id;
}

static void keep_sigma(sampler *s) {
    uint64_t sum = 0, squares = 0;
    uint32_t n = 0;
    float range = 0.0f;
    for (uint32_t i = 0; i < s->n; i++) {
        if ((gw_bits(s->logits[i]) & 0x7f800000u) == 0x7f800000u) continue;
        const float d = gw_flush(gw_abs(below(s->logits[i] - s->max)));
        if (d > range) range = d;
        n++;
    }
    if (gw_bits(range) == GW_INF_BITS) return;
    const int scale = range > 0.0f ? gw_sample_scale(range) : 0;
    for (int pass = 0; pass < 2; pass++) {
        const uint32_t mean = pass ? gw_sample_mean(sum, n) : 0;
        for (uint32_t i = 0; i < s->n; i++) {
            if ((gw_bits(s->logits[i]) & 0x7f800000u) == 0x7f800000u) continue;
            const float d = gw_flush(gw_abs(below(s->logits[i] - s->max)));
            const int64_t q = (int64_t)(d * gw_pow2(scale)) - mean;
            if (pass)
                squares += (uint64_t)(q * q);
            else
                sum += (uint64_t)q;
        }
    }
    s->threshold = gw_sample_cut(s->max, s->c.top_n_sigma, scale, squares, n);
}

static void keep_typical(sampler *s) {
    uint64_t weights = 0, distances = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!is_kept(s, i)) continue;
        const float x = below(s->logits[i] - s->max), weight = gw_exp(x) * 1073741824.0f;
        weights += (uint32_t)weight;
        if (weight > 0.0f) distances += (uint32_t)(weight * gw_abs(x));
    }
    s->mean = gw_div(gw_sample_float(distances), gw_sample_float(weights));
    const uint64_t target = gw_sample_passed(total_of(s, BY_WEIGHT), s->c.typical_p);
    uint32_t near, near_id, key = 0;
    select_top(s, target, BY_TYPICAL, &near, &near_id);
    s->use_typical = true;
    s->near = near;
    s->near_id = near_id;
    for (uint32_t i = 0; i < s->n; i++) {
        if (is_kept(s, i) && gw_sample_key(s->logits[i]) > key) key = gw_sample_key(s->logits[i]);
    }
    s->max = gw_sample_logit(key);
}

static void leave_out_top(sampler *s) {
    const uint64_t least = gw_sample_reached(total_of(s, BY_WEIGHT), s->c.xtc);
    uint32_t key = UINT32_MAX, id = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (measure(s, i, BY_WEIGHT) < least || gw_sample_key(s->logits[i]) > key) continue;
        key = gw_sample_key(s->logits[i]);
        id = i;
    }
    if (key == UINT32_MAX) return;
    s->xtc_key = key;
    s->xtc_id = id;
    s->max = gw_sample_logit(key);
}

static uint32_t draw(sampler *s) {
    uint64_t sum = 0;
    if (s->c.mirostat) s->least = gw_sample_least(total_of(s, BY_DRAW), s->c.mirostat);
    const uint64_t total = total_of(s, BY_DRAW);
    uint64_t u = gw_philox(s->c.seed_lo, s->c.seed_hi, s->c.position);
    uint64_t target = (u * (total >> 32)) + (u * (total & 0xffffffffu) >> 32);
    for (uint32_t i = 0; i < s->n; i++) {
        sum += measure(s, i, BY_DRAW);
        if (sum > target) return i;
    }
    return s->n - 1;
}

static bool cuts(uint32_t fraction) {
    return fraction && fraction < 1u << 24;
}

// Parts are not read: what they say follows from the logits.
static int32_t choose(const gw_sample_choice *at) {
    sampler s = {
        .logits = at->logits, .n = at->n, .c = at->c, .last_id = UINT32_MAX, .xtc_key = UINT32_MAX};
    uint32_t best = 0;
    for (uint32_t i = 1; i < s.n; i++) {
        if (gw_sample_key(s.logits[i]) > gw_sample_key(s.logits[best])) best = i;
    }
    if ((gw_bits(s.logits[best]) & 0x7f800000u) == 0x7f800000u) return -1; // not finite
    if (s.c.inv_temp == 0.0f) return (int32_t)best;
    s.max = s.first_max = s.logits[best];
    if (s.c.top_n_sigma > 0.0f) keep_sigma(&s);
    if (s.c.top_k && s.c.top_k < s.n) keep_top(&s, s.c.top_k, BY_NUMBER);
    if (cuts(s.c.typical_p)) keep_typical(&s);
    if (cuts(s.c.top_p))
        keep_top(&s, gw_sample_reached(total_of(&s, BY_WEIGHT), s.c.top_p), BY_WEIGHT);
    s.min_max = s.max;
    s.use_min_p = s.c.min_p > 0.0f;
    if (cuts(s.c.xtc)) leave_out_top(&s);
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
