// exaone4: EXAONE 4.
//
// llama with rope over halves of a head; what attention and feed-forward give is normed, not what they
// read; each head of q and k is normed before rope. Where some layers have a sliding window, only those
// turn queries and keys.
// Source: LG AI Research, "EXAONE 4.0", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .no_pre_norm = true, .post_norm = true, .qk_norm = GW_QK_NORM_HEAD};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 4 };
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_still_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_exaone4 = {.name = "exaone4", .load = load, .build = gw_decoder_build};
