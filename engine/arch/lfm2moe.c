// lfm2moe: LFM2 of Liquid AI, mixtures of experts.
//
// lfm2 whose first layers have a feed-forward, the others experts by a sigmoid, chosen with a bias.
// Source: Liquid AI, "LFM2 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true};
static const gw_decoder_traits traits = {.no_window = true,
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .mixer = &gw_mixer_short_conv,
                                         .output_norm = "token_embd_norm.weight",
                                         .experts = &experts};

const gw_arch gw_arch_lfm2moe = {.name = "lfm2moe",
                                 .decoder = &traits,
                                 .load = gw_decoder_load_hybrid,
                                 .build = gw_decoder_build};
