// Hf config: config.json's hyper-parameters as llama.* keys, within what Godwit runs
// (base/limits.h). What a setting means, also one that is not there, is what transformers makes of
// it: the two classes differ in that.
#include "convert/hf_family.h"

#include "base/host_math.h"
#include "base/limits.h"
#include "base/status.h"

#include <stdio.h>

// Of MistralConfig, where the key is not there. Of both, null means something else: no window, and
// as many as there are heads.
enum { MISTRAL_WINDOW = 4096, MISTRAL_KV_HEADS = 8 };

enum { MAX_ROPE_SETTINGS = 64 };

static const double PI = 3.14159265358979323846;

static godwit_status read_size(const gw_hf *hf, const char *key, uint64_t fallback, uint64_t max,
                               uint64_t *out, godwit_error *err) {
    const gw_json *node = gw_json_get(hf->config, key);
    *out = fallback;
    if (gw_json_is_null(node) && fallback) return GODWIT_OK;
    if (!gw_json_u64(node, out) || *out < 1 || *out > max) {
        return gw_fail(err, GODWIT_MALFORMED, "%s: not a whole number from 1 to %llu", key,
                       (unsigned long long)max);
    }
    return GODWIT_OK;
}

// fallback 0: there is none. The range is that of the float which the file gets.
static godwit_status read_real(const gw_json *object, const char *key, double fallback, float min,
                               float max, double *out, godwit_error *err) {
    const gw_json *node = gw_json_get(object, key);
    *out = fallback;
    if (gw_json_is_null(node) && fallback != 0) return GODWIT_OK;
    // What is far outside is not looked at as a float: it may be none.
    bool near = gw_json_f64(node, out) && *out >= 0 && *out <= 2 * (double)max;
    if (!near || (float)*out < min || (float)*out > max) {
        return gw_fail(err, GODWIT_MALFORMED, "%s: not a number from %g to %g", key, (double)min,
                       (double)max);
    }
    return GODWIT_OK;
}

// Not there, or null: false.
static godwit_status read_flag(const gw_hf *hf, const char *key, bool *out, godwit_error *err) {
    const gw_json *node = gw_json_get(hf->config, key);
    *out = false;
    if (gw_json_is_null(node) || gw_json_bool(node, out)) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "%s: not true or false", key);
}

static godwit_status set_f32(gw_hf *hf, const char *key, double number, godwit_error *err) {
    return gw_gguf_writer_set_number(hf->writer, key, GW_GGUF_F32, &(float){(float)number}, err);
}

static godwit_status set_u32(gw_hf *hf, const char *key, uint64_t number, godwit_error *err) {
    return gw_gguf_writer_set_u32(hf->writer, key, (uint32_t)number, err);
}

// --- what the model is ---------------------------------------------------------------------------

static godwit_status read_kind(gw_hf *hf, godwit_error *err) {
    const gw_json *list = gw_json_get(hf->config, "architectures");
    const gw_json *first = list ? list->first : NULL;
    gw_str name = GW_STR("(none)");
    if (gw_json_str(list, &name)) {
        return gw_fail(err, GODWIT_MALFORMED, "architectures: '%.*s' is a text; a list is wanted",
                       GW_STR_ARG(name));
    }
    gw_json_str(first, &name);
    hf->is_mistral = gw_str_eq(name, GW_STR("MistralForCausalLM"));
    if (!hf->is_mistral && !gw_str_eq(name, GW_STR("LlamaForCausalLM"))) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "architectures: %.*s is not known here (those that are: "
                       "engine/convert/hf_family.def)",
                       GW_STR_ARG(name));
    }
    const gw_json *act = gw_json_get(hf->config, "hidden_act");
    if (!gw_json_is_null(act) && !gw_json_is(act, "silu")) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "hidden_act: only silu belongs to this family");
    }
    return GODWIT_OK;
}

static godwit_status check_heads(const gw_hf *hf, godwit_error *err) {
    if (hf->n_head % hf->n_head_kv) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "num_key_value_heads: %llu does not divide %llu heads",
                       (unsigned long long)hf->n_head_kv, (unsigned long long)hf->n_head);
    }
    if (hf->head_dim < 2 || hf->head_dim % 2) {
        return gw_fail(err, GODWIT_MALFORMED, "head_dim: %llu is not even",
                       (unsigned long long)hf->head_dim);
    }
    // It may be the quotient of two other settings, so it is looked at here.
    if (hf->head_dim > GW_MAX_HEAD_DIM) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "head_dim: %llu is above %d, attention's limit",
                       (unsigned long long)hf->head_dim, GW_MAX_HEAD_DIM);
    }
    return GODWIT_OK;
}

// Mistral's: its class has windows and no biases, Llama's the reverse, and each leaves the other's
// setting alone.
static godwit_status read_class(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *node = gw_json_get(hf->config, "sliding_window");
    uint64_t window = MISTRAL_WINDOW;
    GW_TRY(read_flag(hf, "tie_word_embeddings", &hf->tied, err));
    if (!hf->is_mistral) {
        GW_TRY(read_flag(hf, "attention_bias", &hf->attention_bias, err));
        return read_flag(hf, "mlp_bias", &hf->mlp_bias, err);
    }
    if (node && node->type == GW_JSON_NULL) return GODWIT_OK;
    GW_TRY(read_size(hf, "sliding_window", MISTRAL_WINDOW, GW_MAX_CTX, &window, err));
    GW_TRY(set_u32(hf, "llama.attention.sliding_window", window, err));
done:
    return status;
}

static godwit_status read_sizes(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    double eps = 0;
    bool kv_heads_said = gw_json_get(hf->config, "num_key_value_heads");
    GW_TRY(read_size(hf, "num_hidden_layers", 0, GW_MAX_LAYERS, &hf->n_layer, err));
    GW_TRY(read_size(hf, "hidden_size", 0, GW_MAX_EMBD, &hf->n_embd, err));
    GW_TRY(read_size(hf, "intermediate_size", 0, GW_MAX_FF, &hf->n_ff, err));
    GW_TRY(read_size(hf, "num_attention_heads", 0, GW_MAX_HEADS, &hf->n_head, err));
    hf->n_head_kv = hf->is_mistral && !kv_heads_said ? MISTRAL_KV_HEADS : hf->n_head;
    GW_TRY(read_size(hf, "num_key_value_heads", hf->n_head_kv, hf->n_head, &hf->n_head_kv, err));
    GW_TRY(read_size(hf, "head_dim", hf->n_embd / hf->n_head, GW_MAX_EMBD, &hf->head_dim, err));
    GW_TRY(read_size(hf, "vocab_size", 0, GW_MAX_VOCAB, &hf->n_vocab, err));
    GW_TRY(read_size(hf, "max_position_embeddings", 0, GW_MAX_CTX, &hf->n_ctx, err));
    GW_TRY(read_real(hf->config, "rms_norm_eps", 1e-6, 0.0f, GW_MAX_RMS_EPS, &eps, err));
    GW_TRY(check_heads(hf, err));
    GW_TRY(set_u32(hf, "llama.block_count", hf->n_layer, err));
    GW_TRY(set_u32(hf, "llama.context_length", hf->n_ctx, err));
    GW_TRY(set_u32(hf, "llama.embedding_length", hf->n_embd, err));
    GW_TRY(set_u32(hf, "llama.feed_forward_length", hf->n_ff, err));
    GW_TRY(set_u32(hf, "llama.attention.head_count", hf->n_head, err));
    GW_TRY(set_u32(hf, "llama.attention.head_count_kv", hf->n_head_kv, err));
    GW_TRY(set_u32(hf, "llama.attention.key_length", hf->head_dim, err));
    GW_TRY(set_u32(hf, "llama.attention.value_length", hf->head_dim, err));
    GW_TRY(set_f32(hf, "llama.attention.layer_norm_rms_epsilon", eps, err));
    GW_TRY(set_u32(hf, "llama.vocab_size", hf->n_vocab, err));
    GW_TRY(set_u32(hf, "llama.rope.dimension_count", hf->head_dim, err));
done:
    return status;
}

// --- rope ----------------------------------------------------------------------------------------

static godwit_status set_scaling(gw_hf *hf, const char *type, double factor, godwit_error *err) {
    godwit_status status =
        gw_gguf_writer_set_str(hf->writer, "llama.rope.scaling.type", gw_str_of(type), err);
    return status == GODWIT_OK ? set_f32(hf, "llama.rope.scaling.factor", factor, err) : status;
}

// A whole number, however it is written. One beside the scaling's object counts before the one in
// it.
static godwit_status read_original(const gw_hf *hf, const gw_json *rope, double *out,
                                   godwit_error *err) {
    static const char key[] = "original_max_position_embeddings";
    const gw_json *object = gw_json_is_null(gw_json_get(hf->config, key)) ? rope : hf->config;
    godwit_status status = read_real(object, key, (double)hf->n_ctx, 1.0f, GW_MAX_CTX, out, err);
    if (status == GODWIT_OK && (double)(uint32_t)*out != *out) {
        status = gw_fail(err, GODWIT_MALFORMED, "%s: %.9g is not whole", key, *out);
    }
    return status;
}

static godwit_status read_yarn(gw_hf *hf, const gw_json *rope, double factor, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const char *const unknown[] = {"mscale", "mscale_all_dim"};
    double original = 0, fast = 0, slow = 0, attention = 0;
    bool truncate = true;
    for (size_t i = 0; i < 2; i++) {
        if (gw_json_is_null(gw_json_get(rope, unknown[i]))) continue;
        GW_FAIL(err, GODWIT_UNSUPPORTED, "rope scaling yarn: %s is not supported", unknown[i]);
    }
    if (gw_json_bool(gw_json_get(rope, "truncate"), &truncate) && !truncate) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "rope scaling yarn: truncate false is not supported");
    }
    double usual = factor > 1 ? 1.0 + 0.1 * gw_host_log(factor) : 1.0;
    GW_TRY(read_original(hf, rope, &original, err));
    GW_TRY(read_real(rope, "beta_fast", 32, GW_MIN_YARN_BETA, GW_MAX_YARN_BETA, &fast, err));
    GW_TRY(read_real(rope, "beta_slow", 1, GW_MIN_YARN_BETA, GW_MAX_YARN_BETA, &slow, err));
    // The file's factor comes on top of what the scaling itself asks for.
    GW_TRY(read_real(rope, "attention_factor", usual, GW_MIN_ROPE_ATTENTION * (float)usual,
                     GW_MAX_ROPE_ATTENTION * (float)usual, &attention, err));
    GW_TRY(set_scaling(hf, "yarn", factor, err));
    GW_TRY(set_u32(hf, "llama.rope.scaling.original_context_length", (uint64_t)original, err));
    GW_TRY(set_f32(hf, "llama.rope.scaling.yarn_beta_fast", fast, err));
    GW_TRY(set_f32(hf, "llama.rope.scaling.yarn_beta_slow", slow, err));
    GW_TRY(set_f32(hf, "llama.rope.scaling.attn_factor", attention / usual, err));
done:
    return status;
}

// Llama 3's scaling is stored as the divisor of each pair's frequency: 1 where a turn takes few
// positions, factor where it takes many, and a blend in between.
static godwit_status read_llama3(gw_hf *hf, const gw_json *rope, double theta, double factor,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    double low = 0, high = 0, original = 0;
    uint64_t n = hf->head_dim / 2;
    float *divisors = gw_arena_alloc(&hf->arena, (size_t)n, sizeof *divisors);
    GW_CHECK_ALLOC(divisors, err, "rope divisors");
    GW_TRY(read_real(rope, "low_freq_factor", 0, 1e-12f, 1e12f, &low, err));
    GW_TRY(read_real(rope, "high_freq_factor", 0, 1e-12f, 1e12f, &high, err));
    GW_TRY(read_original(hf, rope, &original, err));
    if (!(high > low)) GW_FAIL(err, GODWIT_MALFORMED, "high_freq_factor: not above the low one");
    for (uint64_t i = 0; i < n; i++) {
        double turn = (double)(2 * i) / (double)hf->head_dim * gw_host_log(theta);
        double wave = 2 * PI * gw_host_exp(turn);
        double smooth = (original / wave - low) / (high - low);
        smooth = smooth < 0 ? 0 : smooth > 1 ? 1 : smooth;
        divisors[i] = (float)(1 / ((1 - smooth) / factor + smooth));
        if (!(divisors[i] > GW_MIN_ROPE_DIVISOR && divisors[i] < GW_MAX_ROPE_DIVISOR)) {
            GW_FAIL(err, GODWIT_MALFORMED,
                    "factor: %g divides frequencies by %g, not between %g "
                    "and %g",
                    factor, (double)divisors[i], (double)GW_MIN_ROPE_DIVISOR,
                    (double)GW_MAX_ROPE_DIVISOR);
        }
    }
    hf->rope_divisors = divisors;
done:
    return status;
}

static godwit_status read_theta(const gw_json *object, double fallback, double *out,
                                godwit_error *err) {
    return read_real(object, "rope_theta", fallback, GW_MIN_ROPE_BASE, GW_MAX_ROPE_BASE, out, err);
}

static bool same_setting(const gw_json *a, const gw_json *b) {
    double x = 0, y = 0;
    gw_str s, t;
    bool p = false, q = false;
    if (gw_json_is_null(a) || gw_json_is_null(b)) return gw_json_is_null(a) && gw_json_is_null(b);
    if (gw_json_f64(a, &x) && gw_json_f64(b, &y)) return x == y;
    if (gw_json_str(a, &s) && gw_json_str(b, &t)) return gw_str_eq(s, t);
    return gw_json_bool(a, &p) && gw_json_bool(b, &q) && p == q;
}

static const gw_json *rope_kind(const gw_json *rope) {
    const gw_json *node = gw_json_get(rope, "rope_type");
    return node ? node : gw_json_get(rope, "type");
}

// Whether all that `a` says `b` says, too; rope_theta may also stand beside it.
static bool is_said_by(const gw_hf *hf, const gw_json *a, const gw_json *b) {
    const gw_json *theta = gw_json_get(hf->config, "rope_theta");
    for (const gw_json *item = a->first; item; item = item->next) {
        bool is_kind =
            gw_str_eq(item->key, GW_STR("type")) || gw_str_eq(item->key, GW_STR("rope_type"));
        const gw_json *other = is_kind ? rope_kind(b) : NULL;
        for (const gw_json *twin = b->first; twin && !is_kind; twin = twin->next) {
            if (gw_str_eq(twin->key, item->key)) other = twin;
        }
        if (!other && gw_str_eq(item->key, GW_STR("rope_theta"))) other = theta;
        if (!same_setting(item, other)) return false;
    }
    return true;
}

// The object that says how positions turn: in transformers 5 rope_parameters, with theta in it;
// before that rope_scaling, which counts first where both are there. Two that differ are a file
// that was changed by hand, in one place of two.
static godwit_status find_rope(const gw_hf *hf, const gw_json **out, godwit_error *err) {
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    const gw_json *found[2];
    for (int i = 0; i < 2; i++) {
        found[i] = gw_json_get(hf->config, keys[i]);
        if (!gw_json_is_null(found[i]) &&
            (found[i]->type != GW_JSON_OBJECT || found[i]->n > MAX_ROPE_SETTINGS)) {
            return gw_fail(err, GODWIT_MALFORMED, "%s: not an object of at most %d settings",
                           keys[i], MAX_ROPE_SETTINGS);
        }
        if (gw_json_is_null(found[i]) || found[i]->n == 0) found[i] = NULL;
    }
    *out = found[0] ? found[0] : found[1];
    if (!found[0] || !found[1] ||
        (is_said_by(hf, found[0], found[1]) && is_said_by(hf, found[1], found[0]))) {
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_MALFORMED,
                   "rope_parameters and rope_scaling disagree: remove the one that is wrong");
}

static bool is_known_rope(gw_str kind) {
    return gw_str_eq(kind, GW_STR("linear")) || gw_str_eq(kind, GW_STR("yarn")) ||
           gw_str_eq(kind, GW_STR("llama3"));
}

static godwit_status read_rope(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *rope = NULL;
    gw_str kind = GW_STR("default");
    double theta = 0, factor = 1;
    GW_TRY(find_rope(hf, &rope, err));
    if (rope_kind(rope) && !gw_json_str(rope_kind(rope), &kind)) {
        GW_FAIL(err, GODWIT_MALFORMED, "rope_type: not a text");
    }
    GW_TRY(read_theta(hf->config, 10000, &theta, err));
    GW_TRY(read_theta(rope, theta, &theta, err));
    GW_TRY(set_f32(hf, "llama.rope.freq_base", theta, err));
    const gw_json *partial = gw_json_get(rope, "partial_rotary_factor");
    if (gw_json_is_null(partial)) partial = gw_json_get(hf->config, "partial_rotary_factor");
    double part = 1;
    if (gw_json_f64(partial, &part) && part != 1) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "partial_rotary_factor: %g is not supported", part);
    }
    if (gw_json_is_null(rope) || gw_str_eq(kind, GW_STR("default"))) return GODWIT_OK;
    // Before the factor, which other kinds may not have.
    if (!is_known_rope(kind)) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "rope scaling: '%.*s' is not default, linear, yarn or llama3", GW_STR_ARG(kind));
    }
    GW_TRY(read_real(rope, "factor", 0, GW_MIN_ROPE_FACTOR, GW_MAX_ROPE_FACTOR, &factor, err));
    if (gw_str_eq(kind, GW_STR("linear"))) return set_scaling(hf, "linear", factor, err);
    if (gw_str_eq(kind, GW_STR("yarn"))) {
        if ((float)theta <= 1.0f)
            GW_FAIL(err, GODWIT_MALFORMED, "rope_theta: yarn needs more than 1");
        return read_yarn(hf, rope, factor, err);
    }
    return read_llama3(hf, rope, theta, factor, err);
done:
    return status;
}

// --- special tokens ------------------------------------------------------------------------------

static godwit_status check_id(const gw_hf *hf, const char *key, const gw_json *node,
                              godwit_error *err) {
    uint64_t id = 0;
    double number = 0;
    if (gw_json_u64(node, &id) && id < hf->n_vocab) return GODWIT_OK;
    // Older files without padding say so.
    if (gw_json_f64(node, &number) && number == -1) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED,
                   "%s: '%.*s' is no token's number: these are whole and below vocab_size, %llu",
                   key, GW_STR_ARG(node->text), (unsigned long long)hf->n_vocab);
}

// A number, or several; hf_tokenizer.c takes them.
static godwit_status check_ids(const gw_hf *hf, godwit_error *err) {
    static const char *const keys[] = {"bos_token_id", "eos_token_id", "pad_token_id"};
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const gw_json *node = gw_json_get(hf->config, keys[i]);
        if (gw_json_is_null(node)) continue;
        bool several = node->type == GW_JSON_ARRAY;
        for (const gw_json *item = several ? node->first : node; item; item = item->next) {
            GW_TRY(check_id(hf, keys[i], item, err));
            if (!several) break;
        }
    }
done:
    return status;
}

godwit_status gw_hf_read_config(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (hf->family) {
        GW_TRY(gw_hf_family_config(hf, err));
        return check_ids(hf, err);
    }
    GW_TRY(read_kind(hf, err));
    GW_TRY(read_sizes(hf, err));
    GW_TRY(read_class(hf, err));
    GW_TRY(read_rope(hf, err));
    GW_TRY(check_ids(hf, err));
done:
    return status;
}
