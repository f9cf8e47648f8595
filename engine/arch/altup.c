// AltUp: see altup.h.
#include "arch/altup.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

enum { MAX_STREAMS = 8 };

static godwit_status load_linear(gw_model_def *def, uint32_t layer, const char *name, uint64_t rows,
                                 uint64_t cols, gw_linear *out, godwit_error *err) {
    const uint64_t dims[2] = {rows, cols};
    out->n_rows = rows;
    return gw_def_layer_weight(def, layer, name, false, 2, dims, &out->w, err);
}

static godwit_status load_layer(gw_model_def *def, uint32_t i, gw_altup *a, godwit_error *err) {
    struct gw_altup_layer *l = &a->layers[i];
    const uint64_t d = def->h.n_embd, n = a->n;
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_def_layer_weight(def, i, "altup_router_norm.weight", false, 1, &d, &l->router_norm.w,
                               err));
    GW_TRY(load_linear(def, i, "altup_router.weight", n, d, &l->router, err));
    GW_TRY(load_linear(def, i, "altup_predict_coef.weight", n * n, n, &l->predict, err));
    GW_TRY(load_linear(def, i, "altup_correct_coef.weight", n, n, &l->correct, err));
    GW_TRY(gw_def_ones(def, n, &l->correct.bias, err));
    GW_TRY(gw_def_layer_weight(def, i, "altup_correct_scale.weight", false, 1, &d, &l->scale, err));
done:
    return status;
}

// Matrices of all streams but the first, whose rows are those of one product.
static godwit_status load_projections(gw_model_def *def, const char *name, uint64_t n,
                                      gw_linear *out, godwit_error *err) {
    const uint64_t d = def->h.n_embd, dims[3] = {n, d, d}, flat[2] = {n * d, d};
    godwit_status status = gw_def_weight(def, name, false, 3, dims, &out->w, err);
    if (status != GODWIT_OK) return status;
    gw_weight_init(out->w, out->w->name, out->w->format, 2, flat, out->w->source);
    out->n_rows = flat[0];
    return GODWIT_OK;
}

godwit_status gw_altup_load(gw_model_def *def, gw_altup *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t active = 0;
    char key[96];
    GW_TRY(gw_gguf_require_u32(def->gguf, gw_def_key(def, "altup.num_inputs", key, sizeof key), 2,
                               MAX_STREAMS, &out->n, err));
    GW_TRY(gw_gguf_get_u32(def->gguf, gw_def_key(def, "altup.active_idx", key, sizeof key), 0,
                           MAX_STREAMS, 0, &active, err));
    if (active) GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %u; only 0 is supported", key, active);
    out->layers = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *out->layers);
    GW_CHECK_ALLOC(out->layers, err, "model");
    GW_TRY(load_projections(def, "altup_proj.weight", out->n - 1, &out->proj, err));
    GW_TRY(load_projections(def, "altup_unembd_proj.weight", out->n - 1, &out->unembd, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++) GW_TRY(load_layer(def, i, out, err));
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

static godwit_status reshape(gw_builder *b, gw_value *x, uint64_t rows, uint64_t n, uint64_t d,
                             gw_value **out) {
    const uint64_t dims[3] = {rows, n ? n : d, d};
    return gw_graph_reshape(b->graph, x, n ? 3 : 2, dims, out, b->err);
}

// y = x times 1: rows of their own where x is columns.
static godwit_status gather(gw_builder *b, const char *what, gw_value **x) {
    return gw_block_scale(b, what, 1.0f, x);
}

static godwit_status match(gw_builder *b, const char *what, gw_value *like, gw_value *x, bool lead,
                           gw_value **out) {
    const gw_match_rms_attrs attrs = {.lead = lead};
    gw_value *inputs[2] = {like, x};
    return gw_block_node(b, &gw_op_match_rms, what, inputs, 2, &attrs, sizeof attrs, out);
}

godwit_status gw_block_altup_begin(gw_builder *b, const gw_altup *a, gw_value *x0,
                                   gw_value **streams) {
    godwit_status status = GODWIT_OK;
    gw_value *x = NULL;
    GW_TRY(gw_block_linear(b, "altup_proj", &a->proj, (gw_normed){x0, NULL}, &x));
    GW_TRY(reshape(b, x, b->io->n_tok, a->n - 1, b->def->h.n_embd, &x));
    GW_TRY(match(b, "altup_streams", x0, x, true, streams));
done:
    return status;
}

godwit_status gw_block_altup_stream(gw_builder *b, gw_value *streams, uint32_t i, gw_value **out) {
    const uint64_t d = b->def->h.n_embd;
    gw_value *flat = NULL;
    godwit_status status = reshape(b, streams, streams->dims[0], 0,
                                   gw_value_n_elements(streams) / streams->dims[0], &flat);
    if (status != GODWIT_OK) return status;
    return gw_graph_columns(b->graph, flat, i * d, d, out, b->err);
}

// tanh(W norm(x) / n)
static godwit_status route(gw_builder *b, const struct gw_altup_layer *l, gw_value *x,
                           gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_normed n;
    GW_TRY(gw_block_norm(b, "altup_router_norm", l->router_norm, x, &n));
    GW_TRY(gw_block_linear(b, "altup_router", &l->router, n, out));
    GW_TRY(gw_block_scale(b, "altup_router_scale", 1.0f / (float)b->def->h.n_embd, out));
    GW_TRY(gw_block_softcap(b, "altup_router_tanh", 1.0f, out));
done:
    return status;
}

godwit_status gw_block_altup_predict(gw_builder *b, const gw_altup *a, gw_value **streams) {
    godwit_status status = GODWIT_OK;
    const struct gw_altup_layer *l = &a->layers[b->layer];
    const gw_mix_streams_attrs attrs = {0};
    gw_value *first = NULL, *in[3] = {*streams, *streams, NULL};
    GW_TRY(gw_block_altup_stream(b, *streams, 0, &first));
    GW_TRY(route(b, l, first, &in[2]));
    GW_TRY(gw_block_linear(b, "altup_predict_coef", &l->predict, (gw_normed){in[2], NULL}, &in[2]));
    GW_TRY(gw_block_node(b, &gw_op_mix_streams, "altup_predict", in, 3, &attrs, sizeof attrs,
                         streams));
done:
    return status;
}

godwit_status gw_block_altup_correct(gw_builder *b, const gw_altup *a, gw_value *y,
                                     gw_value **streams) {
    godwit_status status = GODWIT_OK;
    const struct gw_altup_layer *l = &a->layers[b->layer];
    const gw_mix_streams_attrs attrs = {0};
    gw_value *first = NULL, *in[3] = {*streams, NULL, NULL};
    GW_TRY(gw_block_altup_stream(b, *streams, 0, &first));
    GW_TRY(gw_block_scale(b, "altup_minus", -1.0f, &first));
    GW_TRY(gw_block_residual(b, "altup_innovation", &first, y));
    GW_TRY(reshape(b, first, b->io->n_tok, 1, b->def->h.n_embd, &in[1]));
    GW_TRY(route(b, l, y, &in[2]));
    GW_TRY(gw_block_linear(b, "altup_correct_coef", &l->correct, (gw_normed){in[2], NULL}, &in[2]));
    GW_TRY(gw_block_node(b, &gw_op_mix_streams, "altup_correct", in, 3, &attrs, sizeof attrs,
                         streams));
done:
    return status;
}

godwit_status gw_block_altup_scaled(gw_builder *b, const gw_altup *a, gw_value *streams,
                                    gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_value *in[2] = {NULL};
    GW_TRY(gw_block_altup_stream(b, streams, 0, &in[0]));
    GW_TRY(gw_graph_weight(b->graph, a->layers[b->layer].scale, &in[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_mul, "altup_correct_scale", in, 2, NULL, 0, out));
done:
    return status;
}

godwit_status gw_block_altup_add(gw_builder *b, gw_value *y, gw_value **streams) {
    const gw_mix_streams_attrs attrs = {.skip = 1};
    gw_value *in[2] = {*streams, NULL};
    godwit_status status = reshape(b, y, b->io->n_tok, 1, b->def->h.n_embd, &in[1]);
    if (status != GODWIT_OK) return status;
    return gw_block_node(b, &gw_op_mix_streams, "altup_add", in, 2, &attrs, sizeof attrs, streams);
}

godwit_status gw_block_altup_end(gw_builder *b, const gw_altup *a, gw_value *streams,
                                 uint64_t n_rows, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = b->def->h.n_embd, m = a->n - 1, skip = streams->dims[0] - n_rows;
    gw_value *flat = NULL, *first = NULL, *others = NULL, *sum = NULL;
    GW_TRY(reshape(b, streams, streams->dims[0], 0, a->n * d, &flat));
    if (skip) GW_TRY(gw_graph_view(b->graph, flat, skip, n_rows, &flat, b->err));
    GW_TRY(gw_graph_columns(b->graph, flat, 0, d, &first, b->err));
    GW_TRY(gw_graph_columns(b->graph, flat, d, m * d, &others, b->err));
    GW_TRY(gather(b, "altup_others", &others));
    // Each by all matrices, of which one is its own.
    GW_TRY(reshape(b, others, n_rows * m, 0, d, &others));
    GW_TRY(gw_block_linear(b, "altup_unembd_proj", &a->unembd, (gw_normed){others, NULL}, &others));
    GW_TRY(reshape(b, others, n_rows, 0, m * m * d, &others));
    for (uint64_t i = 0; i < m; i++) {
        gw_value *own = NULL;
        GW_TRY(gw_graph_columns(b->graph, others, i * (m + 1) * d, d, &own, b->err));
        GW_TRY(reshape(b, own, n_rows, 1, d, &own));
        GW_TRY(match(b, "altup_matched", first, own, false, &own));
        GW_TRY(reshape(b, own, n_rows, 0, d, &own));
        if (sum)
            GW_TRY(gw_block_residual(b, "altup_sum", &sum, own));
        else
            sum = own;
    }
    GW_TRY(gw_block_residual(b, "altup_sum", &sum, first));
    GW_TRY(gw_block_scale(b, "altup_mean", 1.0f / (float)a->n, &sum));
    *out = sum;
done:
    return status;
}
