// deepseek2: DeepSeek V2, V3 and R1, Kimi K2, GLM-4.7-Flash.
//
// Latent attention (mla.c) with YaRN; the first layers have a feed-forward, the others experts by a softmax or by
// sigmoids, chosen with a bias, in groups, beside one that all tokens share. Mistral Large 3 is one whose queries grow
// with the logarithm of their position. Layers for more tokens ahead are left out.
// Source: DeepSeek-AI, "DeepSeek-V2" and "DeepSeek-V3", 2024; GGUF tensor names.
#include "arch/deepseek2.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .by_keys = true};
static const gw_decoder_traits traits = {
    .no_window = true, .mixer = &gw_mixer_latent_attention, .experts = &experts};

godwit_status gw_deepseek2_load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float by = 0.0f;
    gw_hparams *h = &def->h;
    char key[96];
    GW_TRY(gw_hparams_read_hybrid(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    // Where scores are sharper by themselves, q and k are not.
    GW_TRY(gw_decoder_key(def, "rope.scaling.yarn_log_multiplier", 0.0f, 16.0f, 0.0f, &by, err));
    h->ropes[0].yarn_log_mul = by > 0.0f ? 1.0f : 0.0f;
    GW_TRY(gw_decoder_key(def, "attention.temperature_scale", 0.0f, 16.0f, 0.0f, &h->q_scale, err));
    gw_def_key(def, "attention.temperature_length", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, 1, GW_MAX_CTX, h->ropes[0].ctx_orig, &h->q_scale_length,
                           err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_deepseek2 = {
    .name = "deepseek2", .load = gw_deepseek2_load, .build = gw_decoder_build};
