// Kernels: every kernel that this build may launch on a device, compiled and described.
//
// What a kernel's specialization constants are is known to its op's launch function alone; so this
// file makes a plan of every op in every number format, token count and cache type, over weights
// that exist in name only, and takes the kernels from its launches. Nothing runs.
#include "run/kernels.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

enum { EMBD = 256, FF = 512, CTX = 64, VOCAB = 512, MAX_KERNELS = 512 };

typedef struct kernel_case {
    const gw_format *format;
    uint32_t n_tok, head_dim, kv_dtype;
    bool int_dot;
} kernel_case;

static godwit_status weight(gw_graph *graph, const gw_format *format, uint64_t rows, uint64_t cols,
                            gw_value **out, godwit_error *err) {
    gw_weight *w = gw_arena_alloc(&graph->arena, 1, sizeof *w);
    if (!w) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: kernels");
    *w = (gw_weight){.name = "w",
                     .format = format,
                     .n_dims = rows ? 2 : 1,
                     .dims = {rows ? rows : cols, cols},
                     .n_rows = rows ? rows : 1,
                     .n_cols = cols,
                     .n_chunks = 1};
    w->chunks[0] = (gw_weight_chunk){.n_rows = w->n_rows, .quants_bytes = 256, .sides_bytes = 256};
    return gw_graph_weight(graph, w, out, err);
}

static godwit_status node(gw_graph *graph, const gw_op *op, gw_value *const *inputs, uint32_t n,
                          const void *attrs, size_t bytes, gw_value **out, godwit_error *err) {
    godwit_status status = gw_graph_node(graph, op, op->name, inputs, n, attrs, bytes, out, err);
    if (status == GODWIT_OK && out && *out) (*out)->keep = false;
    return status;
}

// A layer's worth of ops, with everything that the passes may fuse and a few things that they may
// not.
static godwit_status build(gw_graph *g, const kernel_case *c, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n[1] = {c->n_tok}, n_head = EMBD / c->head_dim, control[1] = {8};
    uint64_t table[2] = {c->n_tok, c->head_dim}, cache[3] = {CTX, n_head, c->head_dim};
    uint64_t heads[3] = {c->n_tok, n_head, c->head_dim}, logits[2] = {1, VOCAB};
    const gw_format *f32 = gw_format_find(GODWIT_F32);
    gw_rms_norm_attrs norm = {.eps = 1e-5f};
    gw_rope_attrs rope = {.n_rot = c->head_dim, .paired = 1};
    gw_attention_attrs attention = {.scale = 1.0f};
    gw_value *in[5], *x, *y, *q, *pos;
    GW_TRY(weight(g, c->format, VOCAB, EMBD, &in[0], err));
    GW_TRY(gw_graph_value(g, GW_VALUE_INPUT, "ids", GODWIT_I32, 1, n, &pos, err));
    in[1] = pos;
    GW_TRY(node(g, &gw_op_get_rows, in, 2, NULL, 0, &x, err));
    in[0] = x;
    GW_TRY(weight(g, f32, 0, EMBD, &in[1], err));
    GW_TRY(node(g, &gw_op_rms_norm, in, 2, &norm, sizeof norm, &y, err));
    GW_TRY(weight(g, c->format, EMBD, EMBD, &in[0], err));
    in[1] = y;
    GW_TRY(node(g, &gw_op_matmul, in, 2, NULL, 0, &y, err));
    GW_TRY(gw_graph_reshape(g, y, 3, heads, &in[0], err));
    GW_TRY(gw_graph_value(g, GW_VALUE_INPUT, "table", GODWIT_F32, 2, table, &in[1], err));
    GW_TRY(node(g, &gw_op_rope, in, 2, &rope, sizeof rope, &q, err));
    in[0] = in[1] = q;
    in[2] = pos;
    GW_TRY(gw_graph_value(g, GW_VALUE_STATE, "k", c->kv_dtype, 3, cache, &in[3], err));
    GW_TRY(gw_graph_value(g, GW_VALUE_STATE, "v", c->kv_dtype, 3, cache, &in[4], err));
    GW_TRY(node(g, &gw_op_kv_store, in, 5, NULL, 0, NULL, err));
    in[1] = in[3];
    in[2] = in[4];
    in[3] = pos;
    GW_TRY(node(g, &gw_op_attention, in, 4, &attention, sizeof attention, &y, err));
    in[1] = y;
    GW_TRY(weight(g, c->format, FF, EMBD, &in[0], err));
    GW_TRY(node(g, &gw_op_matmul, in, 2, NULL, 0, &y, err));
    in[0] = in[1] = y;
    GW_TRY(node(g, &gw_op_silu_mul, in, 2, NULL, 0, &y, err));
    in[1] = y;
    GW_TRY(weight(g, c->format, EMBD, FF, &in[0], err));
    GW_TRY(node(g, &gw_op_matmul, in, 2, NULL, 0, &y, err));
    // Each of these is read twice or kept, so nothing fuses.
    in[0] = in[1] = x;
    GW_TRY(node(g, &gw_op_add, in, 2, NULL, 0, &in[1], err));
    GW_TRY(node(g, &gw_op_mul, in, 2, NULL, 0, &in[1], err));
    GW_TRY(node(g, &gw_op_silu_mul, in, 2, NULL, 0, &in[1], err));
    GW_TRY(node(g, &gw_op_quantize_q8, &x, 1, NULL, 0, NULL, err));
    GW_TRY(node(g, &gw_op_pad_rows, &x, 1, NULL, 0, NULL, err));
    in[0] = x;
    GW_TRY(weight(g, f32, 0, EMBD, &in[1], err));
    GW_TRY(node(g, &gw_op_rms_norm, in, 2, &norm, sizeof norm, NULL, err));
    GW_TRY(gw_graph_value(g, GW_VALUE_STATE, "logits", GODWIT_F32, 2, logits, &in[0], err));
    GW_TRY(gw_graph_value(g, GW_VALUE_INPUT, "control", GODWIT_I32, 1, control, &in[1], err));
    GW_TRY(node(g, &gw_op_sample, in, 2, NULL, 0, NULL, err));
    for (size_t i = 0; i < g->nodes.n; i++) {
        gw_value *out = g->nodes.items[i]->output;
        const gw_op *op = g->nodes.items[i]->op;
        // Outputs that nobody reads are kept, or the dead pass would take their nodes away.
        if (out && op != &gw_op_attention && i > 8) out->keep = true;
    }
done:
    return status;
}

static void name_of(const gw_launch *launch, char *text, size_t text_bytes) {
    size_t n = (size_t)snprintf(text, text_bytes, "%s", launch->shader);
    for (uint32_t i = 0; i < launch->n_spec && n < text_bytes; i++) {
        if (i == 1 || i == 2) continue;
        n += (size_t)snprintf(text + n, text_bytes - n, "%c%u", i ? ',' : ' ', launch->spec[i]);
    }
}

typedef struct seen_kernels {
    gw_kernel *items[MAX_KERNELS];
    uint32_t n;
} seen_kernels;

static godwit_status compile_case(const gw_backend *backend, const kernel_case *c,
                                  seen_kernels *seen, godwit_kernel_fn each, void *user,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_graph graph;
    gw_plan *plan = NULL;
    gw_tune tune = backend->tune;
    tune.int_dot = c->int_dot;
    gw_graph_init(&graph, backend->host);
    GW_TRY(build(&graph, c, err));
    GW_TRY(gw_graph_optimize(&graph, NULL, NULL, err));
    GW_TRY(gw_plan_create(&graph, &tune, &plan, err));
    for (size_t i = 0; i < plan->launches.n; i++) {
        const gw_launch *launch = &plan->launches.items[i];
        gw_kernel *kernel = NULL;
        godwit_kernel_info info = {0};
        GW_TRY(gw_kernel_get(backend->device, launch->shader, launch->spec, launch->n_spec, &kernel,
                             err));
        bool old = seen->n == MAX_KERNELS;
        for (uint32_t k = 0; k < seen->n; k++) old |= seen->items[k] == kernel;
        if (old) continue;
        seen->items[seen->n++] = kernel;
        GW_TRY(gw_kernel_info(backend->device, kernel, &info, err));
        name_of(launch, info.name, sizeof info.name);
        if (each) each(user, &info);
    }
done:
    gw_plan_destroy(&plan);
    gw_graph_deinit(&graph);
    return status;
}

godwit_status gw_kernels_compile(const gw_backend *backend, godwit_kernel_fn each, void *user,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const uint32_t n_toks[] = {1, 4, 64}, dims[] = {64, 128};
    static const uint32_t kv_dtypes[] = {GODWIT_F32, GODWIT_F16};
    seen_kernels *seen = gw_alloc(backend->host, 1, sizeof *seen);
    GW_CHECK_ALLOC(seen, err, "kernels");
    for (uint32_t i = 0; i < GW_FMT_COUNT * 3 * 2 * 2; i++) {
        kernel_case c = {.format = gw_format_at(i / 12),
                         .n_tok = n_toks[i / 4 % 3],
                         .head_dim = dims[i / 2 % 2],
                         .kv_dtype = kv_dtypes[i % 2]};
        GW_TRY(compile_case(backend, &c, seen, each, user, err));
        c.int_dot = backend->tune.int_dot;
        if (c.int_dot) GW_TRY(compile_case(backend, &c, seen, each, user, err));
    }
done:
    gw_free(backend->host, seen, sizeof *seen);
    return status;
}
