// step35: StepFun's Step 3.5 and 3.7 Flash.
//
// Head norms; layers with a sliding window have heads of another number, all of which turns, by a rope of their own; of
// the others half turns. What attention gives is multiplied by a sigmoid for each head. The first layers have a
// feed-forward, the others experts by sigmoids, chosen with a bias, beside one that all tokens share; in some layers
// what their gates give is cut. Layers for more tokens ahead are left out.
// Source: StepFun, "Step 3.5 Flash", 2026; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .qk_norm = GW_QK_NORM_HEAD, .gate = GW_GATE_SIGMOID, .experts = &experts};

// A number for each layer; 0: none.
static godwit_status read_cuts(const gw_model_def *def, const char *suffix, uint32_t layer,
                               float *out, godwit_error *err) {
    char key[96];
    const gw_gguf_value *value = gw_gguf_find(def->gguf, gw_def_key(def, suffix, key, sizeof key));
    double cut = 0.0;
    if (!value) return GODWIT_OK;
    if (value->n_items < def->h.n_layer)
        return gw_fail(err, GODWIT_MALFORMED, "key %s: %llu items for %u layers", key,
                       (unsigned long long)value->n_items, def->h.n_layer);
    godwit_status status = gw_gguf_item_f64(value, layer, &cut, err);
    if (status == GODWIT_OK && !(cut >= 0.0 && cut <= 1e6))
        return gw_fail(err, GODWIT_MALFORMED, "key %s: item %u is %g, must be 0 to 1e6", key, layer,
                       cut);
    *out = (float)cut;
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_swa_rotations(def, def->h.ropes[0].n_rot, err));
    def->h.ropes[0].n_rot =
        def->h.ropes[0].n_rot / 4 * 2; // the key is that of layers with a window
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        GW_TRY(read_cuts(def, "swiglu_clamp_exp", i, &m->experts[i].cut, err));
        GW_TRY(read_cuts(def, "swiglu_clamp_shexp", i, &m->experts[i].shared_cut, err));
        m->layers[i].cut = m->experts[i].shared_cut;
    }
done:
    return status;
}

const gw_arch gw_arch_step35 = {.name = "step35", .load = load, .build = gw_decoder_build};
