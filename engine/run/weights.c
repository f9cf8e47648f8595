// Weights: from a file to a device, repacked on the way.
//
// Every weight is cut by rows so that no binding passes maxStorageBufferRange, and the pieces are
// laid one behind the other into as few stores as maxMemoryAllocationSize allows. Upload streams
// through staging, so nothing of the file's size is allocated on the host.
#include "run/scrub.h"

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
    uint64_t row_quants = gw_weight_row_quants(w), row_sides = gw_weight_row_sides(w);
    uint64_t row_most = row_quants > row_sides ? row_quants : row_sides;
    uint64_t range = l->max_range < l->max_store / 2 ? l->max_range : l->max_store / 2;
    uint64_t max_rows = (range - GW_SLICE_ALIGN) / row_most;
    if (max_rows == 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: a row takes %llu bytes, the device binds %llu", w->name,
                       (unsigned long long)row_most, (unsigned long long)range);
    }
    w->n_chunks = 0;
    for (uint64_t row = 0; row < w->n_rows; row += max_rows) {
        uint64_t n = w->n_rows - row < max_rows ? w->n_rows - row : max_rows;
        uint64_t quants = n * row_quants, sides = n * row_sides;
        uint64_t bytes = GW_ALIGN_UP(quants, GW_SLICE_ALIGN) + GW_ALIGN_UP(sides, GW_SLICE_ALIGN);
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
                              .sides_offset = *at + GW_ALIGN_UP(quants, GW_SLICE_ALIGN),
                              .sides_bytes = sides};
        *at += bytes;
    }
    return GODWIT_OK;
}

// The table of a weight's format, placed once for all weights of that format.
static godwit_status place_table(layout *l, gw_weight *const *weights, uint64_t n,
                                 godwit_error *err) {
    gw_weight *w = weights[n];
    uint64_t bytes = (uint64_t)w->format->n_table * sizeof *w->format->table;
    w->table_bytes = 0;
    if (bytes == 0) return GODWIT_OK;
    for (uint64_t i = 0; i < n; i++) {
        if (weights[i]->format != w->format) continue;
        w->table_store = weights[i]->table_store;
        w->table_offset = weights[i]->table_offset;
        w->table_bytes = bytes;
        return GODWIT_OK;
    }
    if (!place_bytes(l, GW_ALIGN_UP(bytes, GW_SLICE_ALIGN))) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: no room for the table of %s", w->name,
                       w->format->name);
    }
    w->table_store = l->n_stores - 1;
    w->table_offset = l->store_bytes[w->table_store];
    w->table_bytes = bytes;
    l->store_bytes[w->table_store] += GW_ALIGN_UP(bytes, GW_SLICE_ALIGN);
    return GODWIT_OK;
}

// --- upload --------------------------------------------------------------------------------------

// Scales are a tenth of a weight, or less, and lie behind its quants: kept, a row is made once.
enum { KEEP_BYTES = 16 << 20 };

typedef struct upload {
    const gw_weight *weight;
    const gw_weight_chunk *chunk;
    gw_scrub *scrub;
    gw_rows rows;  // of the source
    gw_packed row; // one repacked row
    uint8_t *kept; // [n_rows of the chunk] sides, where all of them were little enough to keep
    uint64_t kept_bytes;
    uint64_t quants_bytes, sides_bytes;
    bool finite;
} upload;

static godwit_status repack_row(upload *u, uint64_t row, godwit_error *err) {
    const gw_weight *w = u->weight;
    const uint8_t *from = NULL;
    godwit_status status = gw_rows_get(&u->rows, u->chunk->row0 + row, &from, err);
    if (status != GODWIT_OK) return status;
    memset(u->row.quants, 0, u->quants_bytes);
    memset(u->row.sides, 0, u->sides_bytes);
    u->finite &= w->format->repack(from, w->n_cols, &u->row);
    return GODWIT_OK;
}

// Rows of quants: at and bytes are whole rows.
static godwit_status fill_quants(void *user, uint64_t at, void *dst, uint64_t bytes,
                                 godwit_error *err) {
    upload *u = user;
    godwit_status status = GODWIT_OK;
    for (uint64_t i = 0; i < bytes / u->quants_bytes && status == GODWIT_OK; i++) {
        status = repack_row(u, at / u->quants_bytes + i, err);
        if (status != GODWIT_OK) break;
        memcpy((uint8_t *)dst + i * u->quants_bytes, u->row.quants, u->quants_bytes);
        if (u->kept) {
            uint64_t row = at / u->quants_bytes + i;
            memcpy(u->kept + row * u->sides_bytes, u->row.sides, u->sides_bytes);
        }
        status = gw_scrub_add(u->scrub, u->row.quants, u->quants_bytes / 4, err);
    }
    return status;
}

// Behind the quants: from what was kept of them, else out of the file once more.
static godwit_status fill_sides(void *user, uint64_t at, void *dst, uint64_t bytes,
                                godwit_error *err) {
    upload *u = user;
    godwit_status status = GODWIT_OK;
    for (uint64_t i = 0; i < bytes / u->sides_bytes && status == GODWIT_OK; i++) {
        uint64_t row = at / u->sides_bytes + i;
        const void *sides = u->row.sides;
        if (u->kept) {
            sides = u->kept + row * u->sides_bytes;
        } else {
            status = repack_row(u, row, err);
            if (status != GODWIT_OK) break;
        }
        memcpy((uint8_t *)dst + i * u->sides_bytes, sides, u->sides_bytes);
        status = gw_scrub_add(u->scrub, sides, u->sides_bytes / 4, err);
    }
    return status;
}

static godwit_status upload_chunk(upload *u, gw_store *store, godwit_error *err) {
    const gw_weight_chunk *chunk = u->chunk;
    godwit_status status = GODWIT_OK;
    gw_scrub_begin(u->scrub, u->weight, "quants", chunk->store, chunk->quants_offset);
    GW_TRY(gw_store_fill(store, chunk->quants_offset, chunk->quants_bytes, u->quants_bytes,
                         fill_quants, u, err));
    GW_TRY(gw_scrub_end(u->scrub, err));
    if (!chunk->sides_bytes) return GODWIT_OK;
    gw_scrub_begin(u->scrub, u->weight, "scales", chunk->store, chunk->sides_offset);
    GW_TRY(gw_store_fill(store, chunk->sides_offset, chunk->sides_bytes, u->sides_bytes, fill_sides,
                         u, err));
    GW_TRY(gw_scrub_end(u->scrub, err));
done:
    return status;
}

static godwit_status upload_weight(const gw_backend *backend, const gw_weight *w,
                                   gw_weight_stores *stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_scrub *scrub = stores->scrub;
    upload u = {.weight = w,
                .rows = {.host = backend->host},
                .scrub = scrub,
                .quants_bytes = gw_weight_row_quants(w),
                .sides_bytes = gw_weight_row_sides(w),
                .finite = true};
    u.row.n_units = gw_format_units(w->format, w->n_cols);
    u.row.quants = gw_alloc(backend->host, u.quants_bytes, 1);
    u.row.sides = gw_alloc(backend->host, u.sides_bytes + 4, 1);
    GW_CHECK_ALLOC(u.row.quants && u.row.sides, err, "repacking");
    GW_TRY(gw_rows_init(&u.rows, backend->host, w, err));
    if (w->table_bytes && !gw_scrub_covers(scrub, w->table_store, w->table_offset)) {
        GW_TRY(gw_store_write(&stores->stores[w->table_store], w->table_offset, w->format->table,
                              w->table_bytes, err));
        gw_scrub_begin(scrub, w, "table", w->table_store, w->table_offset);
        GW_TRY(gw_scrub_add(scrub, w->format->table, w->table_bytes / 4, err));
        GW_TRY(gw_scrub_end(scrub, err));
    }
    for (uint32_t i = 0; i < w->n_chunks; i++) {
        const gw_weight_chunk *chunk = u.chunk = &w->chunks[i];
        if (chunk->sides_bytes > 0 && chunk->sides_bytes <= KEEP_BYTES) {
            u.kept_bytes = chunk->sides_bytes;
            u.kept = gw_alloc(backend->host, (size_t)u.kept_bytes, 1);
            GW_CHECK_ALLOC(u.kept, err, "scales of a weight");
        }
        GW_TRY(upload_chunk(&u, &stores->stores[chunk->store], err));
        gw_free(backend->host, u.kept, (size_t)u.kept_bytes);
        u.kept = NULL;
    }
    if (!u.finite) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "tensor %s: it holds NaN or infinity; the file is damaged or was badly converted",
                w->name);
    }
done:
    gw_rows_deinit(&u.rows);
    gw_free(backend->host, u.kept, (size_t)u.kept_bytes);
    gw_free(backend->host, u.row.quants, u.quants_bytes);
    gw_free(backend->host, u.row.sides, u.sides_bytes + 4);
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
    layout l = {.max_range = backend->tune.max_weight_range, .max_store = UINT64_C(1) << 42};
    if (backend->device) l.max_store = gw_device_caps(backend->device)->max_buffer_bytes;
    for (uint64_t i = 0; i < n_weights; i++) {
        GW_TRY(place_table(&l, weights, i, err));
        GW_TRY(place_weight(&l, weights[i], err));
    }
    GW_TRY(make_stores(backend, &l, out_stores, err));
    GW_TRY(gw_scrub_create(backend, &out_stores->scrub, err));
    for (uint64_t i = 0; i < n_weights; i++) {
        GW_TRY(upload_weight(backend, weights[i], out_stores, err));
        for (uint32_t k = 0; k < weights[i]->n_chunks; k++) {
            done_bytes += weights[i]->chunks[k].quants_bytes + weights[i]->chunks[k].sides_bytes;
        }
        if (progress && !progress(user, "upload", done_bytes, out_stores->n_bytes)) {
            GW_FAIL(err, GODWIT_CANCELLED, "upload stopped by the caller");
        }
    }
done:
    if (status != GODWIT_OK) gw_weight_stores_destroy(out_stores);
    return status;
}

godwit_status gw_weights_scrub(gw_weight_stores *stores, uint64_t max_bytes,
                               godwit_scrub_report *report, godwit_error *err) {
    return gw_scrub_check(stores->scrub, stores->stores, max_bytes, report, err);
}

void gw_weight_stores_destroy(gw_weight_stores *stores) {
    gw_scrub_destroy(&stores->scrub);
    for (uint32_t i = 0; i < stores->n_stores; i++) gw_store_destroy(&stores->stores[i]);
    *stores = (gw_weight_stores){0};
}
