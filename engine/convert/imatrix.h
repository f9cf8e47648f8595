// Imatrix: how much each column of a weight matters, as llama.cpp measures it: the mean of the
// squared inputs that met the column while calibration text ran.
//
// Two containers: GGUF with tensors <name>.in_sum2 [matrices, columns] and <name>.counts
// [matrices, 1], and the older binary one: a count of entries, then of each its name's length and
// bytes, calls, number of values, values; all numbers are 32-bit and little-endian.
// Thread rule: immutable after gw_imatrix_open.
#ifndef GW_CONVERT_IMATRIX_H
#define GW_CONVERT_IMATRIX_H

#include "base/mem.h"
#include "base/span.h"

typedef struct gw_imatrix gw_imatrix;

godwit_status gw_imatrix_open(const gw_host *host, const char *path, gw_imatrix **out_matrix,
                              godwit_error *err);
// The same from bytes, which are copied from; name is for messages.
godwit_status gw_imatrix_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                               const char *name, gw_imatrix **out_matrix, godwit_error *err);
void gw_imatrix_destroy(gw_imatrix **matrix);
// Entries.
uint64_t gw_imatrix_n(const gw_imatrix *matrix);
// Of an entry, not terminated; {NULL, 0} behind the last.
gw_str gw_imatrix_name(const gw_imatrix *matrix, uint64_t index);
// The importances of a tensor's columns, or NULL where it has none. Their number must be n_cols,
// which all of its matrices share, or n_cols for each of them; else GODWIT_MALFORMED.
godwit_status gw_imatrix_find(const gw_imatrix *matrix, const char *tensor, uint64_t n_cols,
                              uint64_t n_matrices, const float **out_weights, uint64_t *out_n,
                              godwit_error *err);

#endif
