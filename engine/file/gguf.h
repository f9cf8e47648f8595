// GGUF: reads the container of quantized models (v2 and v3, little-endian).
//
// Owns the parsed header: metadata and tensor descriptors, held in memory, so that nothing of it
// changes when the file does; tensors stay in the file and are read through their source. Every
// count, length, offset, alignment and overlap is checked before it is used; nothing of the file's
// size is allocated (an array of strings is indexed by one u64 offset an item).
// Source: the GGUF specification (ggml, docs/gguf.md).
// Thread rule: immutable after gw_gguf_parse.
#ifndef GW_FILE_GGUF_H
#define GW_FILE_GGUF_H

#include "base/file.h"
#include "base/span.h"

// Limits on what a header may claim; far above every model known, far below what could hurt.
enum {
    GW_GGUF_MAX_TENSORS = 1 << 20,
    GW_GGUF_MAX_METADATA = 1 << 16,
    GW_GGUF_MAX_ARRAY_ITEMS = 1 << 26,
    GW_GGUF_MAX_STRING_BYTES = 1 << 30,
    GW_GGUF_MAX_NAME_BYTES = 256,
    GW_GGUF_MAX_HEADER_BYTES = 1 << 28, // of a file; the largest known take 20 MB
    GW_GGUF_MAX_FILES = 512,            // of a split model; each stays open
};

// Metadata value types, the specification's numbers.
typedef enum gw_gguf_type {
    GW_GGUF_U8,
    GW_GGUF_I8,
    GW_GGUF_U16,
    GW_GGUF_I16,
    GW_GGUF_U32,
    GW_GGUF_I32,
    GW_GGUF_F32,
    GW_GGUF_BOOL,
    GW_GGUF_STRING,
    GW_GGUF_ARRAY,
    GW_GGUF_U64,
    GW_GGUF_I64,
    GW_GGUF_F64,
} gw_gguf_type;

typedef struct gw_gguf_value {
    gw_str key;                     // a terminated copy
    gw_gguf_type type;              // GW_GGUF_ARRAY: items of item_type
    gw_gguf_type item_type;         // == type for scalars
    uint64_t n_items;               // 1 for scalars
    const uint8_t *data;            // items as in the file, unaligned
    const uint64_t *string_offsets; // arrays of strings: byte offset of each from data; else NULL
} gw_gguf_value;

typedef struct gw_gguf_tensor {
    const char *name; // terminated copy
    uint32_t type;    // GGUF's number; may be one that godwit_dtype does not have
    uint32_t n_dims;
    uint64_t dims[4]; // outermost first (the file has them innermost first); unused are 1
    uint64_t n_elements, bytes;
    uint64_t offset;  // from its file's start
    gw_source source; // its bytes
} gw_gguf_tensor;

typedef struct gw_gguf gw_gguf;

// Parses bytes (borrowed: they must outlive the result). Tensor types that the GGUF specification
// does not know are GODWIT_UNSUPPORTED; a known type that no kernel runs yet is not an error here
// (see gw_gguf_type_row). Messages begin with name. Those of the calls below name keys and items
// only; the functions that take a whole file (gw_model_def_create, gw_tokenizer_create) put its
// name in front, once.
godwit_status gw_gguf_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                            const char *name, gw_gguf **out_gguf, godwit_error *err);
// The same of a file, which stays open. The first file of a split model (split.no, split.count;
// NAME-00001-of-00003.gguf) opens all: their tensors are one list, the metadata is the first's.
// Messages about a part name that part. Who gives another part is told which the first is.
godwit_status gw_gguf_open(const gw_host *host, const char *path, gw_gguf **out_gguf,
                           godwit_error *err);
void gw_gguf_destroy(gw_gguf **gguf);

// Paths of a split model's files, in order; of any other its name alone. NULL past the last.
const char *gw_gguf_file(const gw_gguf *gguf, uint32_t index);
const char *gw_gguf_name(const gw_gguf *gguf);
uint32_t gw_gguf_version(const gw_gguf *gguf);
uint64_t gw_gguf_n_tensors(const gw_gguf *gguf);
const gw_gguf_tensor *gw_gguf_tensor_at(const gw_gguf *gguf, uint64_t index);
// NULL where there is none. Hashed: constant time.
const gw_gguf_tensor *gw_gguf_find_tensor(const gw_gguf *gguf, const char *name);
uint64_t gw_gguf_n_values(const gw_gguf *gguf);
const gw_gguf_value *gw_gguf_value_at(const gw_gguf *gguf, uint64_t index);
const gw_gguf_value *gw_gguf_find(const gw_gguf *gguf, const char *key);

// Item i of a value as a number; integers of every width, bools (0/1) and floats convert.
// GODWIT_MALFORMED for strings, items out of range, or a number that does not fit.
godwit_status gw_gguf_item_u64(const gw_gguf_value *value, uint64_t i, uint64_t *out,
                               godwit_error *err);
godwit_status gw_gguf_item_i64(const gw_gguf_value *value, uint64_t i, int64_t *out,
                               godwit_error *err);
// Also refuses NaN and infinity.
godwit_status gw_gguf_item_f64(const gw_gguf_value *value, uint64_t i, double *out,
                               godwit_error *err);
godwit_status gw_gguf_item_str(const gw_gguf_value *value, uint64_t i, gw_str *out,
                               godwit_error *err);

// Scalars by key, with a default where the key is missing, range-checked: a value outside
// [min, max] is GODWIT_MALFORMED with key, value and range. "required": no default, missing key is
// an error. These are what architectures read their hyper-parameters with.
godwit_status gw_gguf_get_u32(const gw_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                              uint32_t fallback, uint32_t *out, godwit_error *err);
godwit_status gw_gguf_require_u32(const gw_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                                  uint32_t *out, godwit_error *err);
godwit_status gw_gguf_get_f32(const gw_gguf *gguf, const char *key, float min, float max,
                              float fallback, float *out, godwit_error *err);
godwit_status gw_gguf_get_bool(const gw_gguf *gguf, const char *key, bool fallback, bool *out,
                               godwit_error *err);
// Missing: *out = {NULL, 0} and GODWIT_OK.
godwit_status gw_gguf_get_str(const gw_gguf *gguf, const char *key, gw_str *out, godwit_error *err);

// Block geometry of every tensor type the specification names: what the reader needs to check
// sizes. NULL for unknown numbers.
typedef struct gw_gguf_type_row {
    uint32_t type;
    const char *name; // "Q4_K"
    uint32_t block_elements, block_bytes;
} gw_gguf_type_row;
// Weights that no kernel reads, but gw_quantize_file does.
enum { GW_GGUF_TENSOR_F64 = 28 };
const gw_gguf_type_row *gw_gguf_tensor_type(uint32_t type);
const char *gw_gguf_value_type_name(gw_gguf_type type);
const char *gw_gguf_value_type_text(const gw_gguf_value *value); // "u32", "array of u32"

#endif
