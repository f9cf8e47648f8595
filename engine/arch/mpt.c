// mpt: MPT 7B and 30B.
//
// Layer norms; one tensor for q, k and v; scores are less by the distance of a key, as each head has it; gelu without
// a gate.
// Source: MosaicML, "MPT-7B", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .layer_norm = true, .no_gate = true, .act = GW_ACT_GELU, .still = true, .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    static const float most = 64.0f, most_clamp = 0x1p20f;
    godwit_status status = GODWIT_OK;
    float max_bias = 0.0f, clamp = 0.0f;
    char key[96];
    GW_TRY(gw_decoder_load_plain(def, err));
    GW_TRY(gw_decoder_key(def, "attention.max_alibi_bias", 0.0f, most, 0.0f, &max_bias, err));
    GW_TRY(gw_decoder_key(def, "attention.clamp_kqv", 0.0f, most_clamp, 0.0f, &clamp, err));
    if (max_bias == 0.0f || clamp != 0.0f) {
        const char *suffix = clamp != 0.0f ? "attention.clamp_kqv" : "attention.max_alibi_bias";
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %g is not supported",
                gw_def_key(def, suffix, key, sizeof key), (double)clamp);
    }
    GW_TRY(gw_decoder_slopes(def, max_bias, def->family, err));
done:
    return status;
}

const gw_arch gw_arch_mpt = {
    .name = "mpt", .decoder = &traits, .load = load, .build = gw_decoder_build};
