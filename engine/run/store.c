// Store: a plan's buffer in memory: a Vulkan buffer, or plain bytes for the reference.
#include "run/run.h"

#include "base/host_memory.h"
#include "base/status.h"

static godwit_status make_bytes(const gw_host *host, gw_buffer_kind kind, uint64_t n_bytes,
                                const char *owner, uint8_t **out_bytes, godwit_error *err) {
    uint64_t free_bytes = gw_host_memory_free();
    // An eighth stays for the rest of the machine.
    if (free_bytes && n_bytes > free_bytes - free_bytes / 8) {
        return gw_fail(
            err, GODWIT_OUT_OF_MEMORY,
            "host memory: %s: %llu bytes wanted, %llu are free; a smaller context or model "
            "would fit",
            owner, (unsigned long long)n_bytes, (unsigned long long)free_bytes);
    }
    uint8_t *bytes = *out_bytes = gw_realloc(host, NULL, 0, n_bytes);
    if (!bytes) {
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: %s: %llu bytes", owner,
                       (unsigned long long)n_bytes);
    }
    if (kind != GW_BUFFER_STATES) gw_host_memory_large_pages(bytes, n_bytes);
    if (kind != GW_BUFFER_WEIGHTS && kind != GW_BUFFER_STATES && kind != GW_BUFFER_HOST_WEIGHTS)
        memset(bytes, 0, n_bytes);
    return GODWIT_OK;
}

godwit_status gw_store_create(const gw_backend *backend, gw_buffer_kind kind, uint64_t n_bytes,
                              const char *owner, gw_store *out_store, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_store store = {.backend = backend, .n_bytes = n_bytes};
    if (n_bytes && backend->device)
        status = gw_buffer_create(backend->device, kind, n_bytes, owner, &store.buffer, err);
    else if (n_bytes)
        status = make_bytes(backend->host, kind, n_bytes, owner, &store.bytes, err);
    // Owners take n_bytes for what is there, and make what is not: so a failure leaves 0.
    *out_store = status == GODWIT_OK ? store : (gw_store){0};
    return status;
}

void gw_store_destroy(gw_store *store) {
    gw_buffer_destroy(&store->buffer);
    if (store->bytes) gw_free(store->backend->host, store->bytes, store->n_bytes);
    *store = (gw_store){0};
}

static godwit_status check(const gw_store *store, uint64_t offset, uint64_t n_bytes,
                           godwit_error *err) {
    if (offset <= store->n_bytes && n_bytes <= store->n_bytes - offset) return GODWIT_OK;
    return GW_BUG(err, "store access %llu + %llu passes %llu", (unsigned long long)offset,
                  (unsigned long long)n_bytes, (unsigned long long)store->n_bytes);
}

godwit_status gw_store_write(gw_store *store, uint64_t offset, const void *data, uint64_t n_bytes,
                             godwit_error *err) {
    godwit_status status = check(store, offset, n_bytes, err);
    if (status != GODWIT_OK || n_bytes == 0) return status;
    if (store->buffer) return gw_buffer_write(store->buffer, offset, data, n_bytes, err);
    memcpy(store->bytes + offset, data, n_bytes);
    return GODWIT_OK;
}

godwit_status gw_store_read(gw_store *store, uint64_t offset, void *out_data, uint64_t n_bytes,
                            godwit_error *err) {
    godwit_status status = check(store, offset, n_bytes, err);
    if (status != GODWIT_OK || n_bytes == 0) return status;
    if (store->buffer) return gw_buffer_read(store->buffer, offset, out_data, n_bytes, err);
    memcpy(out_data, store->bytes + offset, n_bytes);
    return GODWIT_OK;
}

static godwit_status copy_on_device(gw_buffer *buffer, gw_device *device, uint64_t from,
                                    uint64_t to, uint64_t n_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    GW_TRY(gw_recorder_begin(device, 0, &recorder, err));
    gw_record_copy(recorder, buffer, from, buffer, to, n_bytes);
    GW_TRY(gw_recorder_end(&recorder, &commands, err));
    GW_TRY(gw_commands_submit(commands, err));
    GW_TRY(gw_commands_wait(commands, err));
done:
    gw_commands_destroy(&commands);
    return status;
}

godwit_status gw_store_copy(gw_store *store, uint64_t from, uint64_t to, uint64_t n_bytes,
                            godwit_error *err) {
    godwit_status status = check(store, from, n_bytes, err);
    if (status == GODWIT_OK) status = check(store, to, n_bytes, err);
    if (status != GODWIT_OK || n_bytes == 0) return status;
    if (store->buffer)
        return copy_on_device(store->buffer, store->backend->device, from, to, n_bytes, err);
    memcpy(store->bytes + to, store->bytes + from, n_bytes);
    return GODWIT_OK;
}

godwit_status gw_store_fill(gw_store *store, uint64_t offset, uint64_t n_bytes, uint64_t granule,
                            gw_fill_fn fill, void *user, godwit_error *err) {
    godwit_status status = check(store, offset, n_bytes, err);
    if (status != GODWIT_OK || n_bytes == 0) return status;
    if (store->buffer) {
        return gw_buffer_fill(store->buffer, offset, n_bytes, granule, fill, user, err);
    }
    return fill(user, 0, store->bytes + offset, n_bytes, err);
}

static godwit_status set_bytes(void *user, uint64_t offset, void *dst, uint64_t n_bytes,
                               godwit_error *err) {
    (void)offset;
    (void)err;
    memset(dst, *(const uint8_t *)user, n_bytes);
    return GODWIT_OK;
}

godwit_status gw_store_set(gw_store *store, uint64_t offset, uint64_t n_bytes, uint8_t byte,
                           godwit_error *err) {
    return gw_store_fill(store, offset, n_bytes, 4, set_bytes, &byte, err);
}
