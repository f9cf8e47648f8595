// bert: BERT and its kin: MiniLM, BGE, E5, GTE, mxbai, XLM-RoBERTa, cross-encoders.
//
//   x = norm(embedding[token] + types[type] + positions[position])
//   each layer:  x = norm(x + attention(x));  x = norm(x + Wdown gelu(Wup x))
// Layer norms, biases, each token sees all of its text.
// Source: Devlin et al., "BERT", 2019; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.both_ways = true,
                                         .layer_norm = true,
                                         .no_pre_norm = true,
                                         .sum_norm = true,
                                         .embd_norm = true,
                                         .no_output_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU,
                                         .learned_positions = true};

const gw_arch gw_arch_bert = {
    .name = "bert", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
