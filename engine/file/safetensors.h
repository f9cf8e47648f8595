// Safetensors: reads the container of unquantized models, alone or as the shards of a folder.
//
// Owns the parsed header: a u64 length, that many bytes of JSON, then the tensors' bytes, which
// stay where they are. Checked before anything is used: length, JSON, names (also twice),
// types, shapes, that each tensor has exactly its shape's bytes, and that the tensors fill the data
// without overlap, hole or rest, so that nothing is hidden in a file. Source: the format's
// description by Hugging Face (safetensors, README). Thread rule: immutable after parse or open.
#ifndef GW_FILE_SAFETENSORS_H
#define GW_FILE_SAFETENSORS_H

#include "base/file.h"
#include "base/span.h"

enum {
    GW_ST_MAX_HEADER_BYTES = 100000000, // the format's own limit
    GW_ST_MAX_TENSORS = 1 << 20,
    GW_ST_MAX_FILES = 1 << 12,
    GW_ST_MAX_DIMS = 8,
};

typedef struct gw_st_type {
    const char *name; // "BF16"
    uint32_t bytes;
    int32_t gguf; // the same as a GGUF type, -1: GGUF has none, or nothing here reads it
} gw_st_type;

typedef struct gw_st_tensor {
    const char *name; // terminated
    const char *file; // the path or name of the one that it is in
    const gw_st_type *type;
    uint32_t n_dims; // 0: a single number
    uint64_t dims[GW_ST_MAX_DIMS];
    uint64_t n_elements, bytes;
    uint64_t offset; // from the file's start
    gw_source source;
} gw_st_tensor;

typedef struct gw_safetensors gw_safetensors;

// bytes: borrowed, must outlive the result. name is for messages.
godwit_status gw_safetensors_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                                   const char *name, gw_safetensors **out_file, godwit_error *err);
// The tensors of a folder: of model.safetensors, or of the files that model.safetensors.index.json
// names, each tensor in the file that the index says; without one, of model-00001-of-N.safetensors to N.
godwit_status gw_safetensors_open(const gw_host *host, const char *folder,
                                  gw_safetensors **out_file, godwit_error *err);
// Those of one file.
godwit_status gw_safetensors_open_file(const gw_host *host, const char *path,
                                       gw_safetensors **out_file, godwit_error *err);
void gw_safetensors_destroy(gw_safetensors **file);

uint64_t gw_safetensors_n(const gw_safetensors *file);
const gw_st_tensor *gw_safetensors_at(const gw_safetensors *file, uint64_t index);
// NULL where there is none.
const gw_st_tensor *gw_safetensors_find(const gw_safetensors *file, const char *name);
// NULL: there is none of that name.
const gw_st_type *gw_st_type_find(const char *name);
// Other tensors in the place of the file's own, which may be read on; they outlive the file.
godwit_status gw_safetensors_replace(gw_safetensors *file, gw_st_tensor *tensors, uint64_t n,
                                     godwit_error *err);

#endif
