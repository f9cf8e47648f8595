// qwen35: Qwen 3.5, 3.6 and 3.8, dense.
//
// qwen3next with a feed-forward; heads of the delta nets are in another order. The sections of its rope are of
// positions in pictures: those of text are one and the same.
// Source: Qwen Team, "Qwen3.5", 2026; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true,
                                         .ffn_norm = "post_attention_norm",
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .mixer = &gw_mixer_delta_net_tiled,
                                         .gated_attention = true,
                                         .next_normed = true};

const gw_arch gw_arch_qwen35 = {.name = "qwen35",
                                .decoder = &traits,
                                .load = gw_decoder_load_interval,
                                .build = gw_decoder_build};
