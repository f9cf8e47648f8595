// olmo: OLMo 1 and 1.7.
//
// llama with layer norms that have no weights; queries, keys and values are cut to a limit, where a key says so.
// Source: Groeneveld et al., "OLMo", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .rope_paired = true, .layer_norm = true, .plain_norms = true, .no_window = true, .clips = true};

const gw_arch gw_arch_olmo = {
    .name = "olmo", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
