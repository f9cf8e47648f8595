// ernie4_5: the dense models of ERNIE 4.5.
//
// llama by another name.
// Source: ERNIE Team, "ERNIE 4.5 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.rope_paired = true};

const gw_arch gw_arch_ernie4_5 = {.name = "ernie4_5",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
