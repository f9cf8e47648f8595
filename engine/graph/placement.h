// Placement: where weights lie on one device.
//
// A weight says what a tensor is and where its source is; it is nobody's in particular. A placement
// is one device's: each weight that it has is cut by rows into chunks of whole groups, so that no
// binding passes maxStorageBufferRange; a chunk is a run of bytes (quant/layout.h) in one of the
// placement's stores. One model's definition may be placed on any number of devices, all of it or
// some of its weights. Thread rule: immutable once it is filled.
#ifndef GW_GRAPH_PLACEMENT_H
#define GW_GRAPH_PLACEMENT_H

#include "graph/weight.h"

enum { GW_WEIGHT_MAX_CHUNKS = 64 };

typedef struct gw_weight_chunk {
    uint32_t store; // index among the placement's stores
    uint64_t row0, n_rows;
    uint64_t offset, bytes;
} gw_weight_chunk;

typedef struct gw_placed {
    const gw_weight *weight;
    const gw_format
        *format; // in which it lies: the weight's, or that one's wide twin (quant/wide.h)
    uint32_t n_chunks;
    const gw_weight_chunk *chunks;
    // The table of the format; no bytes where it has none.
    gw_weight_chunk table;
} gw_placed;

typedef struct gw_placement {
    const gw_host *host;
    gw_arena arena;           // of the chunks
    gw_vec(gw_placed *) list; // by the weights' addresses
} gw_placement;

void gw_placement_init(gw_placement *placement, const gw_host *host);
void gw_placement_deinit(gw_placement *placement); // also of a zeroed one
// NULL: not in it.
const gw_placed *gw_placement_find(const gw_placement *placement, const gw_weight *weight);
// A weight that is not in it yet, in a format. chunks: [n_chunks], copied; NULL: the whole of it in store 0, for
// plans that are not run. table: NULL: none.
godwit_status gw_placement_add(gw_placement *placement, const gw_weight *weight,
                               const gw_format *format, uint32_t n_chunks,
                               const gw_weight_chunk *chunks, const gw_weight_chunk *table,
                               godwit_error *err);

static inline gw_row_layout gw_placed_layout(const gw_placed *placed) {
    return gw_weight_layout_as(placed->weight, placed->format);
}
static inline gw_weight_params gw_placed_params(const gw_placed *placed) {
    const gw_row_layout layout = gw_placed_layout(placed);
    return (gw_weight_params){(uint32_t)layout.group_pieces, layout.rows};
}

#endif
