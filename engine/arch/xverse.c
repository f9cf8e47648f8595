// xverse: XVERSE.
//
// llama.
// Source: XVERSE Technology, "XVERSE-13B", 2023; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.rope_paired = true};

const gw_arch gw_arch_xverse = {
    .name = "xverse", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
