// deepseek: DeepSeek MoE 16B, the first one.
//
// llama whose first layers have a feed-forward, the others experts by a softmax over all, beside what all
// tokens share.
// Source: Dai et al., "DeepSeekMoE", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

const gw_arch gw_arch_deepseek = {.name = "deepseek",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
