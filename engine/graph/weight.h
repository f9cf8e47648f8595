// Weight: one immutable tensor, from where it is (a mapped file, a caller's constant) to where it
// is placed on a device.
//
// A weight is a matrix of rows [n_rows, n_cols] in a number format. On the device it is cut by rows
// into chunks, so that no binding passes maxStorageBufferRange; a chunk is a run of quants and a
// run of scales (see quant/quant.h) in one of the model's stores.
#ifndef GW_GRAPH_WEIGHT_H
#define GW_GRAPH_WEIGHT_H

#include "quant/quant.h"

enum { GW_WEIGHT_MAX_CHUNKS = 64 };

typedef struct gw_weight_chunk {
    uint32_t store; // index among the model's weight stores
    uint64_t row0, n_rows;
    uint64_t quants_offset, quants_bytes;
    uint64_t scales_offset, scales_bytes; // bytes 0 for float formats
} gw_weight_chunk;

typedef struct gw_weight {
    const char *name;
    const gw_format *format;
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS];
    uint64_t n_rows, n_cols; // all dims but the last, the last
    const uint8_t *data;     // in the file's layout
    uint32_t n_chunks;       // 0: not placed
    gw_weight_chunk chunks[GW_WEIGHT_MAX_CHUNKS];
} gw_weight;

// Row bytes after repack, by part.
static inline uint64_t gw_weight_row_quants(const gw_weight *w) {
    return gw_format_units(w->format, w->n_cols) * w->format->words * 4;
}
// Scales of n rows, in whole words.
static inline uint64_t gw_weight_scales_bytes(const gw_weight *w, uint64_t n_rows) {
    if (w->format->is_float) return 0;
    return (n_rows * gw_format_units(w->format, w->n_cols) + 1) / 2 * 4;
}

#endif
