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
    GW_TRY(gw_decoder_cuts(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_step35 = {.name = "step35", .load = load, .build = gw_decoder_build};
