// Delta net: the mixer of Qwen3-Next and Qwen 3.5.
//
//   q, k, v = silu(conv(qkv x));  q, k of length 1;  z = gate x
//   decay = e^(A softplus(alpha x + dt));  beta = sigmoid(beta x)
//   S = decay S;  S += k (beta (v - S^T k))^T;  y = S^T q / sqrt(dk)
//   out (norm(y) * silu(z))
// Sources: Yang et al., "Gated Delta Networks", 2024; Qwen Team, "Qwen3-Next", 2025; GGUF tensor names.
#include "arch/mixers.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

// Of q and k, added to the sum of squares.
#define LENGTH_EPS 1e-6f

typedef struct delta_net {
    uint32_t n_heads_k, n_heads, dk, dv;
    bool tiled; // heads of one key are n_heads_k apart, else side by side
    gw_linear qkv, gate, out;
    gw_linear alpha, beta, ba; // ba: of each head of keys, beta and alpha of its heads
    gw_conv conv;
    gw_weight *a, *dt;
    gw_norm norm;
    uint32_t state;
} delta_net;

static godwit_status read_sizes(gw_model_def *def, delta_net *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t inner = 0;
    char key[96];
    GW_TRY(gw_mixer_key(def, "ssm.conv_kernel", GW_MAX_CONV_TAPS, &m->conv.n_taps, err));
    GW_TRY(gw_mixer_key(def, "ssm.group_count", GW_MAX_HEADS, &m->n_heads_k, err));
    GW_TRY(gw_mixer_key(def, "ssm.time_step_rank", GW_MAX_HEADS, &m->n_heads, err));
    GW_TRY(gw_mixer_key(def, "ssm.state_size", GW_MAX_STATE_ROWS, &m->dk, err));
    GW_TRY(gw_mixer_key(def, "ssm.inner_size", GW_MAX_EMBD, &inner, err));
    if (m->conv.n_taps < 2 || m->n_heads % m->n_heads_k || inner % m->n_heads) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "key %s: %u for %u heads, of keys %u, and a convolution over %u tokens",
                gw_def_key(def, "ssm.inner_size", key, sizeof key), inner, m->n_heads, m->n_heads_k,
                m->conv.n_taps);
    }
    m->dv = inner / m->n_heads;
done:
    return status;
}

static godwit_status vector(gw_model_def *def, uint32_t layer, const char *name, uint64_t n,
                            gw_weight **out, godwit_error *err) {
    return gw_def_layer_weight(def, layer, name, false, 1, &n, out, err);
}

// The products of x: of one tensor in Qwen3-Next what decay and beta are made of.
static godwit_status load_products(gw_model_def *def, uint32_t layer, delta_net *m,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, n = m->n_heads;
    const uint64_t channels = 2ull * m->n_heads_k * m->dk + n * m->dv;
    GW_TRY(gw_mixer_linear(def, layer, "attn_qkv", channels, d, &m->qkv, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_gate", n * m->dv, d, &m->gate, err));
    if (m->tiled) {
        GW_TRY(gw_mixer_linear(def, layer, "ssm_alpha", n, d, &m->alpha, err));
        GW_TRY(gw_mixer_linear(def, layer, "ssm_beta", n, d, &m->beta, err));
        gw_linear *const four[] = {&m->qkv, &m->gate, &m->alpha, &m->beta};
        GW_TRY(gw_def_join(def, four, 4, err));
    } else {
        GW_TRY(gw_mixer_linear(def, layer, "ssm_ba", 2 * n, d, &m->ba, err));
        gw_linear *const three[] = {&m->qkv, &m->gate, &m->ba};
        GW_TRY(gw_def_join(def, three, 3, err));
    }
done:
    return status;
}

static godwit_status load(gw_model_def *def, uint32_t layer, bool tiled, const void **out,
                          godwit_error *err) {
    godwit_status status = GODWIT_OK;
    delta_net *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->tiled = tiled;
    GW_TRY(read_sizes(def, m, err));
    const uint64_t d = def->h.n_embd, inner = (uint64_t)m->n_heads * m->dv;
    const uint64_t channels = 2ull * m->n_heads_k * m->dk + inner;
    GW_TRY(load_products(def, layer, m, err));
    GW_TRY(gw_conv_load(def, layer, "ssm_conv1d", m->conv.n_taps, channels, &m->conv, err));
    GW_TRY(vector(def, layer, "ssm_a", m->n_heads, &m->a, err));
    GW_TRY(vector(def, layer, "ssm_dt.bias", m->n_heads, &m->dt, err));
    GW_TRY(vector(def, layer, "ssm_norm.weight", m->dv, &m->norm.w, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_out", d, inner, &m->out, err));
    GW_TRY(gw_hparams_add_block(def, layer, GW_STATE_SSM, m->n_heads, (uint64_t)m->dk * m->dv,
                                &m->state, err));
    *out = m;
done:
    return status;
}

static godwit_status load_grouped(gw_model_def *def, uint32_t layer, const void **out,
                                  godwit_error *err) {
    return load(def, layer, false, out, err);
}
static godwit_status load_tiled(gw_model_def *def, uint32_t layer, const void **out,
                                godwit_error *err) {
    return load(def, layer, true, out, err);
}

// --- build ---------------------------------------------------------------------------------------

enum { QKV, GATE, ALPHA, BETA, N_PRODUCTS };

// ba [n_tok, 2 * n_heads] to alpha and beta, which take turns in it.
static godwit_status split_ba(gw_builder *b, const delta_net *m, gw_value *ba, gw_value **made) {
    godwit_status status = GODWIT_OK;
    const uint64_t share = m->n_heads / m->n_heads_k;
    const uint64_t dims[3] = {b->io->n_tok, m->n_heads_k, 2 * share};
    gw_value *both = NULL;
    GW_TRY(gw_graph_reshape(b->graph, ba, 3, dims, &both, b->err));
    GW_TRY(gw_graph_columns(b->graph, both, share, share, &made[ALPHA], b->err));
    GW_TRY(gw_graph_columns(b->graph, both, 0, share, &made[BETA], b->err));
done:
    return status;
}

static godwit_status products(gw_builder *b, const delta_net *m, gw_normed x, gw_value **made) {
    static const char *const names[] = {"attn_qkv", "attn_gate", "ssm_alpha", "ssm_beta"};
    const gw_linear *const four[] = {&m->qkv, &m->gate, &m->alpha, &m->beta};
    const gw_linear *const three[] = {&m->qkv, &m->gate, &m->ba};
    if (m->tiled) return gw_block_siblings(b, names, four, 4, x, made);
    godwit_status status = gw_block_siblings(b, names, three, 3, x, made);
    if (status != GODWIT_OK) return status;
    gw_value *ba = made[2];
    // Columns of columns there are none: what is joined with others is made dense.
    if (gw_value_is_strided(ba)) status = gw_block_scale(b, "ssm_ba", 1.0f, &ba);
    return status == GODWIT_OK ? split_ba(b, m, ba, made) : status;
}

// What the convolution gives, to queries and keys of length 1 and values.
static godwit_status heads(gw_builder *b, const delta_net *m, gw_value *conv, gw_value **rows,
                           gw_value **v) {
    godwit_status status = GODWIT_OK;
    const gw_l2_norm_attrs length = {.eps = LENGTH_EPS};
    const uint64_t n_rows = 2ull * m->n_heads_k, dims[3] = {b->io->n_tok, n_rows, m->dk};
    GW_TRY(gw_graph_columns(b->graph, conv, 0, n_rows * m->dk, rows, b->err));
    GW_TRY(
        gw_graph_columns(b->graph, conv, n_rows * m->dk, (uint64_t)m->n_heads * m->dv, v, b->err));
    GW_TRY(gw_graph_reshape(b->graph, *rows, 3, dims, rows, b->err));
    GW_TRY(gw_block_node(b, &gw_op_l2_norm, "ssm_length", rows, 1, &length, sizeof length, rows));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const delta_net *m = mixer;
    const gw_recurrence_attrs attrs = {.scale = gw_rsqrt((float)m->dk), .tiled = m->tiled};
    const uint64_t flat[2] = {b->io->n_tok, (uint64_t)m->n_heads * m->dv};
    gw_value *made[N_PRODUCTS], *in[5] = {NULL}, *gates[4] = {NULL}, *y = NULL;
    GW_TRY(products(b, m, x, made));
    GW_TRY(gw_block_conv(b, "ssm_conv1d", &m->conv, false, true, made[QKV], &y));
    GW_TRY(heads(b, m, y, &in[0], &in[1]));
    gates[0] = made[ALPHA];
    gates[3] = made[BETA];
    GW_TRY(gw_graph_weight(b->graph, m->a, &gates[1], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->dt, &gates[2], b->err));
    GW_TRY(gw_block_node(b, &gw_op_ssm_gates, "ssm_gates", gates, 4, NULL, 0, &in[2]));
    in[3] = b->io->segments;
    in[4] = b->io->states[m->state];
    GW_TRY(gw_block_node(b, &gw_op_gated_delta_net, "ssm", in, 5, &attrs, sizeof attrs, &y));
    GW_TRY(gw_block_norm_rows(b, "ssm_norm", m->norm, &y));
    GW_TRY(gw_graph_reshape(b->graph, y, 2, flat, &y, b->err));
    GW_TRY(gw_block_node(b, &gw_op_silu_mul, "ssm_gate", (gw_value *[]){made[GATE], y}, 2, NULL, 0,
                         &y));
    GW_TRY(gw_block_linear(b, "ssm_out", &m->out, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_delta_net = {.load = load_grouped, .build = build};
const gw_mixer gw_mixer_delta_net_tiled = {.load = load_tiled, .build = build};
