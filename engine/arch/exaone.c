// exaone: EXAONE 3 and 3.5, EXAONE Deep.
//
// llama with rope over halves of a head.
// Source: LG AI Research, "EXAONE 3.5", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true};

const gw_arch gw_arch_exaone = {
    .name = "exaone", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
