// Buffers: contents from host to device and back at awkward sizes and offsets, the account of what
// is held, and refusal before anything is touched.
#include "gpu/internal.h"
#include "gpu_support.h"

#include <stdlib.h>

static rig r;

static const uint64_t sizes[] = {1,
                                 2,
                                 3,
                                 4,
                                 5,
                                 63,
                                 64,
                                 255,
                                 257,
                                 4095,
                                 65537,
                                 GW_STAGING_BYTES - 1,
                                 GW_STAGING_BYTES,
                                 GW_STAGING_BYTES + 1,
                                 3 * (uint64_t)GW_STAGING_BYTES + 77};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void round_trip(gw_buffer_kind kind, uint64_t bytes) {
    uint8_t *in = malloc(bytes), *out = malloc(bytes);
    gw_buffer *buffer = make_buffer(&r, kind, bytes);
    cr_assert_eq(gw_buffer_bytes(buffer), bytes);
    ok(gw_buffer_read(buffer, 0, out, bytes, &r.err));
    for (uint64_t i = 0; i < bytes; i++)
        if (out[i] != 0) cr_assert_fail("byte %llu of a new buffer", (unsigned long long)i);
    pattern(in, bytes, (uint32_t)bytes);
    ok(gw_buffer_write(buffer, 0, in, bytes, &r.err));
    // A part in the middle, at odd places, leaves its neighbours alone.
    const uint64_t at = bytes / 3, n = bytes / 2;
    pattern(in + at, n, 99);
    ok(gw_buffer_write(buffer, at, in + at, n, &r.err));
    ok(gw_buffer_read(buffer, 0, out, bytes, &r.err));
    cr_assert_eq(memcmp(in, out, bytes), 0, "%llu bytes", (unsigned long long)bytes);
    memset(out, 0, bytes);
    ok(gw_buffer_read(buffer, at, out, n, &r.err));
    cr_assert_eq(memcmp(in + at, out, n), 0);
    gw_buffer_destroy(&buffer);
    cr_assert_null(buffer);
    free(in);
    free(out);
}

Test(buffers, round_trips) {
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        for (int i = 0; i < N_SIZES; i++) round_trip(GW_BUFFER_DEVICE, sizes[i]);
        round_trip(GW_BUFFER_UPLOAD, 4097);
        round_trip(GW_BUFFER_READBACK, 4097);
        gpu_close(&r);
    }
}

Test(buffers, mapping_is_as_the_kind_says) {
    gpu_open(&r, "floor", NULL);
    gw_buffer *device = make_buffer(&r, GW_BUFFER_DEVICE, 64),
              *upload = make_buffer(&r, GW_BUFFER_UPLOAD, 64),
              *readback = make_buffer(&r, GW_BUFFER_READBACK, 64);
    cr_assert_null(gw_buffer_mapped(device));
    cr_assert_not_null(gw_buffer_mapped(upload));
    cr_assert_not_null(gw_buffer_mapped(readback));
    gw_buffer_destroy(&device);
    gw_buffer_destroy(&upload);
    gw_buffer_destroy(&readback);
    gpu_close(&r);
}

typedef struct filler {
    uint64_t granule, next, stop_at, most; // most: bytes of a call
    uint32_t n_calls;
} filler;

static godwit_status fill(void *user, uint64_t at, void *dst, uint64_t bytes, godwit_error *err) {
    filler *f = user;
    (void)err;
    cr_assert_eq(at, f->next);
    cr_assert(bytes > 0 && bytes <= f->most);
    if (at >= f->stop_at) {
        memset(err, 0, sizeof *err);
        err->status = GODWIT_CANCELLED;
        strcpy(err->message, "stopped by the test");
        return GODWIT_CANCELLED;
    }
    f->next = at + bytes;
    f->n_calls++;
    uint8_t *out = dst;
    for (uint64_t i = 0; i < bytes; i++) out[i] = (uint8_t)((at + i) * 31 >> 3);
    return GODWIT_OK;
}

static void check_fill(uint64_t bytes, uint64_t granule) {
    const uint64_t before = 13;
    gw_buffer *buffer = make_buffer(&r, GW_BUFFER_DEVICE, bytes + before + 5);
    bool at_once = gw_buffer_mapped(buffer);
    filler f = {
        .granule = granule, .stop_at = UINT64_MAX, .most = at_once ? bytes : GW_STAGING_BYTES};
    uint8_t *out = malloc(bytes + before + 5);
    ok(gw_buffer_fill(buffer, before, bytes, granule, fill, &f, &r.err));
    cr_assert_eq(f.next, bytes);
    cr_assert(bytes == 0 || f.n_calls >= (bytes - 1) / f.most + 1);
    cr_assert(!at_once || f.n_calls <= 1);
    ok(gw_buffer_read(buffer, 0, out, bytes + before + 5, &r.err));
    for (uint64_t i = 0; i < before; i++) cr_assert_eq(out[i], 0);
    for (uint64_t i = 0; i < bytes; i++)
        if (out[before + i] != (uint8_t)(i * 31 >> 3)) cr_assert_fail("byte %d", (int)i);
    for (uint64_t i = 0; i < 5; i++) cr_assert_eq(out[before + bytes + i], 0);
    free(out);
    gw_buffer_destroy(&buffer);
}

Test(buffers, fill_streams_in_granules) {
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        check_fill(0, 1);
        check_fill(1, 34);
        check_fill(34 * 1000 + 17, 34);
        check_fill(2 * (uint64_t)GW_STAGING_BYTES + 12345, 1000003);
        check_fill(3 * (uint64_t)GW_STAGING_BYTES, GW_STAGING_BYTES);
        gpu_close(&r);
    }
}

Test(buffers, fill_passes_a_callback_s_failure_on) {
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        const uint64_t bytes = 4 * (uint64_t)GW_STAGING_BYTES;
        gw_buffer *buffer = make_buffer(&r, GW_BUFFER_DEVICE, bytes);
        filler f = {.stop_at = gw_buffer_mapped(buffer) ? 0 : bytes / 2, .most = bytes};
        fails(gw_buffer_fill(buffer, 0, bytes, 1, fill, &f, &r.err), GODWIT_CANCELLED,
              "stopped by the test");
        round_trip(GW_BUFFER_DEVICE, 1000); // staging is usable again
        gw_buffer_destroy(&buffer);
        gpu_close(&r);
    }
}

Test(buffers, ranges_past_the_end_are_bugs) {
    gpu_open(&r, NULL, NULL);
    uint8_t data[16] = {0};
    filler f = {.stop_at = UINT64_MAX};
    gw_buffer *buffer = make_buffer(&r, GW_BUFFER_DEVICE, 10);
    fails(gw_buffer_write(buffer, 0, data, 11, &r.err), GODWIT_BUG, "pass its end (10)");
    fails(gw_buffer_read(buffer, 11, data, 0, &r.err), GODWIT_BUG, "pass its end (10)");
    fails(gw_buffer_read(buffer, UINT64_MAX, data, 2, &r.err), GODWIT_BUG, "pass its end (10)");
    fails(gw_buffer_fill(buffer, 0, 10, 0, fill, &f, &r.err), GODWIT_BUG, "granule 0");
    fails(gw_buffer_fill(buffer, 0, 10, GW_STAGING_BYTES + 1, fill, &f, &r.err), GODWIT_BUG,
          "granule 8388609");
    gw_buffer_destroy(&buffer);
    gpu_close(&r);
}

Test(buffers, what_does_not_fit_is_refused_with_numbers) {
    gpu_open(&r, NULL, NULL);
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    ok(gw_device_info(r.device, &info, &r.err));
    gw_buffer *buffer = NULL;
    fails(gw_buffer_create(r.device, GW_BUFFER_DEVICE, 0, "kv", &buffer, &r.err),
          GODWIT_INVALID_ARGUMENT, "kv: of 0 bytes");
    fails(gw_buffer_create(r.device, GW_BUFFER_DEVICE, UINT64_MAX, "kv", &buffer, &r.err),
          GODWIT_OUT_OF_DEVICE_MEMORY, "18446744073709551615");
    const uint64_t most = gw_device_caps(r.device)->max_buffer_bytes;
    fails(gw_buffer_create(r.device, GW_BUFFER_DEVICE, most + 1, "kv", &buffer, &r.err),
          GODWIT_OUT_OF_DEVICE_MEMORY, info.name);
    cr_assert_null(buffer);
    godwit_memory_row rows[4];
    cr_assert_eq(gw_device_memory(r.device, rows, 4), 0);
    gpu_close(&r);
}

// A card with memory of its own, a window to it, and the host's: which memory type each kind gets.
Test(buffers, memory_of_each_kind) {
    enum { CARD, WINDOW, HOST, CACHED, N_TYPES };
    const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                seen = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                       VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    static gw_adapter card = {.memory = {.memoryTypeCount = N_TYPES, .memoryHeapCount = 2}};
    static gw_device device = {.adapter = &card};
    const VkMemoryType types[N_TYPES] = {
        {local, 0}, {local | seen, 0}, {seen, 1}, {seen | cached, 1}};
    const struct {
        gw_buffer_kind kind;
        uint32_t best, then;
    } rows[] = {{GW_BUFFER_WEIGHTS, CARD, WINDOW},
                {GW_BUFFER_HOST_WEIGHTS, HOST, CACHED},
                {GW_BUFFER_READBACK, CACHED, HOST}};
    memcpy(card.memory.memoryTypes, types, sizeof types);
    card.memory.memoryHeaps[0].size = 1000;
    card.memory.memoryHeaps[1].size = 5000;
    pthread_mutex_init(&device.memory_lock, NULL);
    device.heap_bytes[0] = 300;
    cr_assert_eq(gw_device_room(&device), 700);
    card.info.uma = true;
    cr_assert_eq(gw_device_room(&device), UINT64_MAX);
    card.info.uma = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t left = UINT32_MAX, type = N_TYPES;
        cr_assert(gw_next_memory_type(&device, rows[i].kind, &left, &type));
        cr_assert_eq(type, rows[i].best, "row %zu: %u", i, type);
        cr_assert(gw_next_memory_type(&device, rows[i].kind, &left, &type));
        cr_assert_eq(type, rows[i].then, "row %zu: %u", i, type);
    }
    // Never the card's own, so that what is counted as host memory lies there.
    uint32_t left = 1u << CARD | 1u << WINDOW, type;
    cr_assert(!gw_next_memory_type(&device, GW_BUFFER_HOST_WEIGHTS, &left, &type));
    pthread_mutex_destroy(&device.memory_lock);
}

Test(buffers, account_by_owner) {
    gpu_open(&r, NULL, NULL);
    godwit_memory_row rows[8];
    gw_buffer *a = NULL, *b = NULL, *c = NULL;
    ok(gw_buffer_create(r.device, GW_BUFFER_DEVICE, 1000, "weights", &a, &r.err));
    ok(gw_buffer_create(r.device, GW_BUFFER_DEVICE, 3000, "weights", &b, &r.err));
    ok(gw_buffer_create(r.device, GW_BUFFER_UPLOAD, 500, "step", &c, &r.err));
    uint32_t n = gw_device_memory(r.device, rows, 8);
    uint32_t n_found = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(rows[i].owner, "weights") == 0) {
            cr_assert_eq(rows[i].n_allocations, 2);
            cr_assert_geq(rows[i].bytes, 4000);
            n_found++;
        } else if (strcmp(rows[i].owner, "step") == 0) {
            cr_assert_eq(rows[i].n_allocations, 1);
            n_found++;
        }
    }
    cr_assert_eq(n_found, 2);
    cr_assert_eq(gw_device_memory(r.device, NULL, 0), n, "counts without writing");
    gw_buffer_destroy(&a);
    gw_buffer_destroy(&b);
    gw_buffer_destroy(&c);
    gpu_close(&r); // asserts that nothing is left
}

// A buffer holds its device, so the order of destruction does not matter.
Test(buffers, outlive_the_device_handle) {
    gpu_open(&r, NULL, NULL);
    uint8_t in[100], out[100];
    gw_buffer *buffer = make_buffer(&r, GW_BUFFER_DEVICE, sizeof in);
    pattern(in, sizeof in, 5);
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
    ok(gw_buffer_write(buffer, 0, in, sizeof in, &r.err));
    ok(gw_buffer_read(buffer, 0, out, sizeof out, &r.err));
    cr_assert_eq(memcmp(in, out, sizeof in), 0);
    gw_buffer_destroy(&buffer);
    gw_buffer_destroy(&buffer);
    gw_buffer_destroy(NULL);
}
