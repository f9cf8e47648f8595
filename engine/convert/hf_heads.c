// Hf heads: keys of families whose layers have heads of several kinds: laguna, step35, mimo2, kimi-linear.
#include "convert/hf_family.h"

#include "base/limits.h"
#include "base/status.h"

static godwit_status set_array(gw_hf *hf, const char *key, gw_gguf_type type, const void *items,
                               godwit_error *err) {
    char full[GW_HF_KEY_BYTES];
    return gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, key, full), type, items, hf->n_layer,
                                    err);
}

static bool is_local(const gw_hf *hf, uint64_t layer) {
    return gw_str_eq(gw_hf_layer_type(hf, layer), GW_STR("sliding_attention"));
}

// A whole number for each layer, of a list that has no fewer.
static godwit_status read_list(const gw_hf *hf, const char *name, uint64_t max,
                               int32_t out[GW_MAX_LAYERS], godwit_error *err) {
    const gw_json *list = gw_hf_setting(hf, name);
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    for (uint64_t i = 0; i < hf->n_layer; i++, item = item->next) {
        uint64_t number = 0;
        if (!item || !gw_json_u64(item, &number) || number > max) {
            return gw_fail(err, GODWIT_MALFORMED,
                           "%s: not a whole number up to %llu for each layer", name,
                           (unsigned long long)max);
        }
        out[i] = (int32_t)number;
    }
    return GODWIT_OK;
}

// How many of the first layers have a feed-forward.
static uint64_t first_dense(const gw_hf *hf) {
    const gw_json *list = gw_hf_setting(hf, "mlp_layer_types");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    uint64_t n = 0;
    for (; item && n < hf->n_layer && gw_json_is(item, "dense"); item = item->next) n++;
    return n;
}

// --- Laguna --------------------------------------------------------------------------------------

static godwit_status write_laguna(gw_hf *hf, godwit_error *err) {
    static const char each[] = "num_attention_heads_per_layer";
    godwit_status status = GODWIT_OK;
    int32_t heads[GW_MAX_LAYERS];
    double part = 1;
    const gw_json *local =
        gw_json_get(gw_hf_setting(hf, "rope_parameters|rope_scaling"), "sliding_attention");
    for (uint64_t i = 0; i < hf->n_layer; i++) heads[i] = (int32_t)hf->n_head;
    if (gw_hf_setting(hf, each)) GW_TRY(read_list(hf, each, GW_MAX_HEADS, heads, err));
    GW_TRY(set_array(hf, "attention.head_count", GW_GGUF_I32, heads, err));
    GW_TRY(gw_hf_set_u32(hf, "leading_dense_block_count", first_dense(hf), err));
    gw_json_f64(gw_json_get(local, "partial_rotary_factor"), &part);
    if (!(part > 0 && part <= 1))
        GW_FAIL(err, GODWIT_MALFORMED, "partial_rotary_factor: not in (0, 1]");
    if (local)
        GW_TRY(gw_hf_set_u32(hf, "rope.dimension_count_swa",
                             (uint64_t)((double)hf->head_dim * part), err));
done:
    return status;
}

// --- Step 3.5 ------------------------------------------------------------------------------------

// All of a head turns in layers with a window, half of it in the others.
static godwit_status check_turns(const gw_hf *hf, godwit_error *err) {
    const gw_json *list = gw_hf_setting(hf, "partial_rotary_factors");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    for (uint64_t i = 0; item && i < hf->n_layer; i++, item = item->next) {
        double part = 0;
        if (gw_json_f64(item, &part) && part == (is_local(hf, i) ? 1.0 : 0.5)) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "partial_rotary_factors: layer %llu has none of 1 with a window or 0.5 "
                       "without",
                       (unsigned long long)i);
    }
    return GODWIT_OK;
}

// Where gates are cut, a number for each layer, 0 or null: nowhere.
static godwit_status write_cuts(gw_hf *hf, const char *name, const char *key, godwit_error *err) {
    float cuts[GW_MAX_LAYERS] = {0};
    const gw_json *list = gw_hf_setting(hf, name);
    if (!list) return GODWIT_OK;
    const gw_json *item = list->type == GW_JSON_ARRAY ? list->first : NULL;
    for (uint64_t i = 0; item && i < hf->n_layer; i++, item = item->next) {
        double cut = 0;
        if (!gw_json_is_null(item) && (!gw_json_f64(item, &cut) || !(cut >= 0 && cut <= 1e6)))
            return gw_fail(err, GODWIT_MALFORMED, "%s: not numbers from 0 to 1e6", name);
        cuts[i] = (float)cut;
    }
    return set_array(hf, key, GW_GGUF_F32, cuts, err);
}

// "3,4,5": the layers with experts, of which all behind the first are.
static godwit_status write_first_experts(gw_hf *hf, godwit_error *err) {
    gw_str text = {0};
    uint64_t n = 0;
    size_t at = 0;
    gw_json_str(gw_hf_setting(hf, "moe_layers_enum"), &text);
    for (; at < text.n && text.text[at] >= '0' && text.text[at] <= '9' && n <= hf->n_layer; at++)
        n = 10 * n + (uint64_t)(text.text[at] - '0');
    if (n > hf->n_layer || (at < text.n && text.text[at] != ',')) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "moe_layers_enum: not numbers of layers with commas between them");
    }
    return gw_hf_set_u32(hf, "leading_dense_block_count", n, err);
}

static godwit_status write_step35(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t heads[GW_MAX_LAYERS], keys[GW_MAX_LAYERS];
    const gw_json *local = gw_hf_setting(hf, "attention_other_setting");
    uint64_t n_head = hf->n_head, n_keys = hf->n_head_kv;
    GW_TRY(check_turns(hf, err));
    gw_json_u64(gw_json_get(local, "num_attention_heads"), &n_head);
    gw_json_u64(gw_json_get(local, "num_attention_groups"), &n_keys);
    if (n_head < 1 || n_head > GW_MAX_HEADS || n_keys < 1 || n_keys > n_head)
        GW_FAIL(err, GODWIT_MALFORMED, "attention_other_setting: no numbers of heads");
    for (uint64_t i = 0; i < hf->n_layer; i++) {
        heads[i] = (int32_t)(is_local(hf, i) ? n_head : hf->n_head);
        keys[i] = (int32_t)(is_local(hf, i) ? n_keys : hf->n_head_kv);
    }
    GW_TRY(set_array(hf, "attention.head_count", GW_GGUF_I32, heads, err));
    GW_TRY(set_array(hf, "attention.head_count_kv", GW_GGUF_I32, keys, err));
    GW_TRY(write_first_experts(hf, err));
    GW_TRY(write_cuts(hf, "swiglu_limits", "swiglu_clamp_exp", err));
    GW_TRY(write_cuts(hf, "swiglu_limits_shared", "swiglu_clamp_shexp", err));
done:
    return status;
}

// --- MiMo V2 -------------------------------------------------------------------------------------

// Two settings that GGUF has one key for.
static godwit_status check_same(const gw_hf *hf, const char *a, const char *b, godwit_error *err) {
    double x = 0, y = 0;
    if (!gw_hf_number(hf, a, &x) || !gw_hf_number(hf, b, &y) || x == y) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "%s: %g; only %g, as %s, is supported", a, x, y, b);
}

static godwit_status write_mimo2(gw_hf *hf, godwit_error *err) {
    static const char *const same[][2] = {{"swa_head_dim", "head_dim"},
                                          {"swa_num_attention_heads", "num_attention_heads"},
                                          {"swa_v_head_dim", "v_head_dim"}};
    godwit_status status = GODWIT_OK;
    int32_t local[GW_MAX_LAYERS], keys[GW_MAX_LAYERS];
    uint64_t n_keys = 0, value = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        GW_TRY(check_same(hf, same[i][0], same[i][1], err));
    GW_TRY(gw_hf_size(hf, "swa_num_key_value_heads", UINT64_MAX, 1, hf->n_head, &n_keys, err));
    GW_TRY(gw_hf_size(hf, "v_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &value, err));
    GW_TRY(read_list(hf, "hybrid_layer_pattern", 1, local, err));
    for (uint64_t i = 0; i < hf->n_layer; i++)
        keys[i] = (int32_t)(local[i] ? n_keys : hf->n_head_kv);
    GW_TRY(set_array(hf, "attention.head_count_kv", GW_GGUF_I32, keys, err));
    GW_TRY(set_array(hf, "attention.sliding_window_pattern", GW_GGUF_I32, local, err));
    GW_TRY(gw_hf_set_u32(hf, "attention.value_length", value, err));
done:
    return status;
}

// --- Kimi Linear ---------------------------------------------------------------------------------

// Layers of attention have heads of keys: those that are on a list, counted from 1.
static godwit_status write_kimi(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t keys[GW_MAX_LAYERS] = {0};
    const gw_json *linear = gw_hf_setting(hf, "linear_attn_config");
    const gw_json *list = gw_json_get(linear, "full_attn_layers");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    uint64_t at = 0, taps = 0, head = 0, n_head = hf->n_head;
    for (; item; item = item->next) {
        if (!gw_json_u64(item, &at) || at < 1 || at > hf->n_layer)
            GW_FAIL(err, GODWIT_MALFORMED, "full_attn_layers: not numbers of layers");
        keys[at - 1] = 1;
    }
    if (!gw_json_u64(gw_json_get(linear, "short_conv_kernel_size"), &taps) || taps > 64 ||
        !gw_json_u64(gw_json_get(linear, "head_dim"), &head) || head > GW_MAX_EMBD)
        GW_FAIL(err, GODWIT_MALFORMED,
                "linear_attn_config: no short_conv_kernel_size and head_dim in it");
    gw_json_u64(gw_json_get(linear, "num_heads"), &n_head);
    if (n_head != hf->n_head)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "linear_attn_config: num_heads: only %llu is supported",
                (unsigned long long)hf->n_head);
    GW_TRY(set_array(hf, "attention.head_count_kv", GW_GGUF_I32, keys, err));
    GW_TRY(gw_hf_set_u32(hf, "ssm.conv_kernel", taps, err));
    GW_TRY(gw_hf_set_u32(hf, "kda.head_dim", head, err));
    // What the converter of others leaves of a setting that says nothing of latents.
    if (hf->says_head_dim) GW_TRY(gw_hf_set_u32(hf, "attention.value_length", hf->head_dim, err));
done:
    return status;
}

// -------------------------------------------------------------------------------------------------

godwit_status gw_hf_family_heads(gw_hf *hf, godwit_error *err) {
    switch (hf->family->id) {
    case GW_HF_LAGUNA:
        return write_laguna(hf, err);
    case GW_HF_STEP35:
        return write_step35(hf, err);
    case GW_HF_MIMO2:
        return write_mimo2(hf, err);
    case GW_HF_KIMI:
        return write_kimi(hf, err);
    default:
        return GODWIT_OK;
    }
}
