// Hf words: keys of families whose settings have names of their own: MPT, T5, ChatGLM, Apertus, Llama 4,
// Baichuan, MiniCPM3, DBRX.
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

// --- Llama 4 -------------------------------------------------------------------------------------

// Whether no layer sees a part of the text only.
static bool sees_all(const gw_hf *hf) {
    uint64_t i = 0;
    while (gw_str_eq(gw_hf_layer_type(hf, i), GW_STR("full_attention"))) i++;
    return i == hf->n_layer;
}

// One layer of four sees all, and does not turn; GGUF has no key for another number.
static godwit_status check_still_layers(const gw_hf *hf, godwit_error *err) {
    const gw_json *list = gw_hf_setting(hf, "no_rope_layers");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    double turns = 0;
    for (uint64_t i = 0; item && i < hf->n_layer; i++, item = item->next) {
        if (gw_json_f64(item, &turns) && (turns == 0) == ((i + 1) % 4 == 0)) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED, "no_rope_layers: only every fourth is supported");
    }
    return GODWIT_OK;
}

// Chunks, and queries that grow: keys that llama.cpp's converter leaves out, whose numbers are Scout's.
static godwit_status write_llama4(gw_hf *hf, godwit_error *err) {
    enum { MAVERICK = 128 }; // known by its experts: the one whose heads are not normed
    godwit_status status = GODWIT_OK;
    uint64_t chunk = 0, length = 0;
    double n_experts = 0, scale = 0.1;
    bool grows = true, normed = true;
    gw_hf_number(hf, "num_local_experts", &n_experts);
    if (gw_json_bool(gw_hf_setting(hf, "use_qk_norm"), &normed) &&
        normed == (n_experts == MAVERICK)) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "use_qk_norm: %s is not supported with %g experts",
                normed ? "true" : "false", n_experts);
    }
    if (sees_all(hf)) return gw_hf_set_u32(hf, "attention.sliding_window", 0, err);
    GW_TRY(check_still_layers(hf, err));
    GW_TRY(gw_hf_size(hf, "attention_chunk_size", 8192, 1, GW_MAX_CTX, &chunk, err));
    GW_TRY(gw_hf_size(hf, "floor_scale", 8192, 1, GW_MAX_CTX, &length, err));
    gw_hf_number(hf, "attn_scale", &scale);
    gw_json_bool(gw_hf_setting(hf, "attn_temperature_tuning"), &grows);
    if (!(scale >= 0 && scale <= 16))
        GW_FAIL(err, GODWIT_MALFORMED, "attn_scale: not a number from 0 to 16");
    GW_TRY(gw_hf_set_u32(hf, "attention.sliding_window", chunk, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.temperature_length", length, err));
    GW_TRY(gw_hf_set_f32(hf, "attention.temperature_scale", grows ? scale : 0, err));
done:
    return status;
}

// --- Baichuan ------------------------------------------------------------------------------------

static godwit_status check_baichuan(const gw_hf *hf, godwit_error *err) {
    if (!gw_hf_setting(hf, "z_loss_weight")) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "z_loss_weight: Baichuan 2 makes rows of lm_head.weight as long as 1 when it "
                   "runs; make them so in the folder, and remove this setting");
}

// --- MiniCPM3 ------------------------------------------------------------------------------------

// The scales of the one model there is, for which GGUF has no keys.
static godwit_status write_minicpm3(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t turns = 0, still = 0;
    GW_TRY(must_be(hf, "scale_emb", 12, err));
    GW_TRY(must_be(hf, "scale_depth", 1.4, err));
    GW_TRY(must_be(hf, "dim_model_base", 256, err));
    GW_TRY(gw_hf_size(hf, "qk_rope_head_dim", UINT64_MAX, 2, GW_MAX_EMBD, &turns, err));
    GW_TRY(gw_hf_size(hf, "qk_nope_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &still, err));
    GW_TRY(must_be(hf, "v_head_dim", (double)(hf->n_embd / hf->n_head), err));
    GW_TRY(gw_hf_set_u32(hf, "attention.key_length", still + turns, err));
    hf->head_dim = turns; // what has factors
done:
    return status;
}

// --- DBRX ----------------------------------------------------------------------------------------

static godwit_status check_dbrx(const gw_hf *hf, godwit_error *err) {
    gw_str act = GW_STR("silu");
    gw_json_str(gw_json_get(gw_hf_setting(hf, "ffn_act_fn"), "name"), &act);
    if (!gw_str_eq(act, GW_STR("silu")))
        return gw_fail(err, GODWIT_UNSUPPORTED, "ffn_act_fn: only silu belongs to this family");
    return must_be(hf, "moe_normalize_expert_weights", 1, err);
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
    case GW_HF_LLAMA4:
        return write_llama4(hf, err);
    case GW_HF_MINICPM3:
        return write_minicpm3(hf, err);
    case GW_HF_DBRX:
        return check_dbrx(hf, err);
    case GW_HF_BAICHUAN:
        return check_baichuan(hf, err);
    default:
        return GODWIT_OK;
    }
}
