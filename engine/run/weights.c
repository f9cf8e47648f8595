// Weights: from a file to a device, repacked on the way.
//
// Every weight is cut by rows so that no binding passes maxStorageBufferRange, and the pieces are
// laid one behind the other into as few stores as maxMemoryAllocationSize allows. Upload streams
// through staging, so nothing of the file's size is allocated on the host.
#include "run/scrub.h"

#include "base/status.h"
#include "base/threads.h"

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
    gw_row_layout rows = gw_weight_layout(w);
    uint64_t group_bytes = gw_layout_group_bytes(&rows);
    uint64_t range = l->max_range < l->max_store ? l->max_range : l->max_store;
    uint64_t max_rows = (range - GW_SLICE_ALIGN) / group_bytes * rows.rows;
    if (max_rows == 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: %u rows take %llu bytes, the device binds %llu", w->name,
                       rows.rows, (unsigned long long)group_bytes, (unsigned long long)range);
    }
    w->n_chunks = 0;
    for (uint64_t row = 0; row < w->n_rows; row += max_rows) {
        uint64_t n = w->n_rows - row < max_rows ? w->n_rows - row : max_rows;
        uint64_t bytes = gw_layout_bytes(&rows, n), place = GW_ALIGN_UP(bytes, GW_SLICE_ALIGN);
        if (w->n_chunks == GW_WEIGHT_MAX_CHUNKS || !place_bytes(l, place)) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "tensor %s: too large for this device's bindings of %llu bytes", w->name,
                           (unsigned long long)l->max_range);
        }
        uint64_t *at = &l->store_bytes[l->n_stores - 1];
        w->chunks[w->n_chunks++] = (gw_weight_chunk){
            .store = l->n_stores - 1, .row0 = row, .n_rows = n, .offset = *at, .bytes = bytes};
        *at += place;
    }
    return GODWIT_OK;
}

// A part's own rows among the chunks of its whole.
static void place_part(gw_weight *w) {
    const gw_weight *whole = w->whole;
    const uint64_t begin = w->whole_row0, end = begin + w->n_rows;
    gw_row_layout rows = gw_weight_layout(w);
    w->n_chunks = 0;
    if (w->n_dims == 1) { // of a vector, which is one row in one chunk
        w->n_chunks = 1;
        w->chunks[0] = whole->chunks[0];
        w->chunks[0].offset += begin * sizeof(float);
        w->chunks[0].bytes = gw_layout_bytes(&rows, 1);
        return;
    }
    for (uint32_t i = 0; i < whole->n_chunks; i++) {
        const gw_weight_chunk *c = &whole->chunks[i];
        uint64_t first = c->row0 > begin ? c->row0 : begin, last = c->row0 + c->n_rows;
        if (last > end) last = end;
        if (first >= last) continue;
        w->chunks[w->n_chunks++] =
            (gw_weight_chunk){.store = c->store,
                              .row0 = first - begin,
                              .n_rows = last - first,
                              .offset = c->offset + gw_layout_bytes(&rows, first - c->row0),
                              .bytes = gw_layout_bytes(&rows, last - first)};
    }
}

// A whole is placed when its first part is.
static godwit_status place_whole_or_part(layout *l, gw_weight *w, godwit_error *err) {
    gw_weight *whole = w->whole;
    if (!whole) return place_weight(l, w, err);
    if (w == whole->parts[0]) {
        whole->table_store = w->table_store;
        whole->table_offset = w->table_offset;
        whole->table_bytes = w->table_bytes;
        godwit_status status = place_weight(l, whole, err);
        if (status != GODWIT_OK) return status;
    }
    place_part(w);
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

// A group of rows is made in a worker's own memory and copied from there, so that memory of a device
// is written in order and never read.
enum { MAX_WORKERS = 16 };

typedef struct worker {
    gw_groups groups;
    uint8_t *group;
    godwit_status status;
    godwit_error err;
} worker;

typedef struct upload {
    const gw_host *host;
    gw_cpu *cpu; // whose threads do it; NULL: none's
    const gw_weight *weight;
    const gw_weight_chunk *chunk;
    gw_scrub *scrub;
    uint64_t group_bytes;
    uint32_t n_workers;
    worker workers[MAX_WORKERS];
    // The part at hand, of the chunk's bytes.
    uint64_t at, end;
    uint8_t *dst;
} upload;

static void make_group(void *user, uint64_t item, uint32_t number) {
    upload *u = user;
    worker *w = &u->workers[number];
    uint64_t i = u->at / u->group_bytes + item, begin = i * u->group_bytes;
    uint64_t first = begin > u->at ? begin : u->at, end = begin + u->group_bytes;
    if (end > u->end) end = u->end;
    if (w->status != GODWIT_OK) return;
    uint64_t in_weight = i + u->chunk->row0 / w->groups.layout.rows;
    w->status = gw_groups_get(&w->groups, in_weight, w->group, &w->err);
    if (w->status != GODWIT_OK) return;
    const uint8_t *from = w->group + (first - begin);
    memcpy(u->dst + (first - u->at), from, (size_t)(end - first));
    gw_scrub_add(u->scrub, first / 4, from, (end - first) / 4);
}

static godwit_status fill(void *user, uint64_t at, void *dst, uint64_t bytes, godwit_error *err) {
    upload *u = user;
    u->at = at;
    u->end = at + bytes;
    u->dst = dst;
    uint64_t first = u->at / u->group_bytes, last = (u->end - 1) / u->group_bytes;
    if (u->cpu)
        gw_cpu_for(u->cpu, u->n_workers, last - first + 1, make_group, u);
    else
        gw_parallel_for(u->n_workers, last - first + 1, make_group, u);
    for (uint32_t i = 0; i < u->n_workers; i++) {
        if (u->workers[i].status == GODWIT_OK) continue;
        if (err) *err = u->workers[i].err;
        return u->workers[i].status;
    }
    return GODWIT_OK;
}

static godwit_status upload_table(const gw_weight *w, gw_weight_stores *stores, godwit_error *err) {
    gw_scrub *scrub = stores->scrub;
    godwit_status status = GODWIT_OK;
    if (!w->table_bytes || gw_scrub_covers(scrub, w->table_store, w->table_offset)) goto done;
    GW_TRY(gw_store_write(&stores->stores[w->table_store], w->table_offset, w->format->table,
                          w->table_bytes, err));
    GW_TRY(gw_scrub_begin(scrub, w, "table", w->table_store, w->table_offset, w->table_bytes, err));
    gw_scrub_add(scrub, 0, w->format->table, w->table_bytes / 4);
done:
    return status;
}

static void end_workers(upload *u) {
    for (uint32_t i = 0; i < u->n_workers; i++) {
        gw_groups_deinit(&u->workers[i].groups);
        gw_free(u->host, u->workers[i].group, (size_t)u->group_bytes);
    }
}

// As many as there is work for: a small weight is one's.
static godwit_status begin_workers(upload *u, godwit_error *err) {
    enum { WORTH_BYTES = 1 << 18 };
    godwit_status status = GODWIT_OK;
    gw_row_layout rows = gw_weight_layout(u->weight);
    uint64_t most = gw_layout_bytes(&rows, u->weight->n_rows) / WORTH_BYTES + 1;
    uint32_t n = gw_n_processors();
    if (n > MAX_WORKERS) n = MAX_WORKERS;
    if (n > most) n = (uint32_t)most;
    u->group_bytes = gw_layout_group_bytes(&rows);
    for (uint32_t i = 0; i < n; i++) {
        worker *w = &u->workers[u->n_workers++];
        GW_TRY(gw_groups_init(&w->groups, u->host, u->weight, err));
        w->group = gw_alloc(u->host, (size_t)u->group_bytes, 1);
        GW_CHECK_ALLOC(w->group, err, "repacking");
    }
done:
    return status;
}

static godwit_status upload_weight(const gw_backend *backend, const gw_weight *w,
                                   gw_weight_stores *stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    upload u = {.host = backend->host, .cpu = backend->cpu, .weight = w, .scrub = stores->scrub};
    GW_TRY(upload_table(w, stores, err));
    GW_TRY(begin_workers(&u, err));
    for (uint32_t i = 0; i < w->n_chunks; i++) {
        const gw_weight_chunk *chunk = u.chunk = &w->chunks[i];
        GW_TRY(gw_scrub_begin(u.scrub, w, "rows", chunk->store, chunk->offset, chunk->bytes, err));
        GW_TRY(gw_store_fill(&stores->stores[chunk->store], chunk->offset, chunk->bytes,
                             GW_PIECE_BYTES, fill, &u, err));
    }
    for (uint32_t i = 0; i < u.n_workers; i++) {
        if (u.workers[i].groups.finite) continue;
        GW_FAIL(err, GODWIT_MALFORMED,
                "tensor %s: it holds NaN or infinity; the file is damaged or was badly converted",
                w->name);
    }
done:
    end_workers(&u);
    return status;
}

static godwit_status make_stores(const gw_backend *backend, const layout *l,
                                 gw_weight_stores *stores, godwit_error *err) {
    for (uint32_t i = 0; i < l->n_stores; i++) {
        godwit_status status = gw_store_create(backend, GW_BUFFER_WEIGHTS, l->store_bytes[i],
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
        GW_TRY(place_whole_or_part(&l, weights[i], err));
    }
    GW_TRY(make_stores(backend, &l, out_stores, err));
    GW_TRY(gw_scrub_create(backend, &out_stores->scrub, err));
    for (uint64_t i = 0; i < n_weights; i++) {
        GW_TRY(upload_weight(backend, weights[i], out_stores, err));
        for (uint32_t k = 0; k < weights[i]->n_chunks; k++) {
            done_bytes += weights[i]->chunks[k].bytes;
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
