// falcon: Falcon 7B, 40B and 180B.
//
// Layer norms; attention and feed-forward side by side, of one norm or, in the larger ones, each of its
// own; one tensor for q, k and v; rope over halves; a feed-forward of one product, gelu and another.
// Source: Almazrouei et al., "The Falcon Series of Open Language Models", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits one = {.layer_norm = true,
                                      .parallel = true,
                                      .no_ffn_norm = true,
                                      .no_gate = true,
                                      .act = GW_ACT_GELU,
                                      .fused_qkv = true};
static const gw_decoder_traits two = {.layer_norm = true,
                                      .parallel = true,
                                      .attn_norm = "attn_norm_2",
                                      .ffn_norm = "attn_norm",
                                      .no_gate = true,
                                      .act = GW_ACT_GELU,
                                      .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool has_two = gw_gguf_find_tensor(def->gguf, "blk.0.attn_norm_2.weight") != NULL ||
                         gw_gguf_find_tensor(def->gguf, "blk.0.attn_norm_2.bias") != NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_load(def, has_two ? &two : &one, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_falcon = {.name = "falcon", .load = load, .build = gw_decoder_build};
