// Mixers: see mixers.h. What they share, and the short convolution.
#include "arch/mixers.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

godwit_status gw_mixer_linear(gw_model_def *def, uint32_t layer, const char *stem, uint64_t rows,
                              uint64_t cols, gw_linear *out, godwit_error *err) {
    const uint64_t dims[2] = {rows, cols};
    char name[64];
    snprintf(name, sizeof name, "%s.weight", stem);
    godwit_status status = gw_def_layer_weight(def, layer, name, false, 2, dims, &out->w, err);
    if (status != GODWIT_OK) return status;
    out->n_rows = rows;
    snprintf(name, sizeof name, "%s.bias", stem);
    return gw_def_layer_weight(def, layer, name, true, 1, dims, &out->bias, err);
}

// Of a tensor that is there the dims, where all but those of 1 are those of [rows, cols]: some files have more
// than two.
static uint32_t dims_of(const gw_model_def *def, uint32_t layer, const char *name,
                        uint64_t dims[GODWIT_MAX_DIMS]) {
    char full[96];
    snprintf(full, sizeof full, "blk.%u.%s", layer, name);
    const gw_gguf_tensor *t = gw_gguf_find_tensor(def->gguf, full);
    uint64_t left[GODWIT_MAX_DIMS], wanted[GODWIT_MAX_DIMS];
    uint32_t n_left = 0, n_wanted = 0;
    for (uint32_t i = 0; i < 2; i++)
        if (dims[i] != 1) wanted[n_wanted++] = dims[i];
    for (uint32_t i = 0; t && i < t->n_dims; i++)
        if (t->dims[i] != 1) left[n_left++] = t->dims[i];
    if (!t || n_left != n_wanted || memcmp(left, wanted, n_left * sizeof *left) != 0) return 2;
    memcpy(dims, t->dims, t->n_dims * sizeof *dims);
    return t->n_dims;
}

godwit_status gw_mixer_flat(gw_model_def *def, uint32_t layer, const char *name, bool optional,
                            uint64_t rows, uint64_t cols, gw_weight **out, godwit_error *err) {
    uint64_t dims[GODWIT_MAX_DIMS] = {rows, cols};
    const uint64_t flat[1] = {rows * cols};
    const uint32_t n_dims = dims_of(def, layer, name, dims);
    godwit_status status = gw_def_layer_weight(def, layer, name, optional, n_dims, dims, out, err);
    gw_weight *w = *out;
    if (status != GODWIT_OK || !w) return status;
    if (w->format != gw_format_find(GODWIT_F32)) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: it must be F32; `godwit quantize` keeps it so", w->name);
    }
    gw_weight_init(w, w->name, w->format, 1, flat, w->source);
    return GODWIT_OK;
}

godwit_status gw_mixer_key(const gw_model_def *def, const char *suffix, uint32_t max, uint32_t *out,
                           godwit_error *err) {
    char key[96];
    return gw_gguf_require_u32(def->gguf, gw_def_key(def, suffix, key, sizeof key), 1, max, out,
                               err);
}

godwit_status gw_mixer_concat(gw_builder *b, const char *what, gw_value *x, gw_value *y,
                              gw_value **out) {
    return gw_block_node(b, &gw_op_concat, what, (gw_value *[]){x, y}, y ? 2 : 1, NULL, 0, out);
}

godwit_status gw_mixer_turn(gw_builder *b, const char *what, gw_value *x, uint32_t first,
                            uint32_t n, uint32_t n_rot, bool paired, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_rope_attrs attrs = {.n_rot = n_rot, .paired = paired};
    const uint64_t dims[3] = {b->io->n_tok, n, n_rot};
    const uint32_t rope = b->def->h.layers[b->layer].rope;
    gw_value *both[2] = {NULL, b->io->rope_tables[rope]};
    GW_TRY(gw_graph_columns(b->graph, x, first, n_rot, &both[0], b->err));
    GW_TRY(gw_graph_reshape(b->graph, both[0], 3, dims, &both[0], b->err));
    *out = both[0];
    if (!b->def->h.ropes[rope].still)
        GW_TRY(gw_block_node(b, &gw_op_rope, what, both, 2, &attrs, sizeof attrs, out));
done:
    return status;
}

// --- convolutions --------------------------------------------------------------------------------

godwit_status gw_conv_load(gw_model_def *def, uint32_t layer, const char *stem, uint32_t n_taps,
                           uint64_t channels, gw_conv *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char name[64];
    out->n_taps = n_taps;
    snprintf(name, sizeof name, "%s.weight", stem);
    GW_TRY(gw_mixer_flat(def, layer, name, false, channels, n_taps, &out->w, err));
    snprintf(name, sizeof name, "%s.bias", stem);
    GW_TRY(gw_def_layer_weight(def, layer, name, true, 1, &channels, &out->bias, err));
    GW_TRY(gw_hparams_add_block(def, layer, GW_STATE_CONV, n_taps - 1, channels, &out->state, err));
done:
    return status;
}

godwit_status gw_block_conv(gw_builder *b, const char *what, const gw_conv *conv, bool gated,
                            bool silu, gw_value *x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_ssm_conv_attrs attrs = {.n_taps = conv->n_taps, .gated = gated, .silu = silu};
    gw_value *inputs[5] = {x, NULL, b->io->segments, b->io->states[conv->state], NULL};
    GW_TRY(gw_graph_weight(b->graph, conv->w, &inputs[1], b->err));
    if (conv->bias) GW_TRY(gw_graph_weight(b->graph, conv->bias, &inputs[4], b->err));
    GW_TRY(gw_block_node(b, &gw_op_ssm_conv, what, inputs, conv->bias ? 5 : 4, &attrs, sizeof attrs,
                         out));
done:
    return status;
}

// --- short convolution: out (c * conv(b * x)), of b, c, x = in x ---------------------------------

typedef struct short_conv {
    gw_linear in, out;
    gw_conv conv;
} short_conv;

static godwit_status load_short_conv(gw_model_def *def, uint32_t layer, const void **out,
                                     godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd;
    uint32_t n_taps = 0;
    char key[96];
    short_conv *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    GW_TRY(gw_gguf_require_u32(def->gguf, gw_def_key(def, "shortconv.l_cache", key, sizeof key), 2,
                               GW_MAX_CONV_TAPS, &n_taps, err));
    GW_TRY(gw_mixer_linear(def, layer, "shortconv.in_proj", 3 * d, d, &m->in, err));
    GW_TRY(gw_conv_load(def, layer, "shortconv.conv", n_taps, d, &m->conv, err));
    GW_TRY(gw_mixer_linear(def, layer, "shortconv.out_proj", d, d, &m->out, err));
    *out = m;
done:
    return status;
}

static godwit_status build_short_conv(gw_builder *b, const void *mixer, gw_normed x,
                                      gw_value **out) {
    godwit_status status = GODWIT_OK;
    const short_conv *m = mixer;
    gw_value *y = NULL;
    GW_TRY(gw_block_linear(b, "shortconv.in_proj", &m->in, x, &y));
    GW_TRY(gw_block_conv(b, "shortconv.conv", &m->conv, true, false, y, &y));
    GW_TRY(gw_block_linear(b, "shortconv.out_proj", &m->out, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_short_conv = {.load = load_short_conv, .build = build_short_conv};
