// falcon-h1: Falcon-H1.
//
// llama with rope over halves of a head and Mamba 2 beside attention, both of one norm:
//   x += attention(norm(x)) + mamba(norm(x))
// The numbers that it multiplies by are in the weights of a file.
// Source: TII, "Falcon-H1", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .mixer_beside = true, .no_window = true, .mixer = &gw_mixer_mamba2_free};

const gw_arch gw_arch_falcon_h1 = {.name = "falcon-h1",
                                   .decoder = &traits,
                                   .load = gw_decoder_load_hybrid,
                                   .build = gw_decoder_build};
