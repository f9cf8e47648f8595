// GGUF under damage: a small valid file is cut at every length and overwritten at every place. The
// reader must refuse it with a reason, or give out only what lies in it. The copies end at a guard
// page, so a read past the end crashes here even without a sanitizer.
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>

static gw_host host;
static bytes good;
static guarded pages;
static size_t n_ok, n_refused;

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    good = small_file();
    pages = guarded_make(2 * good.n);
}

static void teardown(void) {
    bytes_free(&good);
    guarded_free(&pages);
}

TestSuite(gguf_mutate, .init = setup, .fini = teardown, .timeout = 120);

// Parses, and checks what comes of it. what and at tell the mutation.
static godwit_status try_bytes(const uint8_t *data, size_t n, const char *what, size_t at) {
    godwit_error err = {0};
    gw_gguf *gguf = NULL;
    const uint8_t *copy = guarded_copy(&pages, data, n);
    godwit_status status = gw_gguf_parse(&host, copy, n, "mutant", &gguf, &err);
    if (status == GODWIT_OK) {
        const char *wrong = gguf_walk(gguf, copy, n);
        cr_assert_null(wrong, "%s at %zu: %s", what, at, wrong);
        n_ok++;
    } else {
        cr_assert(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "%s at %zu: %s", what,
                  at, err.message);
        cr_assert_null(gguf);
        cr_assert_eq(strncmp(err.message, "mutant: ", 8), 0);
        n_refused++;
    }
    gw_gguf_destroy(&gguf);
    return status;
}

Test(gguf_mutate, the_file_itself_is_good) {
    cr_assert_lt(good.n, 4096);
    cr_assert_eq(try_bytes(good.data, good.n, "nothing", 0), GODWIT_OK);
}

Test(gguf_mutate, truncated_at_every_length) {
    // The last tensor has 32 bytes, padded to 64.
    size_t n_needed = good.n - 32;
    for (size_t n = 0; n < good.n; n++) {
        godwit_status status = try_bytes(good.data, n, "cut", n);
        cr_assert_eq(status == GODWIT_OK, n >= n_needed, "cut at %zu of %zu", n, good.n);
    }
}

Test(gguf_mutate, grown_is_harmless) {
    bytes_add(&good, "\xff\xff\xff\xff\xff\xff\xff", 7);
    cr_assert_eq(try_bytes(good.data, good.n, "grown", 7), GODWIT_OK);
}

// Every 4 and every 8 bytes, so every u32 and u64 field, by the numbers that break arithmetic.
Test(gguf_mutate, every_field_by_every_odd_number) {
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       INT32_MAX,
                                       UINT32_MAX,
                                       UINT64_C(1) << 32,
                                       UINT64_C(1) << 60,
                                       (UINT64_C(1) << 61) + 1,
                                       UINT64_C(1) << 62,
                                       UINT64_C(1) << 63,
                                       UINT64_MAX - 31,
                                       UINT64_MAX};
    for (size_t width = 4; width <= 8; width += 4) {
        for (size_t at = 0; at + width <= good.n; at++) {
            uint8_t saved[8];
            memcpy(saved, good.data + at, width);
            for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
                if (width == 4 && numbers[k] > UINT32_MAX) continue;
                for (size_t i = 0; i < width; i++)
                    good.data[at + i] = (uint8_t)(numbers[k] >> 8 * i);
                try_bytes(good.data, good.n, "field", at);
            }
            memcpy(good.data + at, saved, width);
        }
    }
    cr_assert_gt(n_refused, 5000, "%zu", n_refused);
    cr_assert_gt(n_ok, 1000, "%zu", n_ok); // within tensor data everything is allowed
}

// Every byte of the header: each bit of it turned, and small numbers in its place. Wrong types,
// counts that are off by one, letters of names.
Test(gguf_mutate, every_byte_of_the_header) {
    gw_gguf *gguf = NULL;
    godwit_error err;
    cr_assert_eq(gw_gguf_parse(&host, good.data, good.n, "good", &gguf, &err), GODWIT_OK);
    size_t header = (size_t)gw_gguf_tensor_at(gguf, 0)->offset;
    gw_gguf_destroy(&gguf);
    for (size_t at = 0; at < header; at++) {
        uint8_t saved = good.data[at];
        for (uint32_t k = 0; k < 8 + 16; k++) {
            good.data[at] = (uint8_t)(k < 8 ? saved ^ 1u << k : k - 8);
            try_bytes(good.data, good.n, "byte", at);
        }
        good.data[at] = saved;
    }
    cr_assert_gt(n_refused, 5000, "%zu", n_refused);
}

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u); // splitmix64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// Several wounds at once: bytes flipped, runs removed, doubled or moved.
Test(gguf_mutate, many_at_once) {
    uint64_t seed = 20260;
    for (size_t round = 0; round < 10000; round++) {
        uint8_t data[8192];
        size_t n = good.n;
        cr_assert_leq(2 * n, sizeof data);
        memcpy(data, good.data, n);
        for (uint64_t wounds = 1 + next_random(&seed) % 4; wounds > 0; wounds--) {
            uint64_t r = next_random(&seed);
            size_t at = (size_t)(r >> 8) % n, length = 1 + (size_t)(r >> 40) % 16;
            if (length > n - at) length = n - at;
            if (r % 4 == 0) {
                data[at] ^= (uint8_t)(1 << (r >> 60) % 8);
            } else if (r % 4 == 1 && n > 100) {
                memmove(data + at, data + at + length, n - at - length);
                n -= length;
            } else if (r % 4 == 2 && n + length <= 2 * good.n) {
                memmove(data + at + length, data + at, n - at);
                n += length;
            } else {
                size_t from = (size_t)(next_random(&seed) % (n - length + 1));
                memmove(data + at, data + from, length);
            }
        }
        try_bytes(data, n, "wounds", round);
    }
    cr_assert_gt(n_refused, 5000, "%zu", n_refused);
}
