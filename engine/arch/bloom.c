// bloom: BLOOM, BLOOMZ.
//
// Layer norms, one behind the embedding, too; biases; one tensor for q, k and v; scores are less by the distance of a
// key, as each head has it; gelu (with tanh) without a gate.
// Source: BigScience, "BLOOM", 2022; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .embd_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU_TANH,
                                         .still = true,
                                         .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_decoder_load_plain(def, err));
    GW_TRY(gw_decoder_slopes(def, 8.0f, def->family, err));
done:
    return status;
}

const gw_arch gw_arch_bloom = {
    .name = "bloom", .decoder = &traits, .load = load, .build = gw_decoder_build};
