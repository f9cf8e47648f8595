// Decoder: see decoder.h.
#include "arch/decoder.h"

#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>

// --- load ----------------------------------------------------------------------------------------

// blk.<layer>.<name>: a matrix [rows, cols], or a vector [cols] when rows is 0.
static godwit_status layer_weight(gw_model_def *def, uint32_t layer, const char *name,
                                  bool optional, uint64_t rows, uint64_t cols, gw_weight **out,
                                  godwit_error *err) {
    char full[96];
    uint64_t dims[2] = {rows, cols};
    snprintf(full, sizeof full, "blk.%u.%s", layer, name);
    return gw_def_weight(def, full, optional, rows ? 2 : 1, rows ? dims : dims + 1, out, err);
}

// Biases are there or not.
static godwit_status layer_linear(gw_model_def *def, uint32_t layer, const char *stem,
                                  uint64_t rows, uint64_t cols, gw_linear *out, godwit_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.weight", stem);
    godwit_status status = layer_weight(def, layer, name, false, rows, cols, &out->w, err);
    if (status != GODWIT_OK) return status;
    out->n_rows = rows;
    snprintf(name, sizeof name, "%s.bias", stem);
    return layer_weight(def, layer, name, true, 0, rows, &out->bias, err);
}

static godwit_status layer_norm(gw_model_def *def, uint32_t layer, const char *stem, uint64_t n,
                                gw_norm *out, godwit_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.weight", stem);
    return layer_weight(def, layer, name, false, 0, n, &out->w, err);
}

static godwit_status load_attention(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                                    gw_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    const uint64_t d = def->h.n_embd, dq = (uint64_t)h->n_head * h->head_dim;
    const uint64_t dkv = (uint64_t)h->n_head_kv * h->head_dim;
    GW_TRY(layer_norm(def, i, "attn_norm", d, &l->attn_norm, err));
    GW_TRY(layer_linear(def, i, "attn_q", dq, d, &l->q, err));
    GW_TRY(layer_linear(def, i, "attn_k", dkv, d, &l->k, err));
    GW_TRY(layer_linear(def, i, "attn_v", dkv, d, &l->v, err));
    GW_TRY(layer_linear(def, i, "attn_output", d, dq, &l->o, err));
    if (t->qk_norm == GW_QK_NORM_NONE) {
        GW_TRY(gw_def_join(def, (gw_linear *[]){&l->q, &l->k, &l->v}, 3, err));
        goto done;
    }
    // Norms read whole rows, so these products stay apart.
    const bool row = t->qk_norm == GW_QK_NORM_ROW;
    GW_TRY(layer_norm(def, i, "attn_q_norm", row ? dq : h->head_dim, &l->q_norm, err));
    GW_TRY(layer_norm(def, i, "attn_k_norm", row ? dkv : h->head_dim, &l->k_norm, err));
done:
    return status;
}

static godwit_status load_feed_forward(gw_model_def *def, uint32_t i, gw_layer *l,
                                       godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, ff = def->h.layers[i].n_ff;
    GW_TRY(layer_norm(def, i, "ffn_norm", d, &l->ffn_norm, err));
    GW_TRY(layer_linear(def, i, "ffn_gate", ff, d, &l->gate, err));
    GW_TRY(layer_linear(def, i, "ffn_up", ff, d, &l->up, err));
    GW_TRY(layer_linear(def, i, "ffn_down", d, ff, &l->down, err));
    GW_TRY(gw_def_join(def, (gw_linear *[]){&l->gate, &l->up}, 2, err));
done:
    return status;
}

// Keys that say that a model is more than its family's plain form.
static godwit_status check_plain(const gw_model_def *def, godwit_error *err) {
    char key[64];
    uint32_t n_expert = 0;
    godwit_status status = gw_gguf_get_u32(
        def->gguf, gw_def_key(def, "expert_count", key, sizeof key), 0, 65536, 0, &n_expert, err);
    if (status != GODWIT_OK || !n_expert) return status;
    return gw_fail(err, GODWIT_UNSUPPORTED, "key %s: %u; mixtures of experts are not supported",
                   key, n_expert);
}

godwit_status gw_decoder_load(gw_model_def *def, const gw_decoder_traits *traits,
                              gw_decoder **out_decoder, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_layer = def->h.n_layer;
    GW_TRY(check_plain(def, err));
    gw_decoder *m = def->family = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->traits = traits;
    m->layers = gw_arena_alloc(&def->arena, n_layer, sizeof *m->layers);
    GW_CHECK_ALLOC(m->layers, err, "model");

    GW_TRY(gw_def_vocab(def, "token_embd.weight", err));
    uint64_t table[2] = {def->h.n_vocab, def->h.n_embd};
    GW_TRY(gw_def_weight(def, "token_embd.weight", false, 2, table, &m->token_embd, err));
    GW_TRY(gw_def_weight(def, "output_norm.weight", false, 1, table + 1, &m->output_norm.w, err));
    GW_TRY(gw_def_weight(def, "output.weight", true, 2, table, &m->output.w, err));
    if (!m->output.w) m->output.w = m->token_embd;
    for (uint32_t i = 0; i < n_layer; i++) {
        GW_TRY(load_attention(def, traits, i, &m->layers[i], err));
        GW_TRY(load_feed_forward(def, i, &m->layers[i], err));
    }
    if (out_decoder) *out_decoder = m;
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

static godwit_status build_layer(gw_builder *b, const gw_decoder *m, gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    const gw_attention_options options = {.scale = m->attn_scale,
                                          .paired = m->traits->rope_paired,
                                          .norm_whole_rows = m->traits->qk_norm == GW_QK_NORM_ROW};
    gw_normed n;
    gw_value *y = NULL;
    GW_TRY(gw_block_norm(b, "attn_norm", l->attn_norm, *x, &n));
    GW_TRY(gw_block_attention(b, l, &options, n, &y));
    GW_TRY(gw_block_norm_rows(b, "post_attention_norm", l->attn_post_norm, &y));
    GW_TRY(gw_block_residual(b, "attn_residual", x, y));
    GW_TRY(gw_block_norm(b, "ffn_norm", l->ffn_norm, *x, &n));
    GW_TRY(gw_block_feed_forward(b, l, m->traits->act, n, &y));
    GW_TRY(gw_block_norm_rows(b, "post_ffw_norm", l->ffn_post_norm, &y));
    GW_TRY(gw_block_residual(b, "ffn_residual", x, y));
done:
    return status;
}

godwit_status gw_decoder_build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_decoder *m = def->family;
    gw_builder b = {.def = def, .graph = graph, .io = io, .err = err};
    gw_value *x = NULL, *inputs[2] = {NULL, io->tokens};
    gw_normed n;
    GW_TRY(gw_graph_weight(graph, m->token_embd, &inputs[0], err));
    GW_TRY(gw_graph_node(graph, &gw_op_get_rows, "token_embd", inputs, 2, NULL, 0, &x, err));
    for (b.layer = 0; b.layer < def->h.n_layer; b.layer++) GW_TRY(build_layer(&b, m, &x));
    const uint32_t n_skip = io->n_tok - io->n_logits;
    if (n_skip) GW_TRY(gw_graph_view(graph, x, n_skip, io->n_logits, &x, err));
    GW_TRY(gw_block_norm(&b, "output_norm", m->output_norm, x, &n));
    GW_TRY(gw_block_linear(&b, "output", &m->output, n, &io->logits));
done:
    return status;
}
