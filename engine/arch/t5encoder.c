// t5encoder: encoders of T5, mT5 and their kin alone.
//
// Norms in front; scores are not scaled, and have a number of a key's distance added; a feed-forward with a gate (gelu
// with tanh) or without (relu). The first T5's decoder reads what the encoder gives, and is not supported.
// Source: Raffel et al., "Exploring the Limits of Transfer Learning", 2019; GGUF tensor names.
#include "arch/decoder.h"

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

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { N_BUCKETS = 32 };
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    uint32_t n = 0;
    char key[96];
    const bool has_gate = gw_gguf_find_tensor(def->gguf, "enc.blk.0.ffn_gate.weight") != NULL;
    def->layers_in = "enc.";
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_gguf_require_u32(def->gguf,
                               gw_def_key(def, "attention.relative_buckets_count", key, sizeof key),
                               N_BUCKETS, N_BUCKETS, &n, err));
    GW_TRY(gw_decoder_load(def, has_gate ? &gated : &plain, &m, err));
    m->attn_scale = 1.0f;
    GW_TRY(gw_decoder_buckets(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_t5encoder = {
    .name = "t5encoder", .decoder = &gated, .load = load, .build = gw_decoder_build};
