// Scrub: see scrub.h.
#include "run/scrub.h"

#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    PIECE_WORDS = GW_SCRUB_PIECE_BYTES / 4,
    BATCH = 8,          // pieces of one submit: 32 MiB, a few ms also on a slow device
    GROUPS = 64,        // workgroups of one piece, at most
    GROUP_WORDS = 2048, // a smaller piece has as many groups as make it so many words for each
    LANES = 128,        // invocations of a workgroup, the floor
    SUMS_BYTES = GROUPS * (int)sizeof(uint64_t),
};

typedef struct piece {
    const gw_weight *weight;
    const char *part;
    uint32_t store;
    uint64_t offset; // in the store
    uint64_t at;     // in the run of words that it is cut from
    uint32_t n_words;
    _Atomic uint64_t sum; // gw_checksum
} piece;

struct gw_scrub {
    const gw_backend *backend;
    gw_vec(piece) pieces;
    size_t run; // the first piece of what gw_scrub_add is given
    uint64_t total_bytes;
    pthread_mutex_t lock; // of what follows
    size_t next;          // piece to check
    uint64_t n_passes;
    gw_buffer *sums; // Vulkan, made at first use: [BATCH, GROUPS]
};

// --- checksum ------------------------------------------------------------------------------------

uint64_t gw_checksum(const void *words, uint64_t n, uint32_t index) {
    const uint8_t *bytes = words; // a format's table may lie at any even address
    const uint32_t step = 0x9e3779b1u;
    uint64_t sum = 0;
    uint32_t key = index * step; // added to, not multiplied anew, so that compilers make vectors
    for (uint32_t i = 0; i < (uint32_t)n; i++, key += step) {
        uint32_t word;
        memcpy(&word, bytes + (size_t)i * 4, 4);
        word ^= key;
        sum += (uint64_t)word * word;
    }
    return sum;
}

// --- taking checksums ----------------------------------------------------------------------------

godwit_status gw_scrub_create(const gw_backend *backend, gw_scrub **out_scrub, godwit_error *err) {
    gw_scrub *scrub = gw_alloc(backend->host, 1, sizeof *scrub);
    if (!scrub) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: checksums");
    scrub->backend = backend;
    pthread_mutex_init(&scrub->lock, NULL);
    *out_scrub = scrub;
    return GODWIT_OK;
}

void gw_scrub_destroy(gw_scrub **scrub) {
    gw_scrub *s = *scrub;
    if (!s) return;
    gw_buffer_destroy(&s->sums);
    gw_vec_deinit(&s->pieces, s->backend->host);
    pthread_mutex_destroy(&s->lock);
    gw_free(s->backend->host, s, sizeof *s);
    *scrub = NULL;
}

godwit_status gw_scrub_begin(gw_scrub *scrub, const gw_weight *weight, const char *part,
                             uint32_t store, uint64_t offset, uint64_t n_bytes, godwit_error *err) {
    scrub->run = scrub->pieces.n;
    for (uint64_t at = 0; at < n_bytes; at += GW_SCRUB_PIECE_BYTES) {
        uint64_t left = n_bytes - at;
        piece *p = gw_vec_push(&scrub->pieces, scrub->backend->host);
        if (!p) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: checksums");
        p->weight = weight;
        p->part = part;
        p->store = store;
        p->offset = offset + at;
        p->at = at;
        p->n_words = (uint32_t)(left < GW_SCRUB_PIECE_BYTES ? left / 4 : PIECE_WORDS);
    }
    scrub->total_bytes += n_bytes;
    return GODWIT_OK;
}

void gw_scrub_add(gw_scrub *scrub, uint64_t at, const void *words, uint64_t n) {
    const uint8_t *bytes = words;
    while (n) {
        piece *p = &scrub->pieces.items[scrub->run + at / PIECE_WORDS];
        uint64_t index = at % PIECE_WORDS, room = PIECE_WORDS - index, take = n < room ? n : room;
        atomic_fetch_add(&p->sum, gw_checksum(bytes, take, (uint32_t)index));
        bytes += take * 4;
        at += take;
        n -= take;
    }
}

bool gw_scrub_covers(const gw_scrub *scrub, uint32_t store, uint64_t offset) {
    for (size_t i = 0; i < scrub->pieces.n; i++) {
        const piece *p = &scrub->pieces.items[i];
        if (p->store == store && p->offset == offset) return true;
    }
    return false;
}

// --- checking ------------------------------------------------------------------------------------

static uint32_t n_groups(const piece *p) {
    uint32_t n = (p->n_words + GROUP_WORDS - 1) / GROUP_WORDS;
    return n < GROUPS ? n : GROUPS;
}

static godwit_status record(gw_scrub *scrub, const gw_store *stores, const piece *pieces,
                            uint32_t n, gw_commands **out_commands, godwit_error *err) {
    const uint32_t spec[3] = {LANES, 1, 1};
    gw_device *device = scrub->backend->device;
    godwit_status status = GODWIT_OK;
    gw_recorder *recorder = NULL;
    gw_kernel *kernel = NULL;
    if (!scrub->sums) {
        GW_TRY(gw_buffer_create(device, GW_BUFFER_READBACK, BATCH * SUMS_BYTES, "scrub",
                                &scrub->sums, err));
    }
    GW_TRY(gw_kernel_get(device, "checksum", spec, 3, &kernel, err));
    GW_TRY(gw_recorder_begin(device, n, &recorder, err));
    for (uint32_t i = 0; i < n; i++) {
        const piece *p = &pieces[i];
        // A part of a joined weight may begin where no binding may.
        const uint64_t before = p->offset % GW_SLICE_ALIGN;
        const uint32_t groups[3] = {n_groups(p), 1, 1};
        const uint32_t push[3] = {p->n_words, groups[0], (uint32_t)(before / 4)};
        const gw_binding bindings[2] = {
            {stores[p->store].buffer, p->offset - before, (uint64_t)p->n_words * 4 + before},
            {scrub->sums, (uint64_t)i * SUMS_BYTES, SUMS_BYTES}};
        GW_TRY(gw_record_dispatch(recorder, kernel, bindings, 2, push, sizeof push, NULL, groups,
                                  err));
    }
    GW_TRY(gw_recorder_end(&recorder, out_commands, err));
done:
    gw_recorder_discard(&recorder);
    return status;
}

static godwit_status sum_on_device(gw_scrub *scrub, const gw_store *stores, const piece *pieces,
                                   uint32_t n, uint64_t *out_sums, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_commands *commands = NULL;
    GW_TRY(record(scrub, stores, pieces, n, &commands, err));
    GW_TRY(gw_commands_submit(commands, err));
    GW_TRY(gw_commands_wait(commands, err));
    const uint64_t *parts = gw_buffer_mapped(scrub->sums);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n_groups(&pieces[i]); k++) out_sums[i] += parts[i * GROUPS + k];
    }
done:
    gw_commands_destroy(&commands);
    return status;
}

static godwit_status fail_corrupt(const gw_scrub *scrub, const piece *p, uint64_t got,
                                  godwit_error *err) {
    gw_device *device = scrub->backend->device;
    godwit_device_info info = {.name = "cpu"};
    if (device && gw_device_info(device, &info, NULL) != GODWIT_OK) info.name[0] = 0;
    return gw_fail(err, GODWIT_CORRUPT,
                   "tensor %s: its %s changed in the memory of %.64s since they were loaded: among "
                   "%llu bytes at offset %llu of them (weights buffer %u, offset %llu; checksum "
                   "%016llx, %016llx wanted); open the model again, and doubt the memory if "
                   "this repeats",
                   p->weight->name, p->part, info.name, (unsigned long long)p->n_words * 4,
                   (unsigned long long)p->at, p->store, (unsigned long long)p->offset,
                   (unsigned long long)got, (unsigned long long)p->sum);
}

// The next n pieces, which lie one behind the other in the list. Stops behind the first bad one.
static godwit_status check_pieces(gw_scrub *scrub, gw_store *stores, uint32_t n, uint64_t *bytes,
                                  godwit_error *err) {
    const piece *pieces = &scrub->pieces.items[scrub->next];
    uint64_t sums[BATCH] = {0};
    godwit_status status = GODWIT_OK;
    if (scrub->backend->device) {
        status = sum_on_device(scrub, stores, pieces, n, sums, err);
        if (status != GODWIT_OK) return gw_note(err, status, "checksums");
    }
    for (uint32_t i = 0; i < n && status == GODWIT_OK; i++) {
        const piece *p = &pieces[i];
        if (!scrub->backend->device) {
            sums[i] = gw_checksum(stores[p->store].bytes + p->offset, p->n_words, 0);
        }
        *bytes += (uint64_t)p->n_words * 4;
        if (++scrub->next == scrub->pieces.n) {
            scrub->next = 0;
            scrub->n_passes++;
        }
        if (sums[i] != p->sum) status = fail_corrupt(scrub, p, sums[i], err);
    }
    return status;
}

godwit_status gw_scrub_check(gw_scrub *scrub, gw_store *stores, uint64_t max_bytes,
                             godwit_scrub_report *report, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t bytes = 0;
    pthread_mutex_lock(&scrub->lock);
    uint64_t wanted = max_bytes && max_bytes < scrub->total_bytes ? max_bytes : scrub->total_bytes;
    while (bytes < wanted && status == GODWIT_OK) {
        uint64_t planned = bytes;
        uint32_t n = 0;
        while (n < BATCH && planned < wanted && scrub->next + n < scrub->pieces.n) {
            planned += (uint64_t)scrub->pieces.items[scrub->next + n++].n_words * 4;
        }
        status = check_pieces(scrub, stores, n, &bytes, err);
    }
    report->n_bytes = bytes;
    report->total_bytes = scrub->total_bytes;
    report->n_passes = scrub->n_passes;
    pthread_mutex_unlock(&scrub->lock);
    return status;
}
