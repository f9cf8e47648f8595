// minicpm: MiniCPM 1 and 2.
//
// granite. Files without its numbers mean the first model's.
// Source: Hu et al., "MiniCPM", 2024; GGUF tensor names.
#include "arch/granite.h"

#include "base/exact_math.h"
#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_granite_load(def, err));
    m = def->family;
    if (m->embd_scale == 0.0f) m->embd_scale = 12.0f;
    if (m->residual_scale == 0.0f)
        m->residual_scale = gw_flush(1.4f * gw_rsqrt((float)def->h.n_layer));
    if (m->logit_scale == 0.0f) m->logit_scale = gw_div(256.0f, (float)def->h.n_embd);
done:
    return status;
}

const gw_arch gw_arch_minicpm = {
    .name = "minicpm", .decoder = &traits, .load = load, .build = gw_decoder_build};
