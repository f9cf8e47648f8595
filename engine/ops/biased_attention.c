// biased_attention (ONNX Attention, with a bias of distances): softmax(q K^T * scale + bias) V
//   q: [n_tok, n_head, head_dim] f32; K, V: [n_rows, n_head_kv, head_dim], each f32 or f16, states;
//   last, own: [n_tok] i32: the last key that a token sees, from 0 on, and which key is its own; last may be [2 n_tok]:
//   then also the first one, at most the last;
//   pages as attention's; bias: [n_head * n_bias] f32, a constant: of head h and a key at distance d = key - own
//   number h * n_bias + clamp(d + zero, 0, n_bias - 1); or, with slopes, n_bias 1, number h times |d|;
//   y: [n_tok, n_head * out_dim] f32.
// Order: attention's, in which flush(flush(dot) * scale2) + flush(bias / ln 2), flushed, is a score; with slopes the
// bias is flush(slope * |d|). One plain kernel: families with such biases are old or small.
// Source: Press et al., "Train Short, Test Long", 2021 (slopes); Raffel et al., T5, 2019.
#include "ops/attention.h"

#include "base/sums.h"
#include "ops/kv.h"

typedef struct biased_params {
    uint32_t n_head, n_head_kv, out_dim, n_ctx, n_blocks, paged;
    float scale2;
    uint32_t n_bias, zero, slopes;
    uint32_t n_tok, groups_x;
    uint32_t head_dim, k_type, v_type;
    uint32_t given; // first keys
} biased_params;
_Static_assert(sizeof(biased_params) == 64, "push constants of biased_attention.comp");

enum { IN_Q, IN_K, IN_V, IN_LAST, IN_OWN, IN_PAGES, IN_BIAS, N_IN };

static const gw_attr_row attrs[] = {
    {"scale", GW_ATTR_F32, offsetof(gw_biased_attention_attrs, scale), 1.0f},
    {"head_dim", GW_ATTR_U32, offsetof(gw_biased_attention_attrs, head_dim), 0},
    {"n_bias", GW_ATTR_U32, offsetof(gw_biased_attention_attrs, n_bias), 1},
    {"zero", GW_ATTR_U32, offsetof(gw_biased_attention_attrs, zero), 0},
    {"slopes", GW_ATTR_U32, offsetof(gw_biased_attention_attrs, slopes), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static const gw_biased_attention_attrs *attrs_of(const gw_node *node) {
    return (const gw_biased_attention_attrs *)node->attrs;
}
static uint32_t out_dim(const gw_node *node) {
    const uint32_t n = attrs_of(node)->head_dim;
    return n ? n : (uint32_t)node->inputs[IN_Q]->dims[2];
}

static godwit_status check_rows(const gw_node *node, godwit_error *err) {
    const gw_value *q = node->inputs[IN_Q], *pages = node->inputs[IN_PAGES];
    const gw_biased_attention_attrs *a = attrs_of(node);
    for (int i = IN_LAST; i <= IN_OWN; i++) {
        const gw_value *x = node->inputs[i];
        const bool twice = i == IN_LAST && x->dims[0] == 2 * q->dims[0];
        GW_OP_CHECK(node, x->dtype == GODWIT_I32 && (twice || x->dims[0] == q->dims[0]), err,
                    "last and own are not [n_tok] i32, or last twice that");
    }
    GW_OP_CHECK(node,
                pages->dtype == GODWIT_I32 && a->n_pages &&
                    (pages->dims[0] == a->n_pages || pages->dims[0] == a->n_pages * q->dims[0]),
                err, "pages are not a table of %u, or one for each token", a->n_pages);
    GW_OP_CHECK(node,
                gw_value_n_elements(node->inputs[IN_BIAS]) == q->dims[1] * a->n_bias && a->n_bias &&
                    a->zero < a->n_bias && (!a->slopes || a->n_bias == 1),
                err, "the biases are not %u numbers a head, or number %u is none of them",
                a->n_bias, a->zero);
    return GODWIT_OK;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *q = node->inputs[IN_Q], *k = node->inputs[IN_K], *v = node->inputs[IN_V];
    uint32_t k_type, v_type;
    GW_OP_CHECK(node, q->dtype == GODWIT_F32 && q->n_dims == 3, err,
                "q is not [n_tok, n_head, head_dim] f32");
    GW_OP_CHECK(node,
                k->n_dims == 3 && v->n_dims == 3 && !memcmp(k->dims, v->dims, 24) && !k->weight &&
                    !v->weight && gw_kv_type_of(k, false, &k_type) &&
                    gw_kv_type_of(v, true, &v_type) && k_type != GW_KV_Q8 && v_type != GW_KV_Q8,
                err, "K and V are not one shape of 3 dims, f32 or f16");
    GW_OP_CHECK(node, k->dims[2] == q->dims[2] && q->dims[1] % k->dims[1] == 0, err,
                "%llu heads of %llu do not share %llu key heads of %llu",
                (unsigned long long)q->dims[1], (unsigned long long)q->dims[2],
                (unsigned long long)k->dims[1], (unsigned long long)k->dims[2]);
    GW_OP_CHECK(node, q->dims[0] * q->dims[1] < UINT32_MAX, err, "2^32 heads of tokens or more");
    GW_OP_CHECK(node, q->dims[2] <= GW_MAX_HEAD_DIM && out_dim(node) <= q->dims[2], err,
                "heads of %llu, of which %u are wanted; at most %d", (unsigned long long)q->dims[2],
                out_dim(node), GW_MAX_HEAD_DIM);
    *out = (gw_value){
        .dtype = GODWIT_F32, .n_dims = 2, .dims = {q->dims[0], q->dims[1] * out_dim(node)}};
    return check_rows(node, err);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    // What a lane may have to do, so that no driver ends its loops (docs/QUIRKS.md): a third of that.
    enum { MOST_LANES = 64, BLOCKS_A_LANE = 3, USUAL_DIM = 128 };
    const gw_value *q = node->inputs[IN_Q], *k = node->inputs[IN_K];
    const gw_biased_attention_attrs *a = attrs_of(node);
    const uint64_t n_keys = (uint64_t)a->n_pages * GW_ATTN_BLOCK, n_rows = k->dims[0];
    const uint64_t work_a_lane = (uint64_t)BLOCKS_A_LANE * USUAL_DIM;
    uint32_t lanes = plan->tune.attn_lanes < MOST_LANES ? plan->tune.attn_lanes : MOST_LANES;
    while (a->n_pages * q->dims[2] > work_a_lane * lanes && 2 * lanes <= plan->tune.max_invocations)
        lanes *= 2;
    biased_params params = {.n_tok = (uint32_t)q->dims[0],
                            .n_head = (uint32_t)q->dims[1],
                            .n_head_kv = (uint32_t)k->dims[1],
                            .head_dim = (uint32_t)q->dims[2],
                            .out_dim = out_dim(node),
                            .n_ctx = (uint32_t)(n_keys < n_rows ? n_keys : n_rows),
                            .n_blocks = a->n_pages,
                            .paged = node->inputs[IN_PAGES]->dims[0] != a->n_pages,
                            .scale2 = gw_flush(a->scale * 1.44269504f),
                            .n_bias = a->n_bias,
                            .zero = a->zero,
                            .slopes = a->slopes,
                            .given = node->inputs[IN_LAST]->dims[0] != q->dims[0]};
    (void)gw_kv_type_of(k, false, &params.k_type);
    (void)gw_kv_type_of(node->inputs[IN_V], true, &params.v_type);
    GW_OP_LAUNCH(launch, plan, node, params);
    for (uint32_t i = 0; i < IN_BIAS; i++) gw_launch_bind(launch, node->inputs[i], false);
    gw_launch_bind_f32(launch, node->inputs[IN_BIAS], false);
    gw_launch_bind(launch, node->outputs[0], true);
    const uint32_t more[] = {params.head_dim, params.k_type, params.v_type, lanes};
    gw_launch_spec(launch, lanes, 4, more);
    gw_launch_grid(launch, &plan->tune, q->dims[0] * q->dims[1]);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t work(const void *params) {
    const biased_params *p = params;
    return 2 * (uint64_t)p->n_tok * p->n_head * p->head_dim * p->n_ctx;
}

// --- reference

static float cached(uint32_t type, const uint32_t *cache, uint64_t at) {
    if (type == GW_KV_F32) return gw_from_bits(cache[at]);
    return gw_f16_to_f32(cache[at / 2] >> (at % 2 * 16) & 0xffffu);
}

// A token and a head.
typedef struct row {
    const biased_params *p;
    const gw_reference_args *args;
    const float *q;
    const uint32_t *pages;
    uint32_t head, first, last, own;
} row;

static uint64_t element(const row *r, uint32_t key) {
    const biased_params *p = r->p;
    const uint64_t at =
        (uint64_t)r->pages[key / GW_ATTN_BLOCK] * GW_ATTN_BLOCK + key % GW_ATTN_BLOCK;
    return (at * p->n_head_kv + r->head / (p->n_head / p->n_head_kv)) * p->head_dim;
}

static float bias_of(const row *r, uint32_t key) {
    const biased_params *p = r->p;
    const float *bias = r->args->bufs[IN_BIAS];
    const int32_t d = (int32_t)key - (int32_t)r->own;
    if (p->slopes) return gw_flush(bias[r->head] * (float)(d < 0 ? -d : d));
    int32_t i = d + (int32_t)p->zero;
    i = i < 0 ? 0 : i >= (int32_t)p->n_bias ? (int32_t)p->n_bias - 1 : i;
    return bias[r->head * p->n_bias + (uint32_t)i];
}

static float score(const row *r, uint32_t key) {
    const biased_params *p = r->p;
    const uint64_t at = element(r, key);
    float sum = 0.0f;
    for (uint32_t u = 0; u < p->head_dim; u += GW_SUM_UNIT) {
        float chain = 0.0f;
        for (uint32_t d = u; d < u + GW_SUM_UNIT && d < p->head_dim; d++) {
            const float product = r->q[d] * cached(p->k_type, r->args->bufs[IN_K], at + d);
            chain = chain + product;
        }
        sum = sum + chain;
    }
    float t = gw_flush(gw_flush(sum) * p->scale2);
    t = gw_flush(t + gw_flush(bias_of(r, key) * 1.44269504f));
    if (gw_is_nan(t)) return GW_ATTN_NAN_SCORE;
    return t > GW_ATTN_MAX_SCORE    ? GW_ATTN_MAX_SCORE
           : t < -GW_ATTN_MAX_SCORE ? -GW_ATTN_MAX_SCORE
                                    : t;
}

// Of a block of keys from first on: p, their sum and their exponent. Returns how many keys are seen.
static uint32_t weigh(const row *r, uint32_t first, float p[GW_ATTN_BLOCK], float *out_l,
                      int32_t *out_e) {
    const uint32_t left = r->last + 1 - first, n = left < GW_ATTN_BLOCK ? left : GW_ATTN_BLOCK;
    memset(p, 0, GW_ATTN_BLOCK * sizeof *p);
    *out_e = GW_ATTN_NO_KEYS;
    const uint32_t hidden = r->first > first ? r->first - first : 0;
    for (uint32_t k = hidden; k < n; k++) {
        p[k] = score(r, first + k);
        const int32_t e = gw_round(p[k]);
        *out_e = e > *out_e ? e : *out_e;
    }
    for (uint32_t k = hidden; k < n; k++) {
        const float t = p[k];
        const int32_t e = gw_round(t) - *out_e;
        const uint32_t f = gw_bits(gw_exp2_part(t - (float)gw_round(t)));
        p[k] = t > GW_ATTN_MAX_SCORE ? gw_from_bits(GW_NAN_BITS)
               : e < GW_ATTN_LOWEST  ? 0.0f
                                     : gw_from_bits(f + ((uint32_t)e << 23));
    }
    *out_l = gw_reduce(p, GW_ATTN_BLOCK);
    return n;
}

static float value_of(const row *r, uint32_t first, uint32_t n, const float *p, uint32_t d) {
    float o = 0.0f;
    for (uint32_t u = 0; u < n; u += GW_SUM_UNIT) {
        float chain = 0.0f;
        for (uint32_t k = u; k < u + GW_SUM_UNIT && k < n; k++) {
            const float v = cached(r->p->v_type, r->args->bufs[IN_V], element(r, first + k) + d);
            const float product = p[k] * v;
            chain = chain + product;
        }
        o = o + chain;
    }
    return gw_flush(o);
}

static void attend(const row *r, float *y) {
    float run[GW_MAX_HEAD_DIM] = {0}, p[GW_ATTN_BLOCK], l = 0.0f;
    int32_t e = GW_ATTN_NO_KEYS;
    for (uint32_t first = r->first & ~(GW_ATTN_BLOCK - 1u); first <= r->last;
         first += GW_ATTN_BLOCK) {
        float block_l;
        int32_t block_e;
        const uint32_t n = weigh(r, first, p, &block_l, &block_e);
        const int32_t top = e > block_e ? e : block_e;
        const float a = gw_attn_pow2_or_0(e - top), c = gw_attn_pow2_or_0(block_e - top);
        const float la = l * a, lc = block_l * c;
        l = la + lc;
        e = top;
        for (uint32_t d = 0; d < r->p->out_dim; d++) {
            const float oa = run[d] * a, oc = value_of(r, first, n, p, d) * c;
            run[d] = gw_flush(oa + oc);
        }
    }
    const float scale = gw_rcp(l);
    for (uint32_t d = 0; d < r->p->out_dim; d++) y[d] = gw_flush(run[d] * scale);
}

static uint64_t n_items(const void *params) {
    return ((const biased_params *)params)->n_head;
}

static void reference(const gw_reference_args *args) {
    const biased_params *p = args->params;
    const uint32_t *last = args->bufs[IN_LAST], *own = args->bufs[IN_OWN];
    for (uint64_t h = args->first; h < args->end; h++) {
        for (uint64_t t = 0; t < p->n_tok; t++) {
            const uint64_t at = t * p->n_head + h;
            row r = {.p = p,
                     .args = args,
                     .q = (const float *)args->bufs[IN_Q] + at * p->head_dim,
                     .pages =
                         (const uint32_t *)args->bufs[IN_PAGES] + (p->paged ? t * p->n_blocks : 0),
                     .head = (uint32_t)h,
                     .last = last[t] < p->n_ctx ? last[t] : p->n_ctx - 1,
                     .own = own[t]};
            const uint32_t first = p->given ? last[p->n_tok + t] : 0;
            r.first = first < r.last ? first : r.last;
            attend(&r, (float *)args->bufs[N_IN] + at * p->out_dim);
        }
    }
}

const gw_op gw_op_biased_attention = {.name = "biased_attention",
                                      .n_inputs_min = N_IN,
                                      .n_inputs_max = N_IN,
                                      .internal = true,
                                      .raw_inputs = 1u << IN_BIAS,
                                      .one_raw_row = true,
                                      .attrs = attrs,
                                      .infer = infer,
                                      .launch = launch,
                                      .work = work,
                                      .n_items = n_items,
                                      .reference = reference};
