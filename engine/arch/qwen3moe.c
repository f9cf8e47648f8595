// qwen3moe: the mixtures of experts of Qwen 3.
//
// qwen3 with experts in the place of feed-forwards: a softmax over all, of those used made to add up to 1.
// Source: Yang et al., "Qwen3 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

const gw_arch gw_arch_qwen3moe = {.name = "qwen3moe",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
