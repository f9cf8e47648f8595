// Cases: see cases.h. The builders of graphs, the table.
#include "run/case_data.h"

#include "base/clock.h"
#include "base/limits.h"
#include "graph/variant.h"
#include "ops/kv.h"
#include "ops/sample.h"
#include "run/executable.h"

// --- builders: after the first failure they do nothing and return NULL

static bool failed(gw_case *c, bool out_of_memory) {
    if (c->status == GODWIT_OK && out_of_memory) {
        c->status = gw_fail(c->err, GODWIT_OUT_OF_MEMORY, "out of host memory: sample case");
    }
    return c->status != GODWIT_OK;
}

static gw_value *value(gw_case *c, gw_value_kind kind, const char *name, uint32_t dtype,
                       uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = NULL;
    if (failed(c, false)) return NULL;
    c->status = gw_graph_value(&c->graph, kind, name, dtype, n_dims, dims, &v, c->err);
    return v;
}

static void remember(gw_case *c, gw_value *v, const void *data) {
    gw_case_input *input = gw_vec_push(&c->inputs, c->graph.host);
    if (failed(c, !input || !data)) return;
    *input = (gw_case_input){v, data};
}

static gw_value *f32(gw_case *c, const char *name, uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_F32, n_dims, dims);
    if (v && !c->in_name_only)
        remember(c, v, gw_case_floats(c, gw_value_n_rows(v), gw_value_row(v)));
    return v;
}

static gw_value *i32(gw_case *c, const char *name, uint64_t n, const void *data) {
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_I32, 1, &n);
    if (v && !c->in_name_only) remember(c, v, data);
    return v;
}

// The heads of a q8_0 cache.
static void *pack_heads(gw_case *c, const gw_value *v, bool values, const float *data) {
    uint32_t d = (uint32_t)gw_value_row(v), group = gw_kv_group(d, values);
    uint32_t n_scales = gw_div_up(d, group);
    uint8_t *out = gw_arena_alloc(&c->graph.arena, gw_value_bytes(v), 1);
    if (!out || !data) return NULL;
    float *scales = (float *)(void *)(out + gw_value_n_elements(v));
    for (uint64_t r = 0; r < gw_value_n_rows(v); r++)
        gw_kv_pack_head(data + r * d, d, group, (int8_t *)out + r * d, scales + r * n_scales);
    return out;
}

static gw_value *state(gw_case *c, const char *name, uint32_t dtype, uint32_t n_dims,
                       const uint64_t *dims) {
    gw_value *v = value(c, GW_VALUE_STATE, name, dtype, n_dims, dims);
    if (!v) return NULL;
    v->slice =
        (gw_slice){.buffer = GW_STORE_STATE, .offset = c->state_bytes, .bytes = gw_value_bytes(v)};
    c->state_bytes = GW_ALIGN_UP(c->state_bytes + v->slice.bytes, GW_SLICE_ALIGN);
    if (c->in_name_only) return v;
    float *data = gw_case_floats(c, gw_value_n_rows(v), gw_value_row(v));
    if (dtype == GW_DTYPE_Q8_KEYS || dtype == GW_DTYPE_Q8_VALUES)
        data = pack_heads(c, v, dtype == GW_DTYPE_Q8_VALUES, data);
    for (uint64_t i = 0; data && dtype == GODWIT_F16 && i < gw_value_n_elements(v); i++) {
        uint16_t half = (uint16_t)gw_f32_to_f16(data[i]);
        memcpy((uint8_t *)data + 2 * i, &half, sizeof half);
    }
    remember(c, v, data);
    return v;
}

// rows 0: a vector.
static gw_value *weight(gw_case *c, const gw_format *format, uint64_t rows, uint64_t cols) {
    gw_value *v = NULL;
    if (failed(c, false)) return NULL;
    gw_weight *w = gw_arena_alloc(&c->graph.arena, 1, sizeof *w);
    gw_weight **item = gw_vec_push(&c->weights, c->graph.host);
    if (failed(c, !w || !item)) return NULL;
    *item = w;
    *w = (gw_weight){.name = "w",
                     .format = format,
                     .n_dims = rows ? 2 : 1,
                     .dims = {rows ? rows : cols, cols},
                     .n_rows = rows ? rows : 1,
                     .n_cols = cols,
                     .group_rows = rows ? GW_GROUP_ROWS : 1};
    if (c->in_name_only) {
        w->n_chunks = 1;
        w->chunks[0] = (gw_weight_chunk){.n_rows = w->n_rows, .bytes = 256};
    } else {
        uint64_t n = w->n_rows * cols / format->block;
        uint8_t *blocks = gw_arena_alloc(&c->graph.arena, n, format->block_bytes);
        if (failed(c, !blocks)) return NULL;
        gw_case_fill_blocks(c, w, blocks);
        w->source.bytes = blocks;
    }
    c->status = gw_graph_weight(&c->graph, w, &v, c->err);
    return v;
}

static gw_value *node(gw_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n,
                      const void *attrs, size_t bytes) {
    gw_value *out[GW_MAX_OUTPUTS] = {NULL};
    if (failed(c, false)) return NULL;
    c->status = gw_graph_node(&c->graph, op, op->name, inputs, n, attrs, bytes, out, c->err);
    return out[0];
}

// The columns of x from first on as dims.
static gw_value *columns(gw_case *c, gw_value *x, uint64_t first, uint32_t n_dims,
                         const uint64_t *dims) {
    gw_value *v = NULL;
    uint64_t n = 1;
    for (uint32_t i = 1; i < n_dims; i++) n *= dims[i];
    if (failed(c, false)) return NULL;
    c->status = gw_graph_columns(&c->graph, x, first, n, &v, c->err);
    if (failed(c, false)) return NULL;
    c->status = gw_graph_reshape(&c->graph, v, n_dims, dims, &v, c->err);
    return v;
}

static void keep(gw_value *v) {
    if (v) v->keep = true;
}

// Kept, or quantized and that kept, so that the pass fuses both.
static void keep_as(gw_case *c, gw_value *v, bool quantize) {
    keep(quantize ? node(c, &gw_op_quantize_q8, &v, 1, NULL, 0) : v);
}

// --- the ops

// arg: rows, columns
static void build_unary(gw_case *c) {
    uint64_t dims[2] = {c->row->arg[0], c->row->arg[1]};
    gw_value *x = f32(c, "x", 2, dims);
    keep(node(c, c->row->op, &x, 1, NULL, 0));
}

// arg: rows, columns, quantize
static void build_binary(gw_case *c) {
    uint64_t dims[2] = {c->row->arg[0], c->row->arg[1]};
    gw_value *in[2] = {f32(c, "x", 2, dims), f32(c, "y", 2, dims)};
    keep_as(c, node(c, c->row->op, in, 2, NULL, 0), c->row->arg[2]);
}

// Columns for a format, about n: whole blocks; for formats of single numbers no whole units.
static uint64_t cols_for(const gw_format *format, uint32_t n) {
    return format->block == 1 ? n + 3 : GW_ALIGN_UP(n, format->block);
}

// Ids at both ends, twice the same, and outside of the table.
static void build_get_rows(gw_case *c) {
    static const int32_t ids[] = {0, 12, 5, 5, -1, 13, INT32_MAX, 1};
    gw_value *in[2] = {weight(c, c->format, 13, cols_for(c->format, 96)), i32(c, "ids", 8, ids)};
    keep(node(c, &gw_op_get_rows, in, 2, NULL, 0));
}

// arg: tokens, whether there are a scale and a residual. 37 rows are no multiple of any tile; three blocks of columns, the last of
// them shorter, with floats a shorter unit at its end.
static void build_matmul(gw_case *c) {
    uint64_t cols = cols_for(c->format, gw_format_is_float(c->format) ? 600 : 608);
    uint64_t dims[2] = {c->row->arg[0], cols}, out[2] = {c->row->arg[0], 37};
    uint64_t one[2] = {dims[0], 1};
    gw_value *in[4] = {weight(c, c->format, 37, cols), f32(c, "x", 2, dims)};
    if (c->row->arg[1]) in[3] = f32(c, "scale", 2, one);
    gw_value *y = node(c, &gw_op_matmul, in, in[3] ? 4 : 2, NULL, 0);
    if (c->row->arg[1]) {
        gw_value *both[2] = {y, f32(c, "residual", 2, out)};
        y = node(c, &gw_op_add, both, 2, NULL, 0);
    }
    keep(y);
}

// arg: tokens, rows, columns
static void build_product(gw_case *c) {
    const uint32_t *a = c->row->arg;
    uint64_t dims[2] = {a[0], a[2]};
    gw_value *in[2] = {weight(c, c->format, a[1], a[2]), f32(c, "x", 2, dims)};
    keep(node(c, &gw_op_matmul, in, 2, NULL, 0));
}

gw_case_row gw_case_product(gw_tokens tokens, uint32_t n_tok, uint32_t n_rows, uint32_t n_cols) {
    return (gw_case_row){.op = &gw_op_matmul,
                         .build = build_product,
                         .arg = {n_tok, n_rows, n_cols},
                         .matmul_tune = tokens};
}

// arg: rows, columns, 0: plain, 1: quantized, 2: folded, 3: both
static void build_rms_norm(gw_case *c) {
    uint64_t dims[2] = {c->row->arg[0], c->row->arg[1]};
    uint32_t how = c->row->arg[2];
    gw_rms_norm_attrs attrs = {.eps = how ? 1e-5f : 0.0f, .folded = how >> 1};
    gw_value *in[2] = {f32(c, "x", 2, dims), weight(c, &gw_format_f32, 0, dims[1])};
    gw_value *y = node(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
    if (y && attrs.folded) keep(c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1]);
    keep_as(c, y, how & 1);
}

// arg: head_dim, n_rot, paired
static void build_rope(gw_case *c) {
    const uint32_t *a = c->row->arg;
    uint64_t dims[3] = {7, 3, a[0]}, table[2] = {7, a[1]};
    gw_rope_attrs attrs = {.n_rot = a[1], .paired = a[2]};
    gw_value *x = f32(c, "x", 3, dims);
    c->fills = NORMAL;
    gw_value *in[2] = {x, f32(c, "table", 2, table)};
    keep(node(c, &gw_op_rope, in, 2, &attrs, sizeof attrs));
}

// arg: dtypes of the caches, head_dim. Rows at the ends and outside.
static void build_kv_store(gw_case *c) {
    static const int32_t rows[] = {0, 10, 5, 11, -1};
    const uint32_t *a = c->row->arg;
    uint64_t dims[3] = {5, 3, a[2]}, cache[3] = {11, 3, a[2]};
    gw_value *in[5] = {f32(c, "k", 3, dims), f32(c, "v", 3, dims), i32(c, "rows", 5, rows),
                       state(c, "K", a[0], 3, cache), state(c, "V", a[1], 3, cache)};
    (void)node(c, &gw_op_kv_store, in, 5, NULL, 0);
}

// arg: dtypes of the caches, head_dim. Columns of one product, neighbours for f32 keys, rows at the ends
// and outside, zeros behind heads that are no multiple of 8.
static void build_rope_store(gw_case *c) {
    static const int32_t at[] = {0, 10, 5, 11, -1};
    const uint32_t *a = c->row->arg, d = a[2];
    uint64_t qkv[2] = {5, 8ull * d}, table[2] = {5, d - 4}, row = GW_ALIGN_UP(d, GW_HEAD_DIM_STEP);
    uint64_t cache[3] = {11, 2, row};
    const gw_rope_attrs attrs = {.n_rot = d - 4, .paired = a[0] == GODWIT_F32};
    gw_value *x = f32(c, "qkv", 2, qkv), *in[7];
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t dims[3] = {5, i ? 2 : 4, d};
        in[i] = columns(c, x, i ? (2 + 2 * i) * d : 0, 3, dims);
    }
    in[4] = i32(c, "rows", 5, at);
    in[5] = state(c, "K", a[0], 3, cache);
    in[6] = state(c, "V", a[1], 3, cache);
    c->fills = NORMAL;
    in[3] = f32(c, "table", 2, table);
    keep(node(c, &gw_op_rope_store, in, 7, &attrs, sizeof attrs));
}

// arg: dtypes of the caches, head_dim, window (0: none, and quantized). Units and blocks of keys
// begin, end and break off. Without a window there are as many tokens as a prompt has; with one each
// has its own pages.
static void build_attention(gw_case *c) {
    static const int32_t pos[] = {0, 255, 256, 299, 45, 31, 32, 287, 1};
    const uint32_t *a = c->row->arg;
    static const int32_t pages[] = {1, 0, 0, 1, 2, 1, 0, 2};
    uint64_t row = GW_ALIGN_UP(a[2], GW_HEAD_DIM_STEP), n = a[3] ? 4 : sizeof pos / sizeof *pos;
    uint64_t q[3] = {n, 4, row}, cache[3] = {768, 2, row};
    uint32_t n_pages =
        !a[3] && a[2] == 128 ? 4 : 2; // so many that kernels for GPUs keep blocks apart
    gw_attention_attrs attrs = {
        .scale = 0.125f, .window = a[3], .head_dim = a[2], .n_pages = n_pages};
    c->fills = MODEST;
    gw_value *in[5] = {f32(c, "q", 3, q), state(c, "K", a[0], 3, cache),
                       state(c, "V", a[1], 3, cache), i32(c, "pos", (uint32_t)n, pos),
                       i32(c, "pages", a[3] ? 2 * (uint32_t)n : n_pages, pages)};
    keep_as(c, node(c, &gw_op_attention, in, 5, &attrs, sizeof attrs), !a[3]);
}

// arg: rows, columns. The first and last row of the state, and outside on both sides.
static void build_set_rows(gw_case *c) {
    static const int32_t rows[] = {6, 0, -1, 3, 7};
    uint64_t dims[2] = {5, c->row->arg[1]}, all[2] = {7, c->row->arg[1]};
    gw_value *in[3] = {f32(c, "x", 2, dims), i32(c, "rows", 5, rows),
                       state(c, "state", GODWIT_F32, 2, all)};
    (void)node(c, &gw_op_set_rows, in, 3, NULL, 0);
}

// arg: the first of two controls, logits; with parts where these are more than one
static void build_sample(gw_case *c) {
    static const gw_sample_control controls[] = {
        {.inv_temp = 0.0f, .row = 1},
        {.inv_temp = 1.25f, .top_k = 40, .top_p = 0xe00000u, .min_p = 0.02f, .seed_lo = 3},
        {.inv_temp = 0.5f, .top_p = 0xfff000u, .seed_hi = 1, .position = 77, .row = 1},
        {.inv_temp = 0.0f},
    };
    uint64_t dims[2] = {2, c->row->arg[1]};
    c->fills = c->row->arg[0] ? NORMAL : MIXED;
    gw_value *in[3] = {state(c, "logits", GODWIT_F32, 2, dims),
                       i32(c, "control", 16, &controls[c->row->arg[0]])};
    if (dims[1] > GW_SAMPLE_PART) keep(in[2] = node(c, &gw_op_sample_parts, in, 2, NULL, 0));
    if (c->row->op == &gw_op_sample) (void)node(c, &gw_op_sample, in, in[2] ? 3 : 2, NULL, 0);
}

enum { Q8_KEYS = GW_DTYPE_Q8_KEYS, Q8_VALUES = GW_DTYPE_Q8_VALUES };

// Before an op stand the ones that its own case runs as well (quantize_q8, pad_rows, sample_parts).
// clang-format off
static const gw_case_row rows[] = {
    {&gw_op_quantize_q8, "f32", build_unary, {11, 96, 0}, 0, false},
    {&gw_op_pad_rows, "f32", build_unary, {11, 33, 0}, 0, false},
    {&gw_op_get_rows, NULL, build_get_rows, {0, 0, 0}, 0, false},
    {&gw_op_matmul, NULL, build_matmul, {1, 0, 0}, 0, true},
    {&gw_op_matmul, NULL, build_matmul, {5, 1, 0}, 1, false},
    {&gw_op_matmul, NULL, build_matmul, {21, 0, 0}, 2, true},
    {&gw_op_rms_norm, "f32", build_rms_norm, {5, 333, 0}, 0, false},
    {&gw_op_rms_norm, "f32", build_rms_norm, {6, 288, 1}, 0, false},
    {&gw_op_rms_norm, "folded", build_rms_norm, {5, 333, 2}, 0, false},
    {&gw_op_rms_norm, "folded", build_rms_norm, {6, 288, 3}, 0, true},
    {&gw_op_rope, "halves", build_rope, {48, 32, 0}, 0, false},
    {&gw_op_rope, "paired", build_rope, {24, 24, 1}, 0, false},
    {&gw_op_kv_store, "f32", build_kv_store, {GODWIT_F32, GODWIT_F32, 10}, 0, false},
    {&gw_op_kv_store, "f16", build_kv_store, {GODWIT_F16, GODWIT_F16, 10}, 0, false},
    {&gw_op_kv_store, "q8_0", build_kv_store, {Q8_KEYS, Q8_VALUES, 80}, 0, false},
    {&gw_op_kv_store, "f16+q8_0", build_kv_store, {GODWIT_F16, Q8_VALUES, 24}, 0, false},
    {&gw_op_rope_store, "f32", build_rope_store, {GODWIT_F32, GODWIT_F32, 10}, 0, false},
    {&gw_op_rope_store, "f16", build_rope_store, {GODWIT_F16, GODWIT_F16, 48}, 0, false},
    {&gw_op_rope_store, "q8_0", build_rope_store, {Q8_KEYS, Q8_VALUES, 78}, 0, false},
    {&gw_op_rope_store, "f16+q8_0", build_rope_store, {GODWIT_F16, Q8_VALUES, 24}, 0, false},
    {&gw_op_attention, "f32", build_attention, {GODWIT_F32, GODWIT_F32, 64, 0}, 0, true},
    {&gw_op_attention, "f32", build_attention, {GODWIT_F32, GODWIT_F32, 40, 37}, 0, true},
    {&gw_op_attention, "f16", build_attention, {GODWIT_F16, GODWIT_F16, 128, 0}, 0, false},
    {&gw_op_attention, "f16", build_attention, {GODWIT_F16, GODWIT_F16, 24, 1}, 0, false},
    {&gw_op_attention, "f16", build_attention, {GODWIT_F16, GODWIT_F16, 20, 37}, 0, false},
    {&gw_op_attention, "f16+q8_0", build_attention, {GODWIT_F16, Q8_VALUES, 64, 0}, 0, false},
    {&gw_op_attention, "q8_0", build_attention, {Q8_KEYS, Q8_VALUES, 80, 37}, 0, false},
    {&gw_op_attention, "q8_0", build_attention, {Q8_KEYS, Q8_VALUES, 64, 0}, 0, false},
    {&gw_op_attention, "q8_0+f32", build_attention, {Q8_KEYS, GODWIT_F32, 20, 37}, 0, false},
    {&gw_op_add, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_silu_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_silu_mul, "f32", build_binary, {6, 96, 1}, 0, true},
    {&gw_op_set_rows, "f32", build_set_rows, {5, 33, 0}, 0, false},
    {&gw_op_sample_parts, "f32", build_sample, {0, 4999, 0}, 0, false},
    {&gw_op_sample_parts, "f32", build_sample, {1, 4999, 0}, 0, false},
    {&gw_op_sample, "greedy", build_sample, {0, 999, 0}, 0, false},
    {&gw_op_sample, "greedy", build_sample, {0, 4999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {1, 999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {1, 4999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {2, 999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {2, 4999, 0}, 0, false},
};
// clang-format on

const gw_case_row *gw_case_row_at(uint32_t i) {
    return i < sizeof rows / sizeof *rows ? &rows[i] : NULL;
}

// Compiling is what the self-check takes its time for, so only one format is tried in prefill, and
// two more, of the forms with scales and with minima, where prefill has a module of its own.
bool gw_case_is_quick(const gw_case_row *row, const gw_format *format, const gw_tune *tune) {
    if (!row->quick || !format || format->id == GW_FMT_q8_0) return row->quick;
    if (row->matmul_tune == 0) return format->id == GW_FMT_q4_0 || format->id == GW_FMT_f16;
    const gw_variant *many =
        gw_variant_at(gw_variant_for(tune, row->op, format, GW_CASE_MANY_TOKENS));
    return many && many->min_tokens > 1 && (format->id == GW_FMT_q6_k || format->id == GW_FMT_q4_k);
}

godwit_status gw_case_create(gw_case *c, const gw_host *host, const gw_case_row *row,
                             const gw_format *format, gw_case_data data, bool in_name_only,
                             godwit_error *err) {
    *c = (gw_case){.row = row,
                   .format = format,
                   .seed = format ? (format->id + 1) << 20 : 0,
                   .data = data,
                   .fills = data == GW_CASE_AWKWARD ? EVERY : NORMAL | ZEROS,
                   .in_name_only = in_name_only,
                   .err = err};
    gw_graph_init(&c->graph, host);
    row->build(c);
    if (c->status == GODWIT_OK) c->status = gw_graph_optimize(&c->graph, NULL, NULL, err);
    return c->status;
}

void gw_case_destroy(gw_case *c) {
    gw_vec_deinit(&c->inputs, c->graph.host);
    gw_vec_deinit(&c->weights, c->graph.host);
    gw_graph_deinit(&c->graph);
}

// The kernels of the number of tokens that the row stands for.
static gw_tune tune_of(const gw_case *c, const gw_tune *tune) {
    gw_tune own = *tune;
    for (uint32_t kind = 0; kind < 2; kind++) {
        for (uint32_t i = 0; i < GW_TOKENS_COUNT; i++) {
            own.choice.matmul[kind][i] = tune->choice.matmul[kind][c->row->matmul_tune];
        }
    }
    return own;
}

godwit_status gw_case_plan(gw_case *c, const gw_tune *tune, gw_plan **out_plan, godwit_error *err) {
    const gw_tune own = tune_of(c, tune);
    return gw_plan_create(&c->graph, &own, out_plan, err);
}

// --- running

struct gw_loaded_case {
    const gw_backend *backend;
    gw_case c;
    gw_weight_stores weights;
    // Of the run at hand:
    gw_workspace workspace;
    gw_store state;
};

static godwit_status write_inputs(gw_loaded_case *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < l->c.inputs.n; i++) {
        const gw_case_input *in = &l->c.inputs.items[i];
        gw_store *store = in->value->kind == GW_VALUE_STATE ? &l->state : &l->workspace.upload;
        const gw_slice *slice = &in->value->slice;
        GW_TRY(gw_store_write(store, slice->offset, in->data, slice->bytes, err));
    }
done:
    return status;
}

static godwit_status append(gw_case_result *result, gw_store *store, uint64_t offset, uint64_t n,
                            godwit_error *err) {
    uint8_t *grown = gw_realloc(result->host, result->bytes, result->n_bytes, result->n_bytes + n);
    if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: results");
    result->bytes = grown;
    godwit_status status = gw_store_read(store, offset, grown + result->n_bytes, n, err);
    result->n_bytes += n;
    return status;
}

static godwit_status collect(gw_loaded_case *l, gw_case_result *result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_case *c = &l->c;
    for (size_t i = 0; i < c->graph.values.n; i++) {
        const gw_value *v = c->graph.values.items[i];
        bool kept = v->kind == GW_VALUE_COMPUTED && v->keep;
        if (v->view_of || !v->slice.bytes || !(kept || v->kind == GW_VALUE_OUTPUT)) continue;
        GW_TRY(append(result, kept ? &l->workspace.arena : &l->workspace.readback, v->slice.offset,
                      v->slice.bytes, err));
    }
    if (c->state_bytes) GW_TRY(append(result, &l->state, 0, c->state_bytes, err));
done:
    return status;
}

godwit_status gw_case_load(const gw_backend *backend, const gw_case_row *row,
                           const gw_format *format, gw_case_data data, gw_loaded_case **out_case,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_loaded_case *l = gw_alloc(backend->host, 1, sizeof *l);
    if (!l) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: sample case");
    l->backend = backend;
    GW_TRY(gw_case_create(&l->c, backend->host, row, format, data, false, err));
    gw_graph_lay_out(&l->c.graph);
    GW_TRY(gw_weights_upload(backend, l->c.weights.items, l->c.weights.n, NULL, NULL, &l->weights,
                             err));
    *out_case = l;
    l = NULL;
done:
    gw_case_unload(&l);
    return status;
}

void gw_case_unload(gw_loaded_case **c) {
    if (!*c) return;
    gw_weight_stores_destroy(&(*c)->weights);
    gw_case_destroy(&(*c)->c);
    gw_free((*c)->backend->host, *c, sizeof **c);
    *c = NULL;
}

static godwit_status take_time(gw_program *program, uint64_t budget_ns, uint64_t *best_ns,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t begin = gw_now_ns();
    *best_ns = UINT64_MAX;
    do {
        uint64_t start = gw_now_ns();
        GW_TRY(gw_program_run(program, err));
        uint64_t wall_ns = gw_now_ns() - start, ns = gw_program_device_ns(program);
        if (!ns) ns = wall_ns;
        if (ns < *best_ns) *best_ns = ns;
    } while (gw_now_ns() - begin < budget_ns);
done:
    return status;
}

godwit_status gw_case_run_loaded(gw_loaded_case *c, const gw_tune *tune, uint64_t budget_ns,
                                 uint64_t *best_ns, gw_case_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_program *program = NULL;
    const gw_tune own = tune_of(&c->c, tune);
    const gw_executable_stores stores = {&c->workspace, &c->state, 1, &c->weights};
    *out_result = (gw_case_result){.host = c->backend->host};
    GW_TRY(
        gw_store_create(c->backend, GW_BUFFER_DEVICE, c->c.state_bytes, "check", &c->state, err));
    GW_TRY(gw_executable_create(c->backend, &c->c.graph, &own, &stores, &program, err));
    GW_TRY(write_inputs(c, err));
    GW_TRY(gw_program_run(program, err));
    if (best_ns) GW_TRY(take_time(program, budget_ns, best_ns, err));
    GW_TRY(collect(c, out_result, err));
done:
    gw_program_destroy(&program);
    gw_workspace_destroy(&c->workspace);
    gw_store_destroy(&c->state);
    if (status != GODWIT_OK) gw_case_result_free(out_result);
    return status;
}

godwit_status gw_case_run(const gw_backend *backend, const gw_case_row *row,
                          const gw_format *format, gw_case_data data, gw_case_result *out_result,
                          godwit_error *err) {
    gw_loaded_case *c = NULL;
    *out_result = (gw_case_result){.host = backend->host};
    godwit_status status = gw_case_load(backend, row, format, data, &c, err);
    if (status == GODWIT_OK) {
        status = gw_case_run_loaded(c, &backend->tune, 0, NULL, out_result, err);
    }
    gw_case_unload(&c);
    return status;
}

void gw_case_result_free(gw_case_result *result) {
    if (result->bytes) gw_free(result->host, result->bytes, result->n_bytes);
    result->bytes = NULL;
    result->n_bytes = 0;
}
