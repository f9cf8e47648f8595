// What the tests of engine/convert share: a folder of one's own, files read back, small GGUF files.
#ifndef GW_TESTS_CONVERT_SUPPORT_H
#define GW_TESTS_CONVERT_SUPPORT_H

#include "base/map.h"
#include "convert/convert.h"

typedef struct opened {
    gw_map map;
    gw_gguf *gguf;
} opened;

const gw_host *plain_host(void);
// A new folder; folder_remove empties and removes it. folder_count: names in it.
void folder_make(char *dir, size_t dir_bytes);
void folder_remove(const char *dir);
int folder_count(const char *dir);
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
