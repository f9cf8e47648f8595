// gpt2: GPT-2 and its kin.
//
// Layer norms, biases everywhere, learned positions, one tensor for q, k and v, a feed-forward of one
// product, gelu (with tanh) and another.
// Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; GGUF tensor
// names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU_TANH,
                                         .fused_qkv = true,
                                         .learned_positions = true};

const gw_arch gw_arch_gpt2 = {
    .name = "gpt2", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
