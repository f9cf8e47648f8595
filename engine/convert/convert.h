// Convert: weights of one file as another file's, in other number formats.
//
// Owns the choice of a format for each tensor, and the way of its rows: dequantize, quantize, read
// back and measure, in pieces of a few MiB on as many threads as the caller allows. The bytes that
// come out do not depend on the number of threads.
// Thread rule: a job belongs to one thread at a time.
#ifndef GW_CONVERT_CONVERT_H
#define GW_CONVERT_CONVERT_H

#include "base/file.h"
#include "base/span.h"
#include "convert/imatrix.h"
#include "file/gguf_write.h"
#include "quant/quant.h"

// What all tensors of a conversion share.
typedef struct gw_convert_job {
    const gw_host *host;
    uint32_t n_threads; // at least 1
    const gw_format *format;
    const godwit_tensor_rule *rules;
    size_t n_rules;
    gw_imatrix *matrix; // NULL: none was given
    const char *matrix_path;
    godwit_progress_fn progress;
    void *progress_user;
    godwit_converted_fn each;
    void *each_user;
    uint64_t bytes_done, bytes_total; // of the source
    godwit_quantize_result result;
    // What is wrong with the source's values, found while the file is written.
    bool failed;
    godwit_error failure;
} gw_convert_job;

// One tensor on its way.
typedef struct gw_convert_tensor {
    gw_convert_job *job;
    const char *name;                  // in the new file
    const char *from_file, *from_name; // where it comes from, and its name there
    uint32_t n_dims;
    uint64_t dims[4];
    uint32_t from_type;    // GGUF's number
    const gw_format *from; // NULL: no weights; its bytes are copied as they are
    gw_source source;
    uint64_t from_bytes;
    // Not 0: each group of this many rows (a head) is two halves, which are interleaved.
    uint64_t head_rows;
    bool is_kept; // keeps its format, where no rule names it
    uint32_t to_type;
    const gw_format *to; // NULL: as it is
    char why[160];       // why to is not what was asked for; "": it is
    // Importances of the columns: n_weights is a multiple of the columns, the matrices of the
    // outermost dimension taking them in turn; NULL: none are known.
    const float *weights;
    uint64_t n_weights;
} gw_convert_tensor;

// The format of that type; GODWIT_UNSUPPORTED, with what would work, where it cannot be written
// with what the job has.
godwit_status gw_convert_format(const gw_convert_job *job, uint32_t type,
                                const gw_format **out_format, godwit_error *err);
// Whether text fits a pattern of a shell, * and ?.
bool gw_convert_matches(const char *pattern, const char *text);
// Refuses rules that name no tensor of the list, or a format that cannot be written.
godwit_status gw_convert_check_rules(const gw_convert_job *job, const gw_convert_tensor *tensors,
                                     size_t n_tensors, godwit_error *err);
// Sets to, to_type and why.
godwit_status gw_convert_choose(gw_convert_tensor *tensor, godwit_error *err);

// Finds the tensors' importances, chooses their formats, adds them and what is said of the whole,
// then writes the file.
godwit_status gw_convert_save(gw_convert_job *job, gw_gguf_writer *writer,
                              gw_convert_tensor *tensors, size_t n_tensors, const char *path,
                              godwit_error *err);
// A gw_gguf_data_fn; user is the gw_convert_tensor.
godwit_status gw_convert_rows(void *user, const gw_gguf_tensor *shape, gw_gguf_sink *sink,
                              godwit_error *err);

// A job as the caller's params say it. Deinit it, too, when this fails.
godwit_status gw_convert_job_init(gw_convert_job *job, const gw_host *host,
                                  const godwit_quantize_params *params, godwit_error *err);
void gw_convert_job_deinit(gw_convert_job *job);
// GGUF to GGUF. params: checked by the caller.
godwit_status gw_quantize_file(const gw_host *host, const gw_gguf *gguf,
                               const godwit_quantize_params *params, const char *path,
                               godwit_quantize_result *out_result, godwit_error *err);

#endif
