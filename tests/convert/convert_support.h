// What the tests of engine/convert share: what is warned of, files read back, small GGUF files.
#ifndef GW_TESTS_CONVERT_SUPPORT_H
#define GW_TESTS_CONVERT_SUPPORT_H

#include "base/file.h"
#include "convert/convert.h"
#include "support/folder.h"

// A whole file in memory.
typedef struct contents {
    uint8_t *bytes;
    uint64_t n;
} contents;
contents read_file(const char *path);
void drop_file(contents *file);

typedef struct opened {
    contents file;
    gw_gguf *gguf;
} opened;

const gw_host *plain_host(void);
// For gw_host_init: counts the warnings.
typedef struct heard {
    int n;
    char line[512]; // the last
} heard;
void hear(void *user, godwit_log_level level, const char *line);
// Stops the test when it cannot be read.
opened open_gguf(const char *path);
void close_gguf(opened *file);
// A file of F32 tensors that all hold values[0 .. elements).
typedef struct shape {
    const char *name;
    uint32_t n_dims;
    uint64_t dims[4];
} shape;
void write_f32(const char *path, const shape *shapes, size_t n_shapes, const float *values);
// A text of up to 1 MiB, until the next call.
char *read_text(const char *path);
void write_text(const char *dir, const char *name, const char *text, size_t n);
// Makes dir a folder whose files are links to a golden folder's, but for one.
void copy_folder(const char *dir, const char *from, const char *but);

#endif
