// Mamba 1: the mixer of Mamba, Falcon Mamba and Jamba.
//
//   v, z = in x;  v = silu(conv(v));  dt, B, C = x v        (in some models each of them normed)
//   s = e^(A step) s + B (step v), step = softplus(dt dt + bias);  y = s C + D v, of each channel
//   out (silu(z) * y)
// Source: Gu and Dao, "Mamba", 2023; GGUF tensor names.
#include "arch/mixers.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

typedef struct mamba {
    uint32_t inner, n_state, rank;
    gw_linear in, x, dt, out;
    gw_conv conv;
    gw_weight *a, *d;
    gw_norm dt_norm, b_norm, c_norm;
    uint32_t state;
} mamba;

static godwit_status load_norm(gw_model_def *def, uint32_t layer, const char *name, bool plain,
                               uint64_t n, gw_norm *out, godwit_error *err) {
    if (plain) return gw_def_ones(def, n, &out->w, err);
    return gw_def_layer_weight(def, layer, name, false, 1, &n, &out->w, err);
}

// Of Jamba they have weights; of others a key says whether they are there.
static godwit_status load_norms(gw_model_def *def, uint32_t layer, bool weighed, mamba *m,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool plain = false;
    char key[96];
    gw_def_key(def, "ssm.dt_b_c_rms", key, sizeof key);
    if (!weighed) GW_TRY(gw_gguf_get_bool(def->gguf, key, false, &plain, err));
    if (!weighed && !plain) goto done;
    GW_TRY(load_norm(def, layer, "ssm_dt_norm.weight", plain, m->rank, &m->dt_norm, err));
    GW_TRY(load_norm(def, layer, "ssm_b_norm.weight", plain, m->n_state, &m->b_norm, err));
    GW_TRY(load_norm(def, layer, "ssm_c_norm.weight", plain, m->n_state, &m->c_norm, err));
done:
    return status;
}

static godwit_status load_any(gw_model_def *def, uint32_t layer, bool weighed, const void **out,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    mamba *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    uint32_t n_taps = 0;
    char key[96];
    GW_CHECK_ALLOC(m, err, "model");
    GW_TRY(gw_gguf_require_u32(def->gguf, gw_def_key(def, "ssm.conv_kernel", key, sizeof key), 2,
                               GW_MAX_CONV_TAPS, &n_taps, err));
    GW_TRY(gw_mixer_key(def, "ssm.inner_size", GW_MAX_EMBD, &m->inner, err));
    GW_TRY(gw_mixer_key(def, "ssm.state_size", GW_MAX_STATE_ROWS, &m->n_state, err));
    GW_TRY(gw_mixer_key(def, "ssm.time_step_rank", GW_MAX_EMBD, &m->rank, err));
    const uint64_t d = def->h.n_embd, inner = m->inner;
    GW_TRY(gw_mixer_linear(def, layer, "ssm_in", 2 * inner, d, &m->in, err));
    GW_TRY(gw_conv_load(def, layer, "ssm_conv1d", n_taps, inner, &m->conv, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_x", m->rank + 2ull * m->n_state, inner, &m->x, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_dt", inner, m->rank, &m->dt, err));
    if (!m->dt.bias) // says so
        GW_TRY(gw_def_layer_weight(def, layer, "ssm_dt.bias", false, 1, &inner, &m->dt.bias, err));
    GW_TRY(load_norms(def, layer, weighed, m, err));
    GW_TRY(gw_mixer_flat(def, layer, "ssm_a", false, inner, m->n_state, &m->a, err));
    GW_TRY(gw_def_layer_weight(def, layer, "ssm_d", false, 1, &inner, &m->d, err));
    GW_TRY(gw_mixer_linear(def, layer, "ssm_out", d, inner, &m->out, err));
    GW_TRY(gw_hparams_add_block(def, layer, GW_STATE_SSM, m->n_state, inner, &m->state, err));
    *out = m;
done:
    return status;
}

static godwit_status load(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err) {
    return load_any(def, layer, false, out, err);
}

static godwit_status load_weighed(gw_model_def *def, uint32_t layer, const void **out,
                                  godwit_error *err) {
    return load_any(def, layer, true, out, err);
}

// --- build ---------------------------------------------------------------------------------------

// v to dt of channels, and B and C [n_tok, 2, n_state].
static godwit_status select(gw_builder *b, const mamba *m, gw_value *v, gw_value **rows,
                            gw_value **dt) {
    godwit_status status = GODWIT_OK;
    const uint64_t n = m->n_state, dims[3] = {b->io->n_tok, 2, n};
    gw_value *made = NULL, *both[2] = {NULL};
    GW_TRY(gw_block_linear(b, "ssm_x", &m->x, (gw_normed){v, NULL}, &made));
    GW_TRY(gw_graph_columns(b->graph, made, 0, m->rank, dt, b->err));
    if (m->b_norm.w) {
        GW_TRY(gw_graph_columns(b->graph, made, m->rank, n, &both[0], b->err));
        GW_TRY(gw_graph_columns(b->graph, made, m->rank + n, n, &both[1], b->err));
        GW_TRY(gw_block_norm_rows(b, "ssm_b_norm", m->b_norm, &both[0]));
        GW_TRY(gw_block_norm_rows(b, "ssm_c_norm", m->c_norm, &both[1]));
        GW_TRY(gw_block_node(b, &gw_op_concat, "ssm_bc", both, 2, NULL, 0, rows));
    } else {
        GW_TRY(gw_graph_columns(b->graph, made, m->rank, 2 * n, rows, b->err));
    }
    GW_TRY(gw_graph_reshape(b->graph, *rows, 3, dims, rows, b->err));
    if (m->dt_norm.w)
        GW_TRY(gw_block_norm_rows(b, "ssm_dt_norm", m->dt_norm, dt));
    else // dense, as a product reads it
        GW_TRY(gw_block_node(b, &gw_op_concat, "ssm_rank", dt, 1, NULL, 0, dt));
    GW_TRY(gw_block_linear(b, "ssm_dt", &m->dt, (gw_normed){*dt, NULL}, dt));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const mamba *m = mixer;
    gw_value *all = NULL, *z = NULL, *y = NULL, *in[7] = {NULL};
    GW_TRY(gw_block_linear(b, "ssm_in", &m->in, x, &all));
    GW_TRY(gw_graph_columns(b->graph, all, 0, m->inner, &in[1], b->err));
    GW_TRY(gw_graph_columns(b->graph, all, m->inner, m->inner, &z, b->err));
    GW_TRY(gw_block_conv(b, "ssm_conv1d", &m->conv, false, true, in[1], &in[1]));
    GW_TRY(select(b, m, in[1], &in[0], &in[2]));
    in[3] = b->io->segments;
    in[4] = b->io->states[m->state];
    GW_TRY(gw_graph_weight(b->graph, m->a, &in[5], b->err));
    GW_TRY(gw_graph_weight(b->graph, m->d, &in[6], b->err));
    GW_TRY(gw_block_node(b, &gw_op_selective_scan, "ssm", in, 7, NULL, 0, &y));
    GW_TRY(gw_block_node(b, &gw_op_silu_mul, "ssm_gate", (gw_value *[]){z, y}, 2, NULL, 0, &y));
    GW_TRY(gw_block_linear(b, "ssm_out", &m->out, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_mamba = {.load = load, .build = build};
const gw_mixer gw_mixer_mamba_weighed = {.load = load_weighed, .build = build};
