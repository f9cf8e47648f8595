// Rows: one tensor's way from its source's bytes to the new file's.
//
// A piece is as many rows as the threads together take in at once. Each row is dequantized,
// quantized, and read back: so its error is known, and what the format cannot hold is refused
// instead of written. A row that keeps its format is copied, but looked at as well: what a model
// that is run would be refused for is refused here. What a row gives depends on that row alone.
//
// Messages about values name the source, its tensor and its row, which are not those of the file
// that is written.
#include "convert/convert.h"

#include "base/status.h"
#include "base/threads.h"

#include <stdio.h>

enum {
    ITEM_ELEMENTS = 1 << 14,  // of one call on one thread, at least a row
    PIECE_ELEMENTS = 1 << 20, // of a piece, for each thread
    COPY_BYTES = 4 << 20,     // between two looks at whether to stop
};

// Every kernel takes smaller weights as 0 (docs/NUMERICS.md).
#define NOTHING 0x1p-40f

typedef enum row_state {
    ROW_FINE,
    ROW_LOST,       // no nearer to the source than zeros would be
    ROW_NOT_FINITE, // the source holds NaN or infinity
    ROW_TOO_LARGE   // for the format
} row_state;

typedef struct row_result {
    row_state state;
    double error, energy; // sums of squares: of the differences, of the source
} row_result;

typedef struct piece {
    const gw_convert_tensor *tensor;
    uint64_t n_cols, from_row, to_row; // elements; bytes of a row
    uint64_t rows_per_matrix;          // of the two inner dimensions
    uint64_t first, n_rows;            // of this piece
    uint64_t item_rows;
    uint64_t in_first;   // row of the source that `in` begins with
    const uint8_t *in;   // the source's rows of this piece
    float *scratch;      // [n_threads][2][n_cols]
    uint8_t *out;        // [n_rows][to_row]
    row_result *results; // [n_rows]
} piece;

// Of a tensor.
typedef struct totals {
    double error, energy;
    uint64_t n_lost, first_lost; // rows; a row of the source
} totals;

// Where row `row` of the new tensor lies in the source: with head_rows, row 2 i + j of a head is
// row i of its half j.
static uint64_t source_row(const gw_convert_tensor *tensor, uint64_t row) {
    if (!tensor->head_rows) return row;
    uint64_t at = row % tensor->head_rows;
    return row - at + at % 2 * (tensor->head_rows / 2) + at / 2;
}

static bool is_finite(float x) {
    return x - x == 0.0f;
}

static float magnitude(float x) {
    return x < 0.0f ? -x : x;
}

static bool all_finite(const float *x, uint64_t n) {
    bool finite = true;
    for (uint64_t i = 0; i < n; i++) finite &= is_finite(x[i]);
    return finite;
}

static float largest_of(const float *x, uint64_t n) {
    float largest = 0.0f;
    for (uint64_t i = 0; i < n; i++) {
        if (magnitude(x[i]) > largest) largest = magnitude(x[i]);
    }
    return largest;
}

static const float *weights_of_row(const piece *p, uint64_t row) {
    const gw_convert_tensor *t = p->tensor;
    if (!t->weights) return NULL;
    return t->weights + row / p->rows_per_matrix * p->n_cols % t->n_weights;
}

static const uint8_t *source_bytes(const piece *p, uint64_t row) {
    return p->in + (source_row(p->tensor, row) - p->in_first) * p->from_row;
}

static row_result convert_row(const piece *p, uint64_t row, float *x, float *back, uint8_t *out) {
    const gw_convert_tensor *t = p->tensor;
    row_result result = {.state = ROW_FINE};
    gw_format_dequantize(t->from, source_bytes(p, row), p->n_cols, x);
    if (!all_finite(x, p->n_cols)) return (row_result){.state = ROW_NOT_FINITE};
    for (uint64_t i = 0; i < p->n_cols; i++) result.energy += (double)x[i] * (double)x[i];
    if (t->to == t->from) {
        memcpy(out, source_bytes(p, row), (size_t)p->to_row);
        return result;
    }
    float largest = largest_of(x, p->n_cols);
    if (t->to->limit > 0.0f && largest > t->to->limit) return (row_result){.state = ROW_TOO_LARGE};
    t->to->quantize(x, weights_of_row(p, row), p->n_cols, out);
    gw_format_dequantize(t->to, out, p->n_cols, back);
    if (!all_finite(back, p->n_cols)) return (row_result){.state = ROW_TOO_LARGE};
    for (uint64_t i = 0; i < p->n_cols; i++) {
        double d = (double)back[i] - (double)x[i];
        result.error += d * d;
    }
    if (largest >= NOTHING && result.error >= result.energy) result.state = ROW_LOST;
    return result;
}

static void convert_item(void *user, uint64_t item, uint32_t worker) {
    const piece *p = user;
    float *x = p->scratch + (uint64_t)worker * 2 * p->n_cols;
    uint64_t end = (item + 1) * p->item_rows < p->n_rows ? (item + 1) * p->item_rows : p->n_rows;
    for (uint64_t r = item * p->item_rows; r < end; r++) {
        p->results[r] = convert_row(p, p->first + r, x, x + p->n_cols, p->out + r * p->to_row);
    }
}

// --- what is wrong with a row --------------------------------------------------------------------

// Bytes of the source, in memory or read into scratch. A failure is kept as below, since it is the
// source's.
static godwit_status view_source(const gw_convert_tensor *t, uint64_t at, uint64_t n_bytes,
                                 void *scratch, const uint8_t **out, godwit_error *err) {
    godwit_error failure = {0};
    godwit_status status = gw_source_view(&t->source, at, n_bytes, scratch, out, &failure);
    if (status == GODWIT_OK) return status;
    gw_note(&failure, status, "tensor %s", t->from_name);
    t->job->failed = true;
    t->job->failure = failure;
    return gw_fail(err, status, "%s", failure.message);
}

// Why a row is refused. The job keeps it, since the writer puts the new file's name, and the new
// tensor's, in front of what its callbacks fail with, and neither is at fault.
static godwit_status refuse(const gw_convert_tensor *t, godwit_status status, const char *what) {
    godwit_error *failure = &t->job->failure;
    t->job->failed = true;
    gw_fail(failure, status, "%s", what);
    gw_note(failure, status, "tensor %s", t->from_name);
    return gw_note(failure, status, "%s", t->from_file);
}

// "row 3, column 5"; of a vector "element 5".
static void place_text(const piece *p, uint64_t row, uint64_t col, char *text, size_t text_bytes) {
    unsigned long long r = (unsigned long long)source_row(p->tensor, row);
    unsigned long long c = (unsigned long long)col;
    if (p->tensor->n_dims == 1) {
        snprintf(text, text_bytes, "element %llu", r * p->n_cols + c);
    } else {
        snprintf(text, text_bytes, "row %llu, column %llu", r, c);
    }
}

static godwit_status row_status(const piece *p, uint64_t r) {
    const gw_convert_tensor *t = p->tensor;
    row_state state = p->results[r].state;
    if (state <= ROW_LOST) return GODWIT_OK;
    const char *format = godwit_dtype_name((godwit_dtype)t->to->type);
    float *x = p->scratch; // no worker is left
    uint64_t at = 0;
    char place[64], what[512];
    gw_format_dequantize(t->from, source_bytes(p, p->first + r), p->n_cols, x);
    for (uint64_t i = 0; i < p->n_cols && is_finite(x[at]); i++) {
        if (!is_finite(x[i]) || magnitude(x[i]) > magnitude(x[at])) at = i;
    }
    place_text(p, p->first + r, at, place, sizeof place);
    if (state == ROW_NOT_FINITE) {
        snprintf(what, sizeof what, "%s: %s", place,
                 x[at] != x[at] ? "NaN, which no model can be run with"
                                : "infinity, which no model can be run with");
        return refuse(t, GODWIT_MALFORMED, what);
    }
    snprintf(what, sizeof what, "%s: %g is too large for %s; give %s a rule with BF16 or F32",
             place, (double)x[at], format, t->name);
    return refuse(t, GODWIT_UNSUPPORTED, what);
}

static void warn_of_lost(const gw_convert_tensor *t, const totals *sums, uint64_t n_rows) {
    if (!sums->n_lost) return;
    gw_log(t->job->host, GODWIT_LOG_WARN,
           "%s: tensor %s: %llu of %llu rows are no better in %s than zeros would be, row %llu the "
           "first: its scales are too coarse for weights so small%s; give %s a rule with another "
           "format, BF16 for one",
           t->from_file, t->from_name, (unsigned long long)sums->n_lost, (unsigned long long)n_rows,
           godwit_dtype_name((godwit_dtype)t->to->type), (unsigned long long)sums->first_lost,
           t->weights ? " or for importances so uneven" : "", t->name);
}

// --- all rows ------------------------------------------------------------------------------------

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
    uint64_t most = tensor->from_bytes < COPY_BYTES ? tensor->from_bytes : COPY_BYTES;
    const uint8_t *bytes = NULL;
    uint8_t *scratch = gw_alloc(tensor->job->host, (size_t)most, 1);
    GW_CHECK_ALLOC(scratch, err, "bytes of a tensor");
    for (uint64_t at = 0; at < tensor->from_bytes;) {
        uint64_t n = tensor->from_bytes - at < most ? tensor->from_bytes - at : most;
        GW_TRY(view_source(tensor, at, n, scratch, &bytes, err));
        GW_TRY(gw_gguf_sink_write(sink, bytes, (size_t)n, err));
        GW_TRY(step(tensor, n, err));
        at += n;
    }
done:
    gw_free(tensor->job->host, scratch, (size_t)most);
    return status;
}

static void add_row(const piece *p, uint64_t r, totals *sums) {
    const row_result *row = &p->results[r];
    sums->error += row->error;
    sums->energy += row->energy;
    if (row->state != ROW_LOST) return;
    if (sums->n_lost++ == 0) sums->first_lost = source_row(p->tensor, p->first + r);
}

// Rows of the source that n rows of the new tensor are made of, at most.
static uint64_t most_source_rows(const gw_convert_tensor *t, uint64_t n, uint64_t n_rows) {
    uint64_t most = n + 2 * t->head_rows; // the heads that it begins and ends in
    return most < n_rows ? most : n_rows;
}

static godwit_status read_piece(piece *p, uint64_t n_rows, uint8_t *scratch, godwit_error *err) {
    uint64_t head = p->tensor->head_rows ? p->tensor->head_rows : 1;
    uint64_t first = p->first / head * head;
    uint64_t end = (p->first + p->n_rows + head - 1) / head * head;
    if (end > n_rows) end = n_rows;
    p->in_first = first;
    return view_source(p->tensor, first * p->from_row, (end - first) * p->from_row, scratch, &p->in,
                       err);
}

static godwit_status convert_pieces(gw_convert_tensor *tensor, piece *p, uint64_t n_rows,
                                    uint64_t piece_rows, uint8_t *scratch, totals *sums,
                                    gw_gguf_sink *sink, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (p->first = 0; p->first < n_rows; p->first += p->n_rows) {
        p->n_rows = n_rows - p->first < piece_rows ? n_rows - p->first : piece_rows;
        GW_TRY(read_piece(p, n_rows, scratch, err));
        gw_parallel_for(tensor->job->n_threads, (p->n_rows + p->item_rows - 1) / p->item_rows,
                        convert_item, p);
        for (uint64_t r = 0; r < p->n_rows; r++) {
            GW_TRY(row_status(p, r));
            add_row(p, r, sums);
        }
        GW_TRY(gw_gguf_sink_write(sink, p->out, (size_t)(p->n_rows * p->to_row), err));
        GW_TRY(step(tensor, p->n_rows * p->from_row, err));
    }
done:
    return status;
}

static godwit_status convert_all(gw_convert_tensor *tensor, uint64_t n_elements, totals *sums,
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
    size_t in_bytes = (size_t)(most_source_rows(tensor, piece_rows, n_rows) * p.from_row);
    uint8_t *in = tensor->source.bytes ? NULL : gw_alloc(host, in_bytes, 1);
    p.scratch = gw_alloc(host, (size_t)n_threads * 2 * (size_t)n_cols, sizeof(float));
    p.out = gw_alloc(host, (size_t)piece_rows, (size_t)p.to_row);
    p.results = gw_alloc(host, (size_t)piece_rows, sizeof *p.results);
    GW_CHECK_ALLOC((in || tensor->source.bytes) && p.scratch && p.out && p.results, err,
                   "rows of a tensor");
    GW_TRY(convert_pieces(tensor, &p, n_rows, piece_rows, in, sums, sink, err));
    warn_of_lost(tensor, sums, n_rows);
done:
    gw_free(host, in, in_bytes);
    gw_free(host, p.scratch, scratch_bytes);
    gw_free(host, p.out, (size_t)piece_rows * (size_t)p.to_row);
    gw_free(host, p.results, (size_t)piece_rows * sizeof *p.results);
    return status;
}

static void report(gw_convert_tensor *tensor, const gw_gguf_tensor *shape, const totals *sums) {
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
                                   .mean_squared_error = sums->error / (double)shape->n_elements,
                                   .mean_square = sums->energy / (double)shape->n_elements};
    memcpy(row.dims, tensor->dims, sizeof row.dims);
    job->result.n_tensors++;
    job->result.n_elements += shape->n_elements;
    job->result.from_bytes += row.from_bytes;
    job->result.to_bytes += row.to_bytes;
    job->result.n_matrices += tensor->from && tensor->n_dims >= 2;
    job->result.n_important += tensor->weights != NULL;
    job->result.n_other += tensor->why[0] != '\0' && tensor->n_dims >= 2;
    if (job->each) job->each(job->each_user, &row);
}

godwit_status gw_convert_rows(void *user, const gw_gguf_tensor *shape, gw_gguf_sink *sink,
                              godwit_error *err) {
    gw_convert_tensor *tensor = user;
    totals sums = {0};
    godwit_status status = tensor->to ? convert_all(tensor, shape->n_elements, &sums, sink, err)
                                      : copy_bytes(tensor, sink, err);
    if (status == GODWIT_OK) report(tensor, shape, &sums);
    return status;
}
