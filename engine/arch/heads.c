// Heads: what models that give embeddings have beside their layers: kinds of tokens in front, and
// behind the pooling a classifier (scores of pairs of texts) or dense layers (another length).
//
//   scores = Wout tanh(Wcls x + b) + bout      (Wcls is left out where a file has none)
//   embedding = W3 (W2 x)
// A cross-encoder of BERT scores the embedding of its first token, a decoder that of its last.
#include "arch/decoder.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

enum { MAX_LABELS = 1024, MAX_TYPES = 256 };

// A matrix with any number of rows up to max, where there is one, and its bias.
static godwit_status load_linear(gw_model_def *def, const char *stem, uint64_t max, uint64_t n_cols,
                                 gw_linear *out, godwit_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.weight", stem);
    const gw_gguf_tensor *tensor = gw_gguf_find_tensor(def->gguf, name);
    if (!tensor) return GODWIT_OK;
    uint64_t dims[2] = {tensor->dims[0], n_cols};
    if (tensor->n_dims != 2 || dims[0] > max) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: no matrix of at most %llu rows", name,
                       (unsigned long long)max);
    }
    godwit_status status = gw_def_weight(def, name, false, 2, dims, &out->w, err);
    if (status != GODWIT_OK) return status;
    out->n_rows = dims[0];
    snprintf(name, sizeof name, "%s.bias", stem);
    return gw_def_weight(def, name, true, 1, dims, &out->bias, err);
}

static godwit_status load_types(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    const gw_gguf_tensor *tensor = gw_gguf_find_tensor(def->gguf, "token_types.weight");
    if (!tensor) return GODWIT_OK;
    uint64_t dims[2] = {tensor->n_dims == 2 ? tensor->dims[0] : 1, def->h.n_embd};
    if (dims[0] > MAX_TYPES) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: %llu rows, at most %d", tensor->name,
                       (unsigned long long)dims[0], MAX_TYPES);
    }
    def->h.n_types = (uint32_t)dims[0];
    return gw_def_weight(def, tensor->name, false, 2, dims, &m->token_types, err);
}

godwit_status gw_heads_load(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    if (!h->both_ways && h->pooling == GODWIT_POOLING_MODEL) goto done;
    GW_TRY(load_types(def, m, err));
    GW_TRY(load_linear(def, "cls", GW_MAX_EMBD, h->n_embd, &m->cls_dense, err));
    GW_TRY(load_linear(def, "cls.output", MAX_LABELS,
                       m->cls_dense.w ? m->cls_dense.n_rows : h->n_embd, &m->cls_output, err));
    if (m->cls_output.w) h->n_labels = (uint32_t)m->cls_output.n_rows;
    GW_TRY(load_linear(def, "dense_2", GW_MAX_FF, h->n_embd, &m->dense[0], err));
    if (m->dense[0].w) h->n_out = (uint32_t)m->dense[0].n_rows;
    h->has_dense = m->dense[0].w != NULL;
    GW_TRY(load_linear(def, "dense_3", GW_MAX_FF, h->n_out, &m->dense[1], err));
    h->has_dense |= m->dense[1].w != NULL;
    if (m->dense[1].w) h->n_out = (uint32_t)m->dense[1].n_rows;
done:
    return status;
}

godwit_status gw_heads_build(gw_builder *b, const gw_decoder *m) {
    godwit_status status = GODWIT_OK;
    gw_step_io *io = b->io;
    const gw_softcap_attrs tanh_attrs = {.cap = 1.0f};
    gw_value *x = io->pooled;
    for (int i = 0; i < 2 && !io->scores; i++) {
        if (!m->dense[i].w) continue;
        GW_TRY(
            gw_block_linear(b, i ? "dense_3" : "dense_2", &m->dense[i], (gw_normed){x, NULL}, &x));
    }
    if (io->scores && m->cls_dense.w) {
        GW_TRY(gw_block_linear(b, "cls", &m->cls_dense, (gw_normed){x, NULL}, &x));
        GW_TRY(gw_block_node(b, &gw_op_softcap, "cls_tanh", &x, 1, &tanh_attrs, sizeof tanh_attrs,
                             &x));
    }
    if (io->scores)
        GW_TRY(gw_block_linear(b, "cls_output", &m->cls_output, (gw_normed){x, NULL}, &x));
    io->hidden = x;
done:
    return status;
}
