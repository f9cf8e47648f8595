// starcoder: StarCoder and SantaCoder.
//
// gpt2 with one head of keys and values.
// Source: Li et al., "StarCoder: may the source be with you!", 2023; GGUF tensor names.
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

const gw_arch gw_arch_starcoder = {.name = "starcoder", .load = load, .build = gw_decoder_build};
