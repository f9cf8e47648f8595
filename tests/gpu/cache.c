// The pipeline cache's file: what is written is read back, and what is damaged, short, foreign or
// of another kind is ignored with a line in the log.
#include "gpu/internal.h"

#include "gpu_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static rig r;
static char dir[64], path[256];

static void setup(void) {
    strcpy(dir, "/tmp/godwit_cache_XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static int count_files(void) {
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static void teardown(void) {
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        snprintf(path, sizeof path, "%s/%.180s", dir, e->d_name);
        if (e->d_name[0] != '.' && unlink(path) != 0) rmdir(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

TestSuite(cache, .init = setup, .fini = teardown);

enum { PAYLOAD = 1000, WHOLE = GW_CACHE_HEADER_BYTES + PAYLOAD };

static void make_whole(const gw_cache_key *key, uint8_t whole[WHOLE]) {
    pattern(whole + GW_CACHE_HEADER_BYTES, PAYLOAD, 1);
    gw_cache_encode_header(key, whole + GW_CACHE_HEADER_BYTES, PAYLOAD, whole);
}

Test(cache, every_cut_and_every_flipped_bit_is_seen) {
    gw_cache_key key, other;
    static uint8_t whole[WHOLE + 1];
    const char *reason = NULL;
    pattern(key.bytes, sizeof key.bytes, 7);
    other = key;
    other.bytes[63] ^= 1;
    make_whole(&key, whole);
    cr_assert_eq(gw_cache_check(&key, whole, WHOLE, &reason), PAYLOAD);
    cr_assert_null(reason);
    for (uint64_t n = 0; n < WHOLE; n++) {
        cr_assert_eq(gw_cache_check(&key, whole, n, &reason), 0, "cut at %d", (int)n);
        cr_assert_not_null(reason);
    }
    cr_assert_eq(gw_cache_check(&key, whole, WHOLE + 1, &reason), 0);
    for (uint32_t bit = 0; bit < 8 * WHOLE; bit++) {
        whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(gw_cache_check(&key, whole, WHOLE, &reason), 0, "bit %u", bit);
        whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert_eq(gw_cache_check(&other, whole, WHOLE, &reason), 0);
    cr_assert_str_eq(reason, "of another device, driver or version");
}

Test(cache, keys_differ_by_driver_and_device) {
    gw_adapter *a = calloc(1, sizeof *a);
    gw_cache_key one, two;
    char path_one[256], path_two[256];
    gw_cache_key_init(a, &one);
    cr_assert_lt(gw_cache_path("/somewhere", &one, path_one, sizeof path_one), 256);
    a->info.driver_version = 1;
    gw_cache_key_init(a, &two);
    gw_cache_path("/somewhere", &two, path_two, sizeof path_two);
    cr_assert_neq(memcmp(&one, &two, sizeof one), 0);
    cr_assert_str_neq(path_one, path_two);
    a->info.driver_version = 0;
    a->device_uuid[15] = 1;
    gw_cache_key_init(a, &two);
    cr_assert_neq(memcmp(&one, &two, sizeof one), 0);
    free(a);
}

// The file's name for the first device of this driver.
static void find_path(void) {
    gw_cache_key key;
    gpu_open(&r, NULL, NULL);
    gw_cache_key_init(&r.gpu->adapters[0], &key);
    cr_assert_lt(gw_cache_path(dir, &key, path, sizeof path), sizeof path);
    gpu_close(&r);
}

static void write_file(const void *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

// Opening works whatever lies there, says what it ignored, and the kernels run.
static void expect_ignored(const char *reason) {
    log_clear();
    gpu_open(&r, NULL, dir);
    cr_assert_not_null(strstr(logged, "pipeline cache"), "%s", logged);
    cr_assert_not_null(strstr(logged, reason), "%s", logged);
    selftest_kernel(&r, 64, 1);
    gpu_close(&r);
}

Test(cache, files_that_are_not_ours_are_ignored) {
    static uint8_t whole[WHOLE];
    gw_cache_key key;
    memset(&key, 1, sizeof key);
    find_path();
    write_file("", 0);
    expect_ignored("empty");
    write_file("GWPIPE02", 8);
    expect_ignored("shorter than its header");
    make_whole(&key, whole);
    write_file(whole, sizeof whole);
    expect_ignored("of another device");
    whole[0] ^= 1;
    write_file(whole, sizeof whole);
    expect_ignored("not a pipeline cache of Godwit");
    whole[0] ^= 1;
    whole[20] ^= 1;
    write_file(whole, sizeof whole);
    expect_ignored("damaged header");
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_ignored("is a directory, not a file");
}

// Our own header is right, but the payload is nothing that the driver ever wrote.
Test(cache, a_payload_that_the_driver_does_not_know_is_survived) {
    static uint8_t whole[WHOLE];
    gw_cache_key key;
    find_path();
    gpu_open(&r, NULL, NULL);
    gw_cache_key_init(&r.gpu->adapters[0], &key);
    gpu_close(&r);
    make_whole(&key, whole);
    write_file(whole, sizeof whole);
    gpu_open(&r, NULL, dir);
    selftest_kernel(&r, 64, 1);
    // Validation layers may object to a foreign header; the driver must not.
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
}

Test(cache, is_written_when_it_grew_and_read_again) {
    gpu_open(&r, NULL, dir);
    selftest_kernel(&r, 64, 1);
    selftest_kernel(&r, 32, 2);
    size_t before = r.device->cache_loaded_bytes, after = 0;
    r.device->vk.GetPipelineCacheData(r.device->handle, r.device->pipeline_cache, &after, NULL);
    gpu_close(&r);
    if (after <= before) {
        cr_assert_eq(count_files(), 0);
        cr_skip_test("SKIPPED: this driver's cache stays at %zu bytes", after);
    }
    cr_assert_eq(count_files(), 1, "one file, and no temporary one left");
    log_clear();
    gpu_open(&r, NULL, dir);
    cr_assert_null(strstr(logged, "ignored"), "%s", logged);
    cr_assert_geq(r.device->cache_loaded_bytes, after);
    selftest_kernel(&r, 64, 1);
    gpu_close(&r);
}

// Software drivers keep no code in the cache; this one does, though it runs nothing.
Test(cache, survives_the_process_and_damage) {
    choose_hardwareless_driver();
    const gw_gpu_params params = {.cache_dir = dir};
    size_t first = 0;
    gw_host_init(&r.host, NULL, NULL, NULL);
    for (int round = 0; round < 3; round++) {
        ok(gw_gpu_create(&r.host, &params, &r.gpu, &r.err));
        ok(gw_device_open(r.gpu, 0, NULL, &r.device, &r.err));
        const size_t loaded = r.device->cache_loaded_bytes;
        if (round == 0) first = loaded;
        if (round == 1) cr_assert_gt(loaded, first, "the second process finds what the first left");
        if (round == 2) cr_assert_eq(loaded, first, "a damaged file is as good as none");
        selftest_kernel(&r, 64, 1);
        gw_cache_key key;
        gw_cache_key_init(r.device->adapter, &key);
        gw_cache_path(dir, &key, path, sizeof path);
        gw_device_release(&r.device);
        gw_gpu_release(&r.gpu);
        cr_assert_eq(count_files(), 1);
        struct stat st;
        cr_assert_eq(stat(path, &st), 0);
        if (round == 1) cr_assert_eq(truncate(path, st.st_size - 1), 0);
    }
}

Test(cache, a_directory_that_cannot_be_written_costs_nothing) {
    gpu_open(&r, NULL, "/nonexistent/godwit");
    selftest_kernel(&r, 64, 1);
    gpu_close(&r);
}
