// mistral3: Mistral Small 3 and Ministral 3.
//
// llama with YaRN, and queries that grow with the logarithm of their position past the length that
// the model was first trained with.
// Source: Mistral AI, "Ministral 3", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};
static const float most = 16.0f;

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_key(def, "rope.scaling.yarn_log_multiplier", 0.0f, most, 0.0f,
                          &h->ropes[0].yarn_log_mul, err));
    GW_TRY(gw_decoder_key(def, "attention.temperature_scale", 0.0f, most, 0.0f, &h->q_scale, err));
    h->q_scale_length = h->ropes[0].ctx_orig;
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_mistral3 = {.name = "mistral3", .load = load, .build = gw_decoder_build};
