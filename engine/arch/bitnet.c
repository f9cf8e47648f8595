// bitnet: BitNet b1.58 of 2024.
//
// llama whose rope is over halves, and whose last products of attention and feed-forward read a norm. That weights are
// of three values is the number format's.
// Source: Ma et al., "The Era of 1-bit LLMs", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true, .sub_norm = true};

const gw_arch gw_arch_bitnet = {
    .name = "bitnet", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
