// GGUF internals: what the reader's and the writer's files share. Nobody else includes this.
//
//   gguf.c          the header, and what is asked of a whole file
//   gguf_open.c     as much of a file as its header takes
//   gguf_split.c    several files as one model
//   gguf_values.c   metadata: parsing one pair, reading items, scalars by key
//   gguf_tensors.c  tensor types, shapes, and where the tensors lie
//   gguf_write.c    the writer, over the same rules
#ifndef GW_FILE_GGUF_INTERNAL_H
#define GW_FILE_GGUF_INTERNAL_H

#include "file/gguf.h"
#include "file/name_index.h"
#include "file/reader.h"

enum {
    GW_GGUF_DEFAULT_ALIGN = 32,
    GW_GGUF_MIN_ALIGN = 8,
    GW_GGUF_MAX_ALIGN = 1 << 20,
    GW_GGUF_MAX_KEY_BYTES = 65535, // the specification's
};

struct gw_gguf {
    const gw_host *host;
    gw_arena arena;
    char *name; // allocated: it outlives what is parsed
    uint32_t version;
    uint32_t alignment; // general.alignment, or the default
    uint64_t n_values, n_tensors;
    gw_gguf_value *values;   // [n_values], in the file's order
    gw_gguf_tensor *tensors; // [n_tensors], in the file's order
    gw_name_index value_index, tensor_index;
    // Of a file; zeros where bytes in memory were parsed.
    gw_file file;
    uint8_t *head; // [n_head] the header's bytes, which values point into
    size_t n_head;
    // The other files of a split model, whose tensors are among those above.
    gw_gguf **parts;
    uint32_t n_parts;
};

godwit_status gw_gguf_create(const gw_host *host, const char *name, gw_gguf **out_gguf,
                             godwit_error *err);
// The header at the reader, which is left behind it. Tensors are in gguf->file where that is open,
// else in the reader's bytes.
godwit_status gw_gguf_parse_header(gw_gguf *gguf, gw_reader *reader, godwit_error *err);
// A file by itself, also where it is a part of a split model.
godwit_status gw_gguf_open_one(const gw_host *host, const char *path, gw_gguf **out_gguf,
                               godwit_error *err);
// How many files the model has, and which of them this is, from 0.
godwit_status gw_gguf_split_of(const gw_gguf *gguf, uint32_t *out_n, uint32_t *out_number,
                               godwit_error *err);
// Opens the others and takes their tensors in.
godwit_status gw_gguf_join(gw_gguf *gguf, uint32_t n_files, uint32_t number, godwit_error *err);

// Bytes of one item; 0 for strings, arrays and unknown numbers.
uint32_t gw_gguf_item_bytes(gw_gguf_type type);
// Key, type and items of the metadata pair at the reader; string arrays are indexed in the arena.
godwit_status gw_gguf_read_value(gw_reader *reader, gw_arena *arena, gw_gguf_value *out,
                                 godwit_error *err);
// All tensor descriptors, and checks where they lie: fills gguf->tensors and its index.
godwit_status gw_gguf_read_tensors(gw_gguf *gguf, gw_reader *reader, godwit_error *err);
// Sets n_elements and bytes from type and dims; refuses what cannot be.
godwit_status gw_gguf_measure_tensor(gw_gguf_tensor *tensor, godwit_error *err);

#endif
