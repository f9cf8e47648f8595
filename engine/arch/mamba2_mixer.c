// Mamba 2: the mixer of Granite 4 and others; in some files without its norm.
//
//   z, u, dt = in x;  v, B, C = silu(conv(u))
//   step = softplus(dt + bias);  S = e^(A step) S + B (step v)^T;  y = S^T C + D v
//   out norm(silu(z) * y)        (the norm is of groups of channels)
// Sources: Dao and Gu, "Transformers are SSMs", 2024; GGUF tensor names.
#include "arch/mixers.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

typedef struct mamba2 {
    uint32_t n_heads, n_groups, n_state, inner;
    gw_linear in, out;
    gw_conv conv;
    gw_weight *a, *d, *dt;
    gw_weight *norm, *ones; // [inner], and of a group; NULL: there is no norm
    uint32_t state;
} mamba2;

static uint32_t n_channels(const mamba2 *m) {
    return m->inner + 2 * m->n_groups * m->n_state;
}

static godwit_status read_sizes(gw_model_def *def, mamba2 *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[96];
    GW_TRY(gw_mixer_key(def, "ssm.conv_kernel", GW_MAX_CONV_TAPS, &m->conv.n_taps, err));
    GW_TRY(gw_mixer_key(def, "ssm.inner_size", GW_MAX_EMBD, &m->inner, err));
    GW_TRY(gw_mixer_key(def, "ssm.state_size", GW_MAX_STATE_ROWS, &m->n_state, err));
    GW_TRY(gw_mixer_key(def, "ssm.time_step_rank", GW_MAX_HEADS, &m->n_heads, err));
    GW_TRY(gw_mixer_key(def, "ssm.group_count", GW_MAX_HEADS, &m->n_groups, err));
    if (m->conv.n_taps < 2 || m->inner % m->n_heads || m->n_heads % m->n_groups) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "key %s: %u for %u heads in %u groups, and a convolution over %u tokens",
                gw_def_key(def, "ssm.inner_size", key, sizeof key), m->inner, m->n_heads,
                m->n_groups, m->conv.n_taps);
    }
done:
    return status;
}

static godwit_status load_any(gw_model_def *def, uint32_t layer, bool norm_optional,
                              const void **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    mamba2 *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    GW_TRY(read_sizes(def, m, err));
    const uint64_t d = def->h.n_embd, n = m->n_heads, group = m->inner / m->n_groups;
    const uint64_t all = (uint64_t)m->inner + n_channels(m) + n;
    GW_TRY(gw_mixer_linear(def, layer, "ssm_in", all, d, &m->in, err));
    GW_TRY(gw_conv_load(def, layer, "ssm_conv1d", m->conv.n_taps, n_channels(m), &m->conv, err));
    GW_TRY(gw_def_layer_weight(def, layer, "ssm_dt.bias", false, 1, &n, &m->dt, err));
    GW_TRY(gw_mixer_flat(def, layer, "ssm_a", false, n, 1, &m->a, err));
    GW_TRY(gw_mixer_flat(def, layer, "ssm_d", false, n, 1, &m->d, err));
    GW_TRY(gw_mixer_flat(def, layer, "ssm_norm.weight", norm_optional, m->n_groups, group, &m->norm,
                         err));
    if (m->norm && m->n_groups > 1) GW_TRY(gw_def_ones(def, group, &m->ones, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_out", d, m->inner, &m->out, err));
    GW_TRY(gw_hparams_add_block(def, layer, GW_STATE_SSM, n,
                                (uint64_t)m->n_state * (m->inner / m->n_heads), &m->state, err));
    *out = m;
done:
    return status;
}

static godwit_status load(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err) {
    return load_any(def, layer, false, out, err);
}

static godwit_status load_free(gw_model_def *def, uint32_t layer, const void **out,
                               godwit_error *err) {
    return load_any(def, layer, true, out, err);
}

// --- build ---------------------------------------------------------------------------------------

// y [n_tok, inner], normed by groups.
static godwit_status norm(gw_builder *b, const mamba2 *m, gw_value **y) {
    godwit_status status = GODWIT_OK;
    const uint64_t flat[2] = {b->io->n_tok, m->inner};
    const uint64_t groups[3] = {b->io->n_tok, m->n_groups, m->inner / m->n_groups};
    gw_value *both[2] = {NULL};
    if (!m->ones) return gw_block_norm_rows(b, "ssm_norm", (gw_norm){.w = m->norm}, y);
    GW_TRY(gw_graph_reshape(b->graph, *y, 3, groups, y, b->err));
    GW_TRY(gw_block_norm_rows(b, "ssm_norm", (gw_norm){.w = m->ones}, y));
    GW_TRY(gw_graph_reshape(b->graph, *y, 2, flat, &both[0], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->norm, &both[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_mul, "ssm_norm_weight", both, 2, NULL, 0, y));
done:
    return status;
}

static godwit_status scan(gw_builder *b, const mamba2 *m, gw_value *conv, gw_value *dt,
                          gw_value **y) {
    godwit_status status = GODWIT_OK;
    const gw_recurrence_attrs attrs = {.scale = 1.0f};
    const uint64_t n_rows = 2ull * m->n_groups, rows[3] = {b->io->n_tok, n_rows, m->n_state};
    gw_value *in[6] = {NULL}, *gates[3] = {dt, NULL, NULL};
    GW_TRY(gw_graph_columns(b->graph, conv, m->inner, n_rows * m->n_state, &in[0], b->err));
    GW_TRY(gw_graph_reshape(b->graph, in[0], 3, rows, &in[0], b->err));
    GW_TRY(gw_graph_columns(b->graph, conv, 0, m->inner, &in[1], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->a, &gates[1], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->dt, &gates[2], b->err));
    GW_TRY(gw_block_node(b, &gw_op_ssm_gates, "ssm_gates", gates, 3, NULL, 0, &in[2]));
    in[3] = b->io->segments;
    in[4] = b->io->states[m->state];
    GW_TRY(gw_graph_weight(b->graph, m->d, &in[5], b->err));
    GW_TRY(gw_block_node(b, &gw_op_ssm_scan, "ssm", in, 6, &attrs, sizeof attrs, y));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const mamba2 *m = mixer;
    const uint64_t flat[2] = {b->io->n_tok, m->inner};
    gw_value *all = NULL, *z = NULL, *u = NULL, *dt = NULL, *y = NULL;
    GW_TRY(gw_block_linear(b, "ssm_in", &m->in, x, &all));
    GW_TRY(gw_graph_columns(b->graph, all, 0, m->inner, &z, b->err));
    GW_TRY(gw_graph_columns(b->graph, all, m->inner, n_channels(m), &u, b->err));
    GW_TRY(gw_graph_columns(b->graph, all, m->inner + n_channels(m), m->n_heads, &dt, b->err));
    GW_TRY(gw_block_conv(b, "ssm_conv1d", &m->conv, false, true, u, &y));
    GW_TRY(scan(b, m, y, dt, &y));
    GW_TRY(gw_graph_reshape(b->graph, y, 2, flat, &y, b->err));
    GW_TRY(gw_block_node(b, &gw_op_silu_mul, "ssm_gate", (gw_value *[]){z, y}, 2, NULL, 0, &y));
    GW_TRY(norm(b, m, &y));
    GW_TRY(gw_block_linear(b, "ssm_out", &m->out, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_mamba2 = {.load = load, .build = build};
const gw_mixer gw_mixer_mamba2_free = {.load = load_free, .build = build};
