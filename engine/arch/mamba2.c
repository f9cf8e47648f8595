// mamba2: models of Mamba 2 alone, without attention and feed-forwards (Mamba 2, Codestral Mamba).
//
//   each layer:  x += mixer(norm(x))
// Source: Dao and Gu, "Transformers are SSMs", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .no_attention = true, .no_window = true, .mixer = &gw_mixer_mamba2};

const gw_arch gw_arch_mamba2 = {.name = "mamba2",
                                .decoder = &traits,
                                .load = gw_decoder_load_hybrid,
                                .build = gw_decoder_build};
