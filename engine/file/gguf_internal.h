// GGUF internals: what the reader's and the writer's files share. Nobody else includes this.
//
//   gguf.c          the header, and what is asked of a whole file
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
    const char *name;
    uint32_t version;
    uint32_t alignment; // general.alignment, or the default
    uint64_t n_values, n_tensors;
    gw_gguf_value *values;   // [n_values], in the file's order
    gw_gguf_tensor *tensors; // [n_tensors], in the file's order
    gw_name_index value_index, tensor_index;
};

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
