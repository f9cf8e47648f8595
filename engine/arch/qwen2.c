// qwen2: the family of Qwen 1.5 to 2.5 and of what is distilled into them.
//
// llama with biases on q, k and v, and rope over halves of a head. A sliding window of its
// configuration is not used by any published model, and GGUF has no key for where it would begin.
// Source: Yang et al., "Qwen2 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true};

const gw_arch gw_arch_qwen2 = {
    .name = "qwen2", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
