// qwen3vlmoe: the language models of Qwen3-VL and Qwen3-Omni, mixtures of experts.
//
// qwen3moe for text alone, as qwen3vl is qwen3.
// Source: Qwen Team, "Qwen3-VL", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

const gw_arch gw_arch_qwen3vlmoe = {.name = "qwen3vlmoe",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_plain,
                                    .build = gw_decoder_build};
