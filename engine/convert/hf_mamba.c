// Hf mamba: keys and tensors of models with Mamba 2 (mamba2, granitehybrid, falcon-h1, nemotron_h) and with
// Mamba 1 (mamba, jamba).
#include "convert/hf_map.h"

#include "base/limits.h"
#include "base/status.h"

// --- keys ----------------------------------------------------------------------------------------

static bool turns(const gw_hf *hf) {
    return gw_json_is(gw_hf_setting(hf, "position_embedding_type"), "rope");
}

bool gw_hf_has_no_end(const gw_hf *hf) {
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_GRANITEHYBS))) return !turns(hf);
    return gw_hf_in(hf, GW_HF_OF(GW_HF_NEMOTRONHS, GW_HF_MAMBA2, GW_HF_MAMBAS1));
}

bool gw_hf_has_heads(const gw_hf *hf) {
    return !gw_hf_in(hf, GW_HF_OF(GW_HF_MAMBA2, GW_HF_MAMBAS1));
}

// [0, infinity), where it is written.
static godwit_status check_time_steps(const gw_hf *hf, godwit_error *err) {
    const gw_json *limits = gw_hf_setting(hf, "time_step_limit");
    const gw_json *low = limits && limits->type == GW_JSON_ARRAY ? limits->first : NULL;
    double number = 0;
    if (!low) return GODWIT_OK;
    const bool from = gw_json_f64(low, &number) && number == 0,
               to = low->next && gw_json_f64(low->next, &number) && number < 1e30;
    if (from && !to) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "time_step_limit: only [0, Infinity] is supported");
}

static godwit_status read_inner(gw_hf *hf, uint64_t *inner, uint64_t *n_heads, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t head = 0, expand = 0;
    *inner = *n_heads = 0;
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_NEMOTRONHS))) {
        GW_TRY(gw_hf_size(hf, "mamba_num_heads", UINT64_MAX, 1, GW_MAX_HEADS, n_heads, err));
        GW_TRY(gw_hf_size(hf, "mamba_head_dim", UINT64_MAX, 1, GW_MAX_EMBD, &head, err));
        *inner = *n_heads * head;
        return GODWIT_OK;
    }
    if (gw_hf_in(hf, GW_HF_ONE(FALCONH1)))
        GW_TRY(gw_hf_size(hf, "mamba_d_ssm", 0, 0, GW_MAX_EMBD, inner, err));
    if (!*inner) {
        GW_TRY(gw_hf_size(hf, "mamba_expand|expand", UINT64_MAX, 1, 64, &expand, err));
        *inner = expand * hf->n_embd;
    }
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_GRANITEHYBS)))
        return gw_hf_size(hf, "mamba_n_heads", UINT64_MAX, 1, GW_MAX_HEADS, n_heads, err);
    GW_TRY(gw_hf_size(hf, gw_hf_in(hf, GW_HF_ONE(MAMBA2)) ? "head_dim" : "mamba_d_head", UINT64_MAX,
                      1, GW_MAX_EMBD, &head, err));
    *n_heads = *inner / head;
done:
    return status;
}

// What a layer is: 'M' Mamba 2, '*' attention, '-' a feed-forward, 'E' experts; 0: nothing known.
static char layer_of(const gw_hf *hf, uint64_t layer) {
    static const struct {
        const char *name;
        char kind;
    } names[] = {{"mamba", 'M'},     {"linear_attention", 'M'},
                 {"attention", '*'}, {"full_attention", '*'},
                 {"mlp", '-'},       {"moe", 'E'}};
    gw_str text = {0};
    const gw_json *list =
        gw_hf_setting(hf, "hybrid_override_pattern|layers_block_type|layer_types");
    if (list && gw_json_str(list, &text))
        return layer < text.n && strchr("M*-E", text.text[layer]) ? text.text[layer] : 0;
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    while (layer-- > 0 && item) item = item->next;
    for (size_t i = 0; item && i < sizeof names / sizeof *names; i++) {
        if (gw_json_is(item, names[i].name)) return names[i].kind;
    }
    return 0;
}

static godwit_status write_layers(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t heads[GW_MAX_LAYERS], widths[GW_MAX_LAYERS];
    char key[GW_HF_KEY_BYTES];
    const bool moe = gw_hf_in(hf, GW_HF_ONE(NEMOTRONHMOE)),
               nemotron = gw_hf_in(hf, GW_HF_OF(GW_HF_NEMOTRONHS));
    uint64_t width = 0;
    if (nemotron)
        GW_TRY(gw_hf_size(hf, moe ? "moe_intermediate_size" : "intermediate_size", UINT64_MAX, 1,
                          GW_MAX_FF, &width, err));
    for (uint64_t i = 0; i < hf->n_layer; i++) {
        const char kind = layer_of(hf, i);
        const bool known = kind == 'M' || kind == '*' || (nemotron && kind == (moe ? 'E' : '-'));
        if (!known)
            GW_FAIL(err, GODWIT_UNSUPPORTED, "%s: layer %llu is none of this family",
                    nemotron ? "hybrid_override_pattern" : "layer_types", (unsigned long long)i);
        heads[i] = kind == '*' ? (int32_t)hf->n_head_kv : 0;
        widths[i] = kind == '-' || kind == 'E' ? (int32_t)width : 0;
    }
    GW_TRY(gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, "attention.head_count_kv", key),
                                    GW_GGUF_I32, heads, hf->n_layer, err));
    if (nemotron)
        GW_TRY(gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, "feed_forward_length", key),
                                        GW_GGUF_I32, widths, hf->n_layer, err));
    const bool turn = !nemotron && turns(hf);
    GW_TRY(gw_gguf_writer_set_number(hf->writer, gw_hf_key(hf, "rope.scaling.finetuned", key),
                                     GW_GGUF_BOOL, &turn, err));
done:
    return status;
}

godwit_status gw_hf_family_mamba(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t inner = 0, n_heads = 0;
    GW_TRY(check_time_steps(hf, err));
    GW_TRY(read_inner(hf, &inner, &n_heads, err));
    if (inner > GW_MAX_EMBD || n_heads == 0 || inner % n_heads) {
        GW_FAIL(err, GODWIT_MALFORMED, "Mamba 2 of %llu numbers in %llu heads",
                (unsigned long long)inner, (unsigned long long)n_heads);
    }
    GW_TRY(gw_hf_set_u32(hf, "ssm.inner_size", inner, err));
    GW_TRY(gw_hf_set_u32(hf, "ssm.time_step_rank", n_heads, err));
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_GRANITEHYBS, GW_HF_NEMOTRONHS))) GW_TRY(write_layers(hf, err));
done:
    return status;
}

// --- Mamba 1 -------------------------------------------------------------------------------------

// Which layers have attention, and with it heads of keys.
static godwit_status write_jamba_heads(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t heads[GW_MAX_LAYERS];
    char key[GW_HF_KEY_BYTES];
    uint64_t first = 0, period = 0;
    GW_TRY(gw_hf_size(hf, "attn_layer_offset", UINT64_MAX, 0, GW_MAX_LAYERS, &first, err));
    GW_TRY(gw_hf_size(hf, "attn_layer_period", UINT64_MAX, 1, GW_MAX_LAYERS, &period, err));
    for (uint64_t i = 0; i < hf->n_layer; i++)
        heads[i] = i >= first && (i - first) % period == 0 ? (int32_t)hf->n_head_kv : 0;
    GW_TRY(gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, "attention.head_count_kv", key),
                                    GW_GGUF_I32, heads, hf->n_layer, err));
done:
    return status;
}

godwit_status gw_hf_family_mamba1(gw_hf *hf, godwit_error *err) {
    static const char rank_names[] = "time_step_rank|mamba_dt_rank";
    godwit_status status = GODWIT_OK;
    const bool jamba = gw_hf_in(hf, GW_HF_ONE(JAMBA));
    uint64_t inner = 0, expand = 2, rank = (hf->n_embd + 15) / 16;
    GW_TRY(gw_hf_size(hf, "mamba_expand|expand", 2, 1, 64, &expand, err));
    inner = expand * hf->n_embd;
    if (!jamba) GW_TRY(gw_hf_size(hf, "intermediate_size", inner, 1, GW_MAX_EMBD, &inner, err));
    if (inner > GW_MAX_EMBD)
        GW_FAIL(err, GODWIT_MALFORMED, "expand: %llu is too much", (unsigned long long)expand);
    if (!gw_json_is(gw_hf_setting(hf, rank_names), "auto"))
        GW_TRY(gw_hf_size(hf, rank_names, rank, 1, GW_MAX_EMBD, &rank, err));
    GW_TRY(gw_hf_set_u32(hf, "ssm.inner_size", inner, err));
    GW_TRY(gw_hf_set_u32(hf, "ssm.time_step_rank", rank, err));
    if (jamba) GW_TRY(write_jamba_heads(hf, err));
done:
    return status;
}

// --- tensors -------------------------------------------------------------------------------------

static double factor(const gw_hf *hf, const char *name, uint64_t index) {
    const gw_json *node = name ? gw_hf_setting(hf, name) : NULL;
    double x = 1;
    if (node && node->type == GW_JSON_ARRAY) {
        node = node->first;
        while (index-- > 0 && node) node = node->next;
    }
    if (node) gw_json_f64(node, &x);
    return x;
}

// z, x, B, C and the steps have factors of their own.
static godwit_status emit_scaled_in(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    uint64_t inner = 0, n_heads = 0, groups = 0, state = 0, at = 0;
    gw_hf_part parts[5];
    if (t->n_dims != 2) return gw_fail(err, GODWIT_MALFORMED, "tensor %s: not a matrix", t->name);
    gw_hf_scale *scales = gw_arena_alloc(&l->hf->arena, 5, sizeof *scales);
    GW_CHECK_ALLOC(scales, err, "scales");
    GW_TRY(read_inner(l->hf, &inner, &n_heads, err));
    GW_TRY(gw_hf_size(l->hf, "mamba_n_groups", UINT64_MAX, 1, GW_MAX_HEADS, &groups, err));
    GW_TRY(gw_hf_size(l->hf, "mamba_d_state", UINT64_MAX, 1, GW_MAX_EMBD, &state, err));
    const uint64_t rows[5] = {inner, inner, groups * state, groups * state, n_heads};
    for (uint64_t i = 0; i < 5; i++) {
        const uint64_t n = rows[i] * t->dims[t->n_dims - 1];
        parts[i] = (gw_hf_part){t, at, {1, 1, 1, n}, {0, 0, 0, 1}};
        scales[i].first = (float)factor(l->hf, "ssm_in_multiplier", 0);
        scales[i].second = (float)factor(l->hf, "ssm_multipliers", i);
        at += n;
    }
    l->scales = scales;
    GW_TRY(gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, parts, 5, GW_HF_SCALE, err));
done:
    return status;
}

static godwit_status emit_scaled(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    static const struct {
        const char *to, *first, *second;
        uint64_t index;
    } rows[] = {
        {"token_embd.weight", "embedding_multiplier", NULL, 0},
        {"output.weight", "lm_head_multiplier", NULL, 0},
        {"attn_q.weight", "attention_in_multiplier", NULL, 0},
        {"attn_k.weight", "key_multiplier", "attention_in_multiplier", 0},
        {"attn_v.weight", "attention_in_multiplier", NULL, 0},
        {"attn_output.weight", "attention_out_multiplier", NULL, 0},
        {"ffn_gate.weight", "mlp_multipliers", NULL, 0},
        {"ffn_down.weight", "mlp_multipliers", NULL, 1},
        {"ssm_out.weight", "ssm_out_multiplier", NULL, 0},
    };
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    const gw_hf_part part = {t, 0, {1, 1, 1, t->n_elements}, {0, 0, 0, 1}};
    const char *name = s->to[0];
    if (s->is_layer) name = strchr(name + strlen("blk."), '.') + 1;
    size_t i = 0;
    while (i < sizeof rows / sizeof *rows && strcmp(rows[i].to, name) != 0) i++;
    if (i == sizeof rows / sizeof *rows) return emit_scaled_in(l, s, err);
    gw_hf_scale *scales = gw_arena_alloc(&l->hf->arena, 1, sizeof *scales);
    GW_CHECK_ALLOC(scales, err, "scales");
    scales->first = (float)factor(l->hf, rows[i].first, rows[i].index);
    scales->second = (float)factor(l->hf, rows[i].second, 0);
    l->scales = scales;
    GW_TRY(gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, &part, 1, GW_HF_SCALE, err));
done:
    return status;
}

godwit_status gw_hf_emit_mamba(gw_hf_listing *l, const gw_hf_source *s, gw_hf_way way,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    uint64_t rows = t->n_elements;
    if (way == GW_HF_SCALED) return emit_scaled(l, s, err);
    if (way == GW_HF_SSM_GROUPS)
        GW_TRY(
            gw_hf_size(l->hf, "mamba_n_groups|n_groups", UINT64_MAX, 1, GW_MAX_HEADS, &rows, err));
    if (t->n_elements == 0 || t->n_elements % rows)
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: its shape is not what config.json wants",
                t->name);
    const gw_hf_part part = {t, 0, {1, 1, 1, t->n_elements}, {0, 0, 0, 1}};
    // Mamba 1 has a row of decays for each channel.
    const bool shaped = way == GW_HF_SSM_DECAY && t->n_dims > 1;
    const uint64_t dims[2] = {rows, t->n_elements / rows};
    GW_TRY(gw_hf_emit(l, t, s->to[0], shaped ? t->n_dims : 2, shaped ? t->dims : dims, &part, 1,
                      way == GW_HF_SSM_DECAY ? GW_HF_MINUS_EXP : GW_HF_AS_IS, err));
done:
    return status;
}
