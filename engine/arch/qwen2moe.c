// qwen2moe: the mixtures of experts of Qwen 1.5 and 2.
//
// qwen2 with experts, whose weights are those of a softmax over all as they are, beside a feed-forward that
// all tokens share, weighted by a sigmoid.
// Source: Yang et al., "Qwen2 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .weighs_shared = true};
static const gw_decoder_traits traits = {.no_window = true, .experts = &experts};

const gw_arch gw_arch_qwen2moe = {.name = "qwen2moe",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
