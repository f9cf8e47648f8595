// Decoder: the usual wiring of blocks.h, as data. A family says how it differs.
//
//   x = embedding[token]
//   each layer:  x += attention(norm(x));  x += feed_forward(norm(x))
//   logits = output norm(x)      (the embedding where no output is given: tied)
#ifndef GW_ARCH_DECODER_H
#define GW_ARCH_DECODER_H

#include "arch/blocks.h"

typedef enum gw_qk_norm { GW_QK_NORM_NONE, GW_QK_NORM_HEAD, GW_QK_NORM_ROW } gw_qk_norm;

typedef struct gw_decoder_traits {
    bool rope_paired; // as GGUF permutes the weights of some families
    gw_qk_norm qk_norm;
    gw_activation act;
} gw_decoder_traits;

typedef struct gw_decoder {
    const gw_decoder_traits *traits;
    gw_weight *token_embd;
    gw_norm output_norm;
    gw_linear output;
    gw_layer *layers; // [n_layer]
    float attn_scale; // 0: 1 / sqrt(head_dim)
} gw_decoder;

// Expects gw_hparams_read; makes def->family. Refuses what no trait speaks of.
godwit_status gw_decoder_load(gw_model_def *def, const gw_decoder_traits *traits,
                              gw_decoder **out_decoder, godwit_error *err);
// gw_arch.build
godwit_status gw_decoder_build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                               godwit_error *err);

#endif
