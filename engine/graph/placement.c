// Placement: see placement.h.
#include "graph/placement.h"

#include "base/status.h"

#include <string.h>

void gw_placement_init(gw_placement *placement, const gw_host *host) {
    *placement = (gw_placement){.host = host};
    gw_arena_init(&placement->arena, host);
}

void gw_placement_deinit(gw_placement *placement) {
    if (!placement->host) return;
    gw_vec_deinit(&placement->list, placement->host);
    gw_arena_deinit(&placement->arena);
    *placement = (gw_placement){0};
}

// The first that is not before weight.
static size_t place_in_list(const gw_placement *placement, const gw_weight *weight) {
    size_t low = 0, high = placement->list.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)placement->list.items[middle]->weight < (uintptr_t)weight)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const gw_placed *gw_placement_find(const gw_placement *placement, const gw_weight *weight) {
    size_t at = place_in_list(placement, weight);
    if (at == placement->list.n || placement->list.items[at]->weight != weight) return NULL;
    return placement->list.items[at];
}

godwit_status gw_placement_add(gw_placement *p, const gw_weight *weight, const gw_format *format,
                               uint32_t n_chunks, const gw_weight_chunk *chunks,
                               const gw_weight_chunk *table, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_row_layout rows = gw_weight_layout_as(weight, format);
    const gw_weight_chunk whole = {.n_rows = weight->n_rows,
                                   .bytes = gw_layout_bytes(&rows, weight->n_rows)};
    if (!chunks) n_chunks = 1;
    gw_placed *placed = gw_arena_alloc(&p->arena, 1, sizeof *placed);
    gw_weight_chunk *copy = gw_arena_alloc(&p->arena, n_chunks, sizeof *copy);
    GW_CHECK_ALLOC(placed && copy, err, "placement of weights");
    memcpy(copy, chunks ? chunks : &whole, n_chunks * sizeof *copy);
    *placed = (gw_placed){.weight = weight, .format = format, .n_chunks = n_chunks, .chunks = copy};
    if (table) placed->table = *table;
    const size_t at = place_in_list(p, weight);
    gw_placed **last = gw_vec_push(&p->list, p->host);
    GW_CHECK_ALLOC(last, err, "placement of weights");
    gw_placed **items = p->list.items;
    memmove(items + at + 1, items + at, (p->list.n - 1 - at) * sizeof *items);
    items[at] = placed;
done:
    return status;
}
