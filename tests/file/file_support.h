// What the tests of engine/file share: bytes in memory, an allocator that fails and counts, paths.
#ifndef GW_TESTS_FILE_SUPPORT_H
#define GW_TESTS_FILE_SUPPORT_H

#include "file/gguf.h"
#include "file/gguf_write.h"

// --- bytes ---------------------------------------------------------------------------------------

typedef struct bytes {
    uint8_t *data;
    size_t n, cap;
} bytes;

void bytes_add(bytes *b, const void *data, size_t n);
void bytes_u32(bytes *b, uint32_t number);
void bytes_u64(bytes *b, uint64_t number);
// Length and text, as GGUF has them.
void bytes_str(bytes *b, const char *text);
void bytes_free(bytes *b);
// A gw_gguf_out_fn; user is a bytes.
godwit_status bytes_out(void *user, const void *data, size_t n, godwit_error *err);
// The whole file; stops the test when it cannot be read.
bytes bytes_of_file(const char *path);

// A copy of n bytes whose end is the end of its page, the next page being out of bounds: a read
// past the end crashes even without a sanitizer. One buffer is enough for many copies.
typedef struct guarded {
    uint8_t *pages;
    size_t page_bytes;
} guarded;
guarded guarded_make(size_t n_max);
const uint8_t *guarded_copy(const guarded *g, const uint8_t *data, size_t n);
void guarded_free(guarded *g);

// --- memory --------------------------------------------------------------------------------------

// A host whose n-th allocation fails (n_until_failure 0: none does), and that checks the sizes it
// is told. n_live is 0 again when everything was freed.
typedef struct counting {
    int64_t n_until_failure;
    int64_t n_live, n_total, n_bad;
    gw_host host;
} counting;
void counting_init(counting *c, int64_t n_until_failure);

// --- files ---------------------------------------------------------------------------------------

// Path of a file of the shared data, or NULL after saying that it is missing.
const char *data_path(char *buffer, size_t buffer_bytes, const char *name);
// Path of tests/golden/gguf/<name>.
const char *golden_path(char *buffer, size_t buffer_bytes, const char *name);
// A new folder for one test's files; files_remove empties and removes it.
void files_make(char *dir, size_t dir_bytes);
void files_remove(const char *dir);
// Names in a folder, without . and ..
int files_count(const char *dir);

// A small valid file: values and arrays of several types, four tensors of three types, in all under
// 2 KiB. Everything that the reader's rules speak of is there to be broken.
godwit_status small_fill(gw_gguf_writer *writer, godwit_error *err);
bytes small_file(void);

#endif
