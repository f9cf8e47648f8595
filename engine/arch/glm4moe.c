// glm4moe: GLM 4.5 to 4.7, mixtures of experts.
//
// Half of a head turns; in some models heads of q and k are normed. The first layers have a feed-forward, the others
// experts by sigmoids, chosen with a bias, beside one that all tokens share. Layers for more tokens ahead are left out.
// Source: GLM-4.5 Team, "GLM-4.5: Agentic, Reasoning, and Coding Foundation Models", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits plain = {
    .no_window = true, .ffn_norm = "post_attention_norm", .experts = &experts};
static const gw_decoder_traits normed = {.no_window = true,
                                         .ffn_norm = "post_attention_norm",
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, gw_decoder_has_qk_norms(def) ? &normed : &plain, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_glm4moe = {.name = "glm4moe", .load = load, .build = gw_decoder_build};
