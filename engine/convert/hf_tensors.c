// Hf tensors: the names of transformers' llama as GGUF's, in GGUF's usual order.
//
// Every tensor of the folder has its place or is an error; so are missing ones and other shapes.
#include "convert/hf_family.h"

#include "base/dims.h"
#include "base/status.h"

#include <stdio.h>

enum { MAX_NAME = 256, COMPARE_BYTES = 1 << 20 };

typedef struct listing {
    gw_hf *hf;
    gw_convert_job *job;
    gw_convert_tensor *items;
    size_t n, n_max;
    uint64_t n_used; // of the folder's tensors
} listing;

// A bias that a setting of config.json says whether there is one.
typedef enum bias { NO_BIAS, ATTENTION_BIAS, MLP_BIAS } bias;

typedef struct part {
    const char *from, *to;
    uint64_t n_rows, n_cols; // n_cols 0: a vector
    uint64_t head_rows;
    bias bias;
} part;

static godwit_status check_shape(const gw_st_tensor *t, const part *p, godwit_error *err) {
    uint64_t want[2] = {p->n_rows, p->n_cols};
    uint32_t n_dims = p->n_cols ? 2 : 1;
    char has[96], wants[96];
    if (t->type->gguf < 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: weights of type %s; F32, F16 and BF16 can be converted", t->name,
                       t->type->name);
    }
    if (t->n_dims == n_dims && memcmp(t->dims, want, n_dims * sizeof *want) == 0) return GODWIT_OK;
    gw_dims_text(t->n_dims, t->dims, has, sizeof has);
    gw_dims_text(n_dims, want, wants, sizeof wants);
    return gw_fail(err, GODWIT_MALFORMED, "tensor %s: shape [%s], config.json wants [%s]", t->name,
                   has, wants);
}

// transformers would leave it out: the class has no place for it, or a setting says so. A file that
// has one anyway was trained with it, or has a wrong config.json; which of these, nobody here
// knows.
static godwit_status refuse_bias(const gw_hf *hf, const char *name, bias kind, godwit_error *err) {
    const char *setting = kind == MLP_BIAS ? "mlp_bias" : "attention_bias";
    if (hf->is_mistral) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: MistralForCausalLM has no biases, so transformers leaves it "
                       "out; LlamaForCausalLM with %s true has them",
                       name, setting);
    }
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "tensor %s: config.json's %s is not true, so transformers leaves it out; set "
                   "that to true, or remove the biases",
                   name, setting);
}

static bool has_bias(const gw_hf *hf, bias kind) {
    return kind == MLP_BIAS ? hf->mlp_bias : hf->attention_bias;
}

static godwit_status add(listing *l, const char *from, const char *to, const part *p,
                         godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = gw_safetensors_find(l->hf->weights, from);
    if (p->bias && !has_bias(l->hf, p->bias)) {
        return t ? refuse_bias(l->hf, from, p->bias, err) : GODWIT_OK;
    }
    if (!t) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", from);
    GW_TRY(check_shape(t, p, err));
    if (l->n == l->n_max) return GW_BUG(err, "over %zu tensors", l->n_max);
    gw_convert_tensor *out = &l->items[l->n++];
    char *name = gw_arena_strndup(&l->hf->arena, to, strlen(to));
    GW_CHECK_ALLOC(name, err, "tensor name");
    *out = (gw_convert_tensor){.job = l->job,
                               .name = name,
                               .from_file = t->file,
                               .from_name = t->name,
                               .n_dims = t->n_dims,
                               .dims = {t->dims[0], t->n_dims > 1 ? t->dims[1] : 1, 1, 1},
                               .from_type = (uint32_t)t->type->gguf,
                               .from = gw_format_find((uint32_t)t->type->gguf),
                               .source = t->source,
                               .from_bytes = t->bytes,
                               .head_rows = p->head_rows};
    l->n_used++;
done:
    return status;
}

static godwit_status add_layer(listing *l, uint64_t layer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hf *hf = l->hf;
    uint64_t d = hf->n_embd, dh = hf->head_dim, dq = hf->n_head * dh, dkv = hf->n_head_kv * dh;
    const part parts[] = {
        {"input_layernorm.weight", "attn_norm.weight", d, 0, 0, NO_BIAS},
        {"self_attn.q_proj.weight", "attn_q.weight", dq, d, dh, NO_BIAS},
        {"self_attn.q_proj.bias", "attn_q.bias", dq, 0, dh, ATTENTION_BIAS},
        {"self_attn.k_proj.weight", "attn_k.weight", dkv, d, dh, NO_BIAS},
        {"self_attn.k_proj.bias", "attn_k.bias", dkv, 0, dh, ATTENTION_BIAS},
        {"self_attn.v_proj.weight", "attn_v.weight", dkv, d, 0, NO_BIAS},
        {"self_attn.v_proj.bias", "attn_v.bias", dkv, 0, 0, ATTENTION_BIAS},
        {"self_attn.o_proj.weight", "attn_output.weight", d, dq, 0, NO_BIAS},
        {"self_attn.o_proj.bias", "attn_output.bias", d, 0, 0, ATTENTION_BIAS},
        {"post_attention_layernorm.weight", "ffn_norm.weight", d, 0, 0, NO_BIAS},
        {"mlp.gate_proj.weight", "ffn_gate.weight", hf->n_ff, d, 0, NO_BIAS},
        {"mlp.gate_proj.bias", "ffn_gate.bias", hf->n_ff, 0, 0, MLP_BIAS},
        {"mlp.up_proj.weight", "ffn_up.weight", hf->n_ff, d, 0, NO_BIAS},
        {"mlp.up_proj.bias", "ffn_up.bias", hf->n_ff, 0, 0, MLP_BIAS},
        {"mlp.down_proj.weight", "ffn_down.weight", d, hf->n_ff, 0, NO_BIAS},
        {"mlp.down_proj.bias", "ffn_down.bias", d, 0, 0, MLP_BIAS},
    };
    char from[MAX_NAME], to[MAX_NAME];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(from, sizeof from, "model.layers.%llu.%s", (unsigned long long)layer,
                 parts[i].from);
        snprintf(to, sizeof to, "blk.%llu.%s", (unsigned long long)layer, parts[i].to);
        GW_TRY(add(l, from, to, &parts[i], err));
    }
done:
    return status;
}

static const gw_st_tensor *find_any(const gw_hf *hf, const char *const *names) {
    const gw_st_tensor *t = NULL;
    for (; *names && !t; names++) t = gw_safetensors_find(hf->weights, *names);
    return t;
}

// A tied output that was saved anyway, with other values: transformers does not tie then. Of
// another type, the values may be the same, and the file is only larger than it had to be.
godwit_status gw_hf_has_own_output(const gw_hf *hf, bool *out_own, godwit_error *err) {
    static const char *const ins[] = {"model.embed_tokens.weight",
                                      "model.language_model.embed_tokens.weight",
                                      "model.text_model.embed_tokens.weight",
                                      "language_model.model.embed_tokens.weight",
                                      "transformer.wte.weight",
                                      "gpt_neox.embed_in.weight",
                                      "backbone.embeddings.weight",
                                      "shared.weight",
                                      "encoder.embed_tokens.weight",
                                      NULL};
    static const char *const outs[] = {"lm_head.weight", "embed_out.weight", NULL};
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *in = find_any(hf, ins), *out = find_any(hf, outs);
    const uint8_t *a = NULL, *b = NULL;
    uint8_t *scratch = NULL;
    *out_own = in && out && (in->type != out->type || in->bytes != out->bytes);
    if (!in || !out || *out_own) return GODWIT_OK;
    scratch = gw_alloc(hf->host, 2, COMPARE_BYTES);
    GW_CHECK_ALLOC(scratch, err, "comparing tensors");
    for (uint64_t at = 0; at < in->bytes && !*out_own; at += COMPARE_BYTES) {
        uint64_t n = in->bytes - at < COMPARE_BYTES ? in->bytes - at : COMPARE_BYTES;
        GW_TRY(gw_source_view(&in->source, at, n, scratch, &a, err));
        GW_TRY(gw_source_view(&out->source, at, n, scratch + COMPARE_BYTES, &b, err));
        *out_own = memcmp(a, b, (size_t)n) != 0;
    }
done:
    gw_free(hf->host, scratch, 2 * (size_t)COMPARE_BYTES);
    return status;
}

// What a file may hold besides: tables that are computed, and a tied output that was saved anyway.
static bool is_known_extra(const gw_hf *hf, const char *name) {
    return gw_convert_matches("*.rotary_emb.inv_freq", name) ||
           (hf->tied && strcmp(name, "lm_head.weight") == 0);
}

static godwit_status check_all_used(const listing *l, godwit_error *err) {
    const gw_safetensors *weights = l->hf->weights;
    uint64_t n = gw_safetensors_n(weights), n_extra = 0;
    for (uint64_t i = 0; i < n; i++) {
        n_extra += is_known_extra(l->hf, gw_safetensors_at(weights, i)->name);
    }
    if (l->n_used + n_extra == n) return GODWIT_OK;
    for (uint64_t i = 0; i < n; i++) {
        const gw_st_tensor *t = gw_safetensors_at(weights, i);
        bool used = is_known_extra(l->hf, t->name);
        for (size_t k = 0; k < l->n && !used; k++) used = l->items[k].from_name == t->name;
        if (used) continue;
        return gw_fail(
            err, GODWIT_UNSUPPORTED,
            "tensor %s: not a part of this family; without it the results would be wrong", t->name);
    }
    return GODWIT_OK;
}

static void add_divisors(listing *l) {
    gw_convert_tensor *out = &l->items[l->n++];
    uint64_t n = l->hf->head_dim / 2;
    *out = (gw_convert_tensor){.job = l->job,
                               .name = "rope_freqs.weight",
                               .from_file = l->hf->folder,
                               .from_name = "rope_freqs.weight",
                               .n_dims = 1,
                               .dims = {n, 1, 1, 1},
                               .from_type = GODWIT_F32,
                               .from = gw_format_find(GODWIT_F32),
                               .source = {.bytes = (const uint8_t *)l->hf->rope_divisors},
                               .from_bytes = n * sizeof(float)};
}

godwit_status gw_hf_list_tensors(gw_hf *hf, gw_convert_job *job, gw_convert_tensor **out_tensors,
                                 size_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    listing l = {.hf = hf, .job = job};
    uint64_t d = hf->n_embd;
    const part embedding = {.n_rows = hf->n_vocab, .n_cols = d}, norm = {.n_rows = d};
    bool own_output = false;
    if (hf->family) return gw_hf_map_tensors(hf, job, out_tensors, out_n, err);
    if (hf->tied) GW_TRY(gw_hf_has_own_output(hf, &own_output, err));
    if (own_output) {
        gw_log(hf->host, GODWIT_LOG_WARN,
               "%s: tie_word_embeddings is true, but lm_head.weight has other values than "
               "model.embed_tokens.weight: both are kept, as transformers does",
               hf->folder);
        hf->tied = false;
    }
    // Not more than the folder has and the few that are computed.
    l.n_max = (size_t)gw_safetensors_n(hf->weights) + 1;
    l.items = gw_arena_alloc(&hf->arena, l.n_max, sizeof *l.items);
    GW_CHECK_ALLOC(l.items, err, "tensors");
    GW_TRY(add(&l, "model.embed_tokens.weight", "token_embd.weight", &embedding, err));
    if (hf->rope_divisors) add_divisors(&l);
    for (uint64_t i = 0; i < hf->n_layer; i++) GW_TRY(add_layer(&l, i, err));
    GW_TRY(add(&l, "model.norm.weight", "output_norm.weight", &norm, err));
    if (!hf->tied) GW_TRY(add(&l, "lm_head.weight", "output.weight", &embedding, err));
    GW_TRY(check_all_used(&l, err));
    *out_tensors = l.items;
    *out_n = l.n;
done:
    return status;
}
