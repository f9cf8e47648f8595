// Per-layer embeddings: see per_layer.h.
#include "arch/per_layer.h"

#include "base/exact.h"
#include "base/exact_math.h"
#include "base/limits.h"
#include "base/status.h"
#include "graph/op.h"

static godwit_status load_layer(gw_model_def *def, uint32_t i, gw_per_layer *p, godwit_error *err) {
    struct gw_per_layer_weights *l = &p->layers[i];
    const uint64_t d = def->h.n_embd, in[2] = {p->n, d}, out[2] = {d, p->n};
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_def_layer_weight(def, i, "inp_gate.weight", false, 2, in, &l->gate.w, err));
    GW_TRY(gw_def_layer_weight(def, i, "proj.weight", false, 2, out, &l->proj.w, err));
    GW_TRY(gw_def_layer_weight(def, i, "post_norm.weight", false, 1, &d, &l->norm.w, err));
    l->gate.n_rows = p->n;
    l->proj.n_rows = d;
done:
    return status;
}

godwit_status gw_per_layer_load(gw_model_def *def, gw_per_layer **out_per_layer,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_layer = def->h.n_layer;
    uint32_t n = 0;
    char key[96];
    *out_per_layer = NULL;
    GW_TRY(gw_gguf_get_u32(def->gguf,
                           gw_def_key(def, "embedding_length_per_layer_input", key, sizeof key), 0,
                           GW_MAX_EMBD / n_layer, 0, &n, err));
    if (!n) goto done;
    gw_per_layer *p = *out_per_layer = gw_arena_alloc(&def->arena, 1, sizeof *p);
    GW_CHECK_ALLOC(p, err, "model");
    p->layers = gw_arena_alloc(&def->arena, n_layer, sizeof *p->layers);
    GW_CHECK_ALLOC(p->layers, err, "model");
    p->n = n;
    const uint64_t all = (uint64_t)n * n_layer, table[2] = {def->h.n_vocab, all}, row = n;
    const uint64_t proj[2] = {all, def->h.n_embd};
    GW_TRY(gw_def_weight(def, "per_layer_token_embd.weight", false, 2, table, &p->token_embd, err));
    GW_TRY(gw_def_weight(def, "per_layer_model_proj.weight", false, 2, proj, &p->model_proj, err));
    GW_TRY(gw_def_weight(def, "per_layer_proj_norm.weight", false, 1, &row, &p->proj_norm.w, err));
    for (uint32_t i = 0; i < n_layer; i++) GW_TRY(load_layer(def, i, p, err));
done:
    return status;
}

godwit_status gw_block_per_layer_rows(gw_builder *b, const gw_per_layer *p, gw_value *x0) {
    godwit_status status = GODWIT_OK;
    const uint64_t n_tok = b->io->n_tok, n_layer = b->def->h.n_layer;
    const uint64_t short_rows[2] = {n_tok * n_layer, p->n}, rows[2] = {n_tok, n_layer * p->n};
    const gw_linear proj = {.w = p->model_proj, .n_rows = rows[1]};
    gw_value *x = NULL, *embd = NULL;
    GW_TRY(gw_block_linear(b, "per_layer_model_proj", &proj, (gw_normed){x0, NULL}, &x));
    GW_TRY(gw_block_scale(b, "per_layer_proj_scale", gw_rsqrt((float)b->def->h.n_embd), &x));
    GW_TRY(gw_graph_reshape(b->graph, x, 2, short_rows, &x, b->err));
    GW_TRY(gw_block_norm_rows(b, "per_layer_proj_norm", p->proj_norm, &x));
    GW_TRY(gw_graph_reshape(b->graph, x, 2, rows, &x, b->err));
    GW_TRY(gw_block_rows(b, "per_layer_token_embd", p->token_embd, b->io->tokens, &embd));
    GW_TRY(gw_block_scale(b, "per_layer_embd_scale", gw_sqrt((float)p->n), &embd));
    GW_TRY(gw_block_residual(b, "per_layer_sum", &x, embd));
    GW_TRY(gw_block_scale(b, "per_layer_scale", gw_rsqrt(2.0f), &x));
    b->per_layer = x;
done:
    return status;
}

godwit_status gw_block_per_layer_of(gw_builder *b, const gw_per_layer *p, gw_activation act,
                                    gw_value *x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const struct gw_per_layer_weights *l = &p->layers[b->layer];
    gw_value *gated[2] = {NULL}, *y = NULL;
    GW_TRY(gw_block_linear(b, "inp_gate", &l->gate, (gw_normed){x, NULL}, &gated[0]));
    GW_TRY(gw_graph_columns(b->graph, b->per_layer, (uint64_t)b->layer * p->n, p->n, &gated[1],
                            b->err));
    GW_TRY(gw_block_gate(b, act, 0.0f, gated, &y));
    GW_TRY(gw_block_linear(b, "proj", &l->proj, (gw_normed){y, NULL}, &y));
    GW_TRY(gw_block_norm_rows(b, "post_norm", l->norm, &y));
    *out = y;
done:
    return status;
}

godwit_status gw_block_per_layer(gw_builder *b, const gw_per_layer *p, gw_activation act,
                                 gw_value **x) {
    gw_value *y = NULL;
    godwit_status status = gw_block_per_layer_of(b, p, act, *x, &y);
    return status == GODWIT_OK ? gw_block_residual(b, "per_layer_residual", x, y) : status;
}
