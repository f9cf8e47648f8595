// Hparams: the hyper-parameters that decoder families share, from GGUF keys, each range-checked.
#include "arch/arch.h"

#include "base/status.h"

#define KEY(suffix) gw_def_key(def, (suffix), key, sizeof key)

// A count that may be given once for each layer; llama's layers are alike. fallback 0: the key must
// be there. Expects n_layer.
static godwit_status read_count(const gw_model_def *def, const char *key, uint32_t max,
                                uint32_t fallback, uint32_t *out, godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    if (!value || value->type != GW_GGUF_ARRAY) {
        return fallback ? gw_gguf_get_u32(def->gguf, key, 1, max, fallback, out, err)
                        : gw_gguf_require_u32(def->gguf, key, 1, max, out, err);
    }
    if (value->n_items != def->h.n_layer) {
        return gw_fail(err, GODWIT_MALFORMED, "key %s: an array of %llu items for %u layers", key,
                       (unsigned long long)value->n_items, def->h.n_layer);
    }
    uint64_t first = 0;
    for (uint64_t i = 0; i < value->n_items; i++) {
        uint64_t item = 0;
        godwit_status status = gw_gguf_item_u64(value, i, &item, err);
        if (status != GODWIT_OK) return status;
        if (i == 0) first = item;
        if (item < 1 || item > max) {
            return gw_fail(err, GODWIT_MALFORMED, "key %s: item %llu is %llu, must be 1 to %u", key,
                           (unsigned long long)i, (unsigned long long)item, max);
        }
        if (item != first) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "key %s: layer 0 has %llu and layer %llu has %llu; layers that differ "
                           "are not supported",
                           key, (unsigned long long)first, (unsigned long long)i,
                           (unsigned long long)item);
        }
    }
    *out = (uint32_t)first;
    return GODWIT_OK;
}

static godwit_status read_sizes(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *g = def->gguf;
    gw_hparams *h = &def->h;
    char key[128];
    GW_TRY(gw_gguf_require_u32(g, KEY("block_count"), 1, GW_MAX_LAYERS, &h->n_layer, err));
    GW_TRY(gw_gguf_require_u32(g, KEY("embedding_length"), 1, GW_MAX_EMBD, &h->n_embd, err));
    GW_TRY(read_count(def, KEY("feed_forward_length"), GW_MAX_FF, 0, &h->n_ff, err));
    GW_TRY(gw_gguf_require_u32(g, KEY("context_length"), 1, GW_MAX_CTX, &h->n_ctx_train, err));
    GW_TRY(read_count(def, KEY("attention.head_count"), GW_MAX_HEADS, 0, &h->n_head, err));
    GW_TRY(
        read_count(def, KEY("attention.head_count_kv"), h->n_head, h->n_head, &h->n_head_kv, err));
    if (h->n_head % h->n_head_kv) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u does not divide the %u heads",
                KEY("attention.head_count_kv"), h->n_head_kv, h->n_head);
    }
    uint32_t even = h->n_embd / h->n_head, value_length = 0;
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.key_length"), 1, 4096, even, &h->head_dim, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.value_length"), 1, 4096, h->head_dim, &value_length,
                           err));
    if (value_length != h->head_dim) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %u differs from the key length %u",
                KEY("attention.value_length"), value_length, h->head_dim);
    }
    // It may be the quotient of two other keys, so it is named as what it is.
    if (h->head_dim > GW_MAX_HEAD_DIM || h->head_dim % 2 || !h->head_dim) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key %s: heads of %u; attention needs an even number up to %d",
                KEY("attention.key_length"), h->head_dim, GW_MAX_HEAD_DIM);
    }
    GW_TRY(gw_gguf_get_f32(g, KEY("attention.layer_norm_rms_epsilon"), 0.0f, GW_MAX_RMS_EPS, 1e-5f,
                           &h->rms_eps, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("attention.sliding_window"), 0, GW_MAX_CTX, 0, &h->window, err));
done:
    return status;
}

static godwit_status read_scaling_type(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[128];
    gw_str type;
    GW_TRY(gw_gguf_get_str(def->gguf, KEY("rope.scaling.type"), &type, err));
    // A file that gives a factor and no type means linear.
    if (!type.text || gw_str_eq(type, GW_STR("linear"))) {
        def->h.rope_scaling = GW_ROPE_LINEAR;
    } else if (gw_str_eq(type, GW_STR("none"))) {
        def->h.rope_scaling = GW_ROPE_NONE;
    } else if (gw_str_eq(type, GW_STR("yarn"))) {
        def->h.rope_scaling = GW_ROPE_YARN;
    } else {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: '%.*s' is not none, linear or yarn", key,
                GW_STR_ARG(type));
    }
done:
    return status;
}

static godwit_status read_rope(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *g = def->gguf;
    gw_hparams *h = &def->h;
    char key[128];
    float linear = 1.0f;
    GW_TRY(gw_gguf_get_u32(g, KEY("rope.dimension_count"), 2, h->head_dim, h->head_dim, &h->n_rot,
                           err));
    if (h->n_rot % 2) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u of %u; it must be even", key, h->n_rot,
                h->head_dim);
    }
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.freq_base"), GW_MIN_ROPE_BASE, GW_MAX_ROPE_BASE, 10000.0f,
                           &h->rope_base, err));
    GW_TRY(read_scaling_type(def, err));
    // The older spelling of the factor.
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scale_linear"), GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR,
                           1.0f, &linear, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.factor"), GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR,
                           linear, &h->rope_factor, err));
    if (h->rope_scaling == GW_ROPE_LINEAR && h->rope_factor == 1.0f) {
        h->rope_scaling = GW_ROPE_NONE;
    }
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.attn_factor"), GW_MIN_ROPE_ATTENTION,
                           GW_MAX_ROPE_ATTENTION, 1.0f, &h->rope_attn_factor, err));
    GW_TRY(gw_gguf_get_u32(g, KEY("rope.scaling.original_context_length"), 1, GW_MAX_CTX,
                           h->n_ctx_train, &h->rope_ctx_orig, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_beta_fast"), GW_MIN_YARN_BETA,
                           GW_MAX_YARN_BETA, 32.0f, &h->yarn_beta_fast, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_beta_slow"), GW_MIN_YARN_BETA,
                           GW_MAX_YARN_BETA, 1.0f, &h->yarn_beta_slow, err));
    GW_TRY(gw_gguf_get_f32(g, KEY("rope.scaling.yarn_ext_factor"), 0.0f, 1.0f, 1.0f,
                           &h->yarn_ext_factor, err));
done:
    return status;
}

static godwit_status read_rope_freqs(gw_model_def *def, godwit_error *err) {
    const gw_gguf_tensor *freqs = gw_gguf_find_tensor(def->gguf, "rope_freqs.weight");
    const gw_gguf_tensor *longrope = gw_gguf_find_tensor(def->gguf, "rope_factors_long.weight");
    if (longrope) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: longrope scaling is not supported",
                       longrope->name);
    }
    if (freqs && (freqs->type != GODWIT_F32 || freqs->n_elements != def->h.n_rot / 2)) {
        return gw_fail(err, GODWIT_MALFORMED, "tensor %s: not %u F32 values", freqs->name,
                       def->h.n_rot / 2);
    }
    def->h.rope_freqs = freqs;
    return GODWIT_OK;
}

godwit_status gw_hparams_read(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_rope_freqs freqs;
    GW_TRY(read_sizes(def, err));
    GW_TRY(read_rope(def, err));
    GW_TRY(read_rope_freqs(def, err));
    GW_TRY(gw_rope_freqs_of(&def->h, &freqs, err)); // for its checks
done:
    return status;
}
