// Kimi delta attention: a delta net each row of whose states decays by a factor of its own.
//
//   q, k, v = silu(conv(q x)), silu(conv(k x)), silu(conv(v x));  q, k of length 1
//   decay = e^(A softplus(f_b f_a x + dt));  beta = sigmoid(beta x);  z = g_b g_a x
//   or, of Ling 3.0: decay = e^(bound sigmoid(A (f_a x + dt)));  z = g_a x
//   S = diag(decay) S;  S += k (beta (v - S^T k))^T;  y = S^T q / sqrt(dk)
//   out (norm(y) * sigmoid(z))
// Source: Kimi Team, "Kimi Linear", 2025; Ling Team, "Ling 3.0", 2026; GGUF tensor names.
#include "arch/mixers.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

// Of q and k, added to the sum of squares.
#define LENGTH_EPS 1e-6f

enum { Q, K, V, N_QKV };

typedef struct kda {
    uint32_t n_heads, dim;
    float bound; // 0: none
    // f_b.w NULL: f_a and g_a are whole products.
    gw_linear qkv[N_QKV], f_a, f_b, g_a, g_b, beta, out;
    gw_conv conv[N_QKV];
    gw_weight *a, *dt;
    gw_norm norm;
    uint32_t state;
} kda;

static const char *const products[] = {"attn_q", "attn_k", "attn_v"};
static const char *const convs[] = {"ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v"};

static godwit_status load_qkv(gw_model_def *def, uint32_t layer, kda *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, inner = (uint64_t)m->n_heads * m->dim;
    gw_linear *const linears[] = {&m->qkv[Q], &m->qkv[K], &m->qkv[V]};
    uint32_t n_taps = 0;
    char key[96];
    GW_TRY(gw_gguf_require_u32(def->gguf, gw_def_key(def, "ssm.conv_kernel", key, sizeof key), 2,
                               GW_MAX_CONV_TAPS, &n_taps, err));
    for (int i = 0; i < N_QKV; i++) {
        GW_TRY(gw_mixer_linear(def, layer, products[i], inner, d, &m->qkv[i], err));
        GW_TRY(gw_conv_load(def, layer, convs[i], n_taps, inner, &m->conv[i], err));
    }
    GW_TRY(gw_def_join(def, linears, N_QKV, err));
done:
    return status;
}

// Of low rank, or whole.
static godwit_status load_gates(gw_model_def *def, uint32_t layer, kda *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, inner = (uint64_t)m->n_heads * m->dim;
    const uint64_t rank = m->bound != 0.0f ? inner : m->dim;
    GW_TRY(gw_mixer_linear(def, layer, "ssm_f_a", rank, d, &m->f_a, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_g_a", rank, d, &m->g_a, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_beta", m->n_heads, d, &m->beta, err));
    GW_TRY(gw_def_join(def, (gw_linear *[]){&m->f_a, &m->g_a, &m->beta}, 3, err));
    if (m->bound != 0.0f) goto done;
    GW_TRY(gw_mixer_linear(def, layer, "ssm_f_b", inner, rank, &m->f_b, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_g_b", inner, rank, &m->g_b, err));
done:
    return status;
}

static godwit_status load_as(gw_model_def *def, uint32_t layer, float bound, const void **out,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    kda *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->bound = bound;
    m->n_heads = def->h.layers[layer].n_head;
    GW_TRY(gw_mixer_key(def, "kda.head_dim", GW_MAX_STATE_ROWS, &m->dim, err));
    if (!m->n_heads) {
        GW_FAIL(err, GODWIT_MALFORMED, "layer %u: it has no heads", layer);
    }
    const uint64_t d = def->h.n_embd, dim = m->dim, inner = (uint64_t)m->n_heads * dim;
    GW_TRY(load_qkv(def, layer, m, err));
    GW_TRY(load_gates(def, layer, m, err));
    GW_TRY(gw_mixer_flat(def, layer, "ssm_a", false, m->n_heads, 1, &m->a, err));
    GW_TRY(gw_def_layer_weight(def, layer, "ssm_dt.bias", false, 1, &inner, &m->dt, err));
    GW_TRY(gw_def_layer_weight(def, layer, "ssm_norm.weight", false, 1, &dim, &m->norm.w, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_output", d, inner, &m->out, err));
    GW_TRY(gw_hparams_add_block(def, layer, GW_STATE_SSM, m->n_heads, dim * dim, &m->state, err));
    *out = m;
done:
    return status;
}

static godwit_status load(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err) {
    return load_as(def, layer, 0.0f, out, err);
}

static godwit_status load_bound(gw_model_def *def, uint32_t layer, const void **out,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float bound = 0.0f;
    char key[96];
    gw_def_key(def, "kda.gate_lower_bound", key, sizeof key);
    GW_TRY(gw_gguf_get_f32(def->gguf, key, -32.0f, 0.0f, 0.0f, &bound, err));
    if (bound == 0.0f) GW_FAIL(err, GODWIT_MALFORMED, "key %s: missing or 0, must be below 0", key);
    GW_TRY(load_as(def, layer, bound, out, err));
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

// Queries and keys of length 1, and values.
static godwit_status heads(gw_builder *b, const kda *m, gw_normed x, gw_value **rows,
                           gw_value **v) {
    godwit_status status = GODWIT_OK;
    const gw_l2_norm_attrs length = {.eps = LENGTH_EPS};
    const uint64_t dims[3] = {b->io->n_tok, 2ull * m->n_heads, m->dim};
    const gw_linear *const linears[] = {&m->qkv[Q], &m->qkv[K], &m->qkv[V]};
    gw_value *made[N_QKV] = {NULL};
    GW_TRY(gw_block_siblings(b, products, linears, N_QKV, x, made));
    for (int i = 0; i < N_QKV; i++)
        GW_TRY(gw_block_conv(b, convs[i], &m->conv[i], false, true, made[i], &made[i]));
    GW_TRY(gw_block_node(b, &gw_op_concat, "ssm_qk", made, 2, NULL, 0, rows));
    GW_TRY(gw_graph_reshape(b->graph, *rows, 3, dims, rows, b->err));
    GW_TRY(gw_block_node(b, &gw_op_l2_norm, "ssm_length", rows, 1, &length, sizeof length, rows));
    *v = made[V];
done:
    return status;
}

// Decays of rows and rates of heads, and what the result is multiplied by the sigmoids of.
static godwit_status gates(gw_builder *b, const kda *m, gw_normed x, gw_value **both,
                           gw_value **z) {
    static const char *const names[] = {"ssm_f_a", "ssm_g_a", "ssm_beta"};
    const gw_linear *const linears[] = {&m->f_a, &m->g_a, &m->beta};
    godwit_status status = GODWIT_OK;
    const gw_ssm_gates_attrs attrs = {.bound = m->bound};
    gw_value *made[3] = {NULL}, *in[4] = {NULL};
    GW_TRY(gw_block_siblings(b, names, linears, 3, x, made));
    in[0] = made[0];
    *z = made[1];
    if (m->f_b.w) {
        GW_TRY(gw_block_linear(b, "ssm_f_b", &m->f_b, (gw_normed){made[0], NULL}, &in[0]));
        GW_TRY(gw_block_linear(b, "ssm_g_b", &m->g_b, (gw_normed){made[1], NULL}, z));
    }
    GW_TRY(gw_graph_weight(b->graph, m->a, &in[1], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->dt, &in[2], b->err));
    in[3] = made[2];
    GW_TRY(gw_block_node(b, &gw_op_ssm_gates, "ssm_gates", in, 4, &attrs, sizeof attrs, both));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const kda *m = mixer;
    const gw_recurrence_attrs attrs = {.scale = gw_rsqrt((float)m->dim)};
    const uint64_t flat[2] = {b->io->n_tok, (uint64_t)m->n_heads * m->dim};
    gw_value *in[5] = {NULL}, *z = NULL, *y = NULL;
    GW_TRY(heads(b, m, x, &in[0], &in[1]));
    GW_TRY(gates(b, m, x, &in[2], &z));
    in[3] = b->io->segments;
    in[4] = b->io->states[m->state];
    GW_TRY(gw_block_node(b, &gw_op_gated_delta_net, "ssm", in, 5, &attrs, sizeof attrs, &y));
    GW_TRY(gw_block_norm_rows(b, "ssm_norm", m->norm, &y));
    GW_TRY(gw_graph_reshape(b->graph, y, 2, flat, &y, b->err));
    GW_TRY(gw_block_node(b, &gw_op_sigmoid_mul, "ssm_gate", (gw_value *[]){z, y}, 2, NULL, 0, &y));
    GW_TRY(gw_block_linear(b, "attn_output", &m->out, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_kda = {.load = load, .build = build};
const gw_mixer gw_mixer_kda_bound = {.load = load_bound, .build = build};
