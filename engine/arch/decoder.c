// Decoder: what a file has of it is read (decoder.h); decoder_build.c makes graphs of it.
#include "arch/decoder.h"

#include "base/status.h"

#include <stdio.h>

// blk.<layer>.<name>: a matrix [rows, cols], or a vector [cols] when rows is 0.
static godwit_status layer_weight(gw_model_def *def, uint32_t layer, const char *name,
                                  bool optional, uint64_t rows, uint64_t cols, gw_weight **out,
                                  godwit_error *err) {
    const uint64_t dims[2] = {rows, cols};
    return gw_def_layer_weight(def, layer, name, optional, rows ? 2 : 1, rows ? dims : dims + 1,
                               out, err);
}

// Biases are there or not.
static godwit_status layer_linear(gw_model_def *def, uint32_t layer, const char *stem,
                                  uint64_t rows, uint64_t cols, gw_linear *out, godwit_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.weight", stem);
    godwit_status status = layer_weight(def, layer, name, false, rows, cols, &out->w, err);
    if (status != GODWIT_OK) return status;
    out->n_rows = rows;
    snprintf(name, sizeof name, "%s.bias", stem);
    return layer_weight(def, layer, name, true, 0, rows, &out->bias, err);
}

static const gw_gguf_tensor *find_layer_tensor(const gw_model_def *def, uint32_t layer,
                                               const char *name) {
    char full[96];
    snprintf(full, sizeof full, "%sblk.%u.%s", def->layers_in ? def->layers_in : "", layer, name);
    return gw_gguf_find_tensor(def->gguf, full);
}
static bool has_layer_tensor(const gw_model_def *def, uint32_t layer, const char *name) {
    return find_layer_tensor(def, layer, name) != NULL;
}

static godwit_status layer_norm(gw_model_def *def, const gw_decoder_traits *t, uint32_t layer,
                                const char *stem, uint64_t n, gw_norm *out, godwit_error *err) {
    char name[64];
    out->centred = t->layer_norm;
    if (t->plain_norms) return gw_def_ones(def, n, &out->w, err);
    // Falcon-H1's files leave the end out.
    const bool bare = has_layer_tensor(def, layer, stem);
    snprintf(name, sizeof name, "%s%s", stem, bare ? "" : ".weight");
    godwit_status status = layer_weight(def, layer, name, false, 0, n, &out->w, err);
    if (status != GODWIT_OK || !t->layer_norm) return status;
    snprintf(name, sizeof name, "%s.bias", stem);
    return layer_weight(def, layer, name, true, 0, n, &out->bias, err);
}

// The rows of one tensor as n linears, one behind the other.
static godwit_status load_fused(gw_model_def *def, uint32_t layer, const char *stem, uint64_t cols,
                                const uint64_t *rows, gw_linear *const *out, uint32_t n,
                                godwit_error *err) {
    gw_linear whole = {0};
    uint64_t n_rows = 0;
    for (uint32_t i = 0; i < n; i++) n_rows += rows[i];
    godwit_status status = layer_linear(def, layer, stem, n_rows, cols, &whole, err);
    n_rows = 0;
    for (uint32_t i = 0; i < n; i++) {
        *out[i] = whole;
        out[i]->row0 = n_rows;
        out[i]->n_rows = rows[i];
        n_rows += rows[i];
    }
    return status;
}

// q, k and v, or those of them that a layer has, n; files may have them as one tensor.
static godwit_status load_products(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                                   const uint64_t rows[3], uint32_t n, gw_layer *l,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd;
    static const char *const stems[] = {"attn_q", "attn_k", "attn_v"};
    gw_linear *const linears[] = {&l->q, &l->k, &l->v};
    const bool fused = t->fused_qkv ? !has_layer_tensor(def, i, "attn_q.weight")
                                    : has_layer_tensor(def, i, "attn_qkv.weight");
    if (fused && n == 3 && !t->gated_attention)
        return load_fused(def, i, "attn_qkv", d, rows, linears, 3, err);
    for (uint32_t k = 0; k < n; k++)
        GW_TRY(layer_linear(def, i, stems[k], rows[k], d, linears[k], err));
    if (gw_layer_scales_q(&def->h, i)) return gw_def_join(def, linears + 1, 2, err);
    // Of heads with gates each is columns of its own, which columns of a joined product are not.
    const uint32_t first = t->gated_attention ? 1 : 0;
    GW_TRY(gw_def_join(def, linears + first, n - first, err));
done:
    return status;
}

bool gw_decoder_has_qk_norms(const gw_model_def *def) {
    return has_layer_tensor(def, 0, "attn_q_norm.weight") ||
           has_layer_tensor(def, 0, "attn_k_norm.weight");
}

// Layer norms of heads: one of all, which is a one, and what each is multiplied by.
static godwit_status load_norms_of_each(gw_model_def *def, uint32_t i, gw_layer *l,
                                        godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    l->q_norm.centred = true;
    GW_TRY(gw_def_ones(def, h->head_dim, &l->q_norm.w, err));
    l->k_norm = l->q_norm;
    GW_TRY(gw_mixer_flat(def, i, "attn_q_norm.weight", false, h->n_head, h->head_dim, &l->q_each,
                         err));
    GW_TRY(gw_mixer_flat(def, i, "attn_k_norm.weight", false, h->n_head_kv, h->head_dim, &l->k_each,
                         err));
done:
    return status;
}

static godwit_status load_gate(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                               gw_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    const gw_gguf_tensor *tensor = find_layer_tensor(def, i, "attn_gate.weight");
    const bool of_heads = tensor && tensor->n_dims == 2 && tensor->dims[0] == h->n_head;
    const uint64_t rows = of_heads ? h->n_head : (uint64_t)h->n_head * h->v_dim;
    float *zeros = NULL;
    GW_TRY(layer_linear(def, i, "attn_gate", rows, def->h.n_embd, &l->attn_gate.w, err));
    if (t->gate == GW_GATE_SOFTPLUS)
        GW_TRY(gw_def_made(def, rows, &zeros, &l->attn_gate.zeros, err));
    for (uint64_t k = 0; k < rows && zeros; k++) zeros[k] = 0.0f;
done:
    return status;
}

static godwit_status load_qkv(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                              gw_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    const uint64_t dq = (uint64_t)h->n_head * h->head_dim;
    const uint64_t dkv = (uint64_t)h->n_head_kv * h->head_dim;
    const uint64_t dv = (uint64_t)h->n_head_kv * h->v_dim;
    const uint64_t rows[3] = {t->gated_attention ? 2 * dq : dq, dkv, dv};
    // Of what sees both ways all layers write one state, with keys of their own.
    const bool shares = !def->h.both_ways && def->states.items[h->k].layer != i;
    const uint32_t n = shares                                                      ? 1
                       : t->v_from_k && !has_layer_tensor(def, i, "attn_v.weight") ? 2
                                                                                   : 3;
    GW_TRY(load_products(def, t, i, rows, n, l, err));
    if (t->qk_norm == GW_QK_NORM_NONE) goto done;
    const bool row = t->qk_norm == GW_QK_NORM_ROW;
    if (t->qk_norm == GW_QK_NORM_EACH) return load_norms_of_each(def, i, l, err);
    GW_TRY(layer_norm(def, t, i, "attn_q_norm", row ? dq : h->head_dim, &l->q_norm, err));
    if (shares) goto done;
    GW_TRY(layer_norm(def, t, i, "attn_k_norm", row ? dkv : h->head_dim, &l->k_norm, err));
    if (t->v_norm) GW_TRY(gw_def_ones(def, h->head_dim, &l->v_norm.w, err));
done:
    return status;
}

// Of attention to what an encoder gives.
static godwit_status load_cross(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                                gw_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    const uint64_t d = def->h.n_embd, dq = (uint64_t)h->n_head * h->head_dim;
    const uint64_t dkv = (uint64_t)h->n_head_kv * h->head_dim;
    GW_TRY(layer_norm(def, t, i, "cross_attn_norm", d, &l->cross_norm, err));
    GW_TRY(layer_linear(def, i, "cross_attn_q", dq, d, &l->cross_q, err));
    GW_TRY(layer_linear(def, i, "cross_attn_k", dkv, d, &l->cross_k, err));
    GW_TRY(layer_linear(def, i, "cross_attn_v", dkv, d, &l->cross_v, err));
    GW_TRY(layer_linear(def, i, "cross_attn_o", d, dq, &l->cross_o, err));
    GW_TRY(gw_def_join(def, (gw_linear *const[]){&l->cross_k, &l->cross_v}, 2, err));
done:
    return status;
}

static godwit_status load_attention(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                                    gw_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &def->h.layers[i];
    const uint64_t d = def->h.n_embd, dq = (uint64_t)h->n_head * h->v_dim;
    if (!h->recurrent && !h->n_head_kv) return GODWIT_OK; // a feed-forward alone
    if (!t->no_pre_norm && !(t->no_first_norm && i == 0))
        GW_TRY(layer_norm(def, t, i, t->attn_norm ? t->attn_norm : "attn_norm", d, &l->attn_norm,
                          err));
    if (t->mixer_beside) GW_TRY(t->mixer->load(def, i, &l->mixer, err));
    if (gw_decoder_mixer(t, h)) return gw_decoder_mixer(t, h)->load(def, i, &l->mixer, err);
    GW_TRY(load_qkv(def, t, i, l, err));
    GW_TRY(layer_linear(def, i, t->attn_out ? t->attn_out : "attn_output", d, dq, &l->o, err));
    if (t->gate) GW_TRY(load_gate(def, t, i, l, err));
    if (t->sub_norm) GW_TRY(layer_norm(def, t, i, "attn_sub_norm", dq, &l->attn_sub_norm, err));
    if (t->sinks || t->some_sinks)
        GW_TRY(
            layer_weight(def, i, "attn_sinks.weight", t->some_sinks, 0, h->n_head, &l->sinks, err));
    if (t->post_norm || t->sum_norm)
        GW_TRY(layer_norm(def, t, i, t->sum_norm ? "attn_output_norm" : "post_attention_norm", d,
                          &l->attn_post_norm, err));
done:
    return status;
}

static godwit_status load_feed_forward(gw_model_def *def, const gw_decoder_traits *t, uint32_t i,
                                       gw_layer *l, gw_experts *experts, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, ff = def->h.layers[i].n_ff, rows[2] = {ff, ff};
    gw_linear *const linears[] = {&l->gate, &l->up};
    const char *norm = t->ffn_norm ? t->ffn_norm : "ffn_norm";
    if (!ff) return GODWIT_OK;
    if (!t->no_pre_norm && !t->no_ffn_norm)
        GW_TRY(layer_norm(def, t, i, norm, d, &l->ffn_norm, err));
    GW_TRY(gw_experts_load(def, t->experts, i, experts, err));
    if (experts->router.w && !t->experts->beside && !t->experts->apart) {
        if (t->post_norm) GW_TRY(layer_norm(def, t, i, "post_ffw_norm", d, &l->ffn_post_norm, err));
        goto done;
    }
    if (t->fused_gate_up) {
        GW_TRY(load_fused(def, i, "ffn_up", d, rows, linears, 2, err));
    } else {
        if (!t->no_gate) GW_TRY(layer_linear(def, i, "ffn_gate", ff, d, &l->gate, err));
        GW_TRY(layer_linear(def, i, "ffn_up", ff, d, &l->up, err));
    }
    if (t->sub_norm) GW_TRY(layer_norm(def, t, i, "ffn_sub_norm", ff, &l->ffn_sub_norm, err));
    GW_TRY(layer_linear(def, i, "ffn_down", d, ff, &l->down, err));
    if (!t->fused_gate_up && !t->no_gate) GW_TRY(gw_def_join(def, linears, 2, err));
    if (t->post_norm || t->sum_norm)
        GW_TRY(layer_norm(def, t, i, t->sum_norm ? "layer_output_norm" : "post_ffw_norm", d,
                          &l->ffn_post_norm, err));
done:
    return status;
}

godwit_status gw_decoder_load_layer(gw_model_def *def, gw_decoder *m, uint32_t i,
                                    godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(load_attention(def, m->traits, i, &m->layers[i], err));
    if (m->traits->cross) GW_TRY(load_cross(def, m->traits, i, &m->layers[i], err));
    GW_TRY(load_feed_forward(def, m->traits, i, &m->layers[i], &m->experts[i], err));
done:
    return status;
}

static godwit_status load_positions(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    const uint64_t dims[2] = {def->h.n_ctx_train, def->h.n_embd};
    if (!m->traits->learned_positions) return GODWIT_OK;
    def->h.n_ctx_max = def->h.n_ctx_train;
    def->h.ropes[0].still = true;
    return gw_def_weight(def, "position_embd.weight", false, 2, dims, &m->position_embd, err);
}

static godwit_status model_norm(gw_model_def *def, const gw_decoder_traits *t, const char *weight,
                                const char *bias, gw_norm *out, godwit_error *err) {
    const uint64_t n = def->h.n_embd;
    out->centred = t->layer_norm;
    if (t->plain_norms) return gw_def_ones(def, n, &out->w, err);
    godwit_status status = gw_def_weight(def, weight, false, 1, &n, &out->w, err);
    if (status != GODWIT_OK || !t->layer_norm) return status;
    return gw_def_weight(def, bias, true, 1, &n, &out->bias, err);
}

godwit_status gw_decoder_key(const gw_model_def *def, const char *suffix, float min, float max,
                             float fallback, float *out, godwit_error *err) {
    char key[96];
    return gw_gguf_get_f32(def->gguf, gw_def_key(def, suffix, key, sizeof key), min, max, fallback,
                           out, err);
}

// A number for each layer; 0: none.
static godwit_status read_cuts(const gw_model_def *def, const char *suffix, uint32_t layer,
                               float *out, godwit_error *err) {
    char key[96];
    const gw_gguf_value *value = gw_gguf_find(def->gguf, gw_def_key(def, suffix, key, sizeof key));
    double cut = 0.0;
    if (!value) return GODWIT_OK;
    if (value->n_items < def->h.n_layer)
        return gw_fail(err, GODWIT_MALFORMED, "key %s: %llu items for %u layers", key,
                       (unsigned long long)value->n_items, def->h.n_layer);
    godwit_status status = gw_gguf_item_f64(value, layer, &cut, err);
    if (status == GODWIT_OK && !(cut >= 0.0 && cut <= 1e6))
        return gw_fail(err, GODWIT_MALFORMED, "key %s: item %u is %g, must be 0 to 1e6", key, layer,
                       cut);
    *out = (float)cut;
    return status;
}

godwit_status gw_decoder_cuts(const gw_model_def *def, gw_decoder *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        GW_TRY(read_cuts(def, "swiglu_clamp_exp", i, &m->experts[i].cut, err));
        GW_TRY(read_cuts(def, "swiglu_clamp_shexp", i, &m->experts[i].shared_cut, err));
        m->layers[i].cut = m->experts[i].shared_cut;
    }
done:
    return status;
}

godwit_status gw_decoder_softcap(const gw_model_def *def, gw_decoder *m, godwit_error *err) {
    char key[96];
    gw_def_key(def, "final_logit_softcapping", key, sizeof key);
    godwit_status status =
        gw_gguf_get_f32(def->gguf, key, 0.0f, GW_SOFTCAP_MAX, 0.0f, &m->logit_softcap, err);
    if (status != GODWIT_OK || m->logit_softcap == 0.0f || m->logit_softcap >= GW_SOFTCAP_MIN)
        return status;
    return gw_fail(err, GODWIT_UNSUPPORTED, "key %s: %g; 0, or at least %g is supported", key,
                   (double)m->logit_softcap, (double)GW_SOFTCAP_MIN);
}

// first: the layer of a period that sees all keys is the first, not the last.
static godwit_status read_windows(gw_model_def *def, uint32_t period, bool first,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[96];
    gw_def_key(def, "attention.sliding_window_pattern", key, sizeof key);
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    gw_layer_hparams *layers = def->h.layers;
    if (value && value->type != GW_GGUF_ARRAY)
        GW_TRY(gw_gguf_get_u32(def->gguf, key, 0, GW_MAX_LAYERS, period, &period, err));
    if (value && value->type == GW_GGUF_ARRAY && value->n_items != def->h.n_layer &&
        value->n_items != def->h.n_layer + def->h.n_next) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: an array of %llu items for %u layers", key,
                (unsigned long long)value->n_items, def->h.n_layer);
    }
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        uint64_t sliding = period && (first ? i : i + 1) % period != 0;
        if (value && value->type == GW_GGUF_ARRAY)
            GW_TRY(gw_gguf_item_u64(value, i, &sliding, err));
        if (!sliding) layers[i].window = 0;
    }
done:
    return status;
}

godwit_status gw_decoder_windows(gw_model_def *def, uint32_t period, godwit_error *err) {
    return read_windows(def, period, false, err);
}
godwit_status gw_decoder_windows_behind(gw_model_def *def, uint32_t period, godwit_error *err) {
    return read_windows(def, period, true, err);
}

godwit_status gw_decoder_local_rope(gw_model_def *def, float base, godwit_error *err) {
    uint32_t local = 0;
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        if (!def->h.layers[i].window) continue;
        godwit_status status = local ? GODWIT_OK : gw_hparams_add_rope(def, base, &local, err);
        if (status != GODWIT_OK) return status;
        def->h.layers[i].rope = local;
    }
    return GODWIT_OK;
}

godwit_status gw_decoder_swa_rope(gw_model_def *def, godwit_error *err) {
    float base = 0.0f;
    godwit_status status = gw_decoder_key(def, "rope.freq_base_swa", GW_MIN_ROPE_BASE,
                                          GW_MAX_ROPE_BASE, 10000.0f, &base, err);
    return status == GODWIT_OK ? gw_decoder_local_rope(def, base, err) : status;
}

godwit_status gw_decoder_swa_rotations(gw_model_def *def, uint32_t fallback, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t n_rot = 0;
    char key[96];
    gw_def_key(def, "rope.dimension_count_swa", key, sizeof key);
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        const gw_layer_hparams *l = &def->h.layers[i];
        if (!l->window) continue;
        GW_TRY(gw_gguf_get_u32(def->gguf, key, 2, l->head_dim, fallback, &n_rot, err));
        if (n_rot % 2) GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u is odd", key, n_rot);
        def->h.ropes[l->rope].n_rot = n_rot;
    }
done:
    return status;
}

godwit_status gw_decoder_still_rope(gw_model_def *def, godwit_error *err) {
    uint32_t still = 0, n_windows = 0;
    for (uint32_t i = 0; i < def->h.n_layer; i++) n_windows += def->h.layers[i].window != 0;
    if (n_windows == 0 || n_windows == def->h.n_layer) return GODWIT_OK;
    godwit_status status = gw_hparams_add_rope(def, def->h.ropes[0].base, &still, err);
    if (status != GODWIT_OK) return status;
    def->h.ropes[still].still = true;
    for (uint32_t i = 0; i < def->h.n_layer; i++)
        if (!def->h.layers[i].window) def->h.layers[i].rope = still;
    return GODWIT_OK;
}

static godwit_status read_limit(const gw_model_def *def, gw_decoder *m, godwit_error *err) {
    static const char *const suffix = "attention.clamp_kqv";
    char key[96];
    if (!m->traits->clips) return GODWIT_OK;
    godwit_status status = gw_decoder_key(def, suffix, 0.0f, GW_CLIP_MAX, 0.0f, &m->qkv_limit, err);
    if (status != GODWIT_OK || m->qkv_limit == 0.0f || m->qkv_limit >= GW_CLIP_MIN) return status;
    return gw_fail(err, GODWIT_UNSUPPORTED, "key %s: %g; 0, or at least %g is supported",
                   gw_def_key(def, suffix, key, sizeof key), (double)m->qkv_limit,
                   (double)GW_CLIP_MIN);
}

static godwit_status new_decoder(gw_model_def *def, const gw_decoder_traits *traits,
                                 gw_decoder **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = *out = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->traits = traits;
    m->parallel = traits->parallel;
    m->layers = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *m->layers);
    m->experts = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *m->experts);
    GW_CHECK_ALLOC(m->layers && m->experts, err, "model");
done:
    return status;
}

static godwit_status load_output_norm(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    const char *name = m->traits->output_norm;
    if (m->traits->no_output_norm) return GODWIT_OK;
    return model_norm(def, m->traits, name ? name : "output_norm.weight", "output_norm.bias",
                      &m->output_norm, err);
}

static godwit_status load_layers(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < def->h.n_layer; i++) GW_TRY(gw_decoder_load_layer(def, m, i, err));
    GW_TRY(gw_experts_check(def, m->experts, err));
done:
    return status;
}

godwit_status gw_decoder_load(gw_model_def *def, const gw_decoder_traits *traits,
                              gw_decoder **out_decoder, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(new_decoder(def, traits, &m, err));
    def->family = m;

    GW_TRY(gw_def_vocab(def, "token_embd.weight", err));
    uint64_t table[2] = {def->h.n_vocab, def->h.n_embd};
    GW_TRY(gw_def_weight(def, "token_embd.weight", false, 2, table, &m->token_embd, err));
    GW_TRY(load_positions(def, m, err));
    GW_TRY(read_limit(def, m, err));
    GW_TRY(load_output_norm(def, m, err));
    if (traits->embd_norm)
        GW_TRY(model_norm(def, traits, "token_embd_norm.weight", "token_embd_norm.bias",
                          &m->embd_norm, err));
    GW_TRY(gw_heads_load(def, m, err));
    if (!def->h.both_ways)
        GW_TRY(gw_def_weight(def, "output.weight", true, 2, table, &m->output.w, err));
    if (!m->output.w) m->output.w = m->token_embd;
    GW_TRY(gw_def_weight(def, "output.bias", true, 1, table, &m->output.bias, err));
    GW_TRY(load_layers(def, m, err));
    if (out_decoder) *out_decoder = m;
done:
    return status;
}

godwit_status gw_decoder_load_encoder(gw_model_def *def, const gw_decoder_traits *traits,
                                      const gw_decoder *decoder, gw_decoder **out_encoder,
                                      godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(new_decoder(def, traits, &m, err));
    m->token_embd = decoder->token_embd;
    GW_TRY(load_output_norm(def, m, err));
    GW_TRY(load_layers(def, m, err));
    *out_encoder = m;
done:
    return status;
}

godwit_status gw_decoder_load_plain(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_decoder_traits *traits = def->arch->decoder;
    GW_TRY(gw_hparams_read(def, err));
    if (traits->no_window) GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, traits, NULL, err));
done:
    return status;
}

static godwit_status read_interval(gw_model_def *def, godwit_error *err) {
    enum { INTERVAL = 4 };
    godwit_status status = GODWIT_OK;
    uint32_t interval = INTERVAL;
    char key[96];
    const gw_gguf_value *flags =
        gw_gguf_find(def->gguf, gw_def_key(def, "attention.recurrent_layers", key, sizeof key));
    if (flags && flags->n_items < def->h.n_layer) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %llu items for %u layers", key,
                (unsigned long long)flags->n_items, def->h.n_layer);
    }
    GW_TRY(gw_gguf_get_u32(def->gguf, gw_def_key(def, "full_attention_interval", key, sizeof key),
                           1, GW_MAX_LAYERS, INTERVAL, &interval, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        uint64_t recurrent = (i + 1) % interval != 0;
        if (flags) GW_TRY(gw_gguf_item_u64(flags, i, &recurrent, err));
        def->h.layers[i].recurrent |= recurrent != 0;
    }
done:
    return status;
}

static godwit_status load_hybrid(gw_model_def *def, bool interval, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_decoder_traits *traits = def->arch->decoder;
    char key[96];
    GW_TRY(gw_hparams_read_hybrid(def, err));
    if (interval) GW_TRY(read_interval(def, err));
    if (traits->no_window) GW_TRY(gw_decoder_windows(def, 0, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        gw_layer_hparams *l = &def->h.layers[i];
        if (traits->one_block && l->n_ff) l->recurrent = false;
        if (traits->one_block && l->n_ff && l->n_head_kv) {
            GW_FAIL(err, GODWIT_MALFORMED,
                    "key %s: layer %u has heads and a feed-forward; it is one of them",
                    gw_def_key(def, "feed_forward_length", key, sizeof key), i);
        }
        if (l->n_head_kv && !l->recurrent) GW_TRY(gw_hparams_add_kv(def, i, err));
    }
    GW_TRY(gw_decoder_load(def, traits, NULL, err));
done:
    return status;
}

godwit_status gw_decoder_load_hybrid(gw_model_def *def, godwit_error *err) {
    return load_hybrid(def, false, err);
}
godwit_status gw_decoder_load_interval(gw_model_def *def, godwit_error *err) {
    return load_hybrid(def, true, err);
}
