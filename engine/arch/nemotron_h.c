// nemotron_h: Nemotron-H and Nemotron Nano 2.
//
// A layer is one of Mamba 2, attention whose heads do not turn, and a feed-forward without a gate, whose
// activation is relu squared; each behind one norm.
// Source: NVIDIA, "Nemotron-H", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.one_block = true,
                                         .ffn_norm = "attn_norm",
                                         .no_gate = true,
                                         .act = GW_ACT_RELU2,
                                         .no_window = true,
                                         .still = true,
                                         .mixer = &gw_mixer_mamba2};

const gw_arch gw_arch_nemotron_h = {.name = "nemotron_h",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_hybrid,
                                    .build = gw_decoder_build};
