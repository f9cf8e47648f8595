// qwen3: the dense models of Qwen 3.
//
// qwen2 without biases; each head of q and k is normed before rope.
// Source: Yang et al., "Qwen3 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.no_window = true, .qk_norm = GW_QK_NORM_HEAD};

const gw_arch gw_arch_qwen3 = {
    .name = "qwen3", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
