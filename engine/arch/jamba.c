// jamba: Jamba, Jamba 1.5 to 1.7, Jamba Reasoning.
//
// llama that does not turn, whose layers without heads of keys have Mamba 1, with norms, in the place of attention; in
// some layers experts by a softmax. Source: Lieber et al., "Jamba", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX};
static const gw_decoder_traits traits = {
    .still = true, .no_window = true, .mixer = &gw_mixer_mamba_weighed, .experts = &experts};

const gw_arch gw_arch_jamba = {
    .name = "jamba", .decoder = &traits, .load = gw_decoder_load_hybrid, .build = gw_decoder_build};
