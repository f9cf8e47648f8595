// glm4: GLM-4 (0414) and GLM-Z1.
//
// llama with half of a head turned, one tensor for gate and up, and norms behind attention and
// feed-forward as well.
// Source: GLM Team, "ChatGLM", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .rope_paired = true, .post_norm = true, .fused_gate_up = true};

const gw_arch gw_arch_glm4 = {
    .name = "glm4", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
