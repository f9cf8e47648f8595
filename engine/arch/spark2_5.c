// spark2_5: XHToken's Spark X2.5.
//
// Most layers have a sliding window and a rope of their own, by which another part of a head may turn; what attention
// gives is multiplied by a sigmoid for each head; gelu. Source: XHToken, "Spark-X2.5", 2026; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .fused_qkv = true, .gate = GW_GATE_SIGMOID, .act = GW_ACT_GELU};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_swa_rotations(def, def->h.ropes[0].n_rot, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_spark2_5 = {.name = "spark2_5", .load = load, .build = gw_decoder_build};
