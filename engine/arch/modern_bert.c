// modern_bert: ModernBERT and its kin (modern-bert).
//
//   x = norm(embedding[token])
//   each layer:  x += attention(norm(x));  x += Wdown (gelu(Wgate m) * (Wup m)), m = norm(x)
// Layer norms without biases, none in front of the first attention; every 3rd layer, from the first on,
// sees all of a text, the others what is near on either side, with a rope of their own (base 10,000).
// One tensor for q, k and v, one for gate and up.
// Source: Warner et al., "Smarter, Better, Faster, Longer", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/limits.h"
#include "base/status.h"

static const gw_decoder_traits gelu = {.both_ways = true,
                                       .layer_norm = true,
                                       .no_first_norm = true,
                                       .embd_norm = true,
                                       .fused_qkv = true,
                                       .fused_gate_up = true,
                                       .act = GW_ACT_GELU};
static const gw_decoder_traits silu = {.both_ways = true,
                                       .layer_norm = true,
                                       .no_first_norm = true,
                                       .embd_norm = true,
                                       .fused_qkv = true,
                                       .fused_gate_up = true,
                                       .act = GW_ACT_SILU};
enum { PERIOD = 3 };

static godwit_status choose_traits(const gw_model_def *def, const gw_decoder_traits **out,
                                   godwit_error *err) {
    char key[96];
    gw_str act;
    godwit_status status = gw_gguf_get_str(
        def->gguf, gw_def_key(def, "hidden_activation", key, sizeof key), &act, err);
    *out = &gelu;
    if (status != GODWIT_OK || !act.text || gw_str_eq(act, GW_STR("gelu"))) return status;
    *out = &silu;
    if (gw_str_eq(act, GW_STR("silu"))) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "key %s: '%.*s' is neither gelu nor silu", key,
                   GW_STR_ARG(act));
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_decoder_traits *traits = NULL;
    char key[96];
    uint32_t period = PERIOD;
    GW_TRY(choose_traits(def, &traits, err));
    GW_TRY(gw_hparams_read(def, err));
    gw_def_key(def, "attention.sliding_window_pattern", key, sizeof key);
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    if (value && value->type == GW_GGUF_ARRAY)
        GW_TRY(gw_decoder_windows(def, 0, err));
    else
        GW_TRY(gw_gguf_get_u32(def->gguf, key, 1, GW_MAX_LAYERS, PERIOD, &period, err));
    for (uint32_t i = 0; i < def->h.n_layer && !(value && value->type == GW_GGUF_ARRAY); i++)
        if (i % period == 0) def->h.layers[i].window = 0;
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_load(def, traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_modern_bert = {
    .name = "modern-bert", .decoder = &gelu, .load = load, .build = gw_decoder_build};
