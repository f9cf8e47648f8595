// laguna: Poolside's Laguna XS and M.
//
// Head norms; three of four layers, the first of them not, with a sliding window, heads of another number, and a rope of
// their own; what attention gives is multiplied by softplus gates of what it reads, one for each head or one for each
// number. The first layers have a feed-forward, the others experts by sigmoids, chosen with a bias, beside one that all
// tokens share. Source: Poolside, "Laguna", 2026; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .qk_norm = GW_QK_NORM_HEAD, .gate = GW_GATE_SOFTPLUS, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 4 };
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows_behind(def, PERIOD, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_swa_rotations(def, def->h.ropes[0].n_rot, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_laguna = {.name = "laguna", .load = load, .build = gw_decoder_build};
