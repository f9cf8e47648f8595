// chatglm: ChatGLM 2 and 3, GLM-4 9B of 2024, GLM-Edge.
//
// llama; half of a head turns, over neighbours; one tensor for gate and up, in most files one for q, k and
// v with its bias.
// Source: GLM Team, "ChatGLM", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.rope_paired = true, .fused_gate_up = true};

const gw_arch gw_arch_chatglm = {.name = "chatglm",
                                 .decoder = &traits,
                                 .load = gw_decoder_load_plain,
                                 .build = gw_decoder_build};
