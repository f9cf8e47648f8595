// glm4: GLM-4 (0414) and GLM-Z1.
//
// llama with half of a head turned, one tensor for gate and up, and norms behind attention and
// feed-forward as well.
// Source: GLM Team, "ChatGLM", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .rope_paired = true, .post_norm = true, .fused_gate_up = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_glm4 = {.name = "glm4", .load = load, .build = gw_decoder_build};
