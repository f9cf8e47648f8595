// Choice: what was measured on a device, as text in the cache directory. See measure.h.
//
//     shape integer one 8 1 1 8 1         lanes, tok_lanes, row_groups, rows, cols
//     choice q4_0 many matmul.coopmat     "matmul" is the plain module
//
// A choice of an exact kernel stands before one of fast numerics for the same format and tokens.
#include "run/measure.h"

#include "graph/op.h"
#include "graph/variant.h"

#include <stdio.h>

static const char *const kinds[2] = {"integer", "float"};
static const char *const token_names[GW_TOKENS_COUNT] = {"one", "few", "many"};
enum { LINE_BYTES = 96, WORD_BYTES = 32 };

static uint32_t index_of(const char *word, const char *const *words, uint32_t n) {
    uint32_t i = 0;
    while (i < n && strcmp(words[i], word) != 0) i++;
    return i;
}

// --- writing

typedef struct text {
    char *bytes;
    size_t n, n_max;
} text;

static void add_line(text *t, const char *format, const char *a, const char *b, const char *c) {
    if (t->n + LINE_BYTES > t->n_max) return;
    t->n += (size_t)snprintf(t->bytes + t->n, LINE_BYTES, format, a, b, c);
}

static void add_shapes(text *t, const gw_choice *choice) {
    for (uint32_t i = 0; i < 2 * GW_TOKENS_COUNT; i++) {
        uint32_t kind = i / GW_TOKENS_COUNT, tokens = i % GW_TOKENS_COUNT;
        const struct gw_matmul_tune *s = &choice->matmul[kind][tokens];
        char numbers[LINE_BYTES / 2];
        snprintf(numbers, sizeof numbers, "%u %u %u %u %u", s->lanes, s->tok_lanes, s->row_groups,
                 s->rows, s->cols);
        add_line(t, "shape %s %s %s\n", kinds[kind], token_names[tokens], numbers);
    }
}

// The preferred variant for a format and number of tokens among the exact or the fast ones.
static uint32_t preferred(const gw_choice *choice, const gw_format *format, uint32_t tokens,
                          bool fast) {
    for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
        const gw_variant *row = gw_variant_at(v);
        if (row->op != &gw_op_matmul || row->fast != fast || !gw_variant_reads(row, format))
            continue;
        if (choice->prefers[v][tokens] >> format->id & 1) return v;
    }
    return GW_VARIANT_PLAIN;
}

char *gw_choice_text(const gw_host *host, const gw_choice *choice, size_t *out_bytes) {
    size_t n_lines = 2 * GW_TOKENS_COUNT + 2 * GW_FMT_COUNT * GW_TOKENS_COUNT + 1;
    text t = {.n_max = n_lines * LINE_BYTES};
    *out_bytes = t.n_max;
    t.bytes = gw_alloc(host, t.n_max, 1);
    if (!t.bytes) return NULL;
    add_shapes(&t, choice);
    for (uint32_t i = 0; i < GW_FMT_COUNT * GW_TOKENS_COUNT; i++) {
        const gw_format *format = gw_format_at(i / GW_TOKENS_COUNT);
        uint32_t tokens = i % GW_TOKENS_COUNT;
        uint32_t exact = preferred(choice, format, tokens, false);
        uint32_t fast = preferred(choice, format, tokens, true);
        add_line(&t, "choice %s %s %s\n", format->name, token_names[tokens],
                 exact == GW_VARIANT_PLAIN ? gw_op_matmul.name : gw_variant_at(exact)->module);
        if (fast == GW_VARIANT_PLAIN) continue;
        add_line(&t, "choice %s %s %s\n", format->name, token_names[tokens],
                 gw_variant_at(fast)->module);
    }
    return t.bytes;
}

// --- reading

static bool parse_shape(const gw_caps *caps, const char *line, gw_choice *out) {
    char kind[WORD_BYTES], tokens[WORD_BYTES];
    struct gw_matmul_tune s;
    if (sscanf(line, "shape %31s %31s %u %u %u %u %u", kind, tokens, &s.lanes, &s.tok_lanes,
               &s.row_groups, &s.rows, &s.cols) != 7)
        return false;
    uint32_t k = index_of(kind, kinds, 2), t = index_of(tokens, token_names, GW_TOKENS_COUNT);
    if (k == 2 || t == GW_TOKENS_COUNT || !gw_tune_fits(caps, &s)) return false;
    out->matmul[k][t] = s;
    return true;
}

static bool parse_variant(const char *line, gw_choice *out) {
    char name[WORD_BYTES], tokens[WORD_BYTES], module[WORD_BYTES];
    if (sscanf(line, "choice %31s %31s %31s", name, tokens, module) != 3) return false;
    uint32_t t = index_of(tokens, token_names, GW_TOKENS_COUNT), v = gw_variant_named(module);
    const gw_format *format = gw_format_named(name);
    bool plain = strcmp(module, gw_op_matmul.name) == 0;
    if (t == GW_TOKENS_COUNT || !format) return false;
    if (!plain && (v == GW_VARIANT_PLAIN || !gw_variant_reads(gw_variant_at(v), format))) {
        return false;
    }
    gw_choice_prefer(out, &gw_op_matmul, format, (gw_tokens)t, v);
    return true;
}

bool gw_choice_parse(const gw_caps *caps, const char *text, gw_choice *inout_choice) {
    gw_choice choice = *inout_choice;
    while (*text) {
        char line[LINE_BYTES];
        size_t n = strcspn(text, "\n");
        if (text[n] != '\n' || n >= sizeof line) return false;
        memcpy(line, text, n);
        line[n] = '\0';
        text += n + 1;
        if (!parse_shape(caps, line, &choice) && !parse_variant(line, &choice)) return false;
    }
    *inout_choice = choice;
    return true;
}

void gw_choice_load(gw_backend *backend) {
    size_t n_bytes = 0;
    gw_choice choice = backend->tune.choice;
    if (!backend->device) return;
    char *text = gw_device_tuned(backend->device, &n_bytes);
    if (!text) return;
    if (gw_choice_parse(gw_device_caps(backend->device), text, &choice)) {
        gw_tune_choose(&backend->tune, &choice);
    }
    gw_free(backend->host, text, n_bytes);
}

void gw_choice_keep(gw_device *device, const gw_choice *choice) {
    size_t n_bytes = 0;
    const gw_host *host = gw_device_host(device);
    char *text = gw_choice_text(host, choice, &n_bytes);
    if (text) gw_device_keep_tuned(device, text);
    gw_free(host, text, n_bytes);
}
