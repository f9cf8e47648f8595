// LoRA: see lora.h.
#include "arch/lora.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>

enum { MAX_RANK = 4096 }; // of one adapter's tensor
#define MAX_ALPHA 1e6f
#define SUFFIX_A  ".lora_a"
#define SUFFIX_B  ".lora_b"

// --- what an adapter's file has ------------------------------------------------------------------

// One adapter of one weight.
typedef struct pair {
    const gw_gguf *gguf;
    const gw_gguf_tensor *a, *b;
    const gw_weight *of;
    uint64_t rank;
    float factor;
} pair;

static bool ends(const char *name, const char *suffix) {
    const size_t n = strlen(name), n_suffix = strlen(suffix);
    return n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

static const gw_weight *find_weight(const gw_model_def *def, const char *name, size_t n) {
    for (size_t i = 0; i < def->weights.n; i++) {
        const gw_weight *w = def->weights.items[i];
        if (strlen(w->name) == n && memcmp(w->name, name, n) == 0) return w;
    }
    return NULL;
}

static godwit_status check_file(const gw_model_def *def, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str type = {NULL, 0}, kind = {NULL, 0}, arch = {NULL, 0};
    GW_TRY(gw_gguf_get_str(gguf, "general.type", &type, err));
    GW_TRY(gw_gguf_get_str(gguf, "adapter.type", &kind, err));
    GW_TRY(gw_gguf_get_str(gguf, "general.architecture", &arch, err));
    if (!type.text || !gw_str_eq(type, gw_str_of("adapter"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key general.type is not 'adapter': this is no LoRA adapter");
    }
    if (!kind.text || !gw_str_eq(kind, gw_str_of("lora"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key adapter.type is '%.*s', lora is wanted",
                GW_STR_ARG(kind));
    }
    if (gw_gguf_find(gguf, "adapter.alora.invocation_tokens")) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key adapter.alora.invocation_tokens: an adapter that certain tokens switch on "
                "(aLoRA), which this build does not do");
    }
    if (!arch.text || !gw_str_eq(arch, gw_str_of(def->arch->name))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key general.architecture is '%.*s', the model's is '%s': the adapter is of "
                "another model",
                GW_STR_ARG(arch), def->arch->name);
    }
done:
    return status;
}

// The weight that a tensor of an adapter belongs to, and the other tensor of the pair.
static godwit_status find_pair(const gw_model_def *def, const gw_gguf *gguf,
                               const gw_gguf_tensor *a, pair *out, godwit_error *err) {
    char other[GW_GGUF_MAX_NAME_BYTES + 1];
    const size_t n = strlen(a->name) - strlen(SUFFIX_A);
    snprintf(other, sizeof other, "%.*s%s", (int)n, a->name, SUFFIX_B);
    *out = (pair){.gguf = gguf,
                  .a = a,
                  .b = gw_gguf_find_tensor(gguf, other),
                  .of = find_weight(def, a->name, n),
                  .rank = a->dims[0]};
    if (!out->b) return gw_fail(err, GODWIT_MALFORMED, "tensor %s: missing", other);
    if (!out->of) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: the model has no tensor %.*s", a->name,
                       (int)n, a->name);
    }
    if (out->of->n_dims != 2) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: adapters of experts, or of other than matrices, are not applied",
                       a->name);
    }
    const uint64_t *da = a->dims, *db = out->b->dims;
    if (a->n_dims != 2 || out->b->n_dims != 2 || da[1] != out->of->n_cols ||
        db[0] != out->of->n_rows || db[1] != da[0]) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "tensor %s: shapes [%llu, %llu] and [%llu, %llu] are not [rank, %llu] and "
                       "[%llu, rank]",
                       a->name, (unsigned long long)da[0], (unsigned long long)da[1],
                       (unsigned long long)db[0], (unsigned long long)db[1],
                       (unsigned long long)out->of->n_cols, (unsigned long long)out->of->n_rows);
    }
    if (out->rank > MAX_RANK) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: a rank of %llu, at most %d is supported", a->name,
                       (unsigned long long)out->rank, MAX_RANK);
    }
    if (gw_format_find(a->type) && gw_format_find(out->b->type)) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: it, or its other half, is no weight's type",
                   a->name);
}

typedef gw_vec(pair) pairs;

// All of an adapter's.
static godwit_status find_pairs(const gw_model_def *def, const gw_lora_source *source, pairs *out,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf *gguf = source->gguf;
    float alpha = 0.0f;
    GW_TRY(check_file(def, gguf, err));
    GW_TRY(gw_gguf_get_f32(gguf, "adapter.lora.alpha", -MAX_ALPHA, MAX_ALPHA, 0.0f, &alpha, err));
    uint64_t n_pairs = 0;
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        if (ends(t->name, SUFFIX_B)) continue;
        if (!ends(t->name, SUFFIX_A)) {
            GW_FAIL(err, GODWIT_UNSUPPORTED,
                    "tensor %s: neither NAME.lora_a nor NAME.lora_b; without it the results would "
                    "be wrong",
                    t->name);
        }
        pair *p = gw_vec_push(out, def->host);
        GW_CHECK_ALLOC(p, err, "adapters");
        GW_TRY(find_pair(def, gguf, t, p, err));
        // As llama.cpp has it: without an alpha the rank does not count.
        p->factor = alpha != 0.0f ? source->scale * alpha / (float)p->rank : source->scale;
        n_pairs++;
    }
    if (2 * n_pairs != gw_gguf_n_tensors(gguf)) {
        GW_FAIL(err, GODWIT_MALFORMED, "%llu tensors are not pairs of NAME.lora_a and NAME.lora_b",
                (unsigned long long)gw_gguf_n_tensors(gguf));
    }
done:
    return gw_note(err, status, "%s", gw_gguf_name(gguf));
}

// --- A and B -------------------------------------------------------------------------------------

static const gw_weight *product_of(const gw_weight *w) {
    return w->whole ? w->whole : w;
}

// A tensor's numbers times a factor, row r at out + r * stride.
static godwit_status put_rows(const gw_host *host, const gw_gguf_tensor *t, float factor,
                              float *out, uint64_t stride, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_format *format = gw_format_find(t->type);
    const uint64_t row_bytes = gw_format_row_bytes(format, t->dims[1]);
    uint8_t *scratch = gw_alloc(host, (size_t)row_bytes, 1);
    GW_CHECK_ALLOC(scratch, err, "adapters");
    for (uint64_t r = 0; r < t->dims[0]; r++) {
        const uint8_t *bytes = NULL;
        float *row = out + r * stride;
        GW_TRY(gw_source_view(&t->source, r * row_bytes, row_bytes, scratch, &bytes, err));
        gw_format_dequantize(format, bytes, t->dims[1], row);
        for (uint64_t i = 0; i < t->dims[1]; i++) {
            row[i] *= factor;
            if ((gw_bits(row[i]) & GW_INF_BITS) == GW_INF_BITS) {
                GW_FAIL(err, GODWIT_MALFORMED, "row %llu, column %llu: not a finite number",
                        (unsigned long long)r, (unsigned long long)i);
            }
        }
    }
done:
    gw_free(host, scratch, (size_t)row_bytes);
    return gw_note(err, status, "tensor %s", t->name);
}

static godwit_status make_weight(gw_lora *lora, const gw_weight *of, const char *suffix,
                                 uint64_t n_rows, uint64_t n_cols, gw_weight **out,
                                 float **out_data, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t dims[2] = {n_rows, n_cols};
    char name[GW_GGUF_MAX_NAME_BYTES + 16];
    uint64_t n = 0;
    snprintf(name, sizeof name, "%s%s", of->name, suffix);
    if (__builtin_mul_overflow(n_rows, n_cols, &n) || n > SIZE_MAX / sizeof(float))
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: too large", name);
    *out = gw_arena_alloc(&lora->arena, 1, sizeof **out);
    *out_data = gw_arena_alloc(&lora->arena, (size_t)n, sizeof(float)); // zeros
    const char *kept = gw_arena_strndup(&lora->arena, name, strlen(name));
    GW_CHECK_ALLOC(*out && *out_data && kept, err, "adapters");
    gw_weight_init(*out, kept, gw_format_find(GODWIT_F32), 2, dims,
                   (gw_source){.bytes = (const uint8_t *)*out_data});
done:
    return status;
}

// Of all pairs of one product.
static godwit_status make_delta(gw_lora *lora, const pairs *all, const gw_weight *of,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t rank = 0, at = 0;
    float *a = NULL, *b = NULL;
    gw_lora_delta *delta = gw_vec_push(&lora->deltas, lora->host);
    GW_CHECK_ALLOC(delta, err, "adapters");
    for (size_t i = 0; i < all->n; i++)
        if (product_of(all->items[i].of) == of) rank += all->items[i].rank;
    rank = GW_ALIGN_UP(rank, GW_FLOAT_UNIT);
    delta->of = of;
    GW_TRY(make_weight(lora, of, SUFFIX_A, rank, of->n_cols, &delta->a, &a, err));
    GW_TRY(make_weight(lora, of, SUFFIX_B, of->n_rows, rank, &delta->b, &b, err));
    for (size_t i = 0; i < all->n; i++) {
        const pair *p = &all->items[i];
        if (product_of(p->of) != of) continue;
        const uint64_t row0 = p->of->whole ? p->of->whole_row0 : 0;
        if (!delta->gguf) delta->gguf = p->gguf;
        status = put_rows(lora->host, p->a, 1.0f, a + at * of->n_cols, of->n_cols, err);
        if (status == GODWIT_OK)
            status = put_rows(lora->host, p->b, p->factor, b + row0 * rank + at, rank, err);
        if (status != GODWIT_IO) gw_note(err, status, "%s", gw_gguf_name(p->gguf));
        if (status != GODWIT_OK) goto done;
        at += p->rank;
    }
done:
    return status;
}

static const gw_lora_delta *find_delta(const gw_lora *lora, const gw_weight *of) {
    for (size_t i = 0; i < lora->deltas.n; i++)
        if (lora->deltas.items[i].of == of) return &lora->deltas.items[i];
    return NULL;
}

godwit_status gw_lora_create(const gw_model_def *def, const gw_lora_source *sources, uint32_t n,
                             gw_lora **out_lora, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    pairs all = {0};
    gw_lora *lora = gw_alloc(def->host, 1, sizeof *lora);
    GW_CHECK_ALLOC(lora, err, "adapters");
    lora->host = def->host;
    gw_arena_init(&lora->arena, def->host);
    for (uint32_t i = 0; i < n; i++) {
        lora->sources[lora->n_sources++] = sources[i];
        GW_TRY(find_pairs(def, &sources[i], &all, err));
    }
    for (size_t i = 0; i < all.n; i++) {
        const gw_weight *of = product_of(all.items[i].of);
        if (!find_delta(lora, of)) GW_TRY(make_delta(lora, &all, of, err));
    }
    *out_lora = lora;
    lora = NULL;
done:
    gw_vec_deinit(&all, def->host);
    gw_lora_destroy(&lora);
    return status;
}

void gw_lora_destroy(gw_lora **lora) {
    if (!*lora) return;
    const gw_host *host = (*lora)->host;
    gw_vec_deinit(&(*lora)->deltas, host);
    gw_arena_deinit(&(*lora)->arena);
    gw_free(host, *lora, sizeof **lora);
    *lora = NULL;
}

// --- the pass ------------------------------------------------------------------------------------

// Behind the node at `at`: the product writes a value of its own, which the last of the new nodes
// takes as its residual; that one writes what the product wrote, so that its readers stay.
static godwit_status add_delta(const gw_lora_delta *delta, gw_graph *graph, size_t at,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_node *product = graph->nodes.items[at];
    gw_value *a[4] = {NULL, product->inputs[1], NULL, NULL}, *b[3] = {NULL}, *low = NULL, *y = NULL;
    const bool scaled = product->n_inputs > 3 && product->inputs[3];
    char name[96];
    if (scaled) a[3] = product->inputs[3];
    GW_TRY(gw_graph_weight(graph, delta->a, &a[0], err));
    GW_TRY(gw_graph_weight(graph, delta->b, &b[0], err));
    snprintf(name, sizeof name, "%.80s%s", product->name, SUFFIX_A);
    GW_TRY(
        gw_graph_insert(graph, at + 1, &gw_op_matmul, name, a, scaled ? 4 : 2, NULL, 0, &low, err));
    b[1] = low;
    b[2] = product->outputs[0];
    snprintf(name, sizeof name, "%.80s%s", product->name, SUFFIX_B);
    GW_TRY(gw_graph_insert(graph, at + 2, &gw_op_matmul, name, b, 3, NULL, 0, &y, err));
    gw_node *sum = graph->nodes.items[at + 2];
    sum->outputs[0] = product->outputs[0];
    sum->inputs[2] = product->outputs[0] = y;
done:
    return status;
}

godwit_status gw_lora_apply(const gw_lora *lora, gw_graph *graph, bool *used, godwit_error *err) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *node = graph->nodes.items[i];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            const gw_weight *w = node->inputs[k] ? node->inputs[k]->weight : NULL;
            const gw_lora_delta *delta = w ? find_delta(lora, product_of(w)) : NULL;
            if (!delta) continue;
            if (node->op != &gw_op_matmul || k || w != delta->of) {
                return gw_fail(err, GODWIT_UNSUPPORTED,
                               "%s: tensor %s: %s reads that matrix, and adapters are applied to "
                               "those that plain products alone read",
                               gw_gguf_name(delta->gguf), w->name, node->op->name);
            }
            godwit_status status = add_delta(delta, graph, i, err);
            if (status != GODWIT_OK) return status;
            if (used) used[delta - lora->deltas.items] = true;
            i += 2;
            break;
        }
    }
    return GODWIT_OK;
}
