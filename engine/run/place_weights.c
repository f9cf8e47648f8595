// Place weights: where each lies on a device. Every weight is cut by rows so that no binding passes
// maxStorageBufferRange, a matrix of experts at whole experts where one fits; the pieces are laid one
// behind the other into as few stores as maxMemoryAllocationSize allows. Experts that would not fit
// the device go to stores in host memory: a token reads the rows of those it chose alone.
#include "run/run.h"

#include "base/host_memory.h"
#include "base/status.h"
#include "quant/wide.h"

typedef struct layout {
    gw_placement *placement;
    uint64_t max_range, max_store;
    uint32_t n_host_layers;
    bool is_wide;
    gw_store_sizes *sizes;
    uint32_t n_of[2]; // 1 + the last store on the device, in host memory; 0: none
} layout;

// A place for bytes in the last store, or in a new one.
static bool place_bytes(layout *l, uint64_t bytes, bool in_host, gw_weight_chunk *chunk) {
    const uint64_t all = GW_ALIGN_UP(bytes, GW_SLICE_ALIGN);
    gw_store_sizes *s = l->sizes;
    uint32_t *n = &l->n_of[in_host];
    if (!*n || all > l->max_store - s->bytes[*n - 1]) {
        if (s->n == GW_MAX_WEIGHT_STORES || all > l->max_store) return false;
        s->bytes[s->n] = 0;
        s->in_host[s->n] = in_host;
        *n = ++s->n;
    }
    chunk->store = *n - 1;
    chunk->offset = s->bytes[chunk->store];
    chunk->bytes = bytes;
    s->bytes[chunk->store] += all;
    return true;
}

// In which a weight lies.
static const gw_format *format_of(const gw_weight *w, bool is_wide) {
    const gw_format *wide = is_wide ? gw_format_wide(w->format) : NULL;
    return wide ? wide : w->format;
}

bool gw_weights_go_wide(const gw_backend *backend, gw_weight *const *weights, uint64_t n_weights) {
    uint64_t bytes = 0, free_bytes = backend->memory_free;
    bool has_grids = false;
    if (!backend->cpu) return false;
    for (uint64_t i = 0; i < n_weights; i++) {
        const gw_format *format = format_of(weights[i], true);
        const gw_row_layout rows = gw_weight_layout_as(weights[i], format);
        has_grids |= format != weights[i]->format;
        bytes += gw_layout_bytes(&rows, weights[i]->n_rows);
    }
    if (has_grids && !free_bytes) free_bytes = gw_host_memory_free();
    return has_grids && bytes <= free_bytes / 4 * 3;
}

static bool is_in_host(const gw_weight *w, uint32_t n_host_layers) {
    return w->experts_layer && w->experts_layer <= n_host_layers;
}

uint32_t gw_weights_host_layers(gw_weight *const *weights, uint64_t n_weights, uint64_t room) {
    uint32_t n_host = 0;
    for (;;) {
        uint64_t bytes = 0;
        uint32_t next = UINT32_MAX;
        for (uint64_t i = 0; i < n_weights; i++) {
            const gw_weight *w = weights[i];
            const gw_row_layout rows = gw_weight_layout(w);
            if (is_in_host(w, n_host)) continue;
            bytes += GW_ALIGN_UP(gw_layout_bytes(&rows, w->n_rows), GW_SLICE_ALIGN);
            if (w->experts_layer && w->experts_layer < next) next = w->experts_layer;
        }
        if (bytes <= room || next == UINT32_MAX) return n_host;
        n_host = next;
    }
}

// Of one chunk.
static uint64_t most_rows(const gw_weight *w, uint64_t group_bytes, uint64_t group_rows,
                          uint64_t range) {
    const uint64_t n = (range - GW_SLICE_ALIGN) / group_bytes * group_rows;
    const uint64_t of_expert = w->n_dims == 3 ? w->dims[1] : 1;
    return n > of_expert && of_expert % group_rows == 0 ? n / of_expert * of_expert : n;
}

static godwit_status place_weight(layout *l, const gw_weight *w, const gw_weight_chunk *table,
                                  godwit_error *err) {
    gw_weight_chunk chunks[GW_WEIGHT_MAX_CHUNKS];
    uint32_t n_chunks = 0;
    gw_row_layout rows = gw_weight_layout_as(w, format_of(w, l->is_wide));
    uint64_t group_bytes = gw_layout_group_bytes(&rows);
    uint64_t range = l->max_range < l->max_store ? l->max_range : l->max_store;
    const bool in_host = is_in_host(w, l->n_host_layers);
    uint64_t max_rows = most_rows(w, group_bytes, rows.rows, range);
    if (max_rows == 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: %u rows take %llu bytes, the device binds %llu", w->name,
                       rows.rows, (unsigned long long)group_bytes, (unsigned long long)range);
    }
    for (uint64_t row = 0; row < w->n_rows; row += max_rows) {
        uint64_t n = w->n_rows - row < max_rows ? w->n_rows - row : max_rows;
        gw_weight_chunk chunk = {.row0 = row, .n_rows = n};
        if (n_chunks == GW_WEIGHT_MAX_CHUNKS ||
            !place_bytes(l, gw_layout_bytes(&rows, n), in_host, &chunk)) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "tensor %s: too large for this device's bindings of %llu bytes", w->name,
                           (unsigned long long)l->max_range);
        }
        chunks[n_chunks++] = chunk;
    }
    return gw_placement_add(l->placement, w, format_of(w, l->is_wide), n_chunks, chunks, table,
                            err);
}

// A part's own rows among the chunks of its whole.
static godwit_status place_part(layout *l, const gw_weight *w, const gw_placed *whole,
                                const gw_weight_chunk *table, godwit_error *err) {
    const uint64_t begin = w->whole_row0, end = begin + w->n_rows;
    gw_weight_chunk chunks[GW_WEIGHT_MAX_CHUNKS];
    uint32_t n_chunks = 0;
    gw_row_layout rows = gw_weight_layout_as(w, whole->format);
    if (w->n_dims == 1) { // of a vector, which is one row in one chunk
        chunks[n_chunks] = whole->chunks[0];
        chunks[n_chunks].offset += begin * sizeof(float);
        chunks[n_chunks++].bytes = gw_layout_bytes(&rows, 1);
    }
    for (uint32_t i = 0; w->n_dims > 1 && i < whole->n_chunks; i++) {
        const gw_weight_chunk *c = &whole->chunks[i];
        uint64_t first = c->row0 > begin ? c->row0 : begin, last = c->row0 + c->n_rows;
        if (last > end) last = end;
        if (first >= last) continue;
        chunks[n_chunks++] =
            (gw_weight_chunk){.store = c->store,
                              .row0 = first - begin,
                              .n_rows = last - first,
                              .offset = c->offset + gw_layout_bytes(&rows, first - c->row0),
                              .bytes = gw_layout_bytes(&rows, last - first)};
    }
    return gw_placement_add(l->placement, w, whole->format, n_chunks, chunks, table, err);
}

// A whole is placed when one of its parts is, in whatever order they are loaded.
static godwit_status place_whole_or_part(layout *l, const gw_weight *w,
                                         const gw_weight_chunk *table, godwit_error *err) {
    const gw_weight *whole = w->whole;
    if (!whole) return place_weight(l, w, table, err);
    if (!gw_placement_find(l->placement, whole)) {
        godwit_status status = place_weight(l, whole, table, err);
        if (status != GODWIT_OK) return status;
    }
    return place_part(l, w, gw_placement_find(l->placement, whole), table, err);
}

// The table of a weight's format, placed once for all weights of that format.
static godwit_status place_table(layout *l, gw_weight *const *weights, uint64_t n,
                                 gw_weight_chunk *table, godwit_error *err) {
    const gw_weight *w = weights[n];
    const gw_format *format = format_of(w, l->is_wide);
    uint64_t bytes = (uint64_t)format->n_table * sizeof *format->table;
    *table = (gw_weight_chunk){0};
    if (bytes == 0) return GODWIT_OK;
    for (uint64_t i = 0; i < n; i++) {
        if (weights[i]->format != w->format) continue;
        *table = gw_placement_find(l->placement, weights[i])->table;
        return GODWIT_OK;
    }
    if (place_bytes(l, bytes, false, table)) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: no room for the table of %s", w->name,
                   w->format->name);
}

godwit_status gw_weights_place(const gw_backend *backend, gw_weight *const *weights,
                               uint64_t n_weights, uint32_t n_host_layers, bool is_wide,
                               gw_placement *placement, gw_store_sizes *out_sizes,
                               godwit_error *err) {
    layout l = {.placement = placement,
                .max_range = backend->tune.max_weight_range,
                .max_store = UINT64_C(1) << 42,
                .n_host_layers = n_host_layers,
                .is_wide = is_wide,
                .sizes = out_sizes};
    *out_sizes = (gw_store_sizes){0};
    if (backend->device) l.max_store = gw_device_caps(backend->device)->max_buffer_bytes;
    for (uint64_t i = 0; i < n_weights; i++) {
        gw_weight_chunk table;
        godwit_status status = place_table(&l, weights, i, &table, err);
        if (status == GODWIT_OK) status = place_whole_or_part(&l, weights[i], &table, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}
