// mamba: models of Mamba 1 alone, without attention and feed-forwards (Mamba, Falcon Mamba).
//
//   each layer:  x += mixer(norm(x))
// Falcon Mamba's steps, B and C are normed, by no weight, which a key says. Source: Gu and Dao, "Mamba", 2023; GGUF
// tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .no_attention = true, .no_window = true, .mixer = &gw_mixer_mamba};

const gw_arch gw_arch_mamba = {
    .name = "mamba", .decoder = &traits, .load = gw_decoder_load_hybrid, .build = gw_decoder_build};
