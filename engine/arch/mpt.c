// mpt: MPT 7B and 30B.
//
// Layer norms; one tensor for q, k and v; scores are less by the distance of a key, as each head has it; gelu without
// a gate; q, k and v are cut to a limit, where a key says so.
// Source: MosaicML, "MPT-7B", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.layer_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU,
                                         .still = true,
                                         .clips = true,
                                         .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    static const float most = 64.0f;
    godwit_status status = GODWIT_OK;
    float max_bias = 0.0f;
    char key[96];
    GW_TRY(gw_decoder_load_plain(def, err));
    GW_TRY(gw_decoder_key(def, "attention.max_alibi_bias", 0.0f, most, 0.0f, &max_bias, err));
    if (max_bias == 0.0f) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: 0 is not supported",
                gw_def_key(def, "attention.max_alibi_bias", key, sizeof key));
    }
    GW_TRY(gw_decoder_slopes(def, max_bias, def->family, err));
done:
    return status;
}

const gw_arch gw_arch_mpt = {
    .name = "mpt", .decoder = &traits, .load = load, .build = gw_decoder_build};
