// gpt2: GPT-2 and its kin.
//
// Layer norms, biases everywhere, learned positions, one tensor for q, k and v, a feed-forward of one
// product, gelu (with tanh) and another.
// Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; GGUF tensor
// names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU_TANH,
                                         .fused_qkv = true,
                                         .learned_positions = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_gpt2 = {.name = "gpt2", .load = load, .build = gw_decoder_build};
