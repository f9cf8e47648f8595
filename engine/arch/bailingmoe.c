// bailingmoe: Ling, the first ones.
//
// deepseek; a key says whether the weights of experts add up to 1.
// Source: Ling Team, "Every FLOP Counts", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .by_keys = true};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

const gw_arch gw_arch_bailingmoe = {.name = "bailingmoe",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_plain,
                                    .build = gw_decoder_build};
