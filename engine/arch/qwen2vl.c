// qwen2vl: the language models of Qwen2-VL and Qwen2.5-VL, Qwen2.5-Omni's, too.
//
// qwen2. Of text alone all sections of the rope have one position, which is rope as usual; pictures are
// not read.
// Source: Bai et al., "Qwen2.5-VL Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true};

const gw_arch gw_arch_qwen2vl = {.name = "qwen2vl",
                                 .decoder = &traits,
                                 .load = gw_decoder_load_plain,
                                 .build = gw_decoder_build};
