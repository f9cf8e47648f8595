// GGUF writer: builds a version 3 file out of metadata and tensors.
//
// Owns the order and the padding: pairs and tensors come out in the order they were first set, each
// tensor at the next multiple of general.alignment (32 where the key is not set). What the reader
// would refuse is refused here. Tensor data is never held: each tensor has a callback that writes
// its bytes when their turn comes, so a quantizer can work row by row.
// Source: the GGUF specification.
// Thread rule: a writer belongs to one thread at a time.
#ifndef GW_FILE_GGUF_WRITE_H
#define GW_FILE_GGUF_WRITE_H

#include "file/gguf.h"

typedef struct gw_gguf_writer gw_gguf_writer;

godwit_status gw_gguf_writer_create(const gw_host *host, gw_gguf_writer **out_writer,
                                    godwit_error *err);
void gw_gguf_writer_destroy(gw_gguf_writer **writer);

// Metadata. Setting a key again replaces its value and keeps its place. Everything is copied, but
// for gw_gguf_writer_copy, whose value must outlive the writer.
godwit_status gw_gguf_writer_copy(gw_gguf_writer *writer, const gw_gguf_value *value,
                                  godwit_error *err);
// number: one C number (or bool) of that type.
godwit_status gw_gguf_writer_set_number(gw_gguf_writer *writer, const char *key, gw_gguf_type type,
                                        const void *number, godwit_error *err);
godwit_status gw_gguf_writer_set_u32(gw_gguf_writer *writer, const char *key, uint32_t number,
                                     godwit_error *err);
godwit_status gw_gguf_writer_set_str(gw_gguf_writer *writer, const char *key, gw_str text,
                                     godwit_error *err);
// numbers: [n_items] C numbers of item_type.
godwit_status gw_gguf_writer_set_array(gw_gguf_writer *writer, const char *key,
                                       gw_gguf_type item_type, const void *numbers,
                                       uint64_t n_items, godwit_error *err);
// texts: [n_items]
godwit_status gw_gguf_writer_set_strs(gw_gguf_writer *writer, const char *key, const gw_str *texts,
                                      uint64_t n_items, godwit_error *err);

// Where bytes go. A tensor's callback writes exactly the tensor's bytes, in pieces as it likes.
typedef struct gw_gguf_sink gw_gguf_sink;
godwit_status gw_gguf_sink_write(gw_gguf_sink *sink, const void *bytes, size_t n_bytes,
                                 godwit_error *err);
typedef godwit_status (*gw_gguf_data_fn)(void *user, const gw_gguf_tensor *tensor,
                                         gw_gguf_sink *sink, godwit_error *err);

// dims: [n_dims], outermost first. The callback gets the descriptor with name, type, dims,
// n_elements and bytes set.
godwit_status gw_gguf_writer_add_tensor(gw_gguf_writer *writer, const char *name, uint32_t type,
                                        uint32_t n_dims, const uint64_t *dims, gw_gguf_data_fn data,
                                        void *user, godwit_error *err);
// A tensor whose bytes lie at data, in type's layout, until the file is written.
godwit_status gw_gguf_writer_add_bytes(gw_gguf_writer *writer, const char *name, uint32_t type,
                                       uint32_t n_dims, const uint64_t *dims, const void *data,
                                       godwit_error *err);

// Writes the file. Whatever fails, path is as it was (see base/save.h).
godwit_status gw_gguf_writer_save(gw_gguf_writer *writer, const char *path, godwit_error *err);
// The same bytes to a callback, in order.
typedef godwit_status (*gw_gguf_out_fn)(void *user, const void *bytes, size_t n_bytes,
                                        godwit_error *err);
godwit_status gw_gguf_writer_emit(gw_gguf_writer *writer, gw_gguf_out_fn out, void *user,
                                  godwit_error *err);

#endif
