// granitemoe: the mixtures of experts of Granite 3.
//
// granite with experts, weighted by a softmax of those used.
// Source: Granite Team, "Granite 3.0 Language Models", 2024; GGUF tensor names.
#include "arch/granite.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX_USED};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    return gw_granite_load(def, &traits, err);
}

const gw_arch gw_arch_granitemoe = {.name = "granitemoe", .load = load, .build = gw_decoder_build};
