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

// --- reference
// ------------------------------------------------------------------------------------

static float cached(const attention_params *p, const uint32_t *cache, uint64_t at) {
    if (!p->f16) return gw_from_bits(cache[at]);
    return gw_f16_to_f32(cache[at / 2] >> (at % 2 * 16) & 0xffffu);
}

typedef struct softmax_state {
    float m, l, o[GW_MAX_HEAD_DIM];
} softmax_state;

// One chunk's keys j0..j1; row(j) begins at base + j * stride in the caches.
static void chunk_of(const attention_params *p, const gw_reference_args *args, const float *q,
                     uint64_t base, uint64_t stride, uint32_t j0, uint32_t j1, softmax_state *out) {
    float s[GW_ATTN_CHUNK];
    for (uint32_t j = j0; j <= j1; j++) {
        float sum = 0.0f;
        for (uint32_t d = 0; d < p->head_dim; d++) {
            float product = q[d] * cached(p, args->bufs[1], base + j * stride + d);
            sum = sum + product;
        }
        s[j - j0] = sum * p->scale;
    }
    out->m = s[0];
    for (uint32_t j = j0; j <= j1; j++) out->m = s[j - j0] > out->m ? s[j - j0] : out->m;
    out->l = 0.0f;
    for (uint32_t d = 0; d < p->head_dim; d++) out->o[d] = 0.0f;
    for (uint32_t j = j0; j <= j1; j++) {
        float e = gw_exp(s[j - j0] - out->m);
        out->l = out->l + e;
        for (uint32_t d = 0; d < p->head_dim; d++) {
            float product = e * cached(p, args->bufs[2], base + j * stride + d);
            out->o[d] = out->o[d] + product;
        }
    }
    for (uint32_t d = 0; d < p->head_dim; d++) out->o[d] = gw_flush(out->o[d]);
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

static void head_of(const gw_reference_args *args, uint32_t t, uint32_t h, float *out) {
    const attention_params *p = args->params;
    uint32_t pos = ((const uint32_t *)args->bufs[3])[t];
    uint32_t lo = p->window && pos >= p->window ? pos - p->window + 1 : 0;
    uint64_t stride = (uint64_t)p->n_head_kv * p->head_dim;
    uint64_t base = (uint64_t)(h / (p->n_head / p->n_head_kv)) * p->head_dim;
    const float *q = (const float *)args->bufs[0] + ((uint64_t)t * p->n_head + h) * p->head_dim;
    softmax_state run, next;
    for (uint32_t c = lo / GW_ATTN_CHUNK; c <= pos / GW_ATTN_CHUNK; c++) {
        uint32_t first = c * GW_ATTN_CHUNK, last = first + GW_ATTN_CHUNK - 1;
        bool is_first = c == lo / GW_ATTN_CHUNK;
        chunk_of(p, args, q, base, stride, first > lo ? first : lo, last < pos ? last : pos,
                 is_first ? &run : &next);
        if (!is_first) combine(p, &run, &next);
    }
    float scale = gw_rcp(run.l);
    for (uint32_t d = 0; d < p->head_dim; d++) out[d] = gw_flush(run.o[d] * scale);
}

static void reference(const gw_reference_args *args) {
    const attention_params *p = args->params;
    for (uint32_t t = 0; t < p->n_tok; t++) {
        for (uint32_t h = 0; h < p->n_head; h++) {
            float out[GW_MAX_HEAD_DIM];
            uint64_t at = ((uint64_t)t * p->n_head + h) * p->out_dim;
            head_of(args, t, h, out);
            if (!p->quantize) memcpy((float *)args->bufs[4] + at, out, p->out_dim * 4);
            for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
                ((float *)args->bufs[5])[at / 32 + g] =
                    gw_q8_pack(out + g * 32, (int8_t *)args->bufs[4] + at + g * 32);
            }
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
