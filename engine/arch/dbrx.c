// dbrx: DBRX.
//
// Layer norms without biases; one tensor for q, k and v, which are cut to a limit; experts by a softmax, weights made to
// add up to 1. Source: Databricks, "Introducing DBRX", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {.layer_norm = true,
                                         .no_window = true,
                                         .ffn_norm = "attn_output_norm",
                                         .fused_qkv = true,
                                         .clips = true,
                                         .experts = &experts};

const gw_arch gw_arch_dbrx = {
    .name = "dbrx", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
