// mistral4: Mistral Small 4.
//
// deepseek2 with a softmax of experts whose weights add up to 1, beside one that all tokens share, and with queries
// that grow with the logarithm of their position where a key says so.
// Source: Mistral AI, "Mistral Small 4", 2026; GGUF tensor names.
#include "arch/deepseek2.h"

const gw_arch gw_arch_mistral4 = {
    .name = "mistral4", .load = gw_deepseek2_load, .build = gw_decoder_build};
