// mimo2: Xiaomi's MiMo V2.
//
// Part of a head turns; heads of values are shorter than those of keys, and scaled; layers with a sliding window have
// more key heads, sinks and a rope of their own. The first layers have a feed-forward, the others experts by sigmoids,
// chosen with a bias. Layers for more tokens ahead are left out.
// Source: Xiaomi, "MiMo-V2-Flash", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .short_values = true, .some_sinks = true, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    static const float most = 0x1p10f;
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    float scale = 1.0f;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_decoder_key(def, "attention.value_scale", 0.0f, most, 1.0f, &scale, err));
    if (scale != 1.0f) m->v_scale = scale;
done:
    return status;
}

const gw_arch gw_arch_mimo2 = {
    .name = "mimo2", .decoder = &traits, .load = load, .build = gw_decoder_build};
