// qwen3vl: the language models of Qwen3-VL.
//
// qwen3. Of text alone all sections of the rope have one position, which is rope as usual; pictures, and
// what they add to the first layers, are not read.
// Source: Qwen Team, "Qwen3-VL", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true, .qk_norm = GW_QK_NORM_HEAD};

const gw_arch gw_arch_qwen3vl = {.name = "qwen3vl",
                                 .decoder = &traits,
                                 .load = gw_decoder_load_plain,
                                 .build = gw_decoder_build};
