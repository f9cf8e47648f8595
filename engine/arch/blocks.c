// Blocks: see blocks.h.
#include "arch/blocks.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

godwit_status gw_block_node(gw_builder *b, const gw_op *op, const char *what,
                            gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                            size_t attr_bytes, gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_value *dense[GW_MAX_INPUTS] = {NULL};
    char name[64];
    snprintf(name, sizeof name, "blk.%u.%s", b->layer, what);
    for (uint32_t i = 0; i < n_inputs && i < GW_MAX_INPUTS; i++) {
        dense[i] = inputs[i];
        if (!inputs[i] || !gw_value_is_strided(inputs[i]) || op->strided_inputs >> i & 1) continue;
        GW_TRY(gw_graph_node(b->graph, &gw_op_concat, name, &inputs[i], 1, NULL, 0, &dense[i],
                             b->err));
    }
    GW_TRY(gw_graph_node(b->graph, op, name, dense, n_inputs, attrs, attr_bytes, out, b->err));
done:
    return status;
}

// --- norms and products --------------------------------------------------------------------------

static godwit_status layer_norm(gw_builder *b, const char *what, gw_norm norm, gw_value *x,
                                gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_layer_norm_attrs attrs = {.eps = b->def->h.norm_eps};
    gw_value *inputs[3] = {x, NULL, NULL};
    GW_TRY(gw_graph_weight(b->graph, norm.w, &inputs[1], b->err));
    if (norm.bias) GW_TRY(gw_graph_weight(b->graph, norm.bias, &inputs[2], b->err));
    GW_TRY(gw_block_node(b, &gw_op_layer_norm, what, inputs, norm.bias ? 3 : 2, &attrs,
                         sizeof attrs, out));
done:
    return status;
}

static godwit_status rms_norm(gw_builder *b, const char *what, gw_norm norm, gw_value *x,
                              bool folded, gw_value *out[2]) {
    const gw_rms_norm_attrs attrs = {.eps = b->def->h.norm_eps, .folded = folded};
    gw_value *inputs[2] = {x, NULL};
    out[1] = NULL;
    if (norm.centred) return layer_norm(b, what, norm, x, out);
    godwit_status status = gw_graph_weight(b->graph, norm.w, &inputs[1], b->err);
    if (status != GODWIT_OK) return status;
    return gw_block_node(b, &gw_op_rms_norm, what, inputs, 2, &attrs, sizeof attrs, out);
}

godwit_status gw_block_norm(gw_builder *b, const char *what, gw_norm norm, gw_value *x,
                            gw_normed *out) {
    gw_value *made[2] = {x, NULL};
    godwit_status status = GODWIT_OK;
    if (norm.w) status = rms_norm(b, what, norm, x, b->def->h.norm_eps >= GW_FOLD_EPS_MIN, made);
    *out = (gw_normed){made[0], made[1]};
    return status;
}

godwit_status gw_block_norm_rows(gw_builder *b, const char *what, gw_norm norm, gw_value **x) {
    gw_value *made[2] = {*x, NULL};
    godwit_status status = norm.w ? rms_norm(b, what, norm, *x, false, made) : GODWIT_OK;
    *x = made[0];
    return status;
}

// out = w x (* scale)
static godwit_status product(gw_builder *b, const char *what, const gw_weight *w, gw_normed x,
                             gw_value **out) {
    gw_value *inputs[4] = {NULL, x.x, NULL, x.scale};
    uint32_t n = x.scale ? 4 : 2;
    godwit_status status = gw_graph_weight(b->graph, w, &inputs[0], b->err);
    if (status != GODWIT_OK) return status;
    if (!w->n_parts) return gw_block_node(b, &gw_op_matmul, what, inputs, n, NULL, 0, out);
    return gw_graph_node(b->graph, &gw_op_matmul, w->name, inputs, n, NULL, 0, out, b->err);
}

// y += bias, where there is one
static godwit_status add_bias(gw_builder *b, const char *what, const gw_weight *bias,
                              gw_value **y) {
    gw_value *inputs[2] = {*y, NULL};
    if (!bias) return GODWIT_OK;
    godwit_status status = gw_graph_weight(b->graph, bias, &inputs[1], b->err);
    if (status != GODWIT_OK) return status;
    return gw_block_node(b, &gw_op_add, what, inputs, 2, NULL, 0, y);
}

godwit_status gw_block_linear(gw_builder *b, const char *what, const gw_linear *linear, gw_normed x,
                              gw_value **out) {
    godwit_status status = product(b, what, linear->w, x, out);
    return status == GODWIT_OK ? add_bias(b, what, linear->bias, out) : status;
}

godwit_status gw_block_siblings(gw_builder *b, const char *const *what,
                                const gw_linear *const *linears, uint32_t n, gw_normed x,
                                gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_value *made[GW_WEIGHT_MAX_PARTS] = {NULL};
    for (uint32_t i = 0; i < n; i++) {
        const gw_linear *l = linears[i];
        // Of a weight that several share, the bias is whole, too, or each has its own.
        const bool parts = l->n_rows != l->w->n_rows;
        const gw_weight *whole =
            parts && l->bias && l->bias->n_cols == l->w->n_rows ? l->bias : NULL;
        for (uint32_t k = 0; k < i && !made[i]; k++)
            if (linears[k]->w == l->w) made[i] = made[k];
        if (!made[i]) {
            GW_TRY(product(b, what[i], l->w, x, &made[i]));
            GW_TRY(add_bias(b, what[i], whole, &made[i]));
        }
        out[i] = made[i];
        if (parts) GW_TRY(gw_graph_columns(b->graph, made[i], l->row0, l->n_rows, &out[i], b->err));
        if (!whole) GW_TRY(add_bias(b, what[i], l->bias, &out[i]));
    }
done:
    return status;
}

godwit_status gw_block_rows(gw_builder *b, const char *name, const gw_weight *table, gw_value *ids,
                            gw_value **out) {
    gw_value *inputs[2] = {NULL, ids};
    godwit_status status = gw_graph_weight(b->graph, table, &inputs[0], b->err);
    if (status != GODWIT_OK) return status;
    return gw_graph_node(b->graph, &gw_op_get_rows, name, inputs, 2, NULL, 0, out, b->err);
}

godwit_status gw_block_residual(gw_builder *b, const char *what, gw_value **x, gw_value *y) {
    gw_value *inputs[2] = {y, *x};
    return gw_block_node(b, &gw_op_add, what, inputs, 2, NULL, 0, x);
}

godwit_status gw_block_scale(gw_builder *b, const char *what, float factor, gw_value **x) {
    const gw_scale_attrs attrs = {.factor = factor};
    if (factor == 0.0f) return GODWIT_OK;
    return gw_block_node(b, &gw_op_scale, what, x, 1, &attrs, sizeof attrs, x);
}

godwit_status gw_block_softcap(gw_builder *b, const char *what, float cap, gw_value **x) {
    const gw_softcap_attrs attrs = {.cap = cap};
    if (cap == 0.0f) return GODWIT_OK;
    return gw_block_node(b, &gw_op_softcap, what, x, 1, &attrs, sizeof attrs, x);
}

// --- attention -----------------------------------------------------------------------------------

godwit_status gw_block_as_heads(gw_builder *b, uint32_t n_head, gw_value **x) {
    const uint64_t dims[3] = {b->io->n_tok, n_head,
                              gw_value_n_elements(*x) / b->io->n_tok / n_head};
    return gw_graph_reshape(b->graph, *x, 3, dims, x, b->err);
}

godwit_status gw_block_lengthen(gw_builder *b, const char *what, gw_value *like, uint64_t n,
                                gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_scale_attrs none = {.factor = 0.0f};
    const uint64_t missing = n - (*x)->dims[2];
    gw_value *both[2] = {*x, NULL};
    if (!missing) return GODWIT_OK;
    GW_TRY(gw_block_node(b, &gw_op_scale, "attn_zeros", &like, 1, &none, sizeof none, &both[1]));
    GW_TRY(gw_graph_columns(b->graph, both[1], 0, missing, &both[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_concat, what, both, 2, NULL, 0, x));
done:
    return status;
}

godwit_status gw_block_pad_heads(gw_builder *b, const char *what, gw_value **x) {
    if ((*x)->dims[2] == gw_head_row((uint32_t)(*x)->dims[2])) return GODWIT_OK;
    return gw_block_node(b, &gw_op_pad_rows, what, x, 1, NULL, 0, x);
}

// Heads that are normed, by one row for all or by one for each: *x times it.
static godwit_status weigh_each(gw_builder *b, const char *what, const gw_weight *each,
                                gw_value **x) {
    godwit_status status = GODWIT_OK;
    const uint64_t heads[3] = {(*x)->dims[0], (*x)->dims[1], (*x)->dims[2]};
    const uint64_t flat[2] = {heads[0], heads[1] * heads[2]};
    gw_value *both[2] = {NULL, NULL};
    if (!each) return GODWIT_OK;
    GW_TRY(gw_graph_reshape(b->graph, *x, 2, flat, &both[0], b->err));
    GW_TRY(gw_graph_weight(b->graph, each, &both[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_mul, what, both, 2, NULL, 0, x));
    GW_TRY(gw_graph_reshape(b->graph, *x, 3, heads, x, b->err));
done:
    return status;
}

// q [n_tok, heads * 2 * head_dim] to queries and the gates beside them.
static godwit_status split_gates(gw_builder *b, gw_value **q, gw_value **gates) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const uint64_t dims[3] = {b->io->n_tok, h->n_head, 2ull * h->head_dim};
    gw_value *both = NULL;
    GW_TRY(gw_graph_reshape(b->graph, *q, 3, dims, &both, b->err));
    GW_TRY(gw_graph_columns(b->graph, both, h->head_dim, h->head_dim, gates, b->err));
    GW_TRY(gw_graph_columns(b->graph, both, 0, h->head_dim, q, b->err));
done:
    return status;
}

static godwit_status apply_gates(gw_builder *b, gw_value *gates, gw_value **y) {
    godwit_status status = GODWIT_OK;
    const uint64_t flat[2] = {(*y)->dims[0], (*y)->dims[1]};
    gw_value *both[2] = {gates, NULL};
    GW_TRY(gw_graph_reshape(b->graph, *y, 3, gates->dims, &both[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_sigmoid_mul, "attn_gate", both, 2, NULL, 0, y));
    GW_TRY(gw_graph_reshape(b->graph, *y, 2, flat, y, b->err));
done:
    return status;
}

// Products q, k, v [n_tok, heads * head_dim] to heads, where there are norms normed.
static godwit_status make_heads(gw_builder *b, const gw_layer *l,
                                const gw_attention_options *options, gw_value *qkv[3]) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const uint32_t n_heads[3] = {h->n_head, h->n_head_kv, h->n_head_kv};
    const gw_norm norms[3] = {l->q_norm, l->k_norm, l->v_norm};
    static const char *const names[] = {"attn_q_norm", "attn_k_norm", "attn_v_norm"};
    const bool whole_rows = options->norm_whole_rows, now = !whole_rows && !options->turns_first;
    for (uint32_t i = 0; i < (l->k.w ? 3u : 1u); i++) {
        if (whole_rows) GW_TRY(gw_block_norm_rows(b, names[i], norms[i], &qkv[i]));
        GW_TRY(gw_block_as_heads(b, n_heads[i], &qkv[i]));
        if (now) GW_TRY(gw_block_norm_rows(b, names[i], norms[i], &qkv[i]));
        if (i < 2) GW_TRY(weigh_each(b, names[i], i ? l->k_each : l->q_each, &qkv[i]));
    }
    if (l->k.w) GW_TRY(gw_block_lengthen(b, "attn_v_long", qkv[1], h->head_dim, &qkv[2]));
done:
    return status;
}

// Heads of q and k, turned; keys and values are stored. Of a layer without keys q alone.
static godwit_status turn_and_store(gw_builder *b, const gw_layer *l,
                                    const gw_attention_options *options, gw_value *const qkv[3],
                                    gw_value **q) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    gw_value *k = b->io->states[h->k], *v = b->io->states[h->v], *rows = b->io->kv_rows;
    gw_value *table = b->io->rope_tables[h->rope];
    const gw_rope_attrs rope = {.n_rot = b->def->h.ropes[h->rope].n_rot, .paired = options->paired};
    gw_value *in[7] = {qkv[0], qkv[1], qkv[2], table, rows, k, v}, *turned[2] = {qkv[0], table};
    const bool normed = options->turns_first && l->q_norm.w;
    if (l->k.w && !normed)
        return gw_block_node(b, &gw_op_rope_store, "rope_store", in, 7, &rope, sizeof rope, q);
    GW_TRY(gw_block_node(b, &gw_op_rope, "rope", turned, 2, &rope, sizeof rope, q));
    if (!normed) goto done;
    GW_TRY(gw_block_norm_rows(b, "attn_q_norm", l->q_norm, q));
    turned[0] = qkv[1];
    GW_TRY(gw_block_node(b, &gw_op_rope, "rope_k", turned, 2, &rope, sizeof rope, &in[0]));
    GW_TRY(gw_block_norm_rows(b, "attn_k_norm", l->k_norm, &in[0]));
    GW_TRY(gw_block_pad_heads(b, "attn_q_pad", q));
    GW_TRY(gw_block_pad_heads(b, "attn_k_pad", &in[0]));
    GW_TRY(gw_block_pad_heads(b, "attn_v_pad", &in[2]));
    gw_value *stored[5] = {in[0], in[2], rows, k, v}, *none = NULL;
    GW_TRY(gw_block_node(b, &gw_op_kv_store, "kv_store", stored, 5, NULL, 0, &none));
done:
    return status;
}

godwit_status gw_block_scale_rows(gw_builder *b, const char *what, gw_value *by, gw_normed *x) {
    gw_value *both[2] = {x->scale, by};
    x->scale = by;
    return both[0] ? gw_block_node(b, &gw_op_mul, what, both, 2, NULL, 0, &x->scale) : GODWIT_OK;
}

godwit_status gw_block_scale_q(gw_builder *b, gw_normed *x) {
    if (!gw_layer_scales_q(&b->def->h, b->layer)) return GODWIT_OK;
    return gw_block_scale_rows(b, "attn_q_scale", b->io->q_scales, x);
}

// q, k and v of x; queries may have a scale of their own, which their product takes.
static godwit_status products(gw_builder *b, const gw_layer *l, gw_normed x, gw_value *qkv[3]) {
    static const char *const names[] = {"attn_q", "attn_k", "attn_v"};
    const gw_linear *const linears[] = {&l->q, &l->k, &l->v};
    godwit_status status = GODWIT_OK;
    const uint32_t n = !l->k.w ? 1 : !l->v.w ? 2 : 3;
    gw_normed scaled = x;
    if (!gw_layer_scales_q(&b->def->h, b->layer)) {
        GW_TRY(gw_block_siblings(b, names, linears, n, x, qkv));
        if (n == 2) qkv[2] = qkv[1];
        goto done;
    }
    GW_TRY(gw_block_scale_q(b, &scaled));
    GW_TRY(gw_block_siblings(b, names, linears, 1, scaled, qkv));
    GW_TRY(gw_block_siblings(b, names + 1, linears + 1, 2, x, qkv + 1));
done:
    return status;
}

// Which keys of the layer's own each token sees.
static gw_value *own_keys(const gw_builder *b) {
    const gw_hparams *h = &b->def->h;
    gw_value *seen = b->io->seen[h->encodes || h->layers[b->layer].window];
    return seen ? seen : b->io->positions;
}

// What the plain op is to attention without a bias.
static godwit_status attend_biased(gw_builder *b, const gw_attention_options *options, gw_value *q,
                                   gw_value **out) {
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    gw_step_io *io = b->io;
    const gw_biased_attention_attrs attrs = {
        .scale = options->scale != 0.0f ? options->scale : gw_rsqrt((float)h->head_dim),
        .head_dim = h->head_dim,
        .n_pages = io->n_pages,
        .n_bias = options->bias.n,
        .zero = options->bias.zero,
        .slopes = options->bias.slopes};
    gw_value *inputs[7] = {q,           io->states[h->k], io->states[h->v],
                           own_keys(b), io->positions,    io->pages};
    godwit_status status = gw_graph_weight(b->graph, options->bias.w, &inputs[6], b->err);
    if (status != GODWIT_OK) return status;
    return gw_block_node(b, &gw_op_biased_attention, "attn", inputs, 7, &attrs, sizeof attrs, out);
}

// q, k and v, cut to a limit.
static godwit_status clip(gw_builder *b, float limit, gw_value *qkv[3]) {
    static const char *const names[] = {"attn_q_clip", "attn_k_clip", "attn_v_clip"};
    const gw_clip_attrs attrs = {.limit = limit};
    for (int i = 0; i < 3 && limit != 0.0f; i++) {
        godwit_status status = !qkv[i] ? GODWIT_OK
                                       : gw_block_node(b, &gw_op_clip, names[i], &qkv[i], 1, &attrs,
                                                       sizeof attrs, &qkv[i]);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

godwit_status gw_block_attention(gw_builder *b, const gw_layer *l,
                                 const gw_attention_options *options, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    gw_step_io *io = b->io;
    gw_value *k = io->states[h->k], *v = io->states[h->v], *qkv[3] = {NULL}, *q = NULL;
    gw_value *gates = NULL;
    GW_TRY(products(b, l, x, qkv));
    GW_TRY(gw_block_scale(b, "attn_v_scale", options->v_scale, &qkv[2]));
    GW_TRY(clip(b, options->qkv_limit, qkv));
    if (options->gated) GW_TRY(split_gates(b, &qkv[0], &gates));
    GW_TRY(make_heads(b, l, options, qkv));
    GW_TRY(turn_and_store(b, l, options, qkv, &q));
    const gw_attention_attrs attrs = {
        .scale = options->scale != 0.0f ? options->scale : gw_rsqrt((float)h->head_dim),
        .window = h->window && io->seen[1] ? GW_ATTN_GIVEN : h->window,
        .head_dim = h->v_dim,
        .n_pages = io->n_pages,
        .softcap = options->softcap};
    if (options->bias.w) {
        GW_TRY(attend_biased(b, options, q, out));
        return gw_block_linear(b, "attn_output", &l->o, (gw_normed){*out, NULL}, out);
    }
    gw_value *inputs[6] = {q, k, v, own_keys(b), io->pages};
    if (l->sinks) GW_TRY(gw_graph_weight(b->graph, l->sinks, &inputs[5], b->err));
    GW_TRY(gw_block_node(b, &gw_op_attention, "attn", inputs, l->sinks ? 6 : 5, &attrs,
                         sizeof attrs, out));
    if (options->gated) GW_TRY(apply_gates(b, gates, out));
    if (l->attn_gate.w.w) GW_TRY(gw_block_attn_gate(b, &l->attn_gate, x, out));
    GW_TRY(gw_block_norm_rows(b, "attn_sub_norm", l->attn_sub_norm, out));
    GW_TRY(gw_block_linear(b, "attn_output", &l->o, (gw_normed){*out, NULL}, out));
done:
    return status;
}

// --- feed-forward --------------------------------------------------------------------------------

// gelu with erf has no op of its own with a gate. What may be columns comes first.
static godwit_status gelu_gate(gw_builder *b, gw_value *const gated[2], gw_value **out) {
    const gw_gelu_attrs attrs = {.tanh = false};
    gw_value *inputs[2] = {gated[1], NULL};
    godwit_status status =
        gw_block_node(b, &gw_op_gelu, "ffn_gelu", gated, 1, &attrs, sizeof attrs, &inputs[1]);
    if (status != GODWIT_OK) return status;
    return gw_block_node(b, &gw_op_mul, "ffn_gated", inputs, 2, NULL, 0, out);
}

godwit_status gw_block_gate(gw_builder *b, gw_activation act, float cut, gw_value *const gated[2],
                            gw_value **out) {
    if (act == GW_ACT_GELU) return gelu_gate(b, gated, out);
    static const struct {
        const gw_op *op;
        const char *name;
    } gates[] = {{&gw_op_silu_mul, "ffn_silu"},
                 {&gw_op_gelu_mul, "ffn_gelu"},
                 {&gw_op_swiglu_clamp, "ffn_swiglu"}};
    const bool cuts = act == GW_ACT_SILU && cut != 0.0f, clamps = cuts || act == GW_ACT_CLAMPED;
    const gw_swiglu_clamp_attrs clamped = {1.702f, 7.0f, 1.0f, 7.0f, GW_SWIGLU_NO_LIMIT};
    const gw_swiglu_clamp_attrs silu = {1.0f, cut, 0.0f, GW_SWIGLU_NO_LIMIT, cut};
    if (cuts) act = GW_ACT_CLAMPED;
    return gw_block_node(b, gates[act].op, gates[act].name, gated, 2,
                         cuts     ? &silu
                         : clamps ? &clamped
                                  : NULL,
                         clamps ? sizeof clamped : 0, out);
}

godwit_status gw_block_act(gw_builder *b, gw_activation act, gw_value *x, gw_value **out) {
    const gw_relu_attrs relu = {.squared = act == GW_ACT_RELU2};
    const gw_gelu_attrs gelu = {.tanh = act == GW_ACT_GELU_TANH};
    if (act == GW_ACT_RELU2 || act == GW_ACT_RELU)
        return gw_block_node(b, &gw_op_relu, "ffn_relu", &x, 1, &relu, sizeof relu, out);
    return gw_block_node(b, &gw_op_gelu, "ffn_gelu", &x, 1, &gelu, sizeof gelu, out);
}

godwit_status gw_block_feed_forward(gw_builder *b, const gw_layer *l, gw_activation act,
                                    gw_normed x, gw_value **out) {
    static const char *const names[] = {"ffn_gate", "ffn_up"};
    const gw_gaussian_topk_attrs topk = {.scale = l->sparse};
    const gw_xielu_attrs xielu = {l->xielu[0], l->xielu[1], l->xielu[2], l->xielu[3]};
    godwit_status status = GODWIT_OK;
    gw_value *gated[2];
    if (l->gate.w) {
        GW_TRY(gw_block_siblings(b, names, (const gw_linear *[]){&l->gate, &l->up}, 2, x, gated));
        if (l->sparse != 0.0f)
            GW_TRY(gw_block_node(b, &gw_op_gaussian_topk, "ffn_gate_topk", gated, 1, &topk,
                                 sizeof topk, &gated[0]));
        GW_TRY(gw_block_gate(b, act, l->cut, gated, out));
    } else {
        GW_TRY(gw_block_linear(b, "ffn_up", &l->up, x, out));
        if (act == GW_ACT_XIELU)
            GW_TRY(gw_block_node(b, &gw_op_xielu, "ffn_xielu", out, 1, &xielu, sizeof xielu, out));
        else
            GW_TRY(gw_block_act(b, act, *out, out));
    }
    GW_TRY(gw_block_norm_rows(b, "ffn_sub_norm", l->ffn_sub_norm, out));
    GW_TRY(gw_block_linear(b, "ffn_down", &l->down, (gw_normed){*out, NULL}, out));
done:
    return status;
}
