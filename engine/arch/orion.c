// orion: Orion 14B.
//
// llama with layer norms and rope over halves of a head.
// Source: Chen et al., "Orion-14B", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.layer_norm = true};

const gw_arch gw_arch_orion = {
    .name = "orion", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
