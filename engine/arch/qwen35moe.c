// qwen35moe: Qwen 3.5 and 3.6, mixtures of experts.
//
// qwen35 with the experts of qwen3next.
// Source: Qwen Team, "Qwen3.5", 2026; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {
    .gate = GW_MOE_SOFTMAX, .normed = true, .weighs_shared = true};
static const gw_decoder_traits traits = {.no_window = true,
                                         .ffn_norm = "post_attention_norm",
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .mixer = &gw_mixer_delta_net_tiled,
                                         .gated_attention = true,
                                         .next_normed = true,
                                         .experts = &experts};

const gw_arch gw_arch_qwen35moe = {.name = "qwen35moe",
                                   .decoder = &traits,
                                   .load = gw_decoder_load_interval,
                                   .build = gw_decoder_build};
