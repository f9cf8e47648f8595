// exaone-moe: K-EXAONE.
//
// llama with head norms; where some layers have a sliding window, only those turn queries and keys, over
// halves. The first layers have a feed-forward, the others experts by sigmoids, chosen with a bias, beside
// one that all tokens share. Layers for more tokens ahead are left out.
// Source: LG AI Research, "K-EXAONE", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {.qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

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

const gw_arch gw_arch_exaone_moe = {.name = "exaone-moe", .load = load, .build = gw_decoder_build};
