// Hparams: the hyper-parameters that decoder families share, from GGUF keys, each range-checked.
#include "arch/decoder.h"

#include "base/status.h"

#define KEY(suffix) gw_def_key(def, (suffix), key, sizeof key)

// A count of each layer, given once or as an array, in which min may be 0. fallback 0: the key must be there. counts:
// [n_layer].
static godwit_status read_counts(const gw_model_def *def, const char *key, uint32_t min,
                                 uint32_t max, uint32_t fallback, uint32_t *counts,
                                 godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    const uint32_t n_layer = def->h.n_layer;
    godwit_status status = GODWIT_OK;
    if (!value || value->type != GW_GGUF_ARRAY) {
        status = fallback ? gw_gguf_get_u32(def->gguf, key, min, max, fallback, counts, err)
                          : gw_gguf_require_u32(def->gguf, key, min, max, counts, err);
        for (uint32_t i = 1; i < n_layer && status == GODWIT_OK; i++) counts[i] = counts[0];
        return status;
    }
    if (value->n_items != n_layer && value->n_items != n_layer + def->h.n_next) {
        return gw_fail(err, GODWIT_MALFORMED, "key %s: an array of %llu items for %u layers", key,
                       (unsigned long long)value->n_items, n_layer);
    }
    for (uint32_t i = 0; i < n_layer; i++) {
        uint64_t item = 0;
        GW_TRY(gw_gguf_item_u64(value, i, &item, err));
        if (item < min || item > max) {
            GW_FAIL(err, GODWIT_MALFORMED, "key %s: item %u is %llu, must be %u to %u", key, i,
                    (unsigned long long)item, min, max);
        }
        counts[i] = (uint32_t)item;
    }
done:
    return status;
}

static godwit_status read_layers(gw_model_def *def, bool hybrid, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    char key[128];
    uint32_t *counts[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        counts[i] = gw_arena_alloc(&def->arena, h->n_layer, sizeof **counts);
        GW_CHECK_ALLOC(counts[i], err, "model");
    }
    h->layers = gw_arena_alloc(&def->arena, h->n_layer, sizeof *h->layers);
    GW_CHECK_ALLOC(h->layers, err, "model");
    const uint32_t min = hybrid ? 0 : 1;
    const bool experts_alone = hybrid && !gw_gguf_find(def->gguf, KEY("feed_forward_length")) &&
                               gw_gguf_find(def->gguf, KEY("expert_feed_forward_length"));
    const char *ff = KEY(experts_alone ? "expert_feed_forward_length" : "feed_forward_length");
    GW_TRY(read_counts(def, ff, min, GW_MAX_FF, 0, counts[0], err));
    GW_TRY(read_counts(def, KEY("attention.head_count"), min, GW_MAX_HEADS, 0, counts[1], err));
    const char *kv_key = KEY("attention.head_count_kv");
    const bool kv_said = gw_gguf_find(def->gguf, kv_key) != NULL;
    if (kv_said) GW_TRY(read_counts(def, kv_key, min, GW_MAX_HEADS, 0, counts[2], err));
    for (uint32_t i = 0; i < h->n_layer; i++) {
        gw_layer_hparams *l = &h->layers[i];
        *l = (gw_layer_hparams){
            .n_ff = counts[0][i], .n_head = counts[1][i], .n_head_kv = counts[kv_said ? 2 : 1][i]};
        l->recurrent = !l->n_head_kv;
        if (!l->recurrent && (!l->n_head || l->n_head % l->n_head_kv)) {
            GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u does not divide the %u heads of layer %u",
                    kv_key, l->n_head_kv, l->n_head, i);
        }
    }
    // Of the first layer that has them.
    for (uint32_t i = h->n_layer; i-- > 0;) {
        const gw_layer_hparams *l = &h->layers[i];
        if (l->n_ff) h->n_ff = l->n_ff;
        if (l->n_head) h->n_head = l->n_head;
        if (l->n_head_kv) h->n_head_kv = l->n_head_kv;
    }
    if (!h->n_head && !(def->arch->decoder && def->arch->decoder->no_attention))
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: no layer has heads", kv_key);
done:
    return status;
}

static godwit_status read_head_dim(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *g = def->gguf;
    gw_hparams *h = &def->h;
    char key[128];
    if (!h->n_head) return GODWIT_OK;
    uint32_t even = h->n_embd / h->n_head, value_length = 0;
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.key_length"), 1, 4096, even, &h->head_dim, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.value_length"), 1, 4096, h->head_dim, &value_length,
                           err));
    const bool short_v = def->arch->decoder && def->arch->decoder->short_values &&
                         value_length < h->head_dim && value_length % 2 == 0;
    // Of latents values are a part.
    if (value_length != h->head_dim && !short_v &&
        !gw_gguf_find(g, KEY("attention.kv_lora_rank"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %u differs from the key length %u",
                KEY("attention.value_length"), value_length, h->head_dim);
    }
    // It may be the quotient of two other keys, so it is named as what it is.
    if (h->head_dim > GW_MAX_HEAD_DIM || h->head_dim % 2 || !h->head_dim) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key %s: heads of %u; attention needs an even number up to %d",
                KEY("attention.key_length"), h->head_dim, GW_MAX_HEAD_DIM);
    }
    for (uint32_t i = 0; i < h->n_layer; i++) {
        h->layers[i].head_dim = h->head_dim;
        h->layers[i].v_dim = short_v ? value_length : h->head_dim;
    }
done:
    return status;
}

// How a text becomes an embedding: keys of encoders, and of decoders that are used as such.
static godwit_status read_ways(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    const bool encoder = def->arch->decoder && def->arch->decoder->both_ways;
    char key[128];
    bool causal = true;
    uint32_t pooling = 0;
    GW_TRY(gw_gguf_get_bool(def->gguf, KEY("attention.causal"), !encoder, &causal, err));
    if (causal && encoder) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: true; this family sees both ways", key);
    }
    h->both_ways = !causal;
    if (gw_gguf_find(def->gguf, KEY("pooling_type"))) {
        GW_TRY(gw_gguf_get_u32(def->gguf, key, 0, GODWIT_POOLING_RANK - 1, 0, &pooling, err));
        h->pooling = (godwit_pooling)(pooling + 1); // GGUF has no MODEL
    }
    h->n_out = h->n_embd;
done:
    return status;
}

static godwit_status read_sizes(gw_model_def *def, bool hybrid, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *g = def->gguf;
    gw_hparams *h = &def->h;
    char key[128];
    uint32_t window = 0;
    GW_TRY(gw_gguf_require_u32(g, KEY("block_count"), 1, GW_MAX_LAYERS, &h->n_layer, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("nextn_predict_layers"), 0, h->n_layer - 1, 0, &h->n_next, err));
    h->n_layer -= h->n_next;
    GW_TRY(gw_gguf_require_u32(g, KEY("embedding_length"), 1, GW_MAX_EMBD, &h->n_embd, err));
    GW_TRY(gw_gguf_require_u32(g, KEY("context_length"), 1, GW_MAX_CTX, &h->n_ctx_train, err));
    GW_TRY(read_layers(def, hybrid, err));
    GW_TRY(read_head_dim(def, err));
    GW_TRY(read_ways(def, err));
    // Families have one kind of norm.
    const char *eps = KEY("attention.layer_norm_epsilon");
    if (!gw_gguf_find(g, eps)) eps = KEY("attention.layer_norm_rms_epsilon");
    GW_TRY(gw_gguf_get_f32(g, eps, 0.0f, GW_MAX_RMS_EPS, 1e-5f, &h->norm_eps, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.sliding_window"), 0, GW_MAX_CTX, 0, &window, err));
    for (uint32_t i = 0; i < h->n_layer; i++) h->layers[i].window = window;
done:
    return status;
}

static godwit_status read_scaling_type(const gw_model_def *def, gw_rope *r, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[128];
    gw_str type;
    GW_TRY(gw_gguf_get_str(def->gguf, KEY("rope.scaling.type"), &type, err));
    // A file that gives a factor and no type means linear.
    if (!type.text || gw_str_eq(type, GW_STR("linear"))) {
        r->scaling = GW_ROPE_LINEAR;
    } else if (gw_str_eq(type, GW_STR("none")) ||
               (gw_str_eq(type, GW_STR("longrope")) &&
                gw_gguf_find_tensor(def->gguf, "rope_factors_long.weight"))) {
        r->scaling = GW_ROPE_NONE;
    } else if (gw_str_eq(type, GW_STR("yarn"))) {
        r->scaling = GW_ROPE_YARN;
    } else {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: '%.*s' is not none, linear or yarn", key,
                GW_STR_ARG(type));
    }
done:
    return status;
}

static godwit_status read_rope(const gw_model_def *def, gw_rope *r, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *g = def->gguf;
    const gw_hparams *h = &def->h;
    char key[128];
    float linear = 1.0f;
    if (def->arch->decoder && def->arch->decoder->still) { // what files say of it means nothing
        *r = (gw_rope){.n_rot = h->head_dim,
                       .still = true,
                       .base = 10000.0f,
                       .factor = 1.0f,
                       .attn_factor = 1.0f};
        goto done;
    }
    GW_TRY(gw_gguf_get_u32(g, KEY("rope.dimension_count"), 2, h->head_dim, h->head_dim, &r->n_rot,
                           err));
    if (r->n_rot % 2) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u of %u; it must be even", key, r->n_rot,
                h->head_dim);
    }
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.freq_base"), GW_MIN_ROPE_BASE, GW_MAX_ROPE_BASE, 10000.0f,
                           &r->base, err));
    GW_TRY(read_scaling_type(def, r, err));
    // The older spelling of the factor.
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scale_linear"), GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR,
                           1.0f, &linear, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.factor"), GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR,
                           linear, &r->factor, err));
    if (r->scaling == GW_ROPE_LINEAR && r->factor == 1.0f) {
        r->scaling = GW_ROPE_NONE;
    }
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.attn_factor"), GW_MIN_ROPE_ATTENTION,
                           GW_MAX_ROPE_ATTENTION, 1.0f, &r->attn_factor, err));
    float yarn_attn = 1.0f; // what it means differs between writers and readers
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_attn_factor"), 0.0f, GW_MAX_ROPE_ATTENTION,
                           1.0f, &yarn_attn, err));
    if (yarn_attn != 1.0f) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %g is not supported",
                KEY("rope.scaling.yarn_attn_factor"), (double)yarn_attn);
    }
    GW_TRY(gw_gguf_get_u32(g, KEY("rope.scaling.original_context_length"), 1, GW_MAX_CTX,
                           h->n_ctx_train, &r->ctx_orig, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_beta_fast"), GW_MIN_YARN_BETA,
                           GW_MAX_YARN_BETA, 32.0f, &r->yarn_beta_fast, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_beta_slow"), GW_MIN_YARN_BETA,
                           GW_MAX_YARN_BETA, 1.0f, &r->yarn_beta_slow, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_ext_factor"), 0.0f, 1.0f, 1.0f,
                           &r->yarn_ext_factor, err));
done:
    return status;
}

static godwit_status find_divisors(const gw_model_def *def, const gw_rope *r, const char *name,
                                   const gw_gguf_tensor **out, godwit_error *err) {
    const gw_gguf_tensor *t = gw_gguf_find_tensor(def->gguf, name);
    if (t && (t->type != GODWIT_F32 || t->n_elements != r->n_rot / 2)) {
        return gw_fail(err, GODWIT_MALFORMED, "tensor %s: not %u F32 values", t->name,
                       r->n_rot / 2);
    }
    *out = t;
    return GODWIT_OK;
}

static godwit_status read_rope_freqs(const gw_model_def *def, gw_rope *r, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_tensor *short_freqs = NULL;
    GW_TRY(find_divisors(def, r, "rope_freqs.weight", &r->freqs, err));
    GW_TRY(find_divisors(def, r, "rope_factors_long.weight", &r->long_freqs, err));
    GW_TRY(find_divisors(def, r, "rope_factors_short.weight", &short_freqs, err));
    if (!short_freqs != !r->long_freqs) {
        GW_FAIL(err, GODWIT_MALFORMED, "tensor rope_factors_%s.weight: missing, the other is there",
                short_freqs ? "long" : "short");
    }
    if (short_freqs && r->freqs) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: beside %s", r->freqs->name, short_freqs->name);
    }
    if (short_freqs) r->freqs = short_freqs;
done:
    return status;
}

static godwit_status add_state(gw_model_def *def, gw_state_def state, uint32_t *out_index,
                               godwit_error *err) {
    *out_index = (uint32_t)def->states.n;
    gw_state_def *item = gw_vec_push(&def->states, def->host);
    if (!item) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: model");
    *item = state;
    return GODWIT_OK;
}

godwit_status gw_hparams_add_kv(gw_model_def *def, uint32_t layer, godwit_error *err) {
    gw_layer_hparams *l = &def->h.layers[layer];
    const gw_layer_hparams *first = &def->h.layers[0];
    // What nobody reads again may be written over.
    if (def->h.both_ways && layer && l->n_head_kv == first->n_head_kv) {
        l->k = first->k;
        l->v = first->v;
        return GODWIT_OK;
    }
    gw_state_def rows = {.name = "k",
                         .type = GW_STATE_KEYS,
                         .layer = layer,
                         .n_heads = l->n_head_kv,
                         .head = l->head_dim};
    godwit_status status = add_state(def, rows, &l->k, err);
    if (status != GODWIT_OK) return status;
    rows.name = "v";
    rows.type = GW_STATE_VALUES;
    return add_state(def, rows, &l->v, err);
}

godwit_status gw_hparams_add_latents(gw_model_def *def, uint32_t layer, godwit_error *err) {
    gw_layer_hparams *l = &def->h.layers[layer];
    const gw_state_def rows = {.name = "latent",
                               .type = GW_STATE_LATENTS,
                               .layer = layer,
                               .n_heads = 1,
                               .head = l->head_dim,
                               .no_q8 = true};
    godwit_status status = add_state(def, rows, &l->k, err);
    l->v = l->k;
    return status;
}

godwit_status gw_hparams_add_block(gw_model_def *def, uint32_t layer, gw_state_type type,
                                   uint64_t n_heads, uint64_t head, uint32_t *out_state,
                                   godwit_error *err) {
    const uint64_t most = GW_MAX_BLOCK_BYTES / sizeof(float);
    if (!n_heads || !head || n_heads > most || head > most / n_heads) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "layer %u: a state of %llu * %llu numbers; at most %llu are supported",
                       layer, (unsigned long long)n_heads, (unsigned long long)head,
                       (unsigned long long)most);
    }
    const gw_state_def block = {.name = type == GW_STATE_CONV ? "conv" : "ssm",
                                .kind = GW_STATE_BLOCK,
                                .type = type,
                                .layer = layer,
                                .n_heads = (uint32_t)n_heads,
                                .head = (uint32_t)head};
    return add_state(def, block, out_state, err);
}

uint32_t gw_def_window(const gw_model_def *def) {
    for (uint32_t i = 0; i < def->h.n_layer; i++)
        if (def->h.layers[i].window) return def->h.layers[i].window;
    return 0;
}

bool gw_def_has_blocks(const gw_model_def *def) {
    for (size_t i = 0; i < def->states.n; i++)
        if (def->states.items[i].kind == GW_STATE_BLOCK) return true;
    return false;
}

static godwit_status read_all(gw_model_def *def, bool hybrid, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_rope *r = &def->h.ropes[0];
    gw_rope_freqs freqs;
    GW_TRY(read_sizes(def, hybrid, err));
    if (!def->h.n_head) goto done; // nothing to turn
    GW_TRY(read_rope(def, r, err));
    GW_TRY(read_rope_freqs(def, r, err));
    GW_TRY(gw_rope_freqs_of(r, 1, &freqs, err)); // for its checks
    GW_TRY(gw_rope_freqs_of(r, UINT32_MAX, &freqs, err));
    def->h.n_ropes = 1;
done:
    return status;
}

godwit_status gw_hparams_read(gw_model_def *def, godwit_error *err) {
    godwit_status status = read_all(def, false, err);
    for (uint32_t i = 0; i < def->h.n_layer && status == GODWIT_OK; i++)
        status = gw_hparams_add_kv(def, i, err);
    return status;
}

godwit_status gw_hparams_read_hybrid(gw_model_def *def, godwit_error *err) {
    return read_all(def, true, err);
}

// n layers, each as `like`.
static godwit_status copy_layers(gw_model_def *def, gw_hparams *h, uint32_t n,
                                 gw_layer_hparams like, godwit_error *err) {
    h->n_layer = n;
    h->layers = gw_arena_alloc(&def->arena, n, sizeof *h->layers);
    if (!h->layers) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: model");
    for (uint32_t i = 0; i < n; i++) h->layers[i] = like;
    return GODWIT_OK;
}

godwit_status gw_hparams_read_pair(gw_model_def *def, gw_hparams *out_encoder, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    uint32_t n = 0;
    char key[128];
    GW_TRY(read_all(def, false, err));
    if (h->both_ways)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: false; this family's decoder sees one way",
                KEY("attention.causal"));
    h->pooling = GODWIT_POOLING_MODEL;                         // it gives text
    if (h->n_ctx_train <= GW_MAX_CTX / 2) h->n_ctx_train *= 2; // a session has both texts
    for (uint32_t i = 0; i < h->n_layer; i++) h->layers[i].window = 0;
    for (uint32_t i = 1; i < h->n_layer; i++) {
        if (!memcmp(&h->layers[i], &h->layers[0], sizeof h->layers[0])) continue;
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key %s: layer %u has other heads or another feed-forward than the first",
                KEY("block_count"), i);
    }
    GW_TRY(gw_gguf_get_u32(def->gguf, KEY("decoder_block_count"), 1, GW_MAX_LAYERS, h->n_layer, &n,
                           err));
    GW_TRY(gw_gguf_require_u32(def->gguf, KEY("decoder_start_token_id"), 0, GW_MAX_VOCAB - 1,
                               &h->decoder_start, err));
    *out_encoder = *h;
    out_encoder->both_ways = true;
    GW_TRY(copy_layers(def, h, n, h->layers[0], err));
    h->encodes = true;
    for (uint32_t i = 0; i < n; i++) GW_TRY(gw_hparams_add_kv(def, i, err));
    GW_TRY(copy_layers(def, out_encoder, out_encoder->n_layer, h->layers[0], err));
done:
    return status;
}

void gw_hparams_set_head(gw_model_def *def, uint32_t layer, uint32_t head_dim) {
    gw_layer_hparams *l = &def->h.layers[layer];
    l->head_dim = l->v_dim = head_dim;
    def->states.items[l->k].head = def->states.items[l->v].head = head_dim;
}

godwit_status gw_hparams_share_kv(gw_model_def *def, uint32_t n, godwit_error *err) {
    gw_layer_hparams *layers = def->h.layers;
    const uint32_t first = def->h.n_layer - n;
    char key[96];
    if (n) def->states.n = layers[first].k; // theirs are the last ones
    for (uint32_t i = first; i < def->h.n_layer; i++) {
        gw_layer_hparams *l = &layers[i];
        uint32_t from = first;
        while (from && (layers[from - 1].window != 0) != (l->window != 0)) from--;
        const gw_layer_hparams *owner = from ? &layers[from - 1] : NULL;
        if (!owner || owner->n_head_kv != l->n_head_kv || owner->head_dim != l->head_dim ||
            l->head_dim % GW_HEAD_DIM_STEP) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "key %s: layer %u shares keys and values, but no layer before %u has "
                           "them with %u heads of %u, a multiple of %d",
                           gw_def_key(def, "attention.shared_kv_layers", key, sizeof key), i, first,
                           l->n_head_kv, l->head_dim, GW_HEAD_DIM_STEP);
        }
        l->k = owner->k;
        l->v = owner->v;
    }
    return GODWIT_OK;
}

godwit_status gw_hparams_add_rope(gw_model_def *def, float base, uint32_t *out_rope,
                                  godwit_error *err) {
    gw_rope_freqs freqs;
    gw_hparams *h = &def->h;
    if (h->n_ropes == GW_MAX_ROPES)
        return gw_fail(err, GODWIT_UNSUPPORTED, "more than %d kinds of rope", GW_MAX_ROPES);
    *out_rope = h->n_ropes;
    h->ropes[h->n_ropes] =
        (gw_rope){.n_rot = h->ropes[0].n_rot, .base = base, .factor = 1.0f, .attn_factor = 1.0f};
    return gw_rope_freqs_of(&h->ropes[h->n_ropes++], 1, &freqs, err);
}
