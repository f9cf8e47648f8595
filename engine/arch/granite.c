// granite: the dense models of Granite 3 and 4.
//
// llama with numbers that embeddings, scores and what layers add to x are multiplied by, and one that
// logits are divided by.
// Source: Granite Team, "Granite 3.0 Language Models", 2024; GGUF tensor names.
#include "arch/granite.h"

#include "base/exact_math.h"
#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};
static const float most = 0x1p20f;

godwit_status gw_granite_numbers(const gw_model_def *def, gw_decoder *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float divisor = 0.0f;
    GW_TRY(gw_decoder_key(def, "embedding_scale", 0.0f, most, 0.0f, &m->embd_scale, err));
    GW_TRY(gw_decoder_key(def, "residual_scale", 0.0f, most, 0.0f, &m->residual_scale, err));
    GW_TRY(gw_decoder_key(def, "attention.scale", 0.0f, most, 0.0f, &m->attn_scale, err));
    GW_TRY(gw_decoder_key(def, "logit_scale", 0.0f, most, 0.0f, &divisor, err));
    if (divisor != 0.0f) m->logit_scale = gw_div(1.0f, divisor);
done:
    return status;
}

godwit_status gw_granite_load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_load(def, def->arch->decoder, &m, err));
    GW_TRY(gw_granite_numbers(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_granite = {
    .name = "granite", .decoder = &traits, .load = gw_granite_load, .build = gw_decoder_build};
