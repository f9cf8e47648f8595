// Weight: one immutable tensor and where its bytes are (a file, a caller's constant). Where it lies
// on a device is a placement's to say (placement.h).
//
// A weight is a matrix of rows [n_rows, n_cols] in a number format. Several tensors that one product
// reads are joined: each is a weight, a part, of which a whole has the rows one behind the other; the
// whole is what graphs read and what is placed, parts are uploaded and named. Of vectors, the biases
// of such products, a whole has the numbers one behind the other.
#ifndef GW_GRAPH_WEIGHT_H
#define GW_GRAPH_WEIGHT_H

#include "base/file.h"
#include "quant/layout.h"

enum { GW_WEIGHT_MAX_PARTS = 4 };

typedef struct gw_weight {
    const char *name;
    const gw_format *format;
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS];
    uint64_t n_rows, n_cols; // all dims but the last, the last
    uint32_t experts_layer;  // whose experts it has, 1 for the last one; 0: another weight
    uint32_t group_rows;     // of its layout: 1 where ops read it as plain fp32 rows
    uint64_t source_rows;    // of each of [.., dims[1], ..]: behind them are rows of zeros; 0: all
    gw_source source;        // in the file's layout; of a whole its parts have it
    struct gw_weight *whole; // that a part is in, from its row (number, of a vector) whole_row0 on
    uint64_t whole_row0;
    uint32_t n_parts; // of a whole; each but the last one is whole groups, or units of a vector
    struct gw_weight *parts[GW_WEIGHT_MAX_PARTS];
} gw_weight;

// n_dims is at least 1. name and what source names are borrowed.
static inline void gw_weight_init(gw_weight *w, const char *name, const gw_format *format,
                                  uint32_t n_dims, const uint64_t *dims, gw_source source) {
    *w = (gw_weight){.name = name,
                     .format = format,
                     .n_dims = n_dims,
                     .n_rows = 1,
                     .n_cols = dims[n_dims - 1],
                     .group_rows = n_dims == 1 ? 1 : GW_GROUP_ROWS,
                     .source = source};
    for (uint32_t i = 0; i < n_dims; i++) w->dims[i] = dims[i];
    for (uint32_t i = 0; i + 1 < n_dims; i++) w->n_rows *= dims[i];
}

// Matrices [n, rows, cols] whose rows are no whole groups get rows of zeros behind them, so that each begins with a
// group.
static inline void gw_weight_pad(gw_weight *w) {
    const uint64_t rows = w->dims[1];
    if (rows % GW_GROUP_ROWS == 0) return;
    w->source_rows = rows;
    w->dims[1] = (rows + GW_GROUP_ROWS - 1) / GW_GROUP_ROWS * GW_GROUP_ROWS;
    w->n_rows = w->dims[0] * w->dims[1];
}

// The part that has a row of a whole, and its row of it; any other weight itself.
const gw_weight *gw_weight_part(const gw_weight *w, uint64_t row, uint64_t *out_row);

// Reads the rows of a weight as its source has them, some ahead where they are in a file. Rows may
// be asked for in any order; in rising order each is read once. Not those that are zeros.
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

// How it lies in a format: its own, or that one's wide twin (quant/wide.h).
static inline gw_row_layout gw_weight_layout_as(const gw_weight *w, const gw_format *format) {
    gw_row_layout layout;
    gw_layout_of(format, w->n_cols, w->group_rows, &layout);
    return layout;
}
static inline gw_row_layout gw_weight_layout(const gw_weight *w) {
    return gw_weight_layout_as(w, w->format);
}
// What kernels need to find a row: 16-byte pieces of a group, and its rows.
typedef struct gw_weight_params {
    uint32_t group_pieces, group_rows;
} gw_weight_params;
// Makes groups of a weight's rows as they lie on a device, out of the source.
typedef struct gw_groups {
    gw_rows rows;
    gw_row_layout layout;
    bool finite; // no row so far held NaN or infinity
} gw_groups;
godwit_status gw_groups_init(gw_groups *groups, const gw_host *host, const gw_weight *weight,
                             const gw_format *format, godwit_error *err);
void gw_groups_deinit(gw_groups *groups); // also of one whose init failed
// Group i of the weight: out has gw_layout_group_bytes.
godwit_status gw_groups_get(gw_groups *groups, uint64_t i, uint8_t *out, godwit_error *err);

#endif
