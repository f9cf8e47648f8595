// starcoder2: StarCoder 2.
//
// Layer norms, biases everywhere, rope over halves of a head, a feed-forward of one product, gelu (with
// tanh) and another.
// Source: Lozhkov et al., "StarCoder 2 and The Stack v2", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .layer_norm = true, .no_gate = true, .act = GW_ACT_GELU_TANH};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_starcoder2 = {.name = "starcoder2", .load = load, .build = gw_decoder_build};
