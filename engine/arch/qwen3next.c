// qwen3next: Qwen3-Next.
//
// Three of four layers have a gated delta net in the place of attention, whose heads are wide and gated, with
// head norms and a rope of a part of a head; experts by a softmax, weights made to add up to 1, beside a
// feed-forward that all tokens share, weighted by a sigmoid. The block behind the layers is not run.
// Source: Qwen Team, "Qwen3-Next", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {
    .gate = GW_MOE_SOFTMAX, .normed = true, .weighs_shared = true};
static const gw_decoder_traits traits = {.no_window = true,
                                         .ffn_norm = "post_attention_norm",
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .mixer = &gw_mixer_delta_net,
                                         .gated_attention = true,
                                         .next_normed = true,
                                         .experts = &experts};

const gw_arch gw_arch_qwen3next = {.name = "qwen3next",
                                   .decoder = &traits,
                                   .load = gw_decoder_load_interval,
                                   .build = gw_decoder_build};
