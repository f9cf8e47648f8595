// starcoder2: StarCoder 2.
//
// Layer norms, biases everywhere, rope over halves of a head, a feed-forward of one product, gelu (with
// tanh) and another.
// Source: Lozhkov et al., "StarCoder 2 and The Stack v2", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .layer_norm = true, .no_gate = true, .act = GW_ACT_GELU_TANH};

const gw_arch gw_arch_starcoder2 = {.name = "starcoder2",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_plain,
                                    .build = gw_decoder_build};
