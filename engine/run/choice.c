// Choice: what was measured on a device, as text in the cache directory. See measure.h.
//
//     shape integer one 8 1 1 8 1         lanes, tok_lanes, row_groups, rows, cols
//     choice q4_0 many matmul.coopmat matmul.dot     the variants that are preferred, if any
#include "run/measure.h"

#include "graph/op.h"
#include "graph/variant.h"

#include <stdio.h>

static const char *const kinds[2] = {"integer", "float"};
static const char *const token_names[GW_TOKENS_COUNT] = {"one", "few", "many"};
enum { LINE_BYTES = 192, WORD_BYTES = 32 };

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

static void add_variants(text *t, const gw_choice *choice, const gw_format *format,
                         uint32_t tokens) {
    char modules[LINE_BYTES / 2 + 1] = "";
    size_t n = 0;
    for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
        const gw_variant *row = gw_variant_at(v);
        bool is_it = row->op == &gw_op_matmul && gw_variant_reads(row, format) &&
                     choice->prefers[v][tokens] >> format->id & 1;
        if (!is_it || n + strlen(row->module) + 2 > sizeof modules) continue;
        n += (size_t)snprintf(modules + n, sizeof modules - n, " %s", row->module);
    }
    add_line(t, "choice %s %s%s\n", format->name, token_names[tokens], modules);
}

char *gw_choice_text(const gw_host *host, const gw_choice *choice, size_t *out_bytes) {
    size_t n_lines = 2 * GW_TOKENS_COUNT + GW_FMT_COUNT * GW_TOKENS_COUNT + 1;
    text t = {.n_max = n_lines * LINE_BYTES};
    *out_bytes = t.n_max;
    t.bytes = gw_alloc(host, t.n_max, 1);
    if (!t.bytes) return NULL;
    add_shapes(&t, choice);
    for (uint32_t i = 0; i < GW_FMT_COUNT * GW_TOKENS_COUNT; i++) {
        add_variants(&t, choice, gw_format_at(i / GW_TOKENS_COUNT), i % GW_TOKENS_COUNT);
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

static bool parse_variants(const char *line, gw_choice *out) {
    char name[WORD_BYTES], tokens[WORD_BYTES], module[WORD_BYTES];
    int at = 0, n = 0;
    if (sscanf(line, "choice %31s %31s%n", name, tokens, &at) != 2) return false;
    uint32_t t = index_of(tokens, token_names, GW_TOKENS_COUNT);
    const gw_format *format = gw_format_named(name);
    if (t == GW_TOKENS_COUNT || !format) return false;
    for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
        if (gw_variant_at(v)->op == &gw_op_matmul) gw_choice_avoid(out, format, (gw_tokens)t, v);
    }
    for (line += at; sscanf(line, " %31s%n", module, &n) == 1; line += n) {
        uint32_t v = gw_variant_named(module);
        if (v == GW_VARIANT_PLAIN || gw_variant_at(v)->op != &gw_op_matmul) return false;
        if (!gw_variant_reads(gw_variant_at(v), format)) return false;
        out->prefers[v][t] |= UINT64_C(1) << format->id;
    }
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
        if (!parse_shape(caps, line, &choice) && !parse_variants(line, &choice)) return false;
    }
    *inout_choice = choice;
    return true;
}

void gw_choice_load(gw_backend *backend) {
    size_t n_bytes = 0;
    gw_choice choice = backend->tune.choice;
    if (!backend->device) return;
    char *text = gw_device_kept(backend->device, "tuned", &n_bytes);
    if (!text) return;
    if (gw_choice_parse(gw_device_caps(backend->device), text, &choice)) {
        gw_tune_choose(&backend->tune, &choice);
        backend->tuned = true;
    }
    gw_free(backend->host, text, n_bytes);
}

bool gw_choice_is_kept(const gw_gpu *gpu, const gw_host *host, uint32_t index) {
    size_t n_bytes = 0;
    gw_caps caps;
    gw_tune tune;
    char *text = gw_gpu_kept(gpu, index, "tuned", &caps, &n_bytes);
    if (!text) return false;
    gw_tune_for(&caps, &tune);
    bool parses = gw_choice_parse(&caps, text, &tune.choice);
    gw_free(host, text, n_bytes);
    return parses;
}

void gw_choice_keep(gw_device *device, const gw_choice *choice) {
    size_t n_bytes = 0;
    const gw_host *host = gw_device_host(device);
    char *text = gw_choice_text(host, choice, &n_bytes);
    if (text) gw_device_keep(device, "tuned", text);
    gw_free(host, text, n_bytes);
}
