// Weights: from a file to a device, repacked on the way. Upload streams through staging, so nothing
// of the file's size is allocated on the host.
#include "run/scrub.h"

#include "base/status.h"
#include "base/threads.h"

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
    const gw_placed *placed;
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

static godwit_status upload_table(const gw_placed *placed, gw_weight_stores *stores,
                                  godwit_error *err) {
    const gw_weight_chunk *t = &placed->table;
    const gw_weight *w = placed->weight;
    const uint16_t *entries = placed->format->table;
    gw_scrub *scrub = stores->scrub;
    godwit_status status = GODWIT_OK;
    if (!t->bytes || gw_scrub_covers(scrub, t->store, t->offset)) goto done;
    GW_TRY(gw_store_write(&stores->stores[t->store], t->offset, entries, t->bytes, err));
    GW_TRY(gw_scrub_begin(scrub, w, "table", t->store, t->offset, t->bytes, err));
    gw_scrub_add(scrub, 0, entries, t->bytes / 4);
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
    const gw_weight *weight = u->placed->weight;
    const gw_row_layout rows = gw_placed_layout(u->placed);
    uint64_t most = gw_layout_bytes(&rows, weight->n_rows) / WORTH_BYTES + 1;
    uint32_t n = gw_n_processors();
    if (n > MAX_WORKERS) n = MAX_WORKERS;
    if (n > most) n = (uint32_t)most;
    u->group_bytes = gw_layout_group_bytes(&rows);
    for (uint32_t i = 0; i < n; i++) {
        worker *w = &u->workers[u->n_workers++];
        GW_TRY(gw_groups_init(&w->groups, u->host, weight, u->placed->format, err));
        w->group = gw_alloc(u->host, (size_t)u->group_bytes, 1);
        GW_CHECK_ALLOC(w->group, err, "repacking");
    }
done:
    return status;
}

static godwit_status upload_weight(const gw_backend *backend, const gw_placed *placed,
                                   gw_weight_stores *stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_weight *w = placed->weight;
    upload u = {
        .host = backend->host, .cpu = backend->cpu, .placed = placed, .scrub = stores->scrub};
    GW_TRY(upload_table(placed, stores, err));
    GW_TRY(begin_workers(&u, err));
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        const gw_weight_chunk *chunk = u.chunk = &placed->chunks[i];
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

static godwit_status make_stores(const gw_backend *backend, const gw_store_sizes *sizes,
                                 gw_weight_stores *stores, godwit_error *err) {
    for (uint32_t i = 0; i < sizes->n; i++) {
        stores->n_bytes += sizes->bytes[i];
        if (sizes->in_host[i]) stores->n_host_bytes += sizes->bytes[i];
    }
    for (uint32_t i = 0; i < sizes->n; i++) {
        const bool in_host = sizes->in_host[i];
        godwit_status status = gw_store_create(
            backend, in_host ? GW_BUFFER_HOST_WEIGHTS : GW_BUFFER_WEIGHTS, sizes->bytes[i],
            in_host ? "host weights" : "weights", &stores->stores[i], err);
        if (status != GODWIT_OK && stores->n_host_bytes)
            gw_note(err, status, "weights: %llu bytes, beside %llu of experts in host memory",
                    (unsigned long long)(stores->n_bytes - stores->n_host_bytes),
                    (unsigned long long)stores->n_host_bytes);
        if (status != GODWIT_OK) return status;
        stores->n_stores = i + 1;
    }
    return GODWIT_OK;
}

static godwit_status begin_stores(const gw_backend *backend, gw_weight *const *weights,
                                  uint64_t n_weights, uint32_t n_host_layers, bool is_wide,
                                  gw_weight_stores *out, godwit_error *err) {
    gw_store_sizes sizes;
    *out = (gw_weight_stores){0};
    gw_placement_init(&out->placement, backend->host);
    godwit_status status = gw_weights_place(backend, weights, n_weights, n_host_layers, is_wide,
                                            &out->placement, &sizes, err);
    if (status == GODWIT_OK) status = make_stores(backend, &sizes, out, err);
    if (status != GODWIT_OK) gw_weight_stores_destroy(out);
    return status;
}

godwit_status gw_weights_upload(const gw_backend *backend, gw_weight *const *weights,
                                uint64_t n_weights, uint32_t n_host_layers,
                                godwit_progress_fn progress, void *user,
                                gw_weight_stores *out_stores, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t done_bytes = 0;
    const bool is_wide = gw_weights_go_wide(backend, weights, n_weights);
    status = begin_stores(backend, weights, n_weights, n_host_layers, is_wide, out_stores, err);
    if (status == GODWIT_OUT_OF_MEMORY &&
        is_wide) // others may have taken it, or a limit was not seen
        status = begin_stores(backend, weights, n_weights, n_host_layers, false, out_stores, err);
    GW_TRY(status);
    GW_TRY(gw_scrub_create(backend, &out_stores->scrub, err));
    for (uint64_t i = 0; i < n_weights; i++) {
        const gw_placed *placed = gw_placement_find(&out_stores->placement, weights[i]);
        const uint64_t before = done_bytes;
        GW_TRY(upload_weight(backend, placed, out_stores, err));
        for (uint32_t k = 0; k < placed->n_chunks; k++) done_bytes += placed->chunks[k].bytes;
        if (placed->format != placed->weight->format)
            out_stores->n_wide_bytes += done_bytes - before;
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
    gw_placement_deinit(&stores->placement);
    for (uint32_t i = 0; i < stores->n_stores; i++) gw_store_destroy(&stores->stores[i]);
    *stores = (gw_weight_stores){0};
}
