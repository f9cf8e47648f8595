// Hf words: keys of families whose settings have names of their own: MPT, T5, ChatGLM, Apertus.
#include "convert/hf_family.h"

#include "base/limits.h"
#include "base/status.h"

#include <stdio.h>

// A number that must be one alone where it is there, since GGUF has no key for it.
static godwit_status must_be(const gw_hf *hf, const char *name, double value, godwit_error *err) {
    double is = value;
    gw_hf_number(hf, name, &is);
    if (is == value) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "%s: %g; only %g is supported in this family", name, is,
                   value);
}

// --- MPT -----------------------------------------------------------------------------------------

static godwit_status write_mpt(gw_hf *hf, godwit_error *err) {
    static const char *const nulls[] = {"softmax_scale", "qk_ln", "prefix_lm"};
    godwit_status status = GODWIT_OK;
    const gw_json *attention = gw_hf_setting(hf, "attn_config");
    double clamp = 0, bias = 8;
    bool alibi = true, set = false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        const gw_json *node = gw_json_get(attention, nulls[i]);
        const bool plain = gw_json_is_null(node) || (gw_json_bool(node, &set) && !set);
        if (!plain)
            GW_FAIL(err, GODWIT_UNSUPPORTED, "attn_config: %s is not supported in this family",
                    nulls[i]);
    }
    if (gw_hf_setting(hf, "logit_scale"))
        GW_FAIL(err, GODWIT_UNSUPPORTED, "logit_scale: only null is supported in this family");
    GW_TRY(must_be(hf, "expansion_ratio", 4, err));
    GW_TRY(must_be(hf, "embedding_fraction", 1, err));
    if (!gw_hf_setting(hf, "layer_norm_epsilon"))
        GW_TRY(gw_hf_set_f32(hf, "attention.layer_norm_epsilon", 1e-5, err));
    if (gw_json_f64(gw_json_get(attention, "clip_qkv"), &clamp))
        GW_TRY(gw_hf_set_f32(hf, "attention.clamp_kqv", clamp, err));
    gw_json_bool(gw_json_get(attention, "alibi"), &alibi);
    gw_json_f64(gw_json_get(attention, "alibi_bias_max"), &bias);
    GW_TRY(gw_hf_set_f32(hf, "attention.max_alibi_bias", alibi ? bias : 0, err));
done:
    return status;
}

// --- T5 ------------------------------------------------------------------------------------------

static godwit_status write_t5(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str act = GW_STR("relu");
    double eps = 1e-6;
    uint64_t n = 0;
    gw_json_str(gw_hf_setting(hf, "feed_forward_proj"), &act);
    if (!gw_str_eq(act, GW_STR("relu")) && !gw_str_eq(act, GW_STR("gated-gelu"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "feed_forward_proj: %.*s; relu and gated-gelu belong to this family",
                GW_STR_ARG(act));
    }
    GW_TRY(must_be(hf, "relative_attention_max_distance", 128, err));
    GW_TRY(gw_hf_size(hf, "relative_attention_num_buckets", 32, 2, 4096, &n, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.relative_buckets_count", n, err));
    gw_hf_number(hf, "layer_norm_epsilon", &eps);
    GW_TRY(gw_hf_set_f32(hf, "attention.layer_norm_epsilon", eps, err));
    GW_TRY(gw_hf_set_f32(hf, "attention.layer_norm_rms_epsilon", eps, err));
    if (hf->family->id == GW_HF_T5ENCODER) return GODWIT_OK;
    GW_TRY(gw_hf_size(hf, "num_decoder_layers", hf->n_layer, 1, GW_MAX_LAYERS, &n, err));
    GW_TRY(gw_hf_set_u32(hf, "decoder_block_count", n, err));
    GW_TRY(gw_hf_size(hf, "decoder_start_token_id", 0, 0, GW_MAX_VOCAB, &n, err));
    GW_TRY(gw_hf_set_u32(hf, "decoder_start_token_id", n, err));
done:
    return status;
}

// --- ChatGLM -------------------------------------------------------------------------------------

static godwit_status check_chatglm(const gw_hf *hf, godwit_error *err) {
    return must_be(hf, "kv_channels", (double)hf->head_dim, err);
}

// --- Apertus -------------------------------------------------------------------------------------

static godwit_status read_number(const gw_st_tensor *t, float *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint8_t scratch[4];
    const uint8_t *bytes = NULL;
    if (t->n_elements != 1 || t->type->gguf < 0)
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: not one number", t->name);
    GW_TRY(gw_source_view(&t->source, 0, t->bytes, scratch, &bytes, err));
    gw_format_dequantize(gw_format_find((uint32_t)t->type->gguf), bytes, 1, out);
done:
    return status;
}

// xielu's numbers, tensors of each layer; the last two are the same everywhere, and not in older files.
static godwit_status write_xielu(gw_hf *hf, godwit_error *err) {
    static const struct {
        const char *name;
        float fallback; // 0: there is none
    } numbers[] = {{"alpha_p", 0.0f}, {"alpha_n", 0.0f}, {"beta", 0.5f}, {"eps", -1e-6f}};
    godwit_status status = GODWIT_OK;
    float all[GW_MAX_LAYERS];
    char name[96];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (uint64_t layer = 0; layer < hf->n_layer; layer++) {
            snprintf(name, sizeof name, "model.layers.%llu.mlp.act_fn.%s",
                     (unsigned long long)layer, numbers[i].name);
            const gw_st_tensor *t = gw_safetensors_find(hf->weights, name);
            all[layer] = numbers[i].fallback;
            if (t) GW_TRY(read_number(t, &all[layer], err));
            if (!t && all[layer] == 0.0f)
                GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", name);
        }
        snprintf(name, sizeof name, "xielu.%s", numbers[i].name);
        GW_TRY(gw_gguf_writer_set_array(hf->writer, name, GW_GGUF_F32, all, hf->n_layer, err));
    }
done:
    return status;
}

// -------------------------------------------------------------------------------------------------

godwit_status gw_hf_family_words(gw_hf *hf, godwit_error *err) {
    switch (hf->family->id) {
    case GW_HF_MPT:
        return write_mpt(hf, err);
    case GW_HF_T5:
    case GW_HF_T5ENCODER:
        return write_t5(hf, err);
    case GW_HF_CHATGLM:
        return check_chatglm(hf, err);
    case GW_HF_APERTUS:
        return write_xielu(hf, err);
    default:
        return GODWIT_OK;
    }
}
