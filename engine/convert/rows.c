// Rows: one tensor's way from its source's bytes to the new file's.
//
// A piece is as many rows as the threads together take in at once. Each row is dequantized,
// quantized, and read back: so its error is known, and a value that the format cannot hold is
// refused instead of written. What a row gives depends on that row alone.
#include "convert/convert.h"

#include "base/status.h"
#include "base/threads.h"

enum {
    ITEM_ELEMENTS = 1 << 14,  // of one call on one thread, at least a row
    PIECE_ELEMENTS = 1 << 20, // of a piece, for each thread
    COPY_BYTES = 16 << 20,    // between two looks at whether to stop
};

// A row's result where it is no sum of squared errors.
#define ROW_SOURCE_BAD (-1.0)
#define ROW_RESULT_BAD (-2.0)

typedef struct piece {
    const gw_convert_tensor *tensor;
    uint64_t n_cols, from_row, to_row; // elements; bytes of a row
    uint64_t rows_per_matrix;          // of the two inner dimensions
    uint64_t first, n_rows;            // of this piece
    uint64_t item_rows;
    float *scratch;    // [n_threads][2][n_cols]
    uint8_t *out;      // [n_rows][to_row]
    double *row_error; // [n_rows]
} piece;

// Where row `row` of the new tensor lies in the source: with head_rows, row 2 i + j of a head is
// row i of its half j.
static uint64_t source_row(const gw_convert_tensor *tensor, uint64_t row) {
    if (!tensor->head_rows) return row;
    uint64_t at = row % tensor->head_rows;
    return row - at + at % 2 * (tensor->head_rows / 2) + at / 2;
}

static bool all_finite(const float *x, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        if (!(x[i] - x[i] == 0.0f)) return false;
    }
    return true;
}

// Halves, as values and as scales, end at 65504; a larger value is cut there without a word. In a
// row that has one, the largest must come back: from floats nearly, from levels roughly.
static bool is_cut(const gw_format *to, const float *x, const float *back, uint64_t n) {
    uint64_t at = 0;
    float largest = 0;
    for (uint64_t i = 0; i < n; i++) {
        float size = x[i] < 0 ? -x[i] : x[i];
        if (size > largest) {
            largest = size;
            at = i;
        }
    }
    float kept = back[at] < 0 ? -back[at] : back[at];
    return largest > 65504.0f && kept < largest * (gw_format_is_float(to) ? 0.99f : 0.5f);
}

static const float *weights_of_row(const piece *p, uint64_t row) {
    const gw_convert_tensor *t = p->tensor;
    if (!t->weights) return NULL;
    return t->weights + row / p->rows_per_matrix * p->n_cols % t->n_weights;
}

static double convert_row(const piece *p, uint64_t row, float *x, float *back, uint8_t *out) {
    const gw_convert_tensor *t = p->tensor;
    double error = 0;
    gw_format_dequantize(t->from, t->data + source_row(t, row) * p->from_row, p->n_cols, x);
    if (!all_finite(x, p->n_cols)) return ROW_SOURCE_BAD;
    t->to->quantize(x, weights_of_row(p, row), p->n_cols, out);
    gw_format_dequantize(t->to, out, p->n_cols, back);
    if (!all_finite(back, p->n_cols) || is_cut(t->to, x, back, p->n_cols)) return ROW_RESULT_BAD;
    for (uint64_t i = 0; i < p->n_cols; i++) {
        double d = (double)back[i] - (double)x[i];
        error += d * d;
    }
    return error;
}

static void convert_item(void *user, uint64_t item, uint32_t worker) {
    const piece *p = user;
    float *x = p->scratch + (uint64_t)worker * 2 * p->n_cols;
    uint64_t end = (item + 1) * p->item_rows < p->n_rows ? (item + 1) * p->item_rows : p->n_rows;
    for (uint64_t r = item * p->item_rows; r < end; r++) {
        p->row_error[r] = convert_row(p, p->first + r, x, x + p->n_cols, p->out + r * p->to_row);
    }
}

static godwit_status row_status(const piece *p, uint64_t r, godwit_error *err) {
    unsigned long long row = (unsigned long long)(p->first + r);
    if (p->row_error[r] == ROW_SOURCE_BAD) {
        return gw_fail(err, GODWIT_MALFORMED, "row %llu of the source holds NaN or infinity", row);
    }
    if (p->row_error[r] == ROW_RESULT_BAD) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "row %llu holds values too large for %s; give this tensor a rule with BF16 "
                       "or F32",
                       row, godwit_dtype_name((godwit_dtype)p->tensor->to->type));
    }
    return GODWIT_OK;
}

static godwit_status step(gw_convert_tensor *tensor, uint64_t n_bytes, godwit_error *err) {
    gw_convert_job *job = tensor->job;
    job->bytes_done += n_bytes;
    if (!job->progress ||
        job->progress(job->progress_user, tensor->name, job->bytes_done, job->bytes_total)) {
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_CANCELLED, "stopped by the caller");
}

static godwit_status copy_bytes(gw_convert_tensor *tensor, gw_gguf_sink *sink, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint64_t at = 0; at < tensor->from_bytes;) {
        uint64_t n = tensor->from_bytes - at;
        if (n > COPY_BYTES) n = COPY_BYTES;
        GW_TRY(gw_gguf_sink_write(sink, tensor->data + at, (size_t)n, err));
        GW_TRY(step(tensor, n, err));
        at += n;
    }
done:
    return status;
}

static godwit_status convert_pieces(gw_convert_tensor *tensor, piece *p, uint64_t n_rows,
                                    uint64_t piece_rows, double *out_error, gw_gguf_sink *sink,
                                    godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (p->first = 0; p->first < n_rows; p->first += p->n_rows) {
        p->n_rows = n_rows - p->first < piece_rows ? n_rows - p->first : piece_rows;
        gw_parallel_for(tensor->job->n_threads, (p->n_rows + p->item_rows - 1) / p->item_rows,
                        convert_item, p);
        for (uint64_t r = 0; r < p->n_rows; r++) {
            GW_TRY(row_status(p, r, err));
            *out_error += p->row_error[r];
        }
        GW_TRY(gw_gguf_sink_write(sink, p->out, (size_t)(p->n_rows * p->to_row), err));
        GW_TRY(step(tensor, p->n_rows * p->from_row, err));
    }
done:
    return status;
}

static godwit_status convert_all(gw_convert_tensor *tensor, uint64_t n_elements, double *out_error,
                                 gw_gguf_sink *sink, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = tensor->job->host;
    uint32_t n_threads = tensor->job->n_threads;
    // A vector whose elements change places is a matrix of one column.
    bool column = tensor->n_dims == 1 && tensor->head_rows;
    uint64_t n_cols = column ? 1 : tensor->dims[tensor->n_dims - 1];
    uint64_t n_rows = n_elements / n_cols;
    uint64_t piece_rows = (uint64_t)PIECE_ELEMENTS * n_threads / n_cols;
    if (piece_rows < n_threads) piece_rows = n_threads;
    if (piece_rows > n_rows) piece_rows = n_rows;
    piece p = {.tensor = tensor,
               .n_cols = n_cols,
               .rows_per_matrix = tensor->n_dims >= 2 ? tensor->dims[tensor->n_dims - 2] : 1,
               .from_row = gw_format_row_bytes(tensor->from, n_cols),
               .to_row = gw_format_row_bytes(tensor->to, n_cols),
               .item_rows = n_cols < ITEM_ELEMENTS ? ITEM_ELEMENTS / n_cols : 1};
    size_t scratch_bytes = (size_t)n_threads * 2 * (size_t)n_cols * sizeof(float);
    p.scratch = gw_alloc(host, (size_t)n_threads * 2 * (size_t)n_cols, sizeof(float));
    p.out = gw_alloc(host, (size_t)piece_rows, (size_t)p.to_row);
    p.row_error = gw_alloc(host, (size_t)piece_rows, sizeof(double));
    GW_CHECK_ALLOC(p.scratch && p.out && p.row_error, err, "rows of a tensor");
    GW_TRY(convert_pieces(tensor, &p, n_rows, piece_rows, out_error, sink, err));
done:
    gw_free(host, p.scratch, scratch_bytes);
    gw_free(host, p.out, (size_t)piece_rows * (size_t)p.to_row);
    gw_free(host, p.row_error, (size_t)piece_rows * sizeof(double));
    return status;
}

static void report(gw_convert_tensor *tensor, const gw_gguf_tensor *shape, double error) {
    gw_convert_job *job = tensor->job;
    const gw_gguf_type_row *from = gw_gguf_tensor_type(tensor->from_type);
    const gw_gguf_type_row *to = gw_gguf_tensor_type(tensor->to_type);
    godwit_converted_tensor row = {.struct_size = sizeof row,
                                   .name = tensor->name,
                                   .n_dims = tensor->n_dims,
                                   .from_name = from ? from->name : "?",
                                   .to_name = to ? to->name : "?",
                                   .from_bytes = tensor->from_bytes,
                                   .to_bytes = shape->bytes,
                                   .why = tensor->why,
                                   .has_importance = tensor->weights != NULL,
                                   .mean_squared_error = error / (double)shape->n_elements};
    memcpy(row.dims, tensor->dims, sizeof row.dims);
    job->result.n_tensors++;
    job->result.n_elements += shape->n_elements;
    job->result.from_bytes += row.from_bytes;
    job->result.to_bytes += row.to_bytes;
    job->result.n_other += tensor->why[0] != '\0' && tensor->n_dims >= 2;
    if (job->each) job->each(job->each_user, &row);
}

godwit_status gw_convert_rows(void *user, const gw_gguf_tensor *shape, gw_gguf_sink *sink,
                              godwit_error *err) {
    gw_convert_tensor *tensor = user;
    double error = 0;
    bool same = !tensor->to || (tensor->to == tensor->from && !tensor->head_rows);
    godwit_status status = same ? copy_bytes(tensor, sink, err)
                                : convert_all(tensor, shape->n_elements, &error, sink, err);
    if (status == GODWIT_OK) report(tensor, shape, error);
    return status;
}
