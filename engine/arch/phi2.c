// phi2: Phi 1, 1.5 and 2.
//
// Layer norms and biases; part of a head turns, over halves; a feed-forward of one product, gelu (with
// tanh) and another, beside attention, of one norm.
// Source: Microsoft Research, "Phi-2", 2023; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .parallel = true,
                                         .no_ffn_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU_TANH};

const gw_arch gw_arch_phi2 = {
    .name = "phi2", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
