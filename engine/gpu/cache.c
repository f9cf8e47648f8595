// Cache: the driver's compiled pipelines, kept in a file from one process to the next.
//
// Owns VkPipelineCache and its file, <cache_dir>/<key>.pipelines. The key is a hash of all that
// decides whether the driver could use the bytes: its UUIDs, ids, version and Godwit's own version.
// A driver is trusted to check its own header but not its bytes, so the file has a header of ours
// before them:
//
//     0  magic "GWPIPE02"     8  key, 64 bytes     72  payload bytes, u64
//    80  checksum of the payload, u64 (XXH64)      88  checksum of bytes 0..87, u64
//
// little-endian as the machine; a file from another machine fails the key. A short, foreign or
// damaged file is ignored with a log line. It is written when the device is released, and only when
// the cache grew: a reader sees the old file or the new one (base/save.h), so it may be mapped.
// Losing a race or a write costs compile time, never correctness.
#include "base/file.h"
#include "base/save.h"
#include "base/status.h"
#include "gpu/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

static const char magic[8] = {'G', 'W', 'P', 'I', 'P', 'E', '0', '2'};

enum {
    AT_KEY = 8,
    AT_PAYLOAD_BYTES = 72,
    AT_PAYLOAD_SUM = 80,
    AT_HEADER_SUM = 88,
    PATH_BYTES = 4096,
    // Larger than any cache that Godwit's kernels could make; a bound on what is read.
    FILE_BYTES_MAX = 256 << 20,
};

static uint64_t checksum(const void *data, size_t n) {
    return XXH64(data, n, 0);
}

void gw_cache_key_init(const gw_adapter *a, gw_cache_key *out_key) {
    const uint32_t words[4] = {a->info.vendor_id, a->info.device_id, a->info.driver_version,
                               (uint32_t)GODWIT_VERSION_MAJOR << 16 | GODWIT_VERSION_MINOR << 8 |
                                   GODWIT_VERSION_PATCH};
    memcpy(out_key->bytes, a->device_uuid, 16);
    memcpy(out_key->bytes + 16, a->driver_uuid, 16);
    memcpy(out_key->bytes + 32, a->cache_uuid, 16);
    memcpy(out_key->bytes + 48, words, 16);
}

size_t gw_cache_path(const char *dir, const gw_cache_key *key, char *text, size_t text_bytes) {
    const uint64_t hash = checksum(key->bytes, sizeof key->bytes);
    int n = snprintf(text, text_bytes, "%s/%016llx.pipelines", dir, (unsigned long long)hash);
    return n < 0 ? 0 : (size_t)n;
}

static void put_u64(uint8_t *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}

static uint64_t get_u64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

void gw_cache_encode_header(const gw_cache_key *key, const void *payload, uint64_t payload_bytes,
                            uint8_t out_header[GW_CACHE_HEADER_BYTES]) {
    memcpy(out_header, magic, sizeof magic);
    memcpy(out_header + AT_KEY, key->bytes, sizeof key->bytes);
    put_u64(out_header + AT_PAYLOAD_BYTES, payload_bytes);
    put_u64(out_header + AT_PAYLOAD_SUM, checksum(payload, payload_bytes));
    put_u64(out_header + AT_HEADER_SUM, checksum(out_header, AT_HEADER_SUM));
}

uint64_t gw_cache_check(const gw_cache_key *key, const uint8_t *bytes, uint64_t n_bytes,
                        const char **out_reason) {
    *out_reason = "shorter than its header";
    if (n_bytes < GW_CACHE_HEADER_BYTES) return 0;
    *out_reason = "not a pipeline cache of Godwit";
    if (memcmp(bytes, magic, sizeof magic) != 0) return 0;
    *out_reason = "damaged header";
    if (checksum(bytes, AT_HEADER_SUM) != get_u64(bytes + AT_HEADER_SUM)) return 0;
    *out_reason = "of another device, driver or version";
    if (memcmp(bytes + AT_KEY, key->bytes, sizeof key->bytes) != 0) return 0;
    *out_reason = "truncated, or longer than it says";
    const uint64_t payload_bytes = n_bytes - GW_CACHE_HEADER_BYTES;
    if (get_u64(bytes + AT_PAYLOAD_BYTES) != payload_bytes) return 0;
    *out_reason = "damaged";
    const uint8_t *payload = bytes + GW_CACHE_HEADER_BYTES;
    if (checksum(payload, payload_bytes) != get_u64(bytes + AT_PAYLOAD_SUM)) return 0;
    *out_reason = payload_bytes ? NULL : "empty";
    return payload_bytes;
}

static void log_ignored(const gw_device *device, const char *path, const char *reason) {
    gw_log(device->host, GODWIT_LOG_WARN, "pipeline cache %s: ignored: %s", path, reason);
}

// Leaves *out_bytes NULL, with a log line unless there is simply no file.
static void load_file(const gw_device *device, const char *path, uint8_t **out_bytes,
                      uint64_t *out_n) {
    godwit_error err = {0};
    if (gw_file_load(device->host, path, FILE_BYTES_MAX, out_bytes, out_n, &err) != GODWIT_OK &&
        err.driver_code != ENOENT)
        gw_log(device->host, GODWIT_LOG_WARN, "pipeline cache: ignored: %s", err.message);
}

static bool cache_path(const gw_device *device, const gw_cache_key *key, char path[PATH_BYTES]) {
    return device->gpu->cache_dir &&
           gw_cache_path(device->gpu->cache_dir, key, path, PATH_BYTES) < PATH_BYTES;
}

// VK_NULL_HANDLE where the driver makes none.
static VkPipelineCache make_cache(gw_device *device, const uint8_t *payload, size_t n) {
    VkPipelineCache cache = VK_NULL_HANDLE;
    VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                      .initialDataSize = n,
                                      .pInitialData = payload};
    if (device->vk.CreatePipelineCache(device->handle, &info, NULL, &cache) != VK_SUCCESS)
        return VK_NULL_HANDLE;
    return cache;
}

// Without a cache at all kernels compile as well, only each time anew.
void gw_cache_init(gw_device *device) {
    char path[PATH_BYTES];
    gw_cache_key key;
    uint8_t *bytes = NULL;
    uint64_t n_bytes = 0, payload_bytes = 0;
    const char *reason = NULL;
    gw_cache_key_init(device->adapter, &key);
    if (cache_path(device, &key, path)) load_file(device, path, &bytes, &n_bytes);
    if (bytes) payload_bytes = gw_cache_check(&key, bytes, n_bytes, &reason);
    if (reason) log_ignored(device, path, reason);
    if (payload_bytes) {
        device->pipeline_cache = make_cache(device, bytes + GW_CACHE_HEADER_BYTES, payload_bytes);
        if (!device->pipeline_cache) log_ignored(device, path, "the driver refused it");
    }
    if (!device->pipeline_cache) device->pipeline_cache = make_cache(device, NULL, 0);
    // What the driver made of it is what growth is measured against; drivers that keep their
    // compiled code elsewhere never grow, and write no file.
    if (device->pipeline_cache &&
        device->vk.GetPipelineCacheData(device->handle, device->pipeline_cache,
                                        &device->cache_loaded_bytes, NULL) != VK_SUCCESS)
        device->cache_loaded_bytes = 0;
    gw_free(device->host, bytes, (size_t)n_bytes);
}

godwit_status gw_cache_save(const gw_gpu *gpu, const char *path, const void *head, size_t n_head,
                            const void *body, size_t n_body, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_save *save = NULL;
    (void)mkdir(gpu->cache_dir, 0700); // where it is there already this fails, rightly
    GW_TRY(gw_save_open(gpu->host, path, &save, err));
    GW_TRY(gw_save_write(save, head, n_head, err));
    GW_TRY(gw_save_write(save, body, n_body, err));
    GW_TRY(gw_save_commit(save, err));
done:
    gw_save_destroy(&save);
    return status;
}

static void write_file(gw_device *device, const gw_cache_key *key, const char *path,
                       const uint8_t *payload, size_t n) {
    godwit_error err = {0};
    uint8_t header[GW_CACHE_HEADER_BYTES];
    gw_cache_encode_header(key, payload, n, header);
    if (gw_cache_save(device->gpu, path, header, sizeof header, payload, n, &err) != GODWIT_OK)
        gw_log(device->host, GODWIT_LOG_WARN, "pipeline cache: not written: %s", err.message);
}

// What a twin has compiled goes to the device that it is a twin of: a cache belongs to one
// VkDevice, so by way of its data.
static void hand_over(const gw_device *twin, const uint8_t *payload, size_t n) {
    gw_device *device = twin->twin_of;
    VkPipelineCache copy = device->pipeline_cache ? make_cache(device, payload, n) : VK_NULL_HANDLE;
    if (!copy) return;
    pthread_mutex_lock(&device->kernel_lock);
    (void)device->vk.MergePipelineCaches(device->handle, device->pipeline_cache, 1, &copy);
    pthread_mutex_unlock(&device->kernel_lock);
    device->vk.DestroyPipelineCache(device->handle, copy, NULL);
}

void gw_cache_deinit(gw_device *device) {
    char path[PATH_BYTES];
    gw_cache_key key;
    size_t n = 0, n_max = 0;
    uint8_t *payload = NULL;
    if (!device->pipeline_cache) return;
    gw_cache_key_init(device->adapter, &key);
    if (atomic_load(&device->driver_lost)) goto done;
    if (!device->twin_of && !cache_path(device, &key, path)) goto done;
    if (device->vk.GetPipelineCacheData(device->handle, device->pipeline_cache, &n, NULL) !=
            VK_SUCCESS ||
        n <= device->cache_loaded_bytes || n > FILE_BYTES_MAX)
        goto done;
    n_max = n;
    payload = gw_alloc(device->host, n_max, 1);
    if (!payload || device->vk.GetPipelineCacheData(device->handle, device->pipeline_cache, &n,
                                                    payload) != VK_SUCCESS)
        goto done;
    if (device->twin_of)
        hand_over(device, payload, n);
    else
        write_file(device, &key, path, payload, n);
done:
    gw_free(device->host, payload, n_max);
    device->vk.DestroyPipelineCache(device->handle, device->pipeline_cache, NULL);
    device->pipeline_cache = VK_NULL_HANDLE;
}
