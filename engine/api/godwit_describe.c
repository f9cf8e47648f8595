// Describing a file without running it: godwit_file_check, godwit_file_describe,
// godwit_file_print_graph.
#include "api/handles.h"
#include "ops/ops.h"

#include <stdarg.h>
#include <stdio.h>

// A session's, unless it is asked for others.
static const uint32_t kv_dtypes[2] = {GODWIT_F16, GODWIT_F16};

typedef struct writer {
    godwit_write_fn write;
    void *user;
    bool stopped;
} writer;

__attribute__((format(printf, 2, 3))) static void line(writer *w, const char *format, ...) {
    char text[640];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || w->stopped) return;
    size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    w->stopped = !w->write(w->user, text, len);
}

// The first layer, and that others differ where they do.
static void describe_layers(writer *w, const gw_hparams *h) {
    bool heads = false, ff = false;
    for (uint32_t i = 1; i < h->n_layer; i++) {
        const gw_layer_hparams *l = &h->layers[i];
        heads |=
            l->n_head != h->n_head || l->n_head_kv != h->n_head_kv || l->head_dim != h->head_dim;
        ff |= l->n_ff != h->n_ff;
    }
    if (h->n_head)
        line(w, "heads            %u of %u, %u for keys and values%s\n", h->n_head, h->head_dim,
             h->n_head_kv, heads ? " in layer 0, other layers differ" : "");
    if (h->n_ff)
        line(w, "feed forward     %u%s\n", h->n_ff, ff ? " in layer 0, other layers differ" : "");
}

static void describe_experts(writer *w, const gw_model_def *def) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < def->weights.n; i++) {
        const gw_row_layout rows = gw_weight_layout(def->weights.items[i]);
        if (def->weights.items[i]->experts_layer)
            bytes += gw_layout_bytes(&rows, def->weights.items[i]->n_rows);
    }
    if (bytes)
        line(w, "experts          %.1f MiB of weights, which can stay in host memory\n",
             (double)bytes / (1 << 20));
}

static void describe_hparams(writer *w, const gw_model_def *def) {
    static const char *const scalings[] = {"none", "linear", "yarn"};
    const gw_hparams *h = &def->h;
    line(w, "architecture     %s\n", def->arch->name);
    line(w, "layers           %u\n", h->n_layer);
    line(w, "embedding        %u\n", h->n_embd);
    describe_layers(w, h);
    describe_experts(w, def);
    line(w, "vocabulary       %u\n", h->n_vocab);
    line(w, "context          %u\n", h->n_ctx_train);
    if (h->both_ways) line(w, "sees             both ways: embeddings of %u\n", h->n_out);
    if (h->encodes)
        line(w, "encoder          in front; the decoder begins with token %u\n", h->decoder_start);
    if (h->n_labels) line(w, "scores           %u a pair of texts\n", h->n_labels);
    for (uint32_t i = 0; i < h->n_ropes; i++) {
        const gw_rope *r = &h->ropes[i];
        if (r->still) continue;
        line(w, "rope             %u dimensions, base %g, scaling %s%s\n", r->n_rot,
             (double)r->base, scalings[r->scaling], r->freqs ? ", divisors" : "");
    }
    uint32_t n_sliding = 0, window = 0;
    for (uint32_t i = 0; i < h->n_layer; i++) {
        n_sliding += h->layers[i].window != 0;
        if (h->layers[i].window) window = h->layers[i].window;
    }
    if (n_sliding == h->n_layer)
        line(w, "sliding window   %u\n", window);
    else if (n_sliding)
        line(w, "sliding window   %u, in %u layers\n", window, n_sliding);
}

// Of a session alone.
gw_step_shape gw_api_step_of(const gw_model_def *def, gw_step_kind kind, uint32_t n_tok,
                             uint32_t n_ctx) {
    return (gw_step_shape){.kind = def->h.both_ways ? GW_STEP_EMBED : kind,
                           .n_logits = 1,
                           .n_tok = n_tok,
                           .n_rows = n_ctx,
                           .n_pages = gw_div_up(n_ctx, GW_ATTN_BLOCK),
                           .n_slots = 1,
                           .n_blocks = 2,
                           .kv_dtypes = {kv_dtypes[0], kv_dtypes[1]}};
}

// What run opens: the model, its graph of one token, its tokenizer. *out_def: NULL where it is no
// model.
static godwit_status check_model(const godwit_file *file, const gw_model_def **out_def,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_graph graph;
    gw_step_io io;
    *out_def = NULL;
    gw_graph_init(&graph, &file->context->host);
    GW_TRY(gw_api_file_def(file, out_def, err));
    uint32_t n_ctx = (*out_def)->h.n_ctx_train;
    if (n_ctx > GODWIT_CTX_DEFAULT_MAX) n_ctx = GODWIT_CTX_DEFAULT_MAX;
    const gw_step_shape shape = gw_api_step_of(*out_def, GW_STEP_SAMPLED, 1, n_ctx);
    status = gw_step_graph(*out_def, &graph, &shape, &io, err);
    gw_note(err, status, "%s", gw_gguf_name(file->gguf));
done:
    gw_graph_deinit(&graph);
    return status;
}

static godwit_status check_tokenizer(const godwit_file *file, godwit_error *err) {
    gw_tokenizer *tokenizer = NULL;
    godwit_status status = gw_tokenizer_create(&file->context->host, file->gguf, &tokenizer, err);
    gw_tokenizer_destroy(&tokenizer);
    return status;
}

godwit_status godwit_file_check(const godwit_file *file, godwit_error *error) {
    GW_WANT(file, error);
    const gw_model_def *def = NULL;
    godwit_status status = check_model(file, &def, error);
    return status == GODWIT_OK ? check_tokenizer(file, error) : status;
}

// Tensors of types that no kernel reads, but for the one that was named already.
static void describe_unread(writer *w, const godwit_file *file, const char *named) {
    uint32_t n = 0;
    for (uint64_t i = 0; i < gw_gguf_n_tensors(file->gguf); i++) {
        const gw_gguf_tensor *tensor = gw_gguf_tensor_at(file->gguf, i);
        if (gw_format_find(tensor->type) || strstr(named, tensor->name)) continue;
        const gw_gguf_type_row *row = gw_gguf_tensor_type(tensor->type);
        if (n++ < 8) {
            line(w, "  tensor %s: no kernel reads type %s\n", tensor->name, row ? row->name : "?");
        }
    }
    if (n > 8) line(w, "  ... and %u more\n", n - 8);
}

// What says nothing of the file: another time it would be read.
static bool is_no_answer(godwit_status status) {
    return status == GODWIT_OUT_OF_MEMORY || status == GODWIT_IO || status == GODWIT_BUG;
}

static void describe_files(writer *w, const godwit_file *file) {
    uint32_t n = 0;
    while (gw_gguf_file(file->gguf, n)) n++;
    if (n > 1) line(w, "files            %u\n", n);
}

godwit_status godwit_file_describe(const godwit_file *file, godwit_write_fn write, void *user,
                                   godwit_error *error) {
    GW_WANT(file && write, error);
    writer w = {.write = write, .user = user};
    godwit_error model_error = {0}, text_error = {0};
    const gw_model_def *def = NULL;
    godwit_status model = check_model(file, &def, &model_error);
    godwit_status text = check_tokenizer(file, &text_error);
    if (is_no_answer(model) || is_no_answer(text)) {
        const godwit_error *why = is_no_answer(model) ? &model_error : &text_error;
        return gw_fail_driver(error, why->status, why->driver_code, "%s", why->message);
    }
    // Both fail alike where it is no model at all: that is said once.
    bool same = text != GODWIT_OK && strcmp(model_error.message, text_error.message) == 0;
    describe_files(&w, file);
    if (def) describe_hparams(&w, def);
    line(&w, "unsupported:\n");
    if (model != GODWIT_OK) line(&w, "  %s\n", model_error.message);
    if (model != GODWIT_OK) describe_unread(&w, file, model_error.message);
    if (text != GODWIT_OK && !same) line(&w, "  %s\n", text_error.message);
    if (model == GODWIT_OK && text == GODWIT_OK) line(&w, "  nothing: it runs\n");
    return w.stopped ? gw_fail(error, GODWIT_CANCELLED, "stopped by the caller") : GODWIT_OK;
}

// --- graph ---------------------------------------------------------------------------------------

static void print_pass(void *user, const char *pass, bool after, const gw_graph *graph) {
    writer *w = user;
    // What a pass finds is what the one before it left, so only the first "before" is printed.
    if (!after && strcmp(pass, "fold") != 0) return;
    line(w, after ? "# after %s: %zu nodes\n" : "# as built, before %s: %zu nodes\n", pass,
         graph->nodes.n);
    if (!w->stopped) w->stopped = gw_graph_print(graph, w->write, w->user) != GODWIT_OK;
}

godwit_status godwit_file_print_graph(const godwit_file *file, uint32_t n_tokens, bool passes,
                                      godwit_write_fn write, void *user, godwit_error *error) {
    GW_WANT(file && write && n_tokens >= 1, error);
    godwit_status status = GODWIT_OK;
    godwit_error *err = error;
    writer w = {.write = write, .user = user};
    const gw_model_def *def = NULL;
    gw_graph graph;
    gw_step_io io;
    gw_graph_init(&graph, &file->context->host);
    GW_TRY(gw_api_file_def(file, &def, err));
    const gw_step_shape shape = gw_api_step_of(def, n_tokens == 1 ? GW_STEP_SAMPLED : GW_STEP_GIVEN,
                                               n_tokens, def->h.n_ctx_train);
    GW_TRY(gw_step_graph(def, &graph, &shape, &io, err));
    if (passes) {
        GW_TRY(gw_graph_optimize(&graph, print_pass, &w, err));
    } else {
        w.stopped = gw_graph_print(&graph, write, user) != GODWIT_OK;
    }
    if (w.stopped) GW_FAIL(err, GODWIT_CANCELLED, "stopped by the caller");
done:
    gw_graph_deinit(&graph);
    return status;
}
