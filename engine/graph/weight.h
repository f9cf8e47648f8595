// Weight: one immutable tensor, from where it is (a file, a caller's constant) to where it is
// placed on a device.
//
// A weight is a matrix of rows [n_rows, n_cols] in a number format. On the device it is cut by rows
// into chunks, so that no binding passes maxStorageBufferRange; a chunk is a run of quants and a
// run of scales (see quant/quant.h) in one of the model's stores.
#ifndef GW_GRAPH_WEIGHT_H
#define GW_GRAPH_WEIGHT_H

#include "base/file.h"
#include "quant/quant.h"

enum { GW_WEIGHT_MAX_CHUNKS = 64 };

typedef struct gw_weight_chunk {
    uint32_t store; // index among the model's weight stores
    uint64_t row0, n_rows;
    uint64_t quants_offset, quants_bytes;
    uint64_t sides_offset, sides_bytes; // bytes 0 for formats without
} gw_weight_chunk;

typedef struct gw_weight {
    const char *name;
    const gw_format *format;
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS];
    uint64_t n_rows, n_cols; // all dims but the last, the last
    gw_source source;        // in the file's layout
    uint32_t n_chunks;       // 0: not placed
    gw_weight_chunk chunks[GW_WEIGHT_MAX_CHUNKS];
    // The table of the format, where it has one: one copy serves all weights of a model.
    uint32_t table_store;
    uint64_t table_offset, table_bytes;
} gw_weight;

// A weight that is not placed yet; n_dims is at least 1. name and what source names are borrowed.
static inline void gw_weight_init(gw_weight *w, const char *name, const gw_format *format,
                                  uint32_t n_dims, const uint64_t *dims, gw_source source) {
    *w = (gw_weight){.name = name,
                     .format = format,
                     .n_dims = n_dims,
                     .n_rows = 1,
                     .n_cols = dims[n_dims - 1],
                     .source = source};
    for (uint32_t i = 0; i < n_dims; i++) w->dims[i] = dims[i];
    for (uint32_t i = 0; i + 1 < n_dims; i++) w->n_rows *= dims[i];
}

// Reads the rows of a weight as its source has them, some ahead where they are in a file. Rows may
// be asked for in any order; in rising order each is read once.
typedef struct gw_rows {
    const gw_host *host;
    const gw_weight *weight;
    uint64_t row_bytes;
    uint64_t first, n, n_max; // rows that are held, and at most
    uint8_t *scratch;         // [n_max], of a file
    const uint8_t *held;
} gw_rows;
godwit_status gw_rows_init(gw_rows *rows, const gw_host *host, const gw_weight *weight,
                           godwit_error *err);
void gw_rows_deinit(gw_rows *rows); // also of one whose init failed
// *out: the row's bytes, until the next call. Errors name the tensor.
godwit_status gw_rows_get(gw_rows *rows, uint64_t row, const uint8_t **out, godwit_error *err);

// Bytes of a repacked row, by part.
static inline uint64_t gw_weight_row_quants(const gw_weight *w) {
    return gw_format_quant_row(w->format, w->n_cols) * 4;
}
static inline uint64_t gw_weight_row_sides(const gw_weight *w) {
    return gw_format_side_row(w->format, w->n_cols) * 4;
}
// What kernels need to find a row: words from one to the next, and from its sides to its tails.
static inline void gw_weight_strides(const gw_weight *w, uint32_t *out_q, uint32_t *out_s,
                                     uint32_t *out_tails) {
    *out_q = (uint32_t)gw_format_quant_row(w->format, w->n_cols);
    *out_s = (uint32_t)gw_format_side_row(w->format, w->n_cols);
    *out_tails = (uint32_t)gw_format_tails(w->format, w->n_cols);
}
// The same for references: row r of a launch's bindings 0 (quants), 1 (sides) and 2 (table).
static inline void gw_weight_row(const gw_format *format, void *const *bufs, uint64_t r,
                                 uint64_t n_units, uint64_t q_stride, uint64_t s_stride,
                                 gw_packed *out_row) {
    *out_row = (gw_packed){.quants = (uint32_t *)bufs[0] + r * q_stride,
                           .sides = (uint32_t *)bufs[1] + r * s_stride,
                           .n_units = n_units,
                           .table = format->table ? bufs[2] : NULL};
}

#endif
