// olmoe: OLMoE, mixtures of experts.
//
// llama with whole rows of q and k normed before rope, over halves of a head; experts by a softmax over all.
// Source: Muennighoff et al., "OLMoE: Open Mixture-of-Experts Language Models", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_ROW, .experts = &experts};

const gw_arch gw_arch_olmoe = {
    .name = "olmoe", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
