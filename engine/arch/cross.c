// Cross: attention of a decoder to what an encoder gives of its text.
//
//   K = Wk e;  V = Wv e      (once, of each position of the text: rows of the layer's own caches, the first ones)
//   y = Wo softmax(Wq x K^T * scale) V
// So the rows of a layer's caches are a sequence's positions, as in any other decoder: of those of the text what cross
// attention reads, of those behind it what self-attention does.
#include "arch/decoder.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

godwit_status gw_cross_store(gw_builder *b, const gw_decoder *m, gw_normed encoded) {
    static const char *const names[] = {"cross_attn_k", "cross_attn_v"};
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const gw_linear *const linears[] = {&l->cross_k, &l->cross_v};
    gw_value *stored[5] = {NULL, NULL, b->io->kv_rows, b->io->states[h->k], b->io->states[h->v]};
    gw_value *none = NULL;
    GW_TRY(gw_block_siblings(b, names, linears, 2, encoded, stored));
    for (int i = 0; i < 2; i++) {
        GW_TRY(gw_block_as_heads(b, h->n_head_kv, &stored[i]));
        GW_TRY(gw_block_pad_heads(b, "cross_attn_pad", &stored[i]));
    }
    GW_TRY(gw_block_node(b, &gw_op_kv_store, "cross_store", stored, 5, NULL, 0, &none));
done:
    return status;
}

godwit_status gw_cross_attend(gw_builder *b, const gw_decoder *m, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &m->layers[b->layer];
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const gw_attention_attrs attrs = {.scale = m->attn_scale != 0.0f ? m->attn_scale
                                                                     : gw_rsqrt((float)h->head_dim),
                                      .head_dim = h->head_dim,
                                      .n_pages = b->io->n_pages};
    gw_value *inputs[5] = {NULL, b->io->states[h->k], b->io->states[h->v], b->io->seen[0],
                           b->io->pages};
    GW_TRY(gw_block_linear(b, "cross_attn_q", &l->cross_q, x, &inputs[0]));
    GW_TRY(gw_block_as_heads(b, h->n_head, &inputs[0]));
    GW_TRY(gw_block_pad_heads(b, "cross_attn_pad", &inputs[0]));
    GW_TRY(gw_block_node(b, &gw_op_attention, "cross_attn", inputs, 5, &attrs, sizeof attrs, out));
    GW_TRY(gw_block_linear(b, "cross_attn_output", &l->cross_o, (gw_normed){*out, NULL}, out));
done:
    return status;
}
