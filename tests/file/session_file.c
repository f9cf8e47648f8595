// Session files' container: what was written comes back, and nothing else is taken for it: each bit
// turned, each length, chunks that are missing or moved; memory that runs out; callbacks that fail.
#include "file/session_file.h"

#include "file/file_support.h"
#include "file/reader.h"

#include <criterion/criterion.h>
#include <string.h>
#include <xxhash.h>

enum { N_CHUNKS = 3, LONG_BYTES = 300000, HEAD_BYTES = 16, CHUNK_HEAD_BYTES = 24 };

static gw_host host;
static godwit_error err;

static void start(void) {
    gw_host_init(&host, NULL, NULL, NULL);
}
TestSuite(session_file, .init = start);

typedef struct source {
    const uint8_t *data;
    size_t n, at, most; // at most so many bytes a call; 0: any
} source;

static bool write_bytes(void *user, const char *text, size_t n) {
    bytes_add(user, text, n);
    return true;
}

static size_t read_bytes(void *user, void *out, size_t n) {
    source *s = user;
    if (n > s->n - s->at) n = s->n - s->at;
    if (s->most && n > s->most) n = s->most;
    memcpy(out, s->data + s->at, n);
    s->at += n;
    return n;
}

static const char *const tags[N_CHUNKS] = {"ONE ", "TWO ", "TREE"};

// A chunk that shrinks, one that does not, a long one.
static size_t content(int i, uint8_t *out) {
    const size_t sizes[N_CHUNKS] = {1000, 40, LONG_BYTES};
    uint32_t x = 1;
    for (size_t k = 0; k < sizes[i]; k++) {
        x = x * 1664525u + 1013904223u;
        out[k] = i == 0 ? 7 : i == 1 ? (uint8_t)(x >> 24) : (uint8_t)(k / 100);
    }
    return sizes[i];
}

static godwit_status write_all(const gw_host *h, godwit_write_fn write, void *user, int n_chunks) {
    static uint8_t data[LONG_BYTES];
    gw_chunk_writer *writer = NULL;
    godwit_status status = gw_chunk_writer_create(h, write, user, &writer, &err);
    for (int i = 0; status == GODWIT_OK && i < n_chunks; i++) {
        status = gw_chunk_write(writer, tags[i], data, content(i, data), &err);
    }
    if (status == GODWIT_OK) status = gw_chunk_write_end(writer, &err);
    gw_chunk_writer_destroy(&writer);
    return status;
}

// Reads to the end; *out_n: chunks that were right.
static godwit_status read_all(const gw_host *h, source *from, int *out_n) {
    static uint8_t want[LONG_BYTES];
    gw_chunk_reader *reader = NULL;
    gw_chunk chunk = {.tag = ""};
    *out_n = 0;
    godwit_status status = gw_chunk_reader_create(h, read_bytes, from, &reader, &err);
    while (status == GODWIT_OK && !gw_chunk_is(&chunk, GW_CHUNK_END)) {
        status = gw_chunk_read(reader, &chunk, &err);
        if (status != GODWIT_OK || *out_n >= N_CHUNKS || !gw_chunk_is(&chunk, tags[*out_n]))
            continue;
        if (chunk.n_bytes == content(*out_n, want) && !memcmp(chunk.bytes, want, chunk.n_bytes)) {
            (*out_n)++;
        }
    }
    gw_chunk_reader_destroy(&reader);
    return status;
}

static bytes made(int n_chunks) {
    bytes b = {0};
    cr_assert(write_all(&host, write_bytes, &b, n_chunks) == GODWIT_OK, "%s", err.message);
    return b;
}

Test(session_file, what_was_written_is_read) {
    bytes b = made(N_CHUNKS);
    int n = 0;
    for (size_t most = 0; most < 8; most += 7) {
        source s = {.data = b.data, .n = b.n, .most = most};
        cr_expect(read_all(&host, &s, &n) == GODWIT_OK, "%s", err.message);
        cr_expect(n == N_CHUNKS && s.at == b.n);
    }
    cr_expect(b.n < LONG_BYTES / 20, "%zu bytes are not compressed", b.n);
    // What lies behind is not touched.
    bytes_u64(&b, 1);
    source s = {.data = b.data, .n = b.n};
    cr_expect(read_all(&host, &s, &n) == GODWIT_OK && s.at == b.n - 8);
    bytes_free(&b);
}

static void refused(const uint8_t *data, size_t n, const char *what, size_t at) {
    int n_chunks = 0;
    source s = {.data = data, .n = n};
    err = (godwit_error){0};
    godwit_status status = read_all(&host, &s, &n_chunks);
    cr_expect(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "%s %zu: status %d", what,
              at, (int)status);
    cr_expect(!strncmp(err.message, "session file: ", 14), "%s %zu: %s", what, at, err.message);
}

Test(session_file, each_bit_turned_and_each_length_is_refused) {
    bytes b = made(2);
    guarded g = guarded_make(b.n);
    for (size_t i = 0; i < b.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b.data[i] ^= (uint8_t)(1 << bit);
            refused(guarded_copy(&g, b.data, b.n), b.n, "bit of byte", i);
            b.data[i] ^= (uint8_t)(1 << bit);
        }
        refused(guarded_copy(&g, b.data, i), i, "cut to", i);
    }
    guarded_free(&g);
    bytes_free(&b);
}

static size_t chunk_bytes(const uint8_t *chunk) {
    return CHUNK_HEAD_BYTES + (size_t)gw_le64(chunk + 16) + 8;
}

static void sum_again(uint8_t *chunk) {
    size_t n = chunk_bytes(chunk) - 8;
    gw_put_le64(chunk + n, XXH3_64bits(chunk, n));
}

Test(session_file, chunks_that_are_missing_moved_or_lie_are_refused) {
    bytes b = made(2), other = {0};
    uint8_t *one = b.data + HEAD_BYTES, *two = one + chunk_bytes(one),
            *end = two + chunk_bytes(two);
    size_t n_end = chunk_bytes(end);
    // Without the second; the two in turns; END alone.
    bytes_add(&other, b.data, (size_t)(two - b.data));
    bytes_add(&other, end, n_end);
    refused(other.data, other.n, "missing", 0);
    cr_expect(strstr(err.message, "missing, added or moved"), "%s", err.message);
    other.n = HEAD_BYTES;
    bytes_add(&other, two, chunk_bytes(two));
    bytes_add(&other, one, chunk_bytes(one));
    bytes_add(&other, end, n_end);
    refused(other.data, other.n, "moved", 0);
    other.n = HEAD_BYTES;
    bytes_add(&other, end, n_end);
    refused(other.data, other.n, "END alone", 0);
    bytes_free(&other);
    // Lengths and codecs that are wrong under a checksum that is right.
    const struct {
        int at;
        uint64_t value;
    } lies[] = {{8, 999}, {8, 1001}, {8, 0}, {8, UINT64_MAX}, {8, (uint64_t)GW_CHUNK_MAX_BYTES + 1},
                {4, 0},   {4, 2},    {4, 9}};
    uint8_t kept[CHUNK_HEAD_BYTES];
    memcpy(kept, one, sizeof kept);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        if (lies[i].at == 8) gw_put_le64(one + 8, lies[i].value);
        if (lies[i].at == 4) gw_put_le32(one + 4, (uint32_t)lies[i].value);
        sum_again(one);
        refused(b.data, b.n, "lie", i);
        memcpy(one, kept, sizeof kept);
    }
    gw_put_le64(one + 16, UINT64_MAX - 8);
    refused(b.data, b.n, "stored", 0);
    memcpy(one, kept, sizeof kept);
    one[CHUNK_HEAD_BYTES + 2] ^= 1;
    sum_again(one);
    refused(b.data, b.n, "what zstd reads", 0);
    cr_expect(strstr(err.message, "chunk 0 (ONE ): zstd: "), "%s", err.message);
    bytes_free(&b);
}

Test(session_file, memory_that_runs_out_is_said) {
    bytes b = made(N_CHUNKS);
    counting c;
    for (int64_t n = 1;; n++) {
        bytes out = {0};
        counting_init(&c, n);
        godwit_status status = write_all(&c.host, write_bytes, &out, N_CHUNKS);
        cr_expect(c.n_live == 0 && c.n_bad == 0);
        bytes_free(&out);
        if (status == GODWIT_OK) break;
        cr_assert(status == GODWIT_OUT_OF_MEMORY && n < 100, "%s", err.message);
    }
    cr_expect(c.n_total > 2);
    for (int64_t n = 1;; n++) {
        source s = {.data = b.data, .n = b.n};
        int n_chunks = 0;
        counting_init(&c, n);
        godwit_status status = read_all(&c.host, &s, &n_chunks);
        cr_expect(c.n_live == 0 && c.n_bad == 0);
        if (status == GODWIT_OK) break;
        cr_assert(status == GODWIT_OUT_OF_MEMORY && n < 100, "%s", err.message);
    }
    cr_expect(c.n_total > 2);
    bytes_free(&b);
}

static bool refuse_third(void *user, const char *text, size_t n) {
    (void)text;
    (void)n;
    return --*(int *)user > 0;
}

static size_t fail_to_read(void *user, void *out, size_t n) {
    (void)user;
    (void)out;
    (void)n;
    return SIZE_MAX;
}

static size_t read_too_much(void *user, void *out, size_t n) {
    (void)user;
    memset(out, 0, n);
    return n + 1;
}

Test(session_file, callbacks_may_fail) {
    int left = 3;
    gw_chunk_reader *reader = NULL;
    cr_expect(write_all(&host, refuse_third, &left, N_CHUNKS) == GODWIT_CANCELLED);
    cr_expect(left == 0);
    cr_expect(gw_chunk_reader_create(&host, fail_to_read, NULL, &reader, &err) == GODWIT_IO);
    cr_expect(gw_chunk_reader_create(&host, read_too_much, NULL, &reader, &err) ==
              GODWIT_MALFORMED);
    cr_expect_null(reader);
}
