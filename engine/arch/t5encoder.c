// t5encoder: encoders of T5, mT5 and their kin alone.
//
// Norms in front; scores are not scaled, and have a number of a key's distance added; a feed-forward with a gate (gelu
// with tanh) or without (relu).
// Source: Raffel et al., "Exploring the Limits of Transfer Learning", 2019; GGUF tensor names.
#include "arch/t5.h"

#include "base/status.h"

static const gw_decoder_traits gated = {.both_ways = true,
                                        .act = GW_ACT_GELU_TANH,
                                        .still = true,
                                        .attn_out = "attn_o",
                                        .output_norm = "enc.output_norm.weight"};
static const gw_decoder_traits plain = {.both_ways = true,
                                        .no_gate = true,
                                        .act = GW_ACT_RELU,
                                        .still = true,
                                        .attn_out = "attn_o",
                                        .output_norm = "enc.output_norm.weight"};

godwit_status gw_t5_load_encoder(gw_model_def *def, const gw_decoder *decoder, gw_decoder **out,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t n = 0;
    char key[96];
    const gw_decoder_traits *traits = gw_t5_has_gate(def) ? &gated : &plain;
    def->layers_in = "enc.";
    GW_TRY(gw_gguf_require_u32(def->gguf,
                               gw_def_key(def, "attention.relative_buckets_count", key, sizeof key),
                               GW_T5_BUCKETS, GW_T5_BUCKETS, &n, err));
    if (decoder)
        GW_TRY(gw_decoder_load_encoder(def, traits, decoder, out, err));
    else
        GW_TRY(gw_decoder_load(def, traits, out, err));
    (*out)->attn_scale = 1.0f;
    GW_TRY(gw_decoder_buckets(def, *out, err));
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    gw_decoder *m = NULL;
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_t5_load_encoder(def, NULL, &m, err) : status;
}

const gw_arch gw_arch_t5encoder = {
    .name = "t5encoder", .decoder = &gated, .load = load, .build = gw_decoder_build};
