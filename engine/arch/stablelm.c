// stablelm: StableLM 3B, 2 1.6B and 2 12B.
//
// Layer norms; part of a head turns, over halves; biases on q, k and v. The 12B model has attention and
// feed-forward side by side, of one norm, and each head of q and k is normed by weights of its own.
// Source: Bellagente et al., "Stable LM 2 1.6B Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits behind = {.layer_norm = true};
static const gw_decoder_traits beside = {.layer_norm = true, .parallel = true, .no_ffn_norm = true};
static const gw_decoder_traits normed = {.layer_norm = true, .qk_norm = GW_QK_NORM_EACH};
static const gw_decoder_traits normed_beside = {
    .layer_norm = true, .parallel = true, .no_ffn_norm = true, .qk_norm = GW_QK_NORM_EACH};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool parallel = false;
    char key[64];
    GW_TRY(gw_hparams_read(def, err));
    gw_def_key(def, "use_parallel_residual", key, sizeof key);
    GW_TRY(gw_gguf_get_bool(def->gguf, key, false, &parallel, err));
    const bool large = gw_decoder_has_qk_norms(def);
    const gw_decoder_traits *plain = parallel ? &beside : &behind;
    GW_TRY(gw_decoder_load(def, large ? parallel ? &normed_beside : &normed : plain, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_stablelm = {.name = "stablelm", .load = load, .build = gw_decoder_build};
