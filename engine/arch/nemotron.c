// nemotron: Nemotron 3 and 4, Minitron.
//
// Layer norms; part of a head turns, over halves; a feed-forward without a gate, whose activation is relu
// squared.
// Source: Parmar et al., "Nemotron-4 15B Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.layer_norm = true, .no_gate = true, .act = GW_ACT_RELU2};

const gw_arch gw_arch_nemotron = {.name = "nemotron",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
