// hunyuan-moe: Hunyuan A13B.
//
// hunyuan-dense with experts by a softmax, whose weights are made to add up to 1, beside one that all tokens
// share. Source: Tencent, "Hunyuan-A13B Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .turns_first = true, .experts = &experts};

const gw_arch gw_arch_hunyuan_moe = {.name = "hunyuan-moe",
                                     .decoder = &traits,
                                     .load = gw_decoder_load_plain,
                                     .build = gw_decoder_build};
