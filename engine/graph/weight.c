// Weight: its rows out of memory or a file. See weight.h.
#include "graph/weight.h"

#include "base/status.h"

#include <string.h>

enum { AHEAD_BYTES = 1 << 17 };

const gw_weight *gw_weight_part(const gw_weight *w, uint64_t row, uint64_t *out_row) {
    uint32_t i = 0;
    *out_row = row;
    if (!w->n_parts) return w;
    while (i + 1 < w->n_parts && row >= w->parts[i + 1]->whole_row0) i++;
    *out_row = row - w->parts[i]->whole_row0;
    return w->parts[i];
}

// Where the source has a row, and how many from there on: none where they are zeros.
static uint64_t find_row(const gw_weight *w, uint64_t row, uint64_t *out_at) {
    *out_at = row;
    if (!w->source_rows) return w->n_rows - row;
    const uint64_t matrix = row / w->dims[1], of_matrix = row % w->dims[1];
    *out_at = matrix * w->source_rows + of_matrix;
    return of_matrix < w->source_rows ? w->source_rows - of_matrix : 0;
}

godwit_status gw_rows_init(gw_rows *rows, const gw_host *host, const gw_weight *weight,
                           godwit_error *err) {
    uint64_t row_bytes = gw_format_row_bytes(weight->format, weight->n_cols);
    // A group, and no more: threads take groups in turns, and who makes one does not make the next.
    uint64_t n_max = weight->group_rows;
    if (n_max == 1 && row_bytes < AHEAD_BYTES) n_max = AHEAD_BYTES / row_bytes;
    if (weight->source.bytes || n_max > weight->n_rows) n_max = weight->n_rows;
    *rows = (gw_rows){.host = host, .weight = weight, .row_bytes = row_bytes, .n_max = n_max};
    if (weight->source.bytes) return GODWIT_OK;
    rows->scratch = gw_alloc(host, (size_t)n_max, (size_t)row_bytes);
    if (rows->scratch) return GODWIT_OK;
    return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: rows of tensor %s",
                   weight->name);
}

void gw_rows_deinit(gw_rows *rows) {
    gw_free(rows->host, rows->scratch, (size_t)(rows->n_max * rows->row_bytes));
    rows->scratch = NULL;
}

godwit_status gw_rows_get(gw_rows *rows, uint64_t row, const uint8_t **out, godwit_error *err) {
    if (row < rows->first || row >= rows->first + rows->n) {
        uint64_t at;
        const gw_weight *w = gw_weight_part(rows->weight, row, &at);
        uint64_t n = find_row(w, at, &at);
        if (n > rows->n_max) n = rows->n_max;
        rows->n = 0; // what is held is overwritten, also by a read that fails
        godwit_status status = gw_source_view(&w->source, at * rows->row_bytes, n * rows->row_bytes,
                                              rows->scratch, &rows->held, err);
        if (status != GODWIT_OK) return gw_note(err, status, "tensor %s", w->name);
        rows->first = row;
        rows->n = n;
    }
    *out = rows->held + (row - rows->first) * rows->row_bytes;
    return GODWIT_OK;
}

godwit_status gw_groups_init(gw_groups *g, const gw_host *host, const gw_weight *weight,
                             const gw_format *format, godwit_error *err) {
    *g = (gw_groups){.finite = true, .layout = gw_weight_layout_as(weight, format)};
    return gw_rows_init(&g->rows, host, weight, err);
}

void gw_groups_deinit(gw_groups *g) {
    gw_rows_deinit(&g->rows);
}

godwit_status gw_groups_get(gw_groups *g, uint64_t i, uint8_t *out, godwit_error *err) {
    const gw_row_layout *l = &g->layout;
    uint64_t first = i * l->rows, at, left = find_row(g->rows.weight, first, &at);
    uint32_t n = left < l->rows ? (uint32_t)left : l->rows;
    const uint8_t *rows = NULL; // whole groups are read at once
    godwit_status status = n ? gw_rows_get(&g->rows, first, &rows, err) : GODWIT_OK;
    if (status != GODWIT_OK) return status;
    // A whole group is written in every byte.
    if (n < l->rows) memset(out, 0, (size_t)gw_layout_group_bytes(l));
    for (uint64_t b = 0; b < l->n_blocks; b++) {
        for (uint32_t r = 0; r < n; r++) {
            g->finite &= gw_layout_put(l, rows + r * g->rows.row_bytes, b, r, out);
        }
    }
    return GODWIT_OK;
}
