// command-r: Command R and R+, Aya 23 and Expanse.
//
// cohere2 without windows: all layers turn queries and keys, and see all keys. Command R+ norms heads of q and k by a
// weight for each head.
// Source: Cohere, "Command R", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.no_window = true,
                                         .rope_paired = true,
                                         .layer_norm = true,
                                         .parallel = true,
                                         .no_ffn_norm = true};
static const gw_decoder_traits normed = {.no_window = true,
                                         .rope_paired = true,
                                         .layer_norm = true,
                                         .parallel = true,
                                         .no_ffn_norm = true,
                                         .qk_norm = GW_QK_NORM_EACH};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    static const float most = 0x1p20f;
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, gw_decoder_has_qk_norms(def) ? &normed : &traits, &m, err));
    GW_TRY(gw_decoder_key(def, "logit_scale", 0.0f, most, 0.0f, &m->logit_scale, err));
done:
    return status;
}

const gw_arch gw_arch_command_r = {.name = "command-r", .load = load, .build = gw_decoder_build};
