// Per-layer embeddings: beside its embedding a token has a short row for each layer, which what the
// layer gave is gated by.
//
//   rows  = (norm(model_proj x0 / sqrt(n_embd)) + token_embd[token] * sqrt(n)) / sqrt(2)
//   layer: x += norm(proj (act(gate x) * rows[layer]))
// x0 is the scaled embedding. Source: transformers' Gemma 4 and 3n; GGUF tensor names.
#ifndef GW_ARCH_PER_LAYER_H
#define GW_ARCH_PER_LAYER_H

#include "arch/blocks.h"

typedef struct gw_per_layer {
    uint32_t n; // numbers of a row
    gw_weight *token_embd, *model_proj;
    gw_norm proj_norm;
    struct gw_per_layer_weights {
        gw_linear gate, proj;
        gw_norm norm;
    } * layers; // [n_layer]
} gw_per_layer;

// *out_per_layer: NULL where key embedding_length_per_layer_input is 0 or missing. Expects
// gw_def_vocab.
godwit_status gw_per_layer_load(gw_model_def *def, gw_per_layer **out_per_layer, godwit_error *err);
// Before the first layer; x0: [n_tok, n_embd].
godwit_status gw_block_per_layer_rows(gw_builder *b, const gw_per_layer *p, gw_value *x0);
// norm(proj (act(gate x) * rows[layer]))
godwit_status gw_block_per_layer_of(gw_builder *b, const gw_per_layer *p, gw_activation act,
                                    gw_value *x, gw_value **out);
// At the end of a layer: x += that.
godwit_status gw_block_per_layer(gw_builder *b, const gw_per_layer *p, gw_activation act,
                                 gw_value **x);

#endif
