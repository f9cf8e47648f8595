// arctic: Snowflake Arctic.
//
// llama with experts beside attention and feed-forward of a layer, which read a norm of their own of what the layer is
// given: by a softmax, weights made to add up to 1.
// Source: Snowflake, "Snowflake Arctic", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true, .apart = true};
static const gw_decoder_traits traits = {
    .rope_paired = true, .no_window = true, .experts = &experts};

const gw_arch gw_arch_arctic = {
    .name = "arctic", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
