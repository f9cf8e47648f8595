// granitemoe: the mixtures of experts of Granite 3.
//
// granite with experts, weighted by a softmax of those used.
// Source: Granite Team, "Granite 3.0 Language Models", 2024; GGUF tensor names.
#include "arch/granite.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX_USED};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

const gw_arch gw_arch_granitemoe = {
    .name = "granitemoe", .decoder = &traits, .load = gw_granite_load, .build = gw_decoder_build};
