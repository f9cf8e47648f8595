// starcoder: StarCoder and SantaCoder.
//
// gpt2 with one head of keys and values.
// Source: Li et al., "StarCoder: may the source be with you!", 2023; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU_TANH,
                                         .fused_qkv = true,
                                         .learned_positions = true};

const gw_arch gw_arch_starcoder = {.name = "starcoder",
                                   .decoder = &traits,
                                   .load = gw_decoder_load_plain,
                                   .build = gw_decoder_build};
