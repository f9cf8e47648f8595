// nemotron_h_moe: Nemotron 3.
//
// nemotron_h with experts in the place of feed-forwards: such feed-forwards, too, by sigmoids and chosen
// with a bias, beside one that all tokens share; in some models they read and give shorter rows.
// Source: NVIDIA, "Nemotron 3", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {
    .gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true, .no_gate = true};
static const gw_decoder_traits traits = {.one_block = true,
                                         .ffn_norm = "attn_norm",
                                         .no_gate = true,
                                         .act = GW_ACT_RELU2,
                                         .no_window = true,
                                         .still = true,
                                         .mixer = &gw_mixer_mamba2,
                                         .experts = &experts};

const gw_arch gw_arch_nemotron_h_moe = {.name = "nemotron_h_moe",
                                        .decoder = &traits,
                                        .load = gw_decoder_load_hybrid,
                                        .build = gw_decoder_build};
