// Weight: its rows out of memory or a file. See weight.h.
#include "graph/weight.h"

#include "base/status.h"

#include <string.h>

enum { AHEAD_BYTES = 1 << 17 };

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
    const gw_weight *w = rows->weight;
    if (row < rows->first || row >= rows->first + rows->n) {
        uint64_t n = w->n_rows - row < rows->n_max ? w->n_rows - row : rows->n_max;
        rows->n = 0; // what is held is overwritten, also by a read that fails
        godwit_status status = gw_source_view(&w->source, row * rows->row_bytes,
                                              n * rows->row_bytes, rows->scratch, &rows->held, err);
        if (status != GODWIT_OK) return gw_note(err, status, "tensor %s", w->name);
        rows->first = row;
        rows->n = n;
    }
    *out = rows->held + (row - rows->first) * rows->row_bytes;
    return GODWIT_OK;
}

godwit_status gw_groups_init(gw_groups *g, const gw_host *host, const gw_weight *weight,
                             godwit_error *err) {
    *g = (gw_groups){.rows = {.host = host}, .finite = true, .layout = gw_weight_layout(weight)};
    godwit_status status = gw_rows_init(&g->rows, host, weight, err);
    if (status != GODWIT_OK) return status;
    uint64_t quants = gw_format_quant_row(weight->format, weight->n_cols);
    g->row_words = quants + gw_format_side_row(weight->format, weight->n_cols);
    g->row.n_units = g->layout.n_units;
    g->row.quants = gw_alloc(host, (size_t)g->row_words, sizeof *g->row.quants);
    if (!g->row.quants) {
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: rows of tensor %s",
                       weight->name);
    }
    g->row.sides = g->row.quants + quants;
    return GODWIT_OK;
}

void gw_groups_deinit(gw_groups *g) {
    gw_free(g->rows.host, g->row.quants, (size_t)(g->row_words * sizeof *g->row.quants));
    g->row.quants = NULL;
    gw_rows_deinit(&g->rows);
}

godwit_status gw_groups_get(gw_groups *g, uint64_t i, uint8_t *out, godwit_error *err) {
    const gw_weight *w = g->rows.weight;
    uint64_t first = i * g->layout.rows, left = w->n_rows - first;
    // A whole group is written in every byte.
    if (left < g->layout.rows) memset(out, 0, (size_t)gw_layout_group_bytes(&g->layout));
    for (uint32_t r = 0; r < g->layout.rows && r < left; r++) {
        const uint8_t *from = NULL;
        godwit_status status = gw_rows_get(&g->rows, first + r, &from, err);
        if (status != GODWIT_OK) return status;
        memset(g->row.quants, 0, (size_t)(g->row_words * sizeof *g->row.quants));
        g->finite &= w->format->repack(from, w->n_cols, &g->row);
        gw_layout_put(&g->layout, &g->row, r, out);
    }
    return GODWIT_OK;
}
