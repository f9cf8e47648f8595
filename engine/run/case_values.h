// Case values: inputs, weights, states and nodes of a sample graph, with their data (case_data.h). After a
// case's first failure they do nothing and return NULL.
#ifndef GW_RUN_CASE_VALUES_H
#define GW_RUN_CASE_VALUES_H

#include "ops/kv.h"
#include "ops/ops.h"
#include "run/case_data.h"

static inline bool failed(gw_case *c, bool out_of_memory) {
    if (c->status == GODWIT_OK && out_of_memory) {
        c->status = gw_fail(c->err, GODWIT_OUT_OF_MEMORY, "out of host memory: sample case");
    }
    return c->status != GODWIT_OK;
}

static inline gw_value *value(gw_case *c, gw_value_kind kind, const char *name, uint32_t dtype,
                              uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = NULL;
    if (failed(c, false)) return NULL;
    c->status = gw_graph_value(&c->graph, kind, name, dtype, n_dims, dims, &v, c->err);
    return v;
}

static inline void remember(gw_case *c, gw_value *v, const void *data) {
    gw_case_input *input = gw_vec_push(&c->inputs, c->graph.host);
    if (failed(c, !input || !data)) return;
    *input = (gw_case_input){v, data};
}

static inline gw_value *f32(gw_case *c, const char *name, uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_F32, n_dims, dims);
    if (v && !c->in_name_only)
        remember(c, v, gw_case_floats(c, gw_value_n_rows(v), gw_value_row(v)));
    return v;
}

static inline gw_value *i32(gw_case *c, const char *name, uint64_t n, const void *data) {
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_I32, 1, &n);
    if (v && !c->in_name_only) remember(c, v, data);
    return v;
}

// The heads of a q8_0 cache.
static inline void *pack_heads(gw_case *c, const gw_value *v, bool values, const float *data) {
    uint32_t d = (uint32_t)gw_value_row(v), group = gw_kv_group(d, values);
    uint32_t n_scales = gw_div_up(d, group);
    uint8_t *out = gw_arena_alloc(&c->graph.arena, gw_value_bytes(v), 1);
    if (!out || !data) return NULL;
    float *scales = (float *)(void *)(out + gw_value_n_elements(v));
    for (uint64_t r = 0; r < gw_value_n_rows(v); r++)
        gw_kv_pack_head(data + r * d, d, group, (int8_t *)out + r * d, scales + r * n_scales);
    return out;
}

static inline gw_value *state(gw_case *c, const char *name, uint32_t dtype, uint32_t n_dims,
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

static inline gw_value *weight_of(gw_case *c, const gw_format *format, uint32_t n_dims,
                                  const uint64_t *dims) {
    gw_value *v = NULL;
    if (failed(c, false)) return NULL;
    gw_weight *w = gw_arena_alloc(&c->graph.arena, 1, sizeof *w);
    gw_weight **item = gw_vec_push(&c->weights, c->graph.host);
    if (failed(c, !w || !item)) return NULL;
    *item = w;
    gw_weight_init(w, "w", format, n_dims, dims, (gw_source){0});
    if (c->in_name_only) {
        c->status = gw_placement_add(&c->placement, w, format, 0, NULL, NULL, c->err);
        if (failed(c, false)) return NULL;
    } else {
        uint64_t n = w->n_rows * w->n_cols / format->block;
        uint8_t *blocks = gw_arena_alloc(&c->graph.arena, n, format->block_bytes);
        if (failed(c, !blocks)) return NULL;
        gw_case_fill_blocks(c, w, blocks);
        w->source.bytes = blocks;
    }
    c->status = gw_graph_weight(&c->graph, w, &v, c->err);
    return v;
}

// rows 0: a vector.
static inline gw_value *weight(gw_case *c, const gw_format *format, uint64_t rows, uint64_t cols) {
    const uint64_t dims[2] = {rows, cols};
    return weight_of(c, format, rows ? 2 : 1, rows ? dims : dims + 1);
}

static inline gw_value *node(gw_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n,
                             const void *attrs, size_t bytes) {
    gw_value *out[GW_MAX_OUTPUTS] = {NULL};
    if (failed(c, false)) return NULL;
    c->status = gw_graph_node(&c->graph, op, op->name, inputs, n, attrs, bytes, out, c->err);
    return out[0];
}

// The columns of x from first on as dims.
static inline gw_value *columns(gw_case *c, gw_value *x, uint64_t first, uint32_t n_dims,
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

static inline void keep(gw_value *v) {
    if (v) v->keep = true;
}

// Kept, or quantized and that kept, so that the pass fuses both.
static inline void keep_as(gw_case *c, gw_value *v, bool quantize) {
    keep(quantize ? node(c, &gw_op_quantize_q8, &v, 1, NULL, 0) : v);
}

#endif
