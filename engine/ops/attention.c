// attention (ONNX Attention, causal, grouped query): softmax(q K^T * scale) V over a token's past
//   q: [n_tok, n_head, head_dim] f32; K, V: [n_ctx, n_head_kv, head_dim] f32 or f16 states;
//   pos: [n_tok] i32; y: [n_tok, n_head * out_dim] f32, or q8_act when fused with quantize_q8.
//   Token t sees keys max(0, pos - window + 1) .. pos (window 0: from 0). head_dim: a multiple of
//   8, up to 256; smaller heads have zeros behind, and out_dim (the attribute head_dim) is theirs.
// Order: keys are worked on in chunks of 32 that begin at multiples of 32. In a chunk: scores s_j =
// (sum over d, in order, of q_d k_jd) * scale; m = their maximum; p_j = exp(s_j - m); l = sum of
// p_j and o_d = sum of p_j v_jd, in order of j; o is flushed. Chunks are combined in order: with M
// = max(m, m'), l = l exp(m - M) + l' exp(m' - M), and o likewise, flushed. y = flush(o * rcp(l)).
// So the result depends on positions alone, not on how a prompt was cut. Source of the running
// combination: Dao et al., "FlashAttention", 2022.
#include "base/limits.h"
#include "ops/ops.h"
#include "ops/q8_act.h"

typedef struct attention_params {
    uint32_t n_tok, n_head, n_head_kv, head_dim;
    float scale;
    uint32_t window;
    uint32_t f16;
    uint32_t quantize;
    uint32_t out_dim;
} attention_params;
_Static_assert(sizeof(attention_params) == 36, "push constants of attention.comp");

static const gw_attr_row attrs[] = {
    {"scale", GW_ATTR_F32, offsetof(gw_attention_attrs, scale), 1.0f},
    {"window", GW_ATTR_U32, offsetof(gw_attention_attrs, window), 0},
    {"head_dim", GW_ATTR_U32, offsetof(gw_attention_attrs, head_dim), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static uint32_t out_dim(const gw_node *node) {
    const gw_attention_attrs *a = (const gw_attention_attrs *)node->attrs;
    return a->head_dim ? a->head_dim : (uint32_t)node->inputs[0]->dims[2];
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *v = node->inputs[2];
    const gw_value *pos = node->inputs[3];
    GW_OP_CHECK(node, q->dtype == GODWIT_F32 && q->n_dims == 3, err,
                "q is not [n_tok, n_head, head_dim] f32");
    GW_OP_CHECK(node,
                k->n_dims == 3 && v->n_dims == 3 && k->dtype == v->dtype &&
                    !memcmp(k->dims, v->dims, 24) &&
                    (k->dtype == GODWIT_F32 || k->dtype == GODWIT_F16) && !k->weight,
                err, "K and V are not one shape of 3 dims, f32 or f16");
    GW_OP_CHECK(node, k->dims[2] == q->dims[2] && q->dims[1] % k->dims[1] == 0, err,
                "%llu heads of %llu do not share %llu key heads of %llu",
                (unsigned long long)q->dims[1], (unsigned long long)q->dims[2],
                (unsigned long long)k->dims[1], (unsigned long long)k->dims[2]);
    GW_OP_CHECK(node, q->dims[2] % GW_HEAD_DIM_STEP == 0 && q->dims[2] <= GW_MAX_HEAD_DIM, err,
                "head_dim %llu is not a multiple of 8 up to %d", (unsigned long long)q->dims[2],
                GW_MAX_HEAD_DIM);
    GW_OP_CHECK(node, out_dim(node) <= q->dims[2], err, "head_dim %u is above q's %llu",
                out_dim(node), (unsigned long long)q->dims[2]);
    GW_OP_CHECK(node, pos->dtype == GODWIT_I32 && pos->dims[0] == q->dims[0], err,
                "pos is not [n_tok] i32");
    *out = (gw_value){
        .dtype = GODWIT_F32, .n_dims = 2, .dims = {q->dims[0], q->dims[1] * out_dim(node)}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *y = node->output;
    const gw_attention_attrs *a = (const gw_attention_attrs *)node->attrs;
    attention_params params = {.n_tok = (uint32_t)q->dims[0],
                               .n_head = (uint32_t)q->dims[1],
                               .n_head_kv = (uint32_t)k->dims[1],
                               .head_dim = (uint32_t)q->dims[2],
                               .scale = a->scale,
                               .window = a->window,
                               .f16 = k->dtype == GODWIT_F16,
                               .quantize = y->dtype == GW_DTYPE_Q8_ACT,
                               .out_dim = out_dim(node)};
    GW_OP_LAUNCH(launch, plan, node, params);
    for (uint32_t i = 0; i < 4; i++) gw_launch_bind(launch, node->inputs[i], false);
    if (params.quantize) {
        gw_launch_bind_q8_act(launch, y, true);
    } else {
        gw_launch_bind(launch, y, true);
        gw_launch_bind(launch, y, true);
    }
    const uint32_t lanes = plan->tune.attn_lanes;
    const uint32_t more[] = {params.head_dim, params.f16, params.quantize, lanes};
    gw_launch_spec(launch, lanes, 4, more);
    launch->groups[0] = params.n_head;
    launch->groups[1] = params.n_tok;
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

static float cached(const attention_params *p, const uint32_t *cache, uint64_t at) {
    if (!p->f16) return gw_from_bits(cache[at]);
    return gw_f16_to_f32(cache[at / 2] >> (at % 2 * 16) & 0xffffu);
}

typedef struct softmax_state {
    float m, l, o[GW_MAX_HEAD_DIM];
} softmax_state;

// Pairs of a token and a head of one key head share the reading of a chunk of keys and values.
enum { PAIRS = 8 };

typedef struct pair {
    const float *q;
    uint64_t at; // in y
    uint32_t lo, pos;
    softmax_state run, next;
    float e[GW_ATTN_CHUNK]; // exp(s_j - m)
} pair;

typedef struct tile {
    const attention_params *p;
    const gw_reference_args *args;
    uint32_t g, n_pairs; // the key head
    pair pairs[PAIRS];
    float keys[GW_MAX_HEAD_DIM][GW_ATTN_CHUNK];
} tile;

static uint64_t row_at(const tile *t, uint32_t key) {
    return ((uint64_t)key * t->p->n_head_kv + t->g) * t->p->head_dim;
}

// A pair's keys of chunk c; false: none.
static bool keys_of(const pair *a, uint32_t c, uint32_t *out_j0, uint32_t *out_j1) {
    uint32_t first = c * GW_ATTN_CHUNK, last = first + GW_ATTN_CHUNK - 1;
    if (a->pos < first || a->lo > last) return false;
    *out_j0 = a->lo > first ? a->lo - first : 0;
    *out_j1 = a->pos < last ? a->pos - first : GW_ATTN_CHUNK - 1;
    return true;
}

static void score(const tile *t, pair *a, uint32_t j0, uint32_t j1) {
    const attention_params *p = t->p;
    float s[GW_ATTN_CHUNK] = {0};
    for (uint32_t d = 0; d < p->head_dim; d++) {
        for (int j = 0; j < GW_ATTN_CHUNK; j++) {
            float product = a->q[d] * t->keys[d][j];
            s[j] = s[j] + product;
        }
    }
    for (uint32_t j = j0; j <= j1; j++) s[j] = s[j] * p->scale;
    a->next.m = s[j0];
    for (uint32_t j = j0; j <= j1; j++) a->next.m = s[j] > a->next.m ? s[j] : a->next.m;
    a->next.l = 0.0f;
    for (uint32_t j = j0; j <= j1; j++) {
        a->e[j] = gw_exp(s[j] - a->next.m);
        a->next.l = a->next.l + a->e[j];
    }
    for (uint32_t d = 0; d < p->head_dim; d++) a->next.o[d] = 0.0f;
}

static void combine(const attention_params *p, softmax_state *run, const softmax_state *next) {
    float m = run->m > next->m ? run->m : next->m;
    float a = gw_exp(run->m - m), b = gw_exp(next->m - m);
    float la = run->l * a, lb = next->l * b;
    run->l = la + lb;
    run->m = m;
    for (uint32_t d = 0; d < p->head_dim; d++) {
        float oa = run->o[d] * a, ob = next->o[d] * b;
        run->o[d] = gw_flush(oa + ob);
    }
}

static void add_values(tile *t, uint32_t c, uint32_t n_keys) {
    const attention_params *p = t->p;
    float v[GW_MAX_HEAD_DIM];
    uint32_t j0, j1;
    for (uint32_t j = 0; j < n_keys; j++) {
        uint64_t row = row_at(t, c * GW_ATTN_CHUNK + j);
        for (uint32_t d = 0; d < p->head_dim; d++) v[d] = cached(p, t->args->bufs[2], row + d);
        for (uint32_t i = 0; i < t->n_pairs; i++) {
            pair *a = &t->pairs[i];
            if (!keys_of(a, c, &j0, &j1) || j < j0 || j > j1) continue;
            for (uint32_t d = 0; d < p->head_dim; d++) {
                float product = a->e[j] * v[d];
                a->next.o[d] = a->next.o[d] + product;
            }
        }
    }
}

// The first n_keys of chunk c, for each pair that sees some of them.
static void add_chunk(tile *t, uint32_t c, uint32_t n_keys) {
    const attention_params *p = t->p;
    uint32_t j0, j1;
    for (uint32_t j = 0; j < n_keys; j++) {
        uint64_t row = row_at(t, c * GW_ATTN_CHUNK + j);
        for (uint32_t d = 0; d < p->head_dim; d++) {
            t->keys[d][j] = cached(p, t->args->bufs[1], row + d);
        }
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        if (keys_of(&t->pairs[i], c, &j0, &j1)) score(t, &t->pairs[i], j0, j1);
    }
    add_values(t, c, n_keys);
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        pair *a = &t->pairs[i];
        if (!keys_of(a, c, &j0, &j1)) continue;
        for (uint32_t d = 0; d < p->head_dim; d++) a->next.o[d] = gw_flush(a->next.o[d]);
        if (c == a->lo / GW_ATTN_CHUNK)
            a->run = a->next;
        else
            combine(p, &a->run, &a->next);
    }
}

// Pair `at` of the key head's: a token's heads lie side by side.
static void begin_pair(tile *t, uint64_t at, pair *out) {
    const attention_params *p = t->p;
    uint32_t n_share = p->n_head / p->n_head_kv;
    uint64_t tok = at / n_share, head = t->g * n_share + at % n_share;
    out->pos = ((const uint32_t *)t->args->bufs[3])[tok];
    out->lo = p->window && out->pos >= p->window ? out->pos - p->window + 1 : 0;
    out->q = (const float *)t->args->bufs[0] + (tok * p->n_head + head) * p->head_dim;
    out->at = (tok * p->n_head + head) * p->out_dim;
}

static void store_pair(const tile *t, const pair *a) {
    const attention_params *p = t->p;
    float out[GW_MAX_HEAD_DIM], scale = gw_rcp(a->run.l);
    for (uint32_t d = 0; d < p->head_dim; d++) out[d] = gw_flush(a->run.o[d] * scale);
    if (!p->quantize) memcpy((float *)t->args->bufs[4] + a->at, out, p->out_dim * 4);
    for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
        ((float *)t->args->bufs[5])[a->at / 32 + g] =
            gw_q8_pack(out + g * 32, (int8_t *)t->args->bufs[4] + a->at + g * 32);
    }
}

static void work_on_tile(tile *t) {
    uint32_t first = UINT32_MAX, last = 0;
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        const pair *a = &t->pairs[i];
        first = a->lo < first ? a->lo : first;
        last = a->pos > last ? a->pos : last;
    }
    for (uint32_t c = first / GW_ATTN_CHUNK; c <= last / GW_ATTN_CHUNK; c++) {
        uint32_t n_left = last - c * GW_ATTN_CHUNK;
        add_chunk(t, c, n_left < GW_ATTN_CHUNK ? n_left + 1 : GW_ATTN_CHUNK);
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) store_pair(t, &t->pairs[i]);
}

static void reference(const gw_reference_args *args) {
    const attention_params *p = args->params;
    uint64_t n = (uint64_t)p->n_tok * (p->n_head / p->n_head_kv);
    tile t = {.p = p, .args = args};
    for (t.g = 0; t.g < p->n_head_kv; t.g++) {
        for (uint64_t at = 0; at < n; at += PAIRS) {
            t.n_pairs = n - at < PAIRS ? (uint32_t)(n - at) : PAIRS;
            for (uint32_t i = 0; i < t.n_pairs; i++) begin_pair(&t, at + i, &t.pairs[i]);
            work_on_tile(&t);
        }
    }
}

const gw_op gw_op_attention = {.name = "attention",
                               .n_inputs_min = 4,
                               .n_inputs_max = 4,
                               .internal = true,
                               .attrs = attrs,
                               .infer = infer,
                               .launch = launch,
                               .reference = reference};
