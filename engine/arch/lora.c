// LoRA: see lora.h.
#include "arch/lora.h"

#include "base/dims.h"
#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

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
    gw_lora_kind kind;
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

static bool is(const char *text, size_t n, const char *name) {
    return strlen(name) == n && memcmp(text, name, n) == 0;
}

// The weight of that name; of an output that is the table of tokens once more, that table.
static void find_target(const gw_model_def *def, const char *name, size_t n, pair *out) {
    static const char table[] = "token_embd.weight";
    out->of = find_weight(def, name, n);
    out->kind = is(name, n, table) ? GW_LORA_TABLE : GW_LORA_PRODUCT;
    if (out->of || !is(name, n, "output.weight")) return;
    out->of = find_weight(def, table, sizeof table - 1);
    out->kind = GW_LORA_TIED;
}

static godwit_status check_shapes(const pair *p, godwit_error *err) {
    const gw_gguf_tensor *a = p->a, *b = p->b;
    const uint32_t n = p->of->n_dims;
    const bool table = p->kind == GW_LORA_TABLE;
    char has[2][96], of[96];
    bool fits = a->n_dims == n && b->n_dims == n;
    if (fits && n == 3) fits = a->dims[0] == p->of->dims[0] && b->dims[0] == p->of->dims[0];
    const uint64_t *da = a->dims + n - 2, *db = b->dims + n - 2, *dw = p->of->dims + n - 2;
    const uint64_t rows = p->of->source_rows ? p->of->source_rows : dw[0];
    if (table)
        fits = fits && da[0] == dw[0] && db[0] == dw[1] && db[1] == da[1];
    else
        fits = fits && da[1] == dw[1] && db[0] == rows && db[1] == da[0];
    if (fits) return GODWIT_OK;
    gw_dims_text(a->n_dims, a->dims, has[0], sizeof has[0]);
    gw_dims_text(b->n_dims, b->dims, has[1], sizeof has[1]);
    gw_dims_text(n, p->of->dims, of, sizeof of);
    return gw_fail(
        err, GODWIT_MALFORMED, "tensor %s: shapes [%s] and [%s] are not %s of a weight [%s]",
        a->name, has[0], has[1],
        table ? "[rows, rank] and [columns, rank]" : "[rank, columns] and [rows, rank]", of);
}

// The weight that a tensor of an adapter belongs to, and the other tensor of the pair.
static godwit_status find_pair(const gw_model_def *def, const gw_gguf *gguf,
                               const gw_gguf_tensor *a, pair *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char other[GW_GGUF_MAX_NAME_BYTES + 1];
    const size_t n = strlen(a->name) - strlen(SUFFIX_A);
    snprintf(other, sizeof other, "%.*s%s", (int)n, a->name, SUFFIX_B);
    *out = (pair){.gguf = gguf, .a = a, .b = gw_gguf_find_tensor(gguf, other)};
    find_target(def, a->name, n, out);
    if (!out->b) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", other);
    if (!out->of) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: the model has no tensor %.*s", a->name, (int)n,
                a->name);
    }
    if (out->of->n_dims != 2 && out->of->n_dims != 3) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor %s: adapters of other than matrices are not applied", a->name);
    }
    GW_TRY(check_shapes(out, err));
    out->rank = a->dims[out->kind == GW_LORA_TABLE ? 1 : a->n_dims - 2];
    if (out->rank > MAX_RANK) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: a rank of %llu, at most %d is supported",
                a->name, (unsigned long long)out->rank, MAX_RANK);
    }
    if (!gw_format_find(a->type) || !gw_format_find(out->b->type)) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: it, or its other half, is no weight's type",
                a->name);
    }
done:
    return status;
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

// A tensor's numbers times a factor, row r of matrix m at out + m * matrix + r * stride.
static godwit_status put_rows(const gw_host *host, const gw_gguf_tensor *t, float factor,
                              float *out, uint64_t stride, uint64_t matrix, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_format *format = gw_format_find(t->type);
    const uint64_t rows = t->dims[t->n_dims - 2], cols = t->dims[t->n_dims - 1];
    const uint64_t row_bytes = gw_format_row_bytes(format, cols);
    uint8_t *scratch = gw_alloc(host, (size_t)row_bytes, 1);
    GW_CHECK_ALLOC(scratch, err, "adapters");
    for (uint64_t r = 0; r < (t->n_dims == 3 ? t->dims[0] : 1) * rows; r++) {
        const uint8_t *bytes = NULL;
        float *row = out + r / rows * matrix + r % rows * stride;
        GW_TRY(gw_source_view(&t->source, r * row_bytes, row_bytes, scratch, &bytes, err));
        gw_format_dequantize(format, bytes, cols, row);
        for (uint64_t i = 0; i < cols; i++) {
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
    const uint64_t dims[3] = {of->dims[0], n_rows, n_cols};
    const bool experts = of->n_dims == 3;
    char name[GW_GGUF_MAX_NAME_BYTES + 16];
    uint64_t n = 0;
    snprintf(name, sizeof name, "%s%s", of->name, suffix);
    if (__builtin_mul_overflow(n_rows, n_cols, &n) ||
        (experts && __builtin_mul_overflow(n, dims[0], &n)) || n > SIZE_MAX / sizeof(float))
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: too large", name);
    *out = gw_arena_alloc(&lora->arena, 1, sizeof **out);
    *out_data = gw_arena_alloc(&lora->arena, (size_t)n, sizeof(float)); // zeros
    const char *kept = gw_arena_strndup(&lora->arena, name, strlen(name));
    GW_CHECK_ALLOC(*out && *out_data && kept, err, "adapters");
    gw_weight_init(*out, kept, gw_format_find(GODWIT_F32), experts ? 3 : 2,
                   experts ? dims : dims + 1, (gw_source){.bytes = (const uint8_t *)*out_data});
done:
    return status;
}

static bool is_of(const pair *p, const gw_lora_delta *delta) {
    return product_of(p->of) == delta->of && p->kind == delta->kind;
}

// A pair's numbers, behind those of the first `at` of the rank.
static godwit_status put_pair(const gw_lora *lora, const pair *p, const gw_lora_delta *delta,
                              uint64_t at, float *a, float *b, godwit_error *err) {
    const uint64_t rank = delta->b->n_cols, n_cols = delta->of->n_cols;
    const uint64_t row0 = p->of->whole ? p->of->whole_row0 : 0;
    const uint64_t rows = delta->of->dims[delta->of->n_dims - 2];
    const bool table = p->kind == GW_LORA_TABLE;
    godwit_status status = put_rows(lora->host, p->a, 1.0f, table ? a + at : a + at * n_cols,
                                    table ? rank : n_cols, rank * n_cols, err);
    if (status == GODWIT_OK)
        status =
            put_rows(lora->host, p->b, p->factor, b + row0 * rank + at, rank, rows * rank, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", gw_gguf_name(p->gguf));
    return status;
}

// Of all pairs of one weight that are read alike.
static godwit_status make_delta(gw_lora *lora, const pairs *all, const pair *first,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t rank = 0, at = 0;
    float *a = NULL, *b = NULL;
    const gw_weight *of = product_of(first->of);
    gw_lora_delta *delta = gw_vec_push(&lora->deltas, lora->host);
    GW_CHECK_ALLOC(delta, err, "adapters");
    *delta = (gw_lora_delta){.of = of, .kind = first->kind, .gguf = first->gguf};
    for (size_t i = 0; i < all->n; i++)
        if (is_of(&all->items[i], delta)) rank += all->items[i].rank;
    // Rows of experts come in whole groups.
    rank = GW_ALIGN_UP(rank, of->n_dims == 3 ? GW_GROUP_ROWS : GW_FLOAT_UNIT);
    const bool table = first->kind == GW_LORA_TABLE;
    const uint64_t rows = of->dims[of->n_dims - 2];
    GW_TRY(make_weight(lora, of, SUFFIX_A, table ? rows : rank, table ? rank : of->n_cols,
                       &delta->a, &a, err));
    GW_TRY(make_weight(lora, of, SUFFIX_B, table ? of->n_cols : rows, rank, &delta->b, &b, err));
    for (size_t i = 0; i < all->n; i++) {
        const pair *p = &all->items[i];
        if (!is_of(p, delta)) continue;
        GW_TRY(put_pair(lora, p, delta, at, a, b, err));
        at += p->rank;
    }
done:
    return status;
}

static const gw_lora_delta *find_delta(const gw_lora *lora, const gw_weight *of, bool table) {
    for (size_t i = 0; i < lora->deltas.n; i++) {
        const gw_lora_delta *delta = &lora->deltas.items[i];
        if (delta->of == of && (delta->kind == GW_LORA_TABLE) == table) return delta;
    }
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
        const pair *p = &all.items[i];
        if (!find_delta(lora, product_of(p->of), p->kind == GW_LORA_TABLE))
            GW_TRY(make_delta(lora, &all, p, err));
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

// Behind the node at `at`, which writes a value of its own from now on: inputs[sum_input] of the node
// `n_new` places behind takes it, and that one writes what the first one wrote, so that its readers stay.
static void put_between(gw_graph *graph, size_t at, size_t n_new, uint32_t sum_input) {
    gw_node *first = graph->nodes.items[at], *sum = graph->nodes.items[at + n_new];
    gw_value *y = sum->outputs[0];
    sum->outputs[0] = first->outputs[0];
    sum->inputs[sum_input] = first->outputs[0] = y;
}

static void name_of(const gw_node *node, const char *suffix, char out[96]) {
    snprintf(out, 96, "%.80s%s", node->name, suffix);
}

// y = W x, or a table's rows: the product with B takes it as its residual.
static godwit_status add_plain(const gw_lora_delta *delta, gw_graph *graph, size_t at,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_node *node = graph->nodes.items[at];
    const bool table = delta->kind == GW_LORA_TABLE;
    gw_value *a[4] = {NULL, node->inputs[1], NULL, NULL}, *b[3] = {NULL}, *low = NULL;
    const bool scaled = node->n_inputs > 3 && node->inputs[3];
    char name[96];
    if (scaled) a[3] = node->inputs[3];
    GW_TRY(gw_graph_weight(graph, delta->a, &a[0], err));
    GW_TRY(gw_graph_weight(graph, delta->b, &b[0], err));
    name_of(node, SUFFIX_A, name);
    GW_TRY(gw_graph_insert(graph, at + 1, table ? &gw_op_get_rows : &gw_op_matmul, name, a,
                           scaled ? 4 : 2, NULL, 0, &low, err));
    b[1] = low;
    b[2] = node->outputs[0];
    name_of(node, SUFFIX_B, name);
    GW_TRY(gw_graph_insert(graph, at + 2, &gw_op_matmul, name, b, 3, NULL, 0, NULL, err));
    put_between(graph, at, 2, 2);
done:
    return status;
}

// Of experts: the same ids, and groups of them, for both products; then a sum.
static godwit_status add_routed(const gw_lora_delta *delta, gw_graph *graph, size_t at,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_node *node = graph->nodes.items[at];
    gw_value *a[6] = {NULL}, *b[6] = {NULL}, *sum[2] = {node->outputs[0], NULL};
    const bool grouped = node->n_inputs > 5 && node->inputs[5];
    char name[96];
    for (uint32_t i = 1; i < node->n_inputs; i++) a[i] = node->inputs[i];
    a[4] = NULL; // the bias is in y
    b[2] = a[2];
    b[5] = a[5];
    GW_TRY(gw_graph_weight(graph, delta->a, &a[0], err));
    GW_TRY(gw_graph_weight(graph, delta->b, &b[0], err));
    name_of(node, SUFFIX_A, name);
    GW_TRY(gw_graph_insert(graph, at + 1, &gw_op_moe_matmul, name, a,
                           grouped ? 6
                           : a[3]  ? 4
                                   : 3,
                           NULL, 0, &b[1], err));
    name_of(node, SUFFIX_B, name);
    GW_TRY(gw_graph_insert(graph, at + 2, &gw_op_moe_matmul, name, b, grouped ? 6 : 3, NULL, 0,
                           &sum[1], err));
    name_of(node, ".lora", name);
    GW_TRY(gw_graph_insert(graph, at + 3, &gw_op_add, name, sum, 2, NULL, 0, NULL, err));
    put_between(graph, at, 3, 0);
done:
    return status;
}

// Of a node's input, the adapter that changes what the node makes of it. NULL: none.
static godwit_status find_of_input(const gw_lora *lora, const gw_node *node, uint32_t k,
                                   const gw_lora_delta **out, godwit_error *err) {
    const gw_weight *w = node->inputs[k] ? node->inputs[k]->weight : NULL;
    const bool looks_up = node->op == &gw_op_get_rows && k == 0;
    const bool multiplies = (node->op == &gw_op_matmul || node->op == &gw_op_moe_matmul) && k == 0;
    *out = NULL;
    if (!w) return GODWIT_OK;
    const gw_lora_delta *product = find_delta(lora, product_of(w), false);
    const gw_lora_delta *table = find_delta(lora, product_of(w), true);
    const gw_lora_delta *unread = NULL;
    if (looks_up) {
        *out = table;
        if (product && product->kind != GW_LORA_TIED) unread = product;
    } else if (multiplies) {
        if (product && w == product->of) *out = product;
        if (!*out) unread = product;
    } else {
        unread = product ? product : table;
    }
    if (!unread) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "%s: tensor %s: %s reads that matrix, and adapters are applied to those that "
                   "products alone read",
                   gw_gguf_name(unread->gguf), w->name, node->op->name);
}

godwit_status gw_lora_apply(const gw_lora *lora, gw_graph *graph, bool *used, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *node = graph->nodes.items[i];
        const gw_lora_delta *delta = NULL;
        for (uint32_t k = 0; k < node->n_inputs && !delta; k++)
            GW_TRY(find_of_input(lora, node, k, &delta, err));
        if (!delta) continue;
        const bool routed = node->op == &gw_op_moe_matmul;
        GW_TRY(routed ? add_routed(delta, graph, i, err) : add_plain(delta, graph, i, err));
        if (used) used[delta - lora->deltas.items] = true;
        i += routed ? 3 : 2;
    }
done:
    return status;
}
