// Decoder build: the graph of a decoder that decoder.c has read.
#include "arch/next.h"

#include "base/status.h"
#include "graph/op.h"

// x += attention(n), or a mixer's, or both
static godwit_status build_attention(gw_builder *b, const gw_decoder *m, gw_normed n,
                                     gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    const gw_attention_options options = {.scale = m->attn_scale,
                                          .softcap = m->attn_softcap,
                                          .qkv_limit = m->qkv_limit,
                                          .paired = m->traits->rope_paired,
                                          .gated = m->traits->gated_attention,
                                          .v_scale = m->v_scale,
                                          .turns_first = m->traits->turns_first,
                                          .bias = m->bias,
                                          .norm_whole_rows = m->traits->qk_norm == GW_QK_NORM_ROW};
    gw_value *y = NULL, *mixed = NULL;
    const gw_mixer *mixer = m->traits->mixer_beside
                                ? m->traits->mixer
                                : gw_decoder_mixer(m->traits, &b->def->h.layers[b->layer]);
    if (l->mixer) GW_TRY(mixer->build(b, l->mixer, n, &mixed));
    if (l->o.w) GW_TRY(gw_block_attention(b, l, &options, n, &y));
    if (!y)
        y = mixed;
    else if (mixed)
        GW_TRY(gw_block_residual(b, "attn_beside", &y, mixed));
    if (m->traits->post_norm)
        GW_TRY(gw_block_norm_rows(b, "post_attention_norm", l->attn_post_norm, &y));
    GW_TRY(gw_block_scale(b, "attn_scale", m->residual_scale, &y));
    GW_TRY(gw_block_residual(b, "attn_residual", x, y));
    if (m->traits->sum_norm)
        GW_TRY(gw_block_norm_rows(b, "attn_output_norm", l->attn_post_norm, x));
done:
    return status;
}

// x += cross attention(norm(x))
static godwit_status build_cross(gw_builder *b, const gw_decoder *m, gw_value **x) {
    godwit_status status = GODWIT_OK;
    gw_normed n = {0};
    gw_value *y = NULL;
    GW_TRY(gw_block_norm(b, "cross_attn_norm", m->layers[b->layer].cross_norm, *x, &n));
    GW_TRY(gw_cross_attend(b, m, n, &y));
    GW_TRY(gw_block_residual(b, "cross_attn_residual", x, y));
done:
    return status;
}

// x += feed_forward(n)
static godwit_status build_feed_forward(gw_builder *b, const gw_decoder *m, gw_normed n,
                                        gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    gw_value *y = NULL;
    const gw_experts *e = &m->experts[b->layer];
    const bool beside = e->router.w && m->traits->experts->beside;
    const bool apart = e->router.w && m->traits->experts->apart;
    if (e->router.w && !beside && !apart)
        GW_TRY(gw_block_experts(b, e, m->traits->act, n, &y));
    else
        GW_TRY(gw_block_feed_forward(b, l, m->traits->act, n, &y));
    if (beside) GW_TRY(gw_block_experts_beside(b, e, m->traits->act, *x, &y));
    if (m->traits->post_norm) GW_TRY(gw_block_norm_rows(b, "post_ffw_norm", l->ffn_post_norm, &y));
    GW_TRY(gw_block_scale(b, "ffn_scale", m->residual_scale, &y));
    GW_TRY(gw_block_residual(b, "ffn_residual", x, y));
    if (m->traits->sum_norm)
        GW_TRY(gw_block_norm_rows(b, "layer_output_norm", l->ffn_post_norm, x));
done:
    return status;
}

// x += experts(norm(before)), of experts that read what their layer is given
static godwit_status build_apart(gw_builder *b, const gw_decoder *m, gw_value *before,
                                 gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_experts *e = &m->experts[b->layer];
    gw_normed n = {0};
    gw_value *y = NULL;
    if (!e->router.w || !m->traits->experts->apart) goto done;
    GW_TRY(gw_block_norm(b, "ffn_norm_exps", e->in_norm, before, &n));
    GW_TRY(gw_block_experts(b, e, m->traits->act, n, &y));
    GW_TRY(gw_block_residual(b, "ffn_exps_residual", x, y));
done:
    return status;
}

godwit_status gw_decoder_build_layer(gw_builder *b, const gw_decoder *m, gw_value **x) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    gw_normed n = {0};
    gw_value *before = *x;
    if (l->o.w || l->mixer) {
        GW_TRY(gw_block_norm(b, "attn_norm", l->attn_norm, *x, &n));
        GW_TRY(build_attention(b, m, n, x));
    }
    if (l->cross_o.w) GW_TRY(build_cross(b, m, x));
    if (l->up.w || m->experts[b->layer].router.w) {
        if (!m->traits->no_ffn_norm)
            GW_TRY(gw_block_norm(b, "ffn_norm", l->ffn_norm, m->parallel ? before : *x, &n));
        GW_TRY(build_feed_forward(b, m, n, x));
        GW_TRY(build_apart(b, m, before, x));
    }
    if (m->per_layer) GW_TRY(gw_block_per_layer(b, m->per_layer, m->traits->act, x));
    if (m->layer_scales) GW_TRY(gw_block_scale(b, "layer_scale", m->layer_scales[b->layer], x));
done:
    return status;
}

static godwit_status embed(gw_builder *b, const gw_decoder *m, gw_value **x) {
    godwit_status status = GODWIT_OK;
    gw_value *places = NULL;
    GW_TRY(gw_block_rows(b, "token_embd", m->token_embd, b->io->tokens, x));
    GW_TRY(gw_block_scale(b, "embd_scale", m->embd_scale, x));
    if (m->token_types) {
        GW_TRY(gw_block_rows(b, "token_types", m->token_types, b->io->types, &places));
        GW_TRY(gw_block_residual(b, "embd_types", x, places));
    }
    if (m->position_embd) {
        GW_TRY(gw_block_rows(b, "position_embd", m->position_embd, b->io->positions, &places));
        GW_TRY(gw_block_residual(b, "embd_positions", x, places));
    }
    GW_TRY(gw_block_norm_rows(b, "token_embd_norm", m->embd_norm, x));
done:
    return status;
}

godwit_status gw_decoder_begin(gw_builder *b, const gw_decoder *m, gw_value **x) {
    godwit_status status = embed(b, m, x);
    if (status != GODWIT_OK || !m->per_layer) return status;
    return gw_block_per_layer_rows(b, m->per_layer, *x);
}

godwit_status gw_decoder_end(gw_builder *b, const gw_decoder *m, gw_value *x) {
    godwit_status status = GODWIT_OK;
    gw_step_io *io = b->io;
    gw_normed n;
    if (io->embeds) { // what it has of each token is wanted
        GW_TRY(gw_block_norm_rows(b, "output_norm", m->output_norm, &x));
        io->hidden = x;
        goto done;
    }
    if (io->next) GW_TRY(gw_next_hidden(b, io->next, m->output_norm, x));
    const uint64_t n_skip = x->dims[0] - io->n_logits;
    if (n_skip) GW_TRY(gw_graph_view(b->graph, x, n_skip, io->n_logits, &x, b->err));
    GW_TRY(gw_block_norm(b, "output_norm", m->output_norm, x, &n));
    GW_TRY(gw_block_linear(b, "output", &m->output, n, &io->logits));
    GW_TRY(gw_block_scale(b, "output_scale", m->logit_scale, &io->logits));
    GW_TRY(gw_block_softcap(b, "output_softcap", m->logit_softcap, &io->logits));
done:
    return status;
}

// The encoder's layers, and what the decoder's keep of them.
static godwit_status build_encoder(gw_builder *b, const gw_decoder *m) {
    godwit_status status = GODWIT_OK;
    gw_builder of_encoder = *b;
    const gw_decoder *encoder = m->encoder->family;
    gw_value *x = NULL;
    gw_normed n;
    of_encoder.def = m->encoder;
    GW_TRY(gw_decoder_begin(&of_encoder, encoder, &x));
    for (uint32_t i = 0; i < m->encoder->h.n_layer; i++) {
        of_encoder.layer = i;
        GW_TRY(gw_decoder_build_layer(&of_encoder, encoder, &x));
    }
    GW_TRY(gw_block_norm(&of_encoder, "output_norm", encoder->output_norm, x, &n));
    for (b->layer = 0; b->layer < b->def->h.n_layer; b->layer++) GW_TRY(gw_cross_store(b, m, n));
done:
    return status;
}

godwit_status gw_decoder_build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_decoder *m = def->family;
    gw_builder b = {.def = def, .graph = graph, .io = io, .err = err};
    gw_value *x = NULL;
    if (io->pooled) return gw_heads_build(&b, m);
    if (io->encodes) return build_encoder(&b, m);
    GW_TRY(gw_decoder_begin(&b, m, &x));
    for (b.layer = 0; b.layer < def->h.n_layer; b.layer++)
        GW_TRY(gw_decoder_build_layer(&b, m, &x));
    GW_TRY(gw_decoder_end(&b, m, x));
done:
    return status;
}
