// Hf layers: keys of a family that are a number for each layer, or that take arithmetic.
#include "convert/hf_family.h"

#include "base/host_math.h"
#include "base/limits.h"
#include "base/status.h"

static godwit_status set_array(gw_hf *hf, const char *key, gw_gguf_type type, const void *items,
                               uint64_t n, godwit_error *err) {
    char full[GW_HF_KEY_BYTES];
    return gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, key, full), type, items, n, err);
}

static bool is_local(const gw_hf *hf, uint64_t layer) {
    return gw_str_eq(gw_hf_layer_type(hf, layer), GW_STR("sliding_attention"));
}

// --- widths of feed-forwards ---------------------------------------------------------------------

// Of a folder whose width is not in its settings: that of the first layer's weights.
static uint64_t width_of_weights(const gw_hf *hf, const char *name) {
    const gw_st_tensor *t = gw_safetensors_find(hf->weights, name);
    return t && t->n_dims == 2 ? t->dims[0] : 0;
}

static godwit_status write_widths(gw_hf *hf, godwit_error *err) {
    static const char names[] = "intermediate_size_mlp|prefix_dense_intermediate_size|dense_"
                                "intermediate_size|intermediate_size|n_inner|"
                                "d_ff|ffn_hidden_size";
    godwit_status status = GODWIT_OK;
    int32_t widths[GW_MAX_LAYERS];
    const gw_json *node = gw_hf_setting(hf, names);
    uint64_t shared = 0;
    bool wider = false;
    if (node && node->type == GW_JSON_ARRAY) {
        uint32_t n = 0;
        for (const gw_json *item = node->first; item && n < hf->n_layer; item = item->next) {
            uint64_t width = 0;
            if (!gw_json_u64(item, &width) || width < 1 || width > GW_MAX_FF) break;
            widths[n++] = (int32_t)width;
        }
        if (n != hf->n_layer)
            GW_FAIL(err, GODWIT_MALFORMED, "intermediate_size: not a width for each layer");
        return set_array(hf, "feed_forward_length", GW_GGUF_I32, widths, n, err);
    }
    GW_TRY(gw_hf_size(hf, names, 4 * hf->n_embd, 1, GW_MAX_FF, &hf->n_ff, err));
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_LFM2, GW_HF_LFM2MOE))) {
        const uint64_t width = width_of_weights(hf, "model.layers.0.feed_forward.w1.weight");
        if (width) hf->n_ff = width;
    }
    gw_json_bool(gw_hf_setting(hf, "use_double_wide_mlp"), &wider);
    if (!gw_hf_in(hf, GW_HF_ONE(GEMMA4)) || !wider)
        return gw_hf_set_u32(hf, "feed_forward_length", hf->n_ff, err);
    GW_TRY(gw_hf_size(hf, "num_kv_shared_layers", 0, 0, hf->n_layer, &shared, err));
    for (uint64_t i = 0; i < hf->n_layer; i++) {
        widths[i] = (int32_t)(i < hf->n_layer - shared ? hf->n_ff : 2 * hf->n_ff);
    }
    GW_TRY(set_array(hf, "feed_forward_length", GW_GGUF_I32, widths, hf->n_layer, err));
done:
    return status;
}

// --- layers of several kinds ---------------------------------------------------------------------

static godwit_status write_pattern(gw_hf *hf, godwit_error *err) {
    bool local[GW_MAX_LAYERS];
    if (!(hf->family->flags & GW_HF_PATTERN) || !gw_hf_layer_type(hf, 0).text) return GODWIT_OK;
    for (uint64_t i = 0; i < hf->n_layer; i++) local[i] = is_local(hf, i);
    return set_array(hf, "attention.sliding_window_pattern", GW_GGUF_BOOL, local, hf->n_layer, err);
}

// Layers with a short convolution have no key heads.
static godwit_status write_convolutions(gw_hf *hf, godwit_error *err) {
    int32_t heads[GW_MAX_LAYERS];
    const gw_json *list = gw_hf_setting(hf, "full_attn_idxs");
    for (uint64_t i = 0; i < hf->n_layer; i++) {
        bool full = gw_str_eq(gw_hf_layer_type(hf, i), GW_STR("full_attention"));
        uint64_t at = 0;
        for (const gw_json *item = list ? list->first : NULL; item && !gw_hf_layer_type(hf, i).text;
             item = item->next) {
            full |= gw_json_u64(item, &at) && at == i;
        }
        heads[i] = full ? (int32_t)hf->n_head_kv : 0;
    }
    return set_array(hf, "attention.head_count_kv", GW_GGUF_I32, heads, hf->n_layer, err);
}

static godwit_status write_delta_net(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n_heads = 0, head = 0, interval = 4;
    GW_TRY(gw_hf_size(hf, "linear_num_value_heads", UINT64_MAX, 1, GW_MAX_HEADS, &n_heads, err));
    GW_TRY(gw_hf_size(hf, "linear_value_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &head, err));
    GW_TRY(gw_hf_size(hf, "full_attention_interval", 4, 1, GW_MAX_LAYERS, &interval, err));
    for (uint64_t i = 0; gw_hf_layer_type(hf, i).text && i < hf->n_layer; i++) {
        bool full = gw_str_eq(gw_hf_layer_type(hf, i), GW_STR("full_attention"));
        if (full == ((i + 1) % interval == 0)) continue;
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "layer_types: layer %llu is not as full_attention_interval %llu has it",
                (unsigned long long)i, (unsigned long long)interval);
    }
    GW_TRY(gw_hf_set_u32(hf, "ssm.inner_size", n_heads * head, err));
    GW_TRY(gw_hf_set_u32(hf, "full_attention_interval", interval, err));
done:
    return status;
}

// --- Gemma 3n, 4 ---------------------------------------------------------------------------------

// How many deviations from the middle a part p of a normal distribution lies below; p in (0, 1). The
// distribution is its series, e^(-x^2 / 2) (x + x^3 / 3 + x^5 / 15 + ...), the place found by halving.
static double normal_quantile(double p) {
    double low = -8, high = 8;
    for (int i = 0; i < 80; i++) {
        const double x = (low + high) / 2;
        double term = x, sum = x;
        for (int k = 1; k < 200; k++) {
            term = term * x * x / (2 * k + 1);
            sum = sum + term;
        }
        const double below = 0.5 + gw_host_exp(-x * x / 2) * 0.39894228040143267794 * sum;
        if (below < p) low = x;
        if (below >= p) high = x;
    }
    return (low + high) / 2;
}

// Absent: 0.95 in the first 10 layers, as the class has it.
static godwit_status write_sparsity(gw_hf *hf, godwit_error *err) {
    float scales[GW_MAX_LAYERS], none = -3e38f;
    const gw_json *list = gw_hf_setting(hf, "activation_sparsity_pattern");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    none *= 10.0f; // minus infinity
    for (uint64_t i = 0; i < hf->n_layer; i++, item = item ? item->next : NULL) {
        double p = list ? 0 : i < 10 ? 0.95 : 0;
        if (list && (!gw_json_f64(item ? item : list, &p) || p < 0 || p >= 1)) {
            return gw_fail(err, GODWIT_MALFORMED,
                           "activation_sparsity_pattern: layer %llu has no part in [0, 1)",
                           (unsigned long long)i);
        }
        scales[i] = p > 0 ? (float)normal_quantile(p) : none;
    }
    return set_array(hf, "activation_sparsity_scale", GW_GGUF_F32, scales, hf->n_layer, err);
}

static godwit_status write_gemma4(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t heads[GW_MAX_LAYERS];
    uint64_t wide = 0, n_wide = 0;
    GW_TRY(gw_hf_size(hf, "global_head_dim", UINT64_MAX, 2, GW_MAX_EMBD, &wide, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.key_length", wide, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.value_length", wide, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.key_length_swa", hf->head_dim, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.value_length_swa", hf->head_dim, err));
    GW_TRY(gw_hf_set_u32(hf, "rope.dimension_count", wide, err));
    GW_TRY(gw_hf_set_u32(hf, "rope.dimension_count_swa", hf->head_dim, err));
    GW_TRY(gw_hf_size(hf, "num_global_key_value_heads", 0, 0, GW_MAX_HEADS, &n_wide, err));
    if (n_wide) {
        for (uint64_t i = 0; i < hf->n_layer; i++)
            heads[i] = (int32_t)(is_local(hf, i) ? hf->n_head_kv : n_wide);
        GW_TRY(set_array(hf, "attention.head_count_kv", GW_GGUF_I32, heads, hf->n_layer, err));
    }
done:
    return status;
}

// --- others --------------------------------------------------------------------------------------

static godwit_status write_latents(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t rank = 0, turns = 0, still = 0;
    GW_TRY(gw_hf_size(hf, "kv_lora_rank", UINT64_MAX, 1, GW_MAX_EMBD, &rank, err));
    GW_TRY(gw_hf_size(hf, "qk_rope_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &turns, err));
    GW_TRY(gw_hf_size(hf, "qk_nope_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &still, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.key_length", rank + turns, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.value_length", rank, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.key_length_mla", still + turns, err));
done:
    return status;
}

// A number, or the first of those of all layers, which must be one.
static godwit_status same_everywhere(const gw_hf *hf, const char *name, uint64_t *out,
                                     godwit_error *err) {
    const gw_json *node = gw_hf_setting(hf, name);
    const gw_json *item = node && node->type == GW_JSON_ARRAY ? node->first : NULL;
    if (!item) return gw_hf_size(hf, name, UINT64_MAX, 1, GW_MAX_FF, out, err);
    uint64_t other = 0;
    bool same = gw_json_u64(item, out) && *out >= 1 && *out <= GW_MAX_FF;
    for (; item; item = item->next) same &= gw_json_u64(item, &other) && other == *out;
    return same ? GODWIT_OK
                : gw_fail(err, GODWIT_UNSUPPORTED, "%s: not the same number in all layers", name);
}

static godwit_status write_hunyuan_experts(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n = 0;
    GW_TRY(same_everywhere(hf, "moe_topk", &n, err));
    GW_TRY(gw_hf_set_u32(hf, "expert_used_count", n, err));
    GW_TRY(same_everywhere(hf, "moe_intermediate_size", &n, err));
    GW_TRY(gw_hf_set_u32(hf, "expert_feed_forward_length", n, err));
    GW_TRY(same_everywhere(hf, "num_shared_expert", &n, err));
    GW_TRY(gw_hf_set_u32(hf, "expert_shared_count", n, err));
    GW_TRY(gw_hf_set_u32(hf, "expert_shared_feed_forward_length", hf->n_ff, err));
done:
    return status;
}

// How many layers get what is seen added; text alone has nothing to add.
static godwit_status write_deepstack(gw_hf *hf, godwit_error *err) {
    const gw_json *list =
        gw_json_get(gw_json_get(hf->config, "vision_config"), "deepstack_visual_indexes");
    const uint32_t n = list && list->type == GW_JSON_ARRAY ? list->n : 0;
    return n ? gw_hf_set_u32(hf, "n_deepstack_layers", n, err) : GODWIT_OK;
}

// MiniCPM's, which GGUF has as granite's.
static godwit_status write_depths(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const double n = (double)hf->n_layer;
    double depth = 0, base = 0, root = n; // Newton's
    if (!gw_hf_number(hf, "scale_depth", &depth) || !gw_hf_number(hf, "dim_model_base", &base) ||
        !(depth > 0 && depth < 1e6 && base > 0 && base < 1e9)) {
        GW_FAIL(err, GODWIT_MALFORMED, "scale_depth, dim_model_base: not numbers above 0");
    }
    for (int i = 0; i < 60; i++) root = (root + n / root) / 2;
    GW_TRY(gw_hf_set_f32(hf, "residual_scale", depth / root, err));
    GW_TRY(gw_hf_set_f32(hf, "logit_scale", (double)hf->n_embd / base, err));
done:
    return status;
}

static godwit_status write_shared_width(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n = 0, width = 0;
    GW_TRY(gw_hf_size(hf, "num_shared_experts", UINT64_MAX, 0, 1024, &n, err));
    GW_TRY(gw_hf_size(hf, "moe_intermediate_size", UINT64_MAX, 1, GW_MAX_FF, &width, err));
    GW_TRY(gw_hf_size(hf, "moe_shared_expert_intermediate_size", n * width, 0, UINT32_MAX, &width,
                      err));
    GW_TRY(gw_hf_set_u32(hf, "expert_shared_feed_forward_length", width, err));
done:
    return status;
}

static const struct {
    gw_hf_set families;
    godwit_status (*write)(gw_hf *hf, godwit_error *err);
} layer_keys[] = {
    {GW_HF_BUT(GW_HF_NEMOTRONHS, GW_HF_MAMBA2, GW_HF_MAMBAS1), write_widths},
    {GW_HF_ANY, write_pattern},
    {GW_HF_OF(GW_HF_LFM2, GW_HF_LFM2MOE), write_convolutions},
    {GW_HF_OF(GW_HF_QWEN3NEXT, GW_HF_QWEN35, GW_HF_QWEN35MOE), write_delta_net},
    {GW_HF_ONE(MINICPM), write_depths},
    {GW_HF_OF(GW_HF_BAILING2, GW_HF_EXAONEMOE, GW_HF_HYV3), write_shared_width},
    {GW_HF_OF(GW_HF_MAMBAS), gw_hf_family_mamba},
    {GW_HF_OF(GW_HF_MAMBAS1, GW_HF_JAMBA), gw_hf_family_mamba1},
    {GW_HF_ONE(GEMMA3N), write_sparsity},
    {GW_HF_ONE(GEMMA4), write_gemma4},
    {GW_HF_OF(GW_HF_DEEPSEEKS, GW_HF_KIMI), write_latents},
    {GW_HF_ANY, gw_hf_family_heads},
    {GW_HF_ANY, write_deepstack},
    {GW_HF_ANY, gw_hf_family_words},
    {GW_HF_ONE(HUNYUANMOE), write_hunyuan_experts},
};

godwit_status gw_hf_family_layers(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < sizeof layer_keys / sizeof *layer_keys; i++) {
        if (gw_hf_in(hf, layer_keys[i].families)) GW_TRY(layer_keys[i].write(hf, err));
    }
    if (gw_hf_in(hf, GW_HF_ONE(LFM2MOE))) GW_TRY(gw_hf_set_u32(hf, "expert_gating_func", 2, err));
done:
    return status;
}
