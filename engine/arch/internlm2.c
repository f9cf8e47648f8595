// internlm2: InternLM 2 and 2.5.
//
// llama.
// Source: Cai et al., "InternLM2 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.rope_paired = true};

const gw_arch gw_arch_internlm2 = {.name = "internlm2",
                                   .decoder = &traits,
                                   .load = gw_decoder_load_plain,
                                   .build = gw_decoder_build};
