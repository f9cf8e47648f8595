// cohere2: Command R7B, Command A.
//
// Layer norms without biases; attention and feed-forward side by side, of one norm; three of four
// layers with a sliding window, which alone turn queries and keys; scaled logits.
// Source: Cohere, "Command A", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .rope_paired = true, .layer_norm = true, .parallel = true, .no_ffn_norm = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 4 };
    static const float most = 0x1p20f;
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_still_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_decoder_key(def, "logit_scale", 0.0f, most, 0.0f, &m->logit_scale, err));
done:
    return status;
}

const gw_arch gw_arch_cohere2 = {.name = "cohere2", .load = load, .build = gw_decoder_build};
