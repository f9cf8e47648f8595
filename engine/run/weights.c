// Weights: from a mapped file to a device, repacked on the way.
//
// Every weight is cut by rows so that no binding passes maxStorageBufferRange, and the pieces are
// laid one behind the other into as few stores as maxMemoryAllocationSize allows. Upload streams
// through staging, so nothing of the file's size is allocated on the host.
#include "run/run.h"

#include "base/status.h"

typedef struct layout {
    uint64_t max_range, max_store;
    uint64_t store_bytes[GW_MAX_WEIGHT_STORES];
    uint32_t n_stores;
} layout;

// A place for bytes in the last store, or in a new one.
static bool place_bytes(layout *l, uint64_t bytes) {
    if (l->n_stores && bytes <= l->max_store - l->store_bytes[l->n_stores - 1]) return true;
    if (l->n_stores == GW_MAX_WEIGHT_STORES || bytes > l->max_store) return false;
    l->store_bytes[l->n_stores++] = 0;
    return true;
}

static godwit_status place_weight(layout *l, gw_weight *w, godwit_error *err) {
    uint64_t row_quants = gw_weight_row_quants(w);
    uint64_t range = l->max_range < l->max_store / 2 ? l->max_range : l->max_store / 2;
    uint64_t max_rows = (range - GW_SLICE_ALIGN) / row_quants / 2 * 2; // whole words of scales
    if (max_rows == 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: a row takes %llu bytes, the device binds %llu", w->name,
                       (unsigned long long)row_quants, (unsigned long long)range);
    }
    w->n_chunks = 0;
    for (uint64_t row = 0; row < w->n_rows; row += max_rows) {
        uint64_t n = w->n_rows - row < max_rows ? w->n_rows - row : max_rows;
        uint64_t quants = n * row_quants, scales = gw_weight_scales_bytes(w, n);
        uint64_t bytes = GW_ALIGN_UP(quants, GW_SLICE_ALIGN) + GW_ALIGN_UP(scales, GW_SLICE_ALIGN);
        if (w->n_chunks == GW_WEIGHT_MAX_CHUNKS || !place_bytes(l, bytes)) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "tensor %s: too large for this device's bindings of %llu bytes", w->name,
                           (unsigned long long)l->max_range);
        }
        uint64_t *at = &l->store_bytes[l->n_stores - 1];
        w->chunks[w->n_chunks++] =
            (gw_weight_chunk){.store = l->n_stores - 1,
                              .row0 = row,
                              .n_rows = n,
                              .quants_offset = *at,
                              .quants_bytes = quants,
                              .scales_offset = *at + GW_ALIGN_UP(quants, GW_SLICE_ALIGN),
                              .scales_bytes = scales};
        *at += bytes;
    }
    return GODWIT_OK;
}

// --- upload
// ---------------------------------------------------------------------------------------

typedef struct upload {
    const gw_backend *backend;
    const gw_weight *weight;
    const gw_weight_chunk *chunk;
    uint32_t *row_words;  // one repacked row
    uint16_t *row_scales; // of one row
    bool finite;
} upload;

static const uint8_t *row_data(const upload *u, uint64_t row) {
    uint64_t bytes = gw_format_row_bytes(u->weight->format, u->weight->n_cols);
    return u->weight->data + (u->chunk->row0 + row) * bytes;
}

// Rows of quants: at and bytes are whole rows.
static godwit_status fill_quants(void *user, uint64_t at, void *dst, uint64_t bytes,
                                 godwit_error *err) {
    (void)err;
    upload *u = user;
    uint64_t row_bytes = gw_weight_row_quants(u->weight);
    for (uint64_t i = 0; i < bytes / row_bytes; i++) {
        u->finite &= u->weight->format->repack(row_data(u, at / row_bytes + i), u->weight->n_cols,
                                               u->row_words, u->row_scales);
        memcpy((uint8_t *)dst + i * row_bytes, u->row_words, row_bytes);
    }
    return GODWIT_OK;
}

// Scales of two rows at a time, so that pieces are whole words.
static godwit_status fill_scales(void *user, uint64_t at, void *dst, uint64_t bytes,
                                 godwit_error *err) {
    (void)err;
    upload *u = user;
    uint64_t n_units = gw_format_units(u->weight->format, u->weight->n_cols);
    uint64_t row = at / (n_units * 2);
    memset(dst, 0, bytes);
    for (uint64_t done = 0; row < u->chunk->n_rows && done + n_units * 2 <= bytes; row++) {
        u->weight->format->repack(row_data(u, row), u->weight->n_cols, u->row_words, u->row_scales);
        memcpy((uint8_t *)dst + done, u->row_scales, n_units * 2);
        done += n_units * 2;
    }
    return GODWIT_OK;
}

static godwit_status upload_weight(const gw_backend *backend, const gw_weight *w,
                                   gw_weight_stores *stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t row_quants = gw_weight_row_quants(w);
    uint64_t n_units = gw_format_units(w->format, w->n_cols);
    upload u = {.backend = backend, .weight = w, .finite = true};
    u.row_words = gw_alloc(backend->host, row_quants, 1);
    u.row_scales = gw_alloc(backend->host, n_units, 2);
    GW_CHECK_ALLOC(u.row_words && u.row_scales, err, "repacking");
    for (uint32_t i = 0; i < w->n_chunks; i++) {
        const gw_weight_chunk *chunk = u.chunk = &w->chunks[i];
        gw_store *store = &stores->stores[chunk->store];
        GW_TRY(gw_store_fill(store, chunk->quants_offset, chunk->quants_bytes, row_quants,
                             fill_quants, &u, err));
        GW_TRY(gw_store_fill(store, chunk->scales_offset, chunk->scales_bytes, n_units * 4,
                             fill_scales, &u, err));
    }
    if (!u.finite) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "tensor %s: it holds NaN or infinity; the file is damaged or was badly converted",
                w->name);
    }
done:
    gw_free(backend->host, u.row_words, row_quants);
    gw_free(backend->host, u.row_scales, n_units * 2);
    return status;
}

static godwit_status make_stores(const gw_backend *backend, const layout *l,
                                 gw_weight_stores *stores, godwit_error *err) {
    for (uint32_t i = 0; i < l->n_stores; i++) {
        godwit_status status = gw_store_create(backend, GW_BUFFER_DEVICE, l->store_bytes[i],
                                               "weights", &stores->stores[i], err);
        if (status != GODWIT_OK) return status;
        stores->n_stores = i + 1;
        stores->n_bytes += l->store_bytes[i];
    }
    return GODWIT_OK;
}

godwit_status gw_weights_upload(const gw_backend *backend, gw_weight *const *weights,
                                uint64_t n_weights, godwit_progress_fn progress, void *user,
                                gw_weight_stores *out_stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t done_bytes = 0;
    *out_stores = (gw_weight_stores){0};
    layout l = {.max_range = backend->tune.max_range, .max_store = UINT64_C(1) << 42};
    if (backend->device) l.max_store = gw_device_caps(backend->device)->max_buffer_bytes;
    for (uint64_t i = 0; i < n_weights; i++) GW_TRY(place_weight(&l, weights[i], err));
    GW_TRY(make_stores(backend, &l, out_stores, err));
    for (uint64_t i = 0; i < n_weights; i++) {
        GW_TRY(upload_weight(backend, weights[i], out_stores, err));
        for (uint32_t k = 0; k < weights[i]->n_chunks; k++) {
            done_bytes += weights[i]->chunks[k].quants_bytes + weights[i]->chunks[k].scales_bytes;
        }
        if (progress && !progress(user, "upload", done_bytes, out_stores->n_bytes)) {
            GW_FAIL(err, GODWIT_CANCELLED, "upload stopped by the caller");
        }
    }
done:
    if (status != GODWIT_OK) gw_weight_stores_destroy(out_stores);
    return status;
}

void gw_weight_stores_destroy(gw_weight_stores *stores) {
    for (uint32_t i = 0; i < stores->n_stores; i++) gw_store_destroy(&stores->stores[i]);
    *stores = (gw_weight_stores){0};
}
