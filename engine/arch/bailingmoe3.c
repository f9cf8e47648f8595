// bailingmoe3: Ling 3.0.
//
// Most layers are a delta net with decays of rows that have a bound (kda.c), the others latent attention (mla.c) whose
// result is multiplied by a sigmoid for each head; experts by sigmoids, chosen in groups with a bias, weights made to
// add up to 1, beside one that all tokens share; first layers without. Source: Ling Team, "Ling 3.0", 2026; GGUF
// tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {.no_window = true,
                                         .mixer = &gw_mixer_kda_bound,
                                         .full_mixer = &gw_mixer_latent_attention,
                                         .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read_hybrid(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_decoder_cuts(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_bailingmoe3 = {
    .name = "bailingmoe3", .load = load, .build = gw_decoder_build};
