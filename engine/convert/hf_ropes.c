// Hf ropes: how positions turn, as keys and as vectors of divisors.
//
// transformers 5 has rope_parameters, in some families one object a kind of layer; before it rope_scaling,
// with the base beside it.
#include "convert/hf_family.h"

#include "base/host_math.h"
#include "base/limits.h"
#include "base/status.h"

#define STILL 1e30f // the divisor of a pair that does not turn

// The object of a kind of layer ("full_attention"), or the one of all.
static const gw_json *rope_of(const gw_hf *hf, const char *layers) {
    const gw_json *rope = gw_hf_setting(hf, "rope_parameters|rope_scaling");
    const gw_json *own = gw_json_get(rope, layers);
    return own ? own : rope;
}

static double real_of(const gw_json *object, const char *key, double fallback) {
    gw_json_f64(gw_json_get(object, key), &fallback);
    return fallback;
}

// Step 3.5 has a base for each layer: the first sees all, the second a window.
static void read_each(const gw_hf *hf, bool local, double *out) {
    const gw_json *list = gw_hf_setting(hf, "rope_theta");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    if (item && local) item = item->next;
    gw_json_f64(item, out);
}

static godwit_status read_base(const gw_hf *hf, const gw_json *rope, const char *names,
                               double fallback, double *out, godwit_error *err) {
    *out = fallback;
    if (!gw_json_f64(gw_json_get(rope, "rope_theta"), out)) gw_hf_number(hf, names, out);
    if (*out >= (double)GW_MIN_ROPE_BASE && *out <= (double)GW_MAX_ROPE_BASE) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "rope_theta: not a number from %g to %g",
                   (double)GW_MIN_ROPE_BASE, (double)GW_MAX_ROPE_BASE);
}

static godwit_status read_between(const gw_json *rope, const char *key, double fallback, float min,
                                  float max, double *out, godwit_error *err) {
    *out = real_of(rope, key, fallback);
    if (*out >= (double)min && *out <= (double)max) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "rope scaling: %s: not a number from %g to %g", key,
                   (double)min, (double)max);
}

static double original_of(const gw_hf *hf, const gw_json *rope) {
    double n = (double)hf->n_ctx;
    if (!gw_hf_number(hf, "original_max_position_embeddings", &n)) {
        n = real_of(rope, "original_max_position_embeddings", n);
    }
    return n;
}

static godwit_status set_type(gw_hf *hf, const char *type, godwit_error *err) {
    char key[GW_HF_KEY_BYTES];
    return gw_gguf_writer_set_str(hf->writer, gw_hf_key(hf, "rope.scaling.type", key),
                                  gw_str_of(type), err);
}

static godwit_status set_original(gw_hf *hf, const gw_json *rope, godwit_error *err) {
    const double n = original_of(hf, rope);
    if (!(n >= 1 && n <= GW_MAX_CTX)) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "original_max_position_embeddings: not a number from 1 to %d", GW_MAX_CTX);
    }
    return gw_hf_set_u32(hf, "rope.scaling.original_context_length", (uint64_t)n, err);
}

// The temperature that DeepSeek and Ministral have: 0.1 * all_dims * ln(factor) + 1, in both places.
static godwit_status set_temperature(gw_hf *hf, const gw_json *rope, double factor,
                                     godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool deepseek = gw_hf_in(hf, GW_HF_OF(GW_HF_DEEPSEEKS));
    const bool ministral = gw_hf_in(hf, GW_HF_ONE(MISTRAL3));
    const double all = real_of(rope, "mscale_all_dim", 0),
                 usual = factor > 1 ? 1 + 0.1 * gw_host_log(factor) : 1;
    double attention = usual;
    if (deepseek || ministral) {
        if (all != 0 && all != real_of(rope, "mscale", all)) {
            GW_FAIL(err, GODWIT_UNSUPPORTED, "rope scaling yarn: mscale and mscale_all_dim differ");
        }
        GW_TRY(
            gw_hf_set_f32(hf, "rope.scaling.yarn_log_multiplier", deepseek ? 0.1 * all : all, err));
        return GODWIT_OK;
    }
    if (all != 0 || real_of(rope, "mscale", 0) != 0) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "rope scaling yarn: mscale is not supported in this family");
    }
    if (gw_json_is_null(gw_json_get(rope, "attention_factor"))) return GODWIT_OK;
    GW_TRY(read_between(rope, "attention_factor", usual, GW_MIN_ROPE_ATTENTION * (float)usual,
                        GW_MAX_ROPE_ATTENTION * (float)usual, &attention, err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.attn_factor", attention / usual, err));
done:
    return status;
}

static godwit_status set_yarn(gw_hf *hf, const gw_json *rope, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    double factor = 0, fast = 0, slow = 0;
    bool rounded = true;
    gw_json_bool(gw_json_get(rope, "truncate"), &rounded);
    if (rounded == gw_hf_in(hf, GW_HF_ONE(GPT_OSS))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "rope scaling yarn: truncate %s is not supported in this family",
                rounded ? "true" : "false");
    }
    GW_TRY(read_between(rope, "factor", 0, GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR, &factor, err));
    GW_TRY(read_between(rope, "beta_fast", 32, GW_MIN_YARN_BETA, GW_MAX_YARN_BETA, &fast, err));
    GW_TRY(read_between(rope, "beta_slow", 1, GW_MIN_YARN_BETA, GW_MAX_YARN_BETA, &slow, err));
    GW_TRY(set_type(hf, "yarn", err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.factor", factor, err));
    GW_TRY(set_original(hf, rope, err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.yarn_beta_fast", fast, err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.yarn_beta_slow", slow, err));
    GW_TRY(set_temperature(hf, rope, factor, err));
done:
    return status;
}

// --- vectors of divisors -------------------------------------------------------------------------

static godwit_status add_vector(gw_hf *hf, const char *name, uint64_t n, float **out,
                                godwit_error *err) {
    if (hf->n_vectors == GW_HF_MAX_VECTORS)
        return GW_BUG(err, "over %d vectors", GW_HF_MAX_VECTORS);
    *out = gw_arena_alloc(&hf->arena, (size_t)n, sizeof **out);
    if (!*out) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: rope divisors");
    hf->vectors[hf->n_vectors++] = (gw_hf_vector){name, *out, n};
    return GODWIT_OK;
}

static godwit_status add_factors(gw_hf *hf, const char *name, const gw_json *list, uint64_t n,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float *out = NULL;
    if (!list || list->type != GW_JSON_ARRAY || list->n != n) {
        GW_FAIL(err, GODWIT_MALFORMED, "rope scaling longrope: not %llu factors",
                (unsigned long long)n);
    }
    GW_TRY(add_vector(hf, name, n, &out, err));
    for (const gw_json *item = list->first; item; item = item->next, out++) {
        double factor = 0;
        if (!gw_json_f64(item, &factor) || factor <= (double)GW_MIN_ROPE_DIVISOR ||
            factor >= (double)STILL) {
            GW_FAIL(err, GODWIT_MALFORMED, "rope scaling longrope: '%.*s' is no factor",
                    GW_STR_ARG(item->text));
        }
        *out = (float)factor;
    }
done:
    return status;
}

static godwit_status set_longrope(gw_hf *hf, const gw_json *rope, uint64_t n_rot,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const double original = original_of(hf, rope), scale = (double)hf->n_ctx / original;
    const double usual =
        scale > 1 && original > 1 ? 1 + gw_host_log(scale) / gw_host_log(original) : 1;
    double root = usual, attention = 0; // Newton's
    for (int i = 0; i < 60; i++) root = (root + usual / root) / 2;
    attention = real_of(rope, "attention_factor", root);
    if (gw_hf_in(hf, GW_HF_ONE(MINICPM))) GW_TRY(set_type(hf, "longrope", err));
    GW_TRY(set_original(hf, rope, err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.attn_factor", attention, err));
    GW_TRY(add_factors(hf, "rope_factors_long.weight", gw_json_get(rope, "long_factor"), n_rot / 2,
                       err));
    GW_TRY(add_factors(hf, "rope_factors_short.weight", gw_json_get(rope, "short_factor"),
                       n_rot / 2, err));
done:
    return status;
}

// Frequencies of the whole head, of which the first pairs turn.
static godwit_status set_proportional(gw_hf *hf, const gw_json *rope, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t head = 0;
    float *out = NULL;
    GW_TRY(gw_hf_size(hf, "global_head_dim", UINT64_MAX, 2, GW_MAX_EMBD, &head, err));
    const double part = real_of(rope, "partial_rotary_factor", 1);
    if (!(part >= 0 && part <= 1))
        GW_FAIL(err, GODWIT_MALFORMED, "partial_rotary_factor: not in [0, 1]");
    GW_TRY(add_vector(hf, "rope_freqs.weight", head / 2, &out, err));
    for (uint64_t i = 0; i < head / 2; i++)
        out[i] = i < (uint64_t)((double)head * part / 2) ? 1.0f : STILL;
done:
    return status;
}

// As hf_config.c has it of llama's. Step 3.5 turns half a head so, and has a number for all of it.
static godwit_status set_llama3(gw_hf *hf, const gw_json *rope, uint64_t n_rot, double base,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t n = gw_hf_in(hf, GW_HF_ONE(STEP35)) ? hf->head_dim : n_rot;
    double factor = 0, low = 0, high = 0;
    float *out = NULL;
    GW_TRY(read_between(rope, "factor", 0, GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR, &factor, err));
    GW_TRY(read_between(rope, "low_freq_factor", 0, 1e-6f, 1e6f, &low, err));
    GW_TRY(read_between(rope, "high_freq_factor", 0, 1e-6f, 1e6f, &high, err));
    if (!(high > low)) GW_FAIL(err, GODWIT_MALFORMED, "high_freq_factor: not above the low one");
    GW_TRY(add_vector(hf, "rope_freqs.weight", n / 2, &out, err));
    for (uint64_t i = 0; i < n / 2; i++) out[i] = 1.0f;
    for (uint64_t i = 0; i < n_rot / 2; i++) {
        const double turn = (double)(2 * i) / (double)n_rot * gw_host_log(base);
        const double wave = 2 * 3.14159265358979323846 * gw_host_exp(turn);
        double smooth = (original_of(hf, rope) / wave - low) / (high - low);
        smooth = smooth < 0 ? 0 : smooth > 1 ? 1 : smooth;
        out[i] = (float)(1 / ((1 - smooth) / factor + smooth));
    }
done:
    return status;
}

// --- all of it -----------------------------------------------------------------------------------

// Of a head, what turns: by its part, or by its number.
static uint64_t turning(const gw_hf *hf, const gw_json *rope) {
    double part = 1, n = 0;
    if (gw_hf_in(hf, GW_HF_ONE(STEP35))) return hf->head_dim / 2; // hf_heads.c checks it
    if (gw_hf_number(hf, "rotary_dim", &n) && n > 0 && n <= (double)hf->head_dim)
        return (uint64_t)n;
    if (!gw_json_f64(gw_json_get(rope, "partial_rotary_factor"), &part)) {
        gw_hf_number(hf, "partial_rotary_factor|rotary_pct", &part);
    }
    return part > 0 && part <= 1 ? (uint64_t)((double)hf->head_dim * part) : hf->head_dim;
}

static godwit_status set_scaling(gw_hf *hf, const gw_json *rope, uint64_t n_rot, double base,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str kind = GW_STR("default");
    double factor = 1;
    const gw_json *node = gw_json_get(rope, "rope_type");
    if (!node) node = gw_json_get(rope, "type");
    gw_json_str(node, &kind);
    if (gw_str_eq(kind, GW_STR("default")) || gw_str_eq(kind, GW_STR("mrope"))) return GODWIT_OK;
    if (gw_str_eq(kind, GW_STR("yarn"))) return set_yarn(hf, rope, err);
    if (gw_str_eq(kind, GW_STR("llama3"))) return set_llama3(hf, rope, n_rot, base, err);
    const bool phi = gw_hf_in(hf, GW_HF_OF(GW_HF_PHI3, GW_HF_MINICPM, GW_HF_MINICPM3));
    if (phi && (gw_str_eq(kind, GW_STR("longrope")) || gw_str_eq(kind, GW_STR("su")))) {
        return set_longrope(hf, rope, n_rot, err);
    }
    if (gw_hf_in(hf, GW_HF_ONE(GEMMA4)) && gw_str_eq(kind, GW_STR("proportional"))) {
        return set_proportional(hf, rope, err);
    }
    if (!gw_str_eq(kind, GW_STR("linear"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "rope scaling: '%.*s' is not supported in this family",
                GW_STR_ARG(kind));
    }
    GW_TRY(read_between(rope, "factor", 0, GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR, &factor, err));
    GW_TRY(set_type(hf, "linear", err));
    GW_TRY(gw_hf_set_f32(hf, "rope.scaling.factor", factor, err));
done:
    return status;
}

// Sections of positions in time, height and width, padded to four.
static godwit_status set_sections(gw_hf *hf, const gw_json *rope, godwit_error *err) {
    int32_t sections[4] = {11, 11, 10, 0}, n = 0;
    char key[GW_HF_KEY_BYTES];
    const gw_json *list = gw_json_get(rope, "mrope_section");
    for (const gw_json *item = list ? list->first : NULL; item && n < 4; item = item->next) {
        uint64_t size = 0;
        if (!gw_json_u64(item, &size) || size > GW_MAX_HEAD_DIM) {
            return gw_fail(err, GODWIT_MALFORMED, "mrope_section: not whole numbers");
        }
        sections[n++] = (int32_t)size;
    }
    for (; n > 0 && n < 4; n++) sections[n] = 0;
    return gw_gguf_writer_set_array(hf->writer, gw_hf_key(hf, "rope.dimension_sections", key),
                                    GW_GGUF_I32, sections, 4, err);
}

godwit_status gw_hf_family_rope(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *rope = rope_of(hf, "full_attention"), *local = rope_of(hf, "sliding_attention");
    const bool none =
        gw_hf_in(hf, GW_HF_OF(GW_HF_GPT2, GW_HF_BLOOM, GW_HF_STARCODER, GW_HF_BERT, GW_HF_ROBERTA,
                              GW_HF_JINA2, GW_HF_NEMOTRONHS, GW_HF_MAMBA2, GW_HF_MAMBAS1,
                              GW_HF_JAMBA, GW_HF_MPT, GW_HF_T5S, GW_HF_KIMI));
    double base = 10000, local_base = 10000;
    if (none) return GODWIT_OK;
    read_each(hf, false, &base);
    read_each(hf, true, &local_base);
    GW_TRY(read_base(hf, rope, "rope_theta|rotary_emb_base|global_rope_theta", base, &base, err));
    if (gw_hf_in(hf, GW_HF_ONE(CHATGLM))) {
        double ratio = 1;
        gw_hf_number(hf, "rope_ratio", &ratio);
        base *= ratio;
        if (!(base >= (double)GW_MIN_ROPE_BASE && base <= (double)GW_MAX_ROPE_BASE))
            GW_FAIL(err, GODWIT_MALFORMED, "rope_ratio: %g is not supported", ratio);
    }
    GW_TRY(gw_hf_set_f32(hf, "rope.freq_base", base, err));
    if (local != rope || gw_hf_in(hf, GW_HF_OF(GW_HF_GEMMA3, GW_HF_GEMMAEMB, GW_HF_GEMMA3N,
                                               GW_HF_MODERNBERT, GW_HF_MIMO2, GW_HF_STEP35))) {
        GW_TRY(read_base(hf, local != rope ? local : NULL,
                         "rope_local_base_freq|local_rope_theta|swa_rope_theta", local_base,
                         &local_base, err));
        GW_TRY(gw_hf_set_f32(hf, "rope.freq_base_swa", local_base, err));
    } else if (gw_hf_in(hf, GW_HF_ONE(OLMO3))) {
        GW_TRY(gw_hf_set_f32(hf, "rope.freq_base_swa", base, err));
    }
    const uint64_t n_rot = turning(hf, rope);
    if (hf->family->flags & GW_HF_PART) {
        GW_TRY(gw_hf_set_u32(hf, "rope.dimension_count", n_rot, err));
    } else if (n_rot != hf->head_dim &&
               !gw_hf_in(hf, GW_HF_OF(GW_HF_GEMMA4, GW_HF_MISTRAL4, GW_HF_STEP35))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "partial_rotary_factor: not supported in this family");
    }
    // Text alone has one position for all sections, so these matter to pictures only.
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_QWEN35, GW_HF_QWEN35MOE)) || gw_json_get(rope, "mrope_section"))
        GW_TRY(set_sections(hf, rope, err));
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_MISTRAL3, GW_HF_MISTRAL4))) {
        const double scale = real_of(rope, "llama_4_scaling_beta", 0);
        if (scale != 0) GW_TRY(gw_hf_set_f32(hf, "attention.temperature_scale", scale, err));
    }
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_COHERE, GW_HF_COHERE2, GW_HF_NEMOTRON, GW_HF_MODERNBERT,
                              GW_HF_EUROBERT)))
        return set_type(hf, "none", err);
    if (gw_hf_in(hf, GW_HF_OF(GW_HF_DEEPSEEK, GW_HF_EXAONEMOE))) GW_TRY(set_type(hf, "none", err));
    GW_TRY(set_scaling(hf, rope, n_rot, base, err));
done:
    return status;
}
