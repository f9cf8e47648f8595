// minicpm3: MiniCPM3 4B.
//
// Latent attention whose heads have keys and values of their own in the cache (latent_heads.c); the scales of MiniCPM,
// for which its files have no keys.
// Source: Hu et al., "MiniCPM3-4B", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact.h"
#include "base/exact_math.h"
#include "base/status.h"

static const gw_decoder_traits traits = {.no_window = true, .mixer = &gw_mixer_latent_heads};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read_hybrid(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = 12.0f;
    m->residual_scale = gw_flush(1.4f * gw_rsqrt((float)def->h.n_layer));
    m->logit_scale = gw_div(256.0f, (float)def->h.n_embd);
done:
    return status;
}

const gw_arch gw_arch_minicpm3 = {.name = "minicpm3", .load = load, .build = gw_decoder_build};
