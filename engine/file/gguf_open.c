// GGUF open: a file's header in memory, however long it is, and no more of the file than that.
//
// How long a header is shows only as it is read. So its beginning is read and parsed; where the
// parser comes to the end of that, twice as much is tried. What is kept is copied to its own size.
#include "base/status.h"
#include "file/gguf_internal.h"
#include "file/recognize.h"

enum { FIRST_BYTES = 1 << 18 };

// Reads on until n bytes of the file are in gguf->head.
static godwit_status read_to(gw_gguf *gguf, size_t n, godwit_error *err) {
    uint8_t *grown = gw_realloc(gguf->host, gguf->head, gguf->n_head, n);
    if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: GGUF header");
    size_t had = gguf->n_head;
    gguf->head = grown;
    gguf->n_head = n;
    return gw_file_read(&gguf->file, had, grown + had, n - had, err);
}

// Gives back what was read behind the header.
static godwit_status keep(gw_gguf *gguf, size_t n, godwit_error *err) {
    uint8_t *kept = gw_alloc(gguf->host, n, 1);
    if (!kept) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: GGUF header");
    memcpy(kept, gguf->head, n);
    for (uint64_t i = 0; i < gguf->n_values; i++) {
        gguf->values[i].data = kept + (gguf->values[i].data - gguf->head);
    }
    gw_free(gguf->host, gguf->head, gguf->n_head);
    gguf->head = kept;
    gguf->n_head = n;
    return GODWIT_OK;
}

static godwit_status parse_file(gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t most = gguf->file.n_bytes, n = FIRST_BYTES;
    for (;; n *= 2) {
        if (n > most) n = most;
        if (n > GW_GGUF_MAX_HEADER_BYTES) {
            GW_FAIL(err, GODWIT_UNSUPPORTED, "a header of over %d bytes", GW_GGUF_MAX_HEADER_BYTES);
        }
        GW_TRY(read_to(gguf, (size_t)n, err));
        gw_reader reader = {.bytes = gguf->head, .n_bytes = most, .n_absent = most - n};
        status = gw_gguf_parse_header(gguf, &reader, err);
        if (status == GODWIT_OK) return keep(gguf, (size_t)reader.pos, err);
        if (!reader.starved) goto done;
        gw_arena_deinit(&gguf->arena);
        gw_arena_init(&gguf->arena, gguf->host);
    }
done:
    return status;
}

godwit_status gw_gguf_open_one(const gw_host *host, const char *path, gw_gguf **out_gguf,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf *gguf = NULL;
    *out_gguf = NULL;
    GW_TRY(gw_gguf_create(host, path, &gguf, err));
    const char *folder = gw_recognize_folder(path);
    if (folder) GW_FAIL(err, GODWIT_MALFORMED, "%s: this is %s", path, folder);
    GW_TRY(gw_file_open(gguf->name, &gguf->file, err));
    status = parse_file(gguf, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", path); // a failed read names it itself
    if (status != GODWIT_OK) goto done;
    *out_gguf = gguf;
    gguf = NULL;
done:
    gw_gguf_destroy(&gguf);
    return status;
}

godwit_status gw_gguf_open(const gw_host *host, const char *path, gw_gguf **out_gguf,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf *gguf = NULL;
    uint32_t n_files = 1, number = 0;
    *out_gguf = NULL;
    GW_TRY(gw_gguf_open_one(host, path, &gguf, err));
    GW_TRY(gw_note(err, gw_gguf_split_of(gguf, &n_files, &number, err), "%s", path));
    if (n_files > 1) GW_TRY(gw_gguf_join(gguf, n_files, number, err));
    *out_gguf = gguf;
    gguf = NULL;
done:
    gw_gguf_destroy(&gguf);
    return status;
}
