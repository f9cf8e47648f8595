// Cases: see cases.h. The builders of graphs, the table.
#include "run/case_values.h"

#include "base/limits.h"
#include "graph/variant.h"
#include "ops/sample.h"

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

static void build_swiglu_clamp(gw_case *c) {
    uint64_t dims[2] = {c->row->arg[0], c->row->arg[1]};
    const gw_swiglu_clamp_attrs attrs = {
        .alpha = 1.702f, .limit = 1.25f, .offset = 1.0f, .gate_limit = 1.25f, .act_limit = 0.75f};
    gw_value *in[2] = {f32(c, "x", 2, dims), f32(c, "y", 2, dims)};
    keep_as(c, node(c, &gw_op_swiglu_clamp, in, 2, &attrs, sizeof attrs), c->row->arg[2]);
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

// arg: tokens, whether there are a scale and a residual, whether the kernels are those of a product
// that has work enough for every core: the largest tile. 37 rows, or so many that a launch may be cut between tiles,
// are no multiple of any tile; three blocks of columns, the last of them shorter, with floats a shorter unit at its end.
static void build_matmul(gw_case *c) {
    const uint64_t n_rows = c->row->arg[0] > 1 ? 293 : 37;
    uint64_t cols = cols_for(c->format, gw_format_is_float(c->format) ? 600 : 608);
    uint64_t dims[2] = {c->row->arg[0], cols}, out[2] = {c->row->arg[0], n_rows};
    uint64_t one[2] = {dims[0], 1};
    gw_value *in[4] = {weight(c, c->format, n_rows, cols), f32(c, "x", 2, dims)};
    if (c->row->arg[1]) in[3] = f32(c, "scale", 2, one);
    gw_value *y = node(c, &gw_op_matmul, in, in[3] ? 4 : 2, NULL, 0);
    if (c->row->arg[1]) {
        gw_value *both[2] = {y, f32(c, "residual", 2, out)};
        y = node(c, &gw_op_add, both, 2, NULL, 0);
    }
    keep(y);
}

// What follows a product: a norm of its rows, and the gate of their halves; both quantized, to whole 256 bytes
// (behind fewer lies what was there). arg: tokens
static void build_tails(gw_case *c) {
    enum { N = 320, HALF = N / 2 };
    const uint64_t cols = cols_for(c->format, 256);
    const gw_rms_norm_attrs norm = {.eps = 1e-5f, .folded = 1};
    uint64_t dims[2] = {c->row->arg[0], cols}, out[2] = {dims[0], N}, half[2] = {dims[0], HALF};
    gw_value *in[2] = {weight(c, c->format, N, cols), f32(c, "x", 2, dims)};
    gw_value *sum[2] = {node(c, &gw_op_matmul, in, 2, NULL, 0), f32(c, "residual", 2, out)};
    gw_value *normed[2] = {node(c, &gw_op_add, sum, 2, NULL, 0), weight(c, &gw_format_f32, 0, N)};
    gw_value *y = node(c, &gw_op_rms_norm, normed, 2, &norm, sizeof norm);
    if (y) keep(c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1]);
    keep_as(c, y, true);
    in[0] = weight(c, c->format, N, cols);
    gw_value *both = node(c, &gw_op_matmul, in, 2, NULL, 0);
    gw_value *halves[2] = {columns(c, both, 0, 2, half), columns(c, both, HALF, 2, half)};
    keep_as(c, node(c, &gw_op_silu_mul, halves, 2, NULL, 0), true);
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

// arg: rows, columns, whether there is a bias
static void build_layer_norm(gw_case *c) {
    uint64_t dims[2] = {c->row->arg[0], c->row->arg[1]};
    const gw_layer_norm_attrs attrs = {.eps = 1e-5f};
    gw_value *in[3] = {f32(c, "x", 2, dims), weight(c, &gw_format_f32, 0, dims[1])};
    if (c->row->arg[2]) in[2] = weight(c, &gw_format_f32, 0, dims[1]);
    keep(node(c, &gw_op_layer_norm, in, in[2] ? 3 : 2, &attrs, sizeof attrs));
}

// arg: rows, columns, the attribute: a whole number, in eighths where it is a float
static void build_function(gw_case *c) {
    const uint32_t *a = c->row->arg;
    uint64_t dims[2] = {a[0], a[1]}, wide[2] = {a[0], a[1] + 5};
    const float eighths = (float)a[2] * 0.125f;
    const bool whole = c->row->op == &gw_op_gelu || c->row->op == &gw_op_relu;
    gw_value *x = columns(c, f32(c, "x", 2, wide), 3, 2, dims);
    keep(node(c, c->row->op, &x, 1, whole ? (const void *)&a[2] : &eighths, 4));
}

// arg: rows, columns, eps in -eighths
static void build_xielu(gw_case *c) {
    const uint32_t *a = c->row->arg;
    uint64_t dims[2] = {a[0], a[1]}, wide[2] = {a[0], a[1] + 5};
    const gw_xielu_attrs attrs = {0.8f, 1.25f, 0.5f, (float)a[2] * -0.125f};
    gw_value *x = columns(c, f32(c, "x", 2, wide), 3, 2, dims);
    keep(node(c, &gw_op_xielu, &x, 1, &attrs, sizeof attrs));
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
static void attend(gw_case *c, float softcap, bool sinks) {
    static const int32_t pos[] = {0, 255, 256, 299, 45, 31, 32, 287, 1};
    const uint32_t *a = c->row->arg;
    static const int32_t pages[] = {1, 0, 0, 1, 2, 1, 0, 2};
    uint64_t row = GW_ALIGN_UP(a[2], GW_HEAD_DIM_STEP), n = a[3] ? 4 : sizeof pos / sizeof *pos;
    uint64_t q[3] = {n, 4, row}, cache[3] = {768, 2, row};
    uint32_t n_pages =
        !a[3] && a[2] == 128 ? 4 : 2; // so many that kernels for GPUs keep blocks apart
    gw_attention_attrs attrs = {
        .scale = 0.125f, .window = a[3], .head_dim = a[2], .n_pages = n_pages, .softcap = softcap};
    c->fills = MODEST;
    gw_value *in[6] = {f32(c, "q", 3, q), state(c, "K", a[0], 3, cache),
                       state(c, "V", a[1], 3, cache), i32(c, "pos", (uint32_t)n, pos),
                       i32(c, "pages", a[3] ? 2 * (uint32_t)n : n_pages, pages)};
    if (sinks) in[5] = weight(c, &gw_format_f32, 0, 4);
    keep_as(c, node(c, &gw_op_attention, in, sinks ? 6 : 5, &attrs, sizeof attrs), !a[3]);
}
static void build_attention(gw_case *c) {
    attend(c, 0.0f, false);
}
static void build_capped_attention(gw_case *c) {
    attend(c, 1.5f, false);
}
static void build_attention_with_sinks(gw_case *c) {
    attend(c, 0.0f, true);
}

// arg: dtypes of the caches, head_dim, biases of a head (1: slopes)
static void attend_biased(gw_case *c, bool given) {
    static const int32_t last[] = {0, 255, 256, 299,
                                   0, 250, 256, 17}; // then the first, where given
    static const int32_t own[] = {0, 17, 256, 40}, pages[] = {1, 0};
    const uint32_t *a = c->row->arg;
    uint64_t row = GW_ALIGN_UP(a[2], GW_HEAD_DIM_STEP), q[3] = {4, 4, row},
             cache[3] = {512, 2, row};
    const gw_biased_attention_attrs attrs = {.scale = 0.125f,
                                             .head_dim = a[2],
                                             .n_pages = 2,
                                             .n_bias = a[3],
                                             .zero = a[3] / 2,
                                             .slopes = a[3] == 1};
    c->fills = MODEST;
    gw_value *in[7] = {f32(c, "q", 3, q),
                       state(c, "K", a[0], 3, cache),
                       state(c, "V", a[1], 3, cache),
                       i32(c, "last", given ? 8 : 4, last),
                       i32(c, "own", 4, own),
                       i32(c, "pages", 2, pages),
                       weight(c, &gw_format_f32, 0, 4 * a[3])};
    keep(node(c, &gw_op_biased_attention, in, 7, &attrs, sizeof attrs));
}
static void build_biased_attention(gw_case *c) {
    attend_biased(c, false);
}
static void build_biased_attention_from(gw_case *c) {
    attend_biased(c, true);
}

// arg: elements of a latent and of what is the value of it. Keys and values are one state.
static void build_latent_attention(gw_case *c) {
    static const int32_t pos[] = {255, 256, 299, 45}, pages[] = {1, 0};
    const uint32_t *a = c->row->arg;
    uint64_t q[3] = {4, 5, a[0]}, cache[3] = {512, 1, a[0]};
    const gw_attention_attrs attrs = {.scale = 0.125f, .head_dim = a[1], .n_pages = 2};
    c->fills = MODEST;
    gw_value *latents = state(c, "latents", GODWIT_F16, 3, cache);
    gw_value *in[5] = {f32(c, "q", 3, q), latents, latents, i32(c, "pos", 4, pos),
                       i32(c, "pages", 2, pages)};
    keep_as(c, node(c, &gw_op_attention, in, 5, &attrs, sizeof attrs), a[1] % 32 == 0);
}

// arg: columns of a, of b: of wider values
static void build_concat(gw_case *c) {
    const uint32_t *a = c->row->arg;
    uint64_t dims[2][2] = {{7, a[0]}, {7, a[1]}}, wide[2][2] = {{7, a[0] + 5}, {7, a[1] + 3}};
    gw_value *in[2];
    for (int i = 0; i < 2; i++)
        in[i] = columns(c, f32(c, i ? "b" : "a", 2, wide[i]), 3, 2, dims[i]);
    keep(node(c, &gw_op_concat, in, 2, NULL, 0));
}

// arg: columns, rows: its attributes
static void build_iota(gw_case *c) {
    keep(node(c, &gw_op_iota, (gw_value *[]){NULL}, 0, c->row->arg, sizeof(gw_iota_attrs)));
}

// arg: rows, columns. The first and last row of the state, and outside on both sides.
static void build_set_rows(gw_case *c) {
    static const int32_t rows[] = {6, 0, -1, 3, 7};
    uint64_t dims[2] = {5, c->row->arg[1]}, all[2] = {7, c->row->arg[1]};
    gw_value *in[3] = {f32(c, "x", 2, dims), i32(c, "rows", 5, rows),
                       state(c, "state", GODWIT_F32, 2, all)};
    (void)node(c, &gw_op_set_rows, in, 3, NULL, 0);
}

// arg: taps, whether x has gates, whether there are bias and silu. Of three sequences one is idle.
static void build_ssm_conv(gw_case *c) {
    static const int32_t segments[] = {0, 1, -1, 1, 1, 19, 0, 2, 0, 0, 0, 0};
    const uint32_t *a = c->row->arg, n = 35;
    const gw_ssm_conv_attrs attrs = {.n_taps = a[0], .gated = a[1], .silu = a[2]};
    uint64_t x[2] = {20, a[1] ? 3 * n : n}, blocks[3] = {3, a[0] - 1, n};
    gw_value *in[5] = {f32(c, "x", 2, x), weight(c, &gw_format_f32, 0, (uint64_t)n * a[0]),
                       i32(c, "segments", 12, segments), state(c, "tail", GODWIT_F32, 3, blocks)};
    if (a[2]) in[4] = weight(c, &gw_format_f32, 0, n);
    keep(node(c, &gw_op_ssm_conv, in, a[2] ? 5 : 4, &attrs, sizeof attrs));
}

// arg: decays, whether there are rates, decays that have one A and one rate, whether they are bound
static void build_ssm_gates(gw_case *c) {
    const uint32_t *a = c->row->arg;
    const gw_ssm_gates_attrs attrs = {.bound = a[3] ? -5.0f : 0.0f};
    uint64_t dims[2] = {5, a[0]}, few[2] = {5, a[2] ? a[0] / a[2] : a[0]};
    c->fills = NORMAL | ZEROS;
    gw_value *in[4] = {f32(c, "dt", 2, dims), weight(c, &gw_format_f32, 0, few[1]),
                       weight(c, &gw_format_f32, 0, a[0]), a[1] ? f32(c, "rate", 2, few) : NULL};
    keep(node(c, &gw_op_ssm_gates, in, a[1] ? 4 : 3, &attrs, sizeof attrs));
}

// arg: heads of keys, dk, dv, whether keys take turns (1) and rows have decays of their own (2). Four heads; two sequences, one of which begins.
static void build_recurrence(gw_case *c) {
    static const int32_t segments[] = {0, 1, -1, 1, 1, 7, 0, 2, 0, 0, 0, 0};
    const uint32_t *a = c->row->arg;
    const gw_recurrence_attrs attrs = {.scale = 0.25f, .tiled = a[3] & 1};
    const bool scan = c->row->op == &gw_op_ssm_scan;
    uint64_t rows[3] = {8, 2 * a[0], a[1]}, v[2] = {8, 4 * a[2]};
    uint64_t gates[2] = {8, a[3] & 2 ? 4 * a[1] + 4 : 8};
    uint64_t blocks[3] = {3, 4, a[1] * a[2]};
    c->fills = NORMAL | ZEROS;
    gw_value *in[6] = {f32(c, "rows", 3, rows), f32(c, "v", 2, v), f32(c, "gates", 2, gates),
                       i32(c, "segments", 12, segments), state(c, "state", GODWIT_F32, 3, blocks)};
    if (scan) in[5] = weight(c, &gw_format_f32, 0, 4);
    keep(node(c, c->row->op, in, scan ? 6 : 5, &attrs, sizeof attrs));
}

// arg: dk, channels. Two sequences, one of which begins.
static void build_selective_scan(gw_case *c) {
    static const int32_t segments[] = {0, 1, -1, 1, 1, 7, 0, 2, 0, 0, 0, 0};
    const uint32_t *a = c->row->arg;
    uint64_t rows[3] = {8, 2, a[0]}, v[2] = {8, a[1]}, blocks[3] = {3, a[0], a[1]};
    c->fills = NORMAL | ZEROS | TINY;
    gw_value *in[7] = {f32(c, "rows", 3, rows),
                       f32(c, "v", 2, v),
                       f32(c, "dt", 2, v),
                       i32(c, "segments", 12, segments),
                       state(c, "state", GODWIT_F32, 3, blocks),
                       weight(c, &gw_format_f32, 0, (uint64_t)a[0] * a[1]),
                       weight(c, &gw_format_f32, 0, a[1])};
    keep(node(c, &gw_op_selective_scan, in, 7, NULL, 0));
}

// arg: experts (256: in groups), used, gate, whether they are normed and have a bias
static void build_moe_route(gw_case *c) {
    const uint32_t *a = c->row->arg;
    const gw_moe_route_attrs attrs = {.n_used = a[1],
                                      .gate = a[2],
                                      .normed = a[3],
                                      .scale = a[3] ? 2.5f : 1.0f,
                                      .n_groups = a[0] == 256 ? 8 : 0,
                                      .n_groups_used = a[0] == 256 ? 4 : 0};
    uint64_t dims[2] = {3, a[0]};
    c->fills = NORMAL;
    gw_value *in[2] = {f32(c, "logits", 2, dims)};
    if (a[3]) in[1] = weight(c, &gw_format_f32, 0, a[0]);
    keep(node(c, &gw_op_moe_route, in, in[1] ? 2 : 1, &attrs, sizeof attrs));
    if (!failed(c, false)) keep(c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1]);
}

// arg: whether each pair has a row of x, and there are a scale and a bias. An id outside.
static void build_moe_matmul(gw_case *c) {
    static const int32_t ids[] = {4, 0, 2, 2, 1, 7};
    const bool whole = c->row->arg[0];
    uint64_t cols = cols_for(c->format, gw_format_is_float(c->format) ? 600 : 608);
    uint64_t w[3] = {5, 64, cols}, x[3] = {3, whole ? 2 : 1, cols}, table[2] = {3, 2},
             one[2] = {3, 1};
    gw_value *in[5] = {weight_of(c, c->format, 3, w), f32(c, "x", 3, x), i32(c, "ids", 6, ids)};
    if (whole) in[3] = f32(c, "scale", 2, one);
    if (whole) in[4] = weight(c, &gw_format_f32, 5, 64);
    if (failed(c, false)) return;
    c->status = gw_graph_reshape(&c->graph, in[2], 2, table, &in[2], c->err);
    keep(node(c, &gw_op_moe_matmul, in, whole ? 5 : 3, NULL, 0));
}

// arg: pairs of a tile. More pairs of an expert than a tile has, and less; an id outside. Of moe_group floats.
static void build_moe_tiles(gw_case *c) {
    static const int32_t ids[40] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 1,
                                    0, 1, 0, 7, 0, 1, 0, 3, 0, 1, 0, 1, 0, 1, 0, 1, 4, 1, 0, 1};
    const gw_format *format = c->format ? c->format : &gw_format_f32;
    const gw_moe_group_attrs attrs = {.n_experts = 5, .tile = c->row->arg[0]};
    uint64_t cols = cols_for(format, gw_format_is_float(format) ? 600 : 608), table[2] = {20, 2};
    uint64_t w[3] = {5, 64, cols}, x[2] = {20, cols};
    gw_value *in[6] = {weight_of(c, format, 3, w), f32(c, "x", 2, x), i32(c, "ids", 40, ids)};
    if (failed(c, false)) return;
    c->status = gw_graph_reshape(&c->graph, in[2], 2, table, &in[2], c->err);
    in[5] = node(c, &gw_op_moe_group, &in[2], 1, &attrs, sizeof attrs);
    keep(node(c, &gw_op_moe_matmul, in, 6, NULL, 0));
}

// Ops of a token's rows. arg: rows, columns, of mix_streams the rows that it mixes (0: adds one)
static void build_streams(gw_case *c) {
    const uint32_t *a = c->row->arg, one = 1; // lead, or skip
    uint64_t x[3] = {3, a[0], a[1]}, d[3] = {3, a[2] ? a[2] : 1, a[1]}, w[2] = {3, a[0] * a[2]};
    const bool sums = c->row->op == &gw_op_moe_sum, matches = c->row->op == &gw_op_match_rms;
    gw_value *in[3] = {matches ? f32(c, "like", 2, (uint64_t[]){3, a[1]}) : f32(c, "x", 3, x)};
    in[1] = sums ? f32(c, "weights", 2, x) : f32(c, "d", 3, matches ? x : d);
    if (a[2]) in[2] = f32(c, "w", 2, w);
    keep(node(c, c->row->op, in, a[2] ? 3 : 2, sums ? NULL : &one, sums ? 0 : sizeof one));
}

// arg: the first of two controls, logits; with parts where these are more than one
static void build_sample(gw_case *c) {
    static const gw_sample_control controls[] = {
        {.inv_temp = 0.0f, .row = 1},
        {.inv_temp = 1.25f, .top_k = 40, .top_p = 0xe00000u, .min_p = 0.02f, .seed_lo = 3},
        {.inv_temp = 0.5f, .top_p = 0xfff000u, .seed_hi = 1, .position = 77, .row = 1},
        {.inv_temp = 0.7f, .typical_p = 0x800000u, .seed_lo = 7, .top_n_sigma = 1.5f},
        {.inv_temp = 1.5f, .xtc = 0x8000u, .mirostat = 0x100000u, .seed_lo = 5, .row = 1},
        {.inv_temp = 0.0f},
    };
    uint64_t dims[2] = {2, c->row->arg[1]};
    c->fills = c->row->arg[0] ? NORMAL : MIXED;
    gw_value *in[3] = {state(c, "logits", GODWIT_F32, 2, dims),
                       i32(c, "control", 2 * GW_SAMPLE_CONTROL_WORDS, &controls[c->row->arg[0]])};
    if (dims[1] > GW_SAMPLE_PART) keep(in[2] = node(c, &gw_op_sample_parts, in, 2, NULL, 0));
    if (c->row->op == &gw_op_sample) (void)node(c, &gw_op_sample, in, in[2] ? 3 : 2, NULL, 0);
}

enum { Q8_KEYS = GW_DTYPE_Q8_KEYS, Q8_VALUES = GW_DTYPE_Q8_VALUES };

// At the ends of parts; a row and entries that are not there.
static void build_adjust(gw_case *c) {
    static const gw_sample_adjust entries[] = {{0, 0.5f, 1.3f, 0.25f, 0.0f},
                                               {2048, 9.0f, 0.7f, -0.5f, 0.3f}};
    static const int32_t heads[] = {1, 0, 2, 0, -1, 0, 2, 0, 0, 1, 9, 0};
    gw_value *in[3] = {state(c, "logits", GODWIT_F32, 2, (uint64_t[]){2, 2999}),
                       i32(c, "heads", 12, heads), i32(c, "entries", 10, (const void *)entries)};
    keep(node(c, &gw_op_adjust, in, 3, NULL, 0));
}

// Before an op stand the ones that its own case runs as well (quantize_q8, pad_rows, sample_parts).
// clang-format off
static const gw_case_row rows[] = {
    {&gw_op_quantize_q8, "f32", build_unary, {11, 96, 0}, 0, false},
    {&gw_op_pad_rows, "f32", build_unary, {11, 33, 0}, 0, false},
    {&gw_op_get_rows, NULL, build_get_rows, {0, 0, 0}, 0, false},
    {&gw_op_matmul, NULL, build_matmul, {1, 0, 0}, 0, true},
    {&gw_op_matmul, NULL, build_matmul, {40, 1, 1}, 1, false},
    {&gw_op_matmul, NULL, build_matmul, {21, 0, 0}, 2, true},
    {&gw_op_matmul, NULL, build_tails, {16, 0, 0}, 0, true},
    {&gw_op_rms_norm, "f32", build_rms_norm, {5, 333, 0}, 0, false},
    {&gw_op_rms_norm, "f32", build_rms_norm, {6, 288, 1}, 0, false},
    {&gw_op_rms_norm, "folded", build_rms_norm, {5, 333, 2}, 0, false},
    {&gw_op_rms_norm, "folded", build_rms_norm, {6, 288, 3}, 0, true},
    {&gw_op_layer_norm, "f32", build_layer_norm, {5, 333, 1}, 0, false},
    {&gw_op_layer_norm, "f32", build_layer_norm, {2, 4200, 0}, 0, false},
    {&gw_op_l2_norm, "f32", build_unary, {5, 333, 0}, 0, false},
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
    {&gw_op_attention, "capped", build_capped_attention, {GODWIT_F32, GODWIT_F32, 64, 0}, 0, false},
    {&gw_op_attention, "capped", build_capped_attention, {GODWIT_F16, GODWIT_F16, 40, 37}, 0, false},
    {&gw_op_attention, "capped", build_capped_attention, {Q8_KEYS, Q8_VALUES, 80, 37}, 0, false},
    {&gw_op_attention, "sinks", build_attention_with_sinks, {GODWIT_F32, GODWIT_F32, 64, 0}, 0, false},
    {&gw_op_attention, "sinks", build_attention_with_sinks, {GODWIT_F16, GODWIT_F16, 128, 0}, 0, false},
    {&gw_op_attention, "sinks", build_attention_with_sinks, {GODWIT_F16, GODWIT_F16, 40, 37}, 0, false},
    {&gw_op_biased_attention, "slopes", build_biased_attention, {GODWIT_F32, GODWIT_F32, 64, 1}, 0, false},
    {&gw_op_biased_attention, "table", build_biased_attention, {GODWIT_F16, GODWIT_F16, 20, 33}, 0, false},
    {&gw_op_biased_attention, "table", build_biased_attention_from, {GODWIT_F16, GODWIT_F16, 20, 33}, 0, false},
    {&gw_op_attention, "sinks", build_attention_with_sinks, {Q8_KEYS, Q8_VALUES, 64, 37}, 0, false},
    {&gw_op_attention, "latents", build_latent_attention, {576, 512, 0}, 0, false},
    {&gw_op_attention, "latents", build_latent_attention, {40, 24, 0}, 0, false},
    {&gw_op_add, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_silu_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_silu_mul, "f32", build_binary, {6, 96, 1}, 0, true},
    {&gw_op_gelu_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_gelu_mul, "f32", build_binary, {6, 96, 1}, 0, false},
    {&gw_op_swiglu_clamp, "f32", build_swiglu_clamp, {11, 33, 0}, 0, false},
    {&gw_op_swiglu_clamp, "f32", build_swiglu_clamp, {6, 96, 1}, 0, false},
    {&gw_op_sigmoid_mul, "f32", build_binary, {11, 33, 0}, 0, false},
    {&gw_op_sigmoid_mul, "f32", build_binary, {6, 96, 1}, 0, false},
    {&gw_op_gelu, "erf", build_function, {11, 33, 0}, 0, false},
    {&gw_op_gelu, "tanh", build_function, {11, 33, 1}, 0, false},
    {&gw_op_relu, "squared", build_function, {11, 33, 1}, 0, false},
    {&gw_op_xielu, "f32", build_xielu, {11, 33, 2}, 0, false},
    {&gw_op_clip, "f32", build_function, {11, 33, 4}, 0, false},
    {&gw_op_softcap, "f32", build_function, {11, 33, 15}, 0, false},
    {&gw_op_scale, "f32", build_function, {11, 33, 7}, 0, false},
    {&gw_op_ssm_conv, "gated", build_ssm_conv, {3, 1, 0}, 0, false},
    {&gw_op_ssm_conv, "silu", build_ssm_conv, {4, 0, 1}, 0, false},
    {&gw_op_ssm_gates, "sigmoid", build_ssm_gates, {37, 1, 0}, 0, false},
    {&gw_op_ssm_gates, "softplus", build_ssm_gates, {5, 0, 0}, 0, false},
    {&gw_op_ssm_gates, "rows", build_ssm_gates, {40, 1, 8}, 0, false},
    {&gw_op_ssm_gates, "bound", build_ssm_gates, {40, 1, 8, 1}, 0, false},
    {&gw_op_gated_delta_net, "f32", build_recurrence, {2, 40, 33, 1}, 0, false},
    {&gw_op_gated_delta_net, "f32", build_recurrence, {2, 128, 8, 0}, 0, false},
    {&gw_op_gated_delta_net, "rows", build_recurrence, {4, 40, 33, 2}, 0, false},
    {&gw_op_ssm_scan, "f32", build_recurrence, {1, 64, 35, 0}, 0, false},
    {&gw_op_selective_scan, "f32", build_selective_scan, {16, 70, 0}, 0, false},
    {&gw_op_moe_route, "softmax", build_moe_route, {5, 2, GW_MOE_SOFTMAX, 0}, 0, false},
    {&gw_op_moe_route, "softmax", build_moe_route, {128, 8, GW_MOE_SOFTMAX, 1}, 0, false},
    {&gw_op_moe_route, "softmax_used", build_moe_route, {33, 4, GW_MOE_SOFTMAX_USED, 0}, 0, false},
    {&gw_op_moe_route, "sigmoid", build_moe_route, {512, 32, GW_MOE_SIGMOID, 1}, 0, false},
    {&gw_op_moe_route, "groups", build_moe_route, {256, 8, GW_MOE_SIGMOID, 1}, 0, false},
    {&gw_op_moe_matmul, NULL, build_moe_matmul, {0, 0, 0}, 0, false},
    {&gw_op_moe_matmul, NULL, build_moe_matmul, {1, 0, 0}, 0, false},
    {&gw_op_moe_matmul, NULL, build_moe_tiles, {16, 0, 0}, 0, false},
    {&gw_op_moe_group, "i32", build_moe_tiles, {32, 0, 0}, 0, false},
    {&gw_op_moe_group, "i32", build_moe_tiles, {8, 0, 0}, 0, false},
    {&gw_op_moe_sum, "f32", build_streams, {5, 33, 0}, 0, false},
    {&gw_op_match_rms, "f32", build_streams, {3, 333, 0}, 0, false},
    {&gw_op_mix_streams, "f32", build_streams, {4, 33, 4}, 0, false},
    {&gw_op_mix_streams, "f32", build_streams, {4, 33, 0}, 0, false},
    {&gw_op_gaussian_topk, "f32", build_function, {5, 333, 13}, 0, false},
    {&gw_op_concat, "f32", build_concat, {33, 9, 0}, 0, false},
    {&gw_op_iota, "i32", build_iota, {20, 7, 0}, 0, false},
    {&gw_op_set_rows, "f32", build_set_rows, {5, 33, 0}, 0, false},
    {&gw_op_adjust, "f32", build_adjust, {0, 0, 0}, 0, false},
    {&gw_op_sample_parts, "f32", build_sample, {0, 4999, 0}, 0, false},
    {&gw_op_sample_parts, "f32", build_sample, {1, 4999, 0}, 0, false},
    {&gw_op_sample, "greedy", build_sample, {0, 999, 0}, 0, false},
    {&gw_op_sample, "greedy", build_sample, {0, 4999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {1, 999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {1, 4999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {2, 999, 0}, 0, false},
    {&gw_op_sample, "drawn", build_sample, {2, 4999, 0}, 0, false},
    {&gw_op_sample, "filters", build_sample, {3, 4999, 0}, 0, false},
};
// clang-format on

const gw_case_row *gw_case_row_at(uint32_t i) {
    return i < sizeof rows / sizeof *rows ? &rows[i] : NULL;
}

// Compiling is what the self-check takes its time for, so only one format is tried in prefill, and
// two more, of the forms with scales and with minima, where prefill has a module of its own.
bool gw_case_is_of_tails(const gw_case_row *row) {
    return row->build == build_tails;
}

bool gw_case_is_quick(const gw_case_row *row, const gw_format *format, const gw_tune *tune) {
    // Software drivers do not take what it is of by themselves.
    if (gw_case_is_of_tails(row) && (!tune->counts || tune->small_tiles)) return false;
    if (!row->quick || !format || format->id == GW_FMT_q8_0) return row->quick;
    if (row->matmul_tune == 0) return format->id == GW_FMT_q4_0 || format->id == GW_FMT_f16;
    const gw_variant *many =
        gw_variant_at(gw_variant_for(tune, row->op, format, GW_CASE_MANY_TOKENS));
    return many && many->min_tokens > 1 && (format->id == GW_FMT_q6_k || format->id == GW_FMT_q4_k);
}

gw_tune gw_case_tune(const gw_case *c, const gw_tune *tune) {
    gw_tune own = *tune;
    bool large = c->row->build == build_matmul && c->row->arg[2];
    if (large) own.cores = 1;
    if (large && !own.small_tiles) own.tile = 1;
    for (uint32_t kind = 0; kind < 2; kind++) {
        for (uint32_t i = 0; i < GW_TOKENS_COUNT; i++) {
            own.choice.matmul[kind][i] = tune->choice.matmul[kind][c->row->matmul_tune];
        }
    }
    return own;
}
