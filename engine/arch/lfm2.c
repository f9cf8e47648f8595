// lfm2: LFM2 of Liquid AI, dense.
//
// llama with rope over halves of a head and head norms; layers without heads of keys have a short
// convolution, gated before and behind, in the place of attention; the output norm goes by another name.
// Source: Liquid AI, "LFM2 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true,
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .mixer = &gw_mixer_short_conv,
                                         .output_norm = "token_embd_norm.weight"};

const gw_arch gw_arch_lfm2 = {
    .name = "lfm2", .decoder = &traits, .load = gw_decoder_load_hybrid, .build = gw_decoder_build};
