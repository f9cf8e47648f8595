// kimi-linear: Kimi Linear.
//
// Three of four layers are a delta net with decays of rows (kda.c), the others latent attention (mla.c) that does
// not turn; experts by sigmoids, chosen with a bias, weights made to add up to 1, beside one that all tokens share;
// first layers without. Source: Kimi Team, "Kimi Linear", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {.no_window = true,
                                         .mixer = &gw_mixer_kda,
                                         .full_mixer = &gw_mixer_latent_attention,
                                         .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read_hybrid(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    def->h.ropes[0].still = true; // how many would turn is a size of its keys
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_kimi_linear = {
    .name = "kimi-linear", .load = load, .build = gw_decoder_build};
