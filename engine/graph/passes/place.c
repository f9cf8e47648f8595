// Place (lifetimes and aliasing): gives every computed value a slice of one activation arena.
//
// A value lives from the node that makes it to its last reader (kept values: to the end). Values
// are placed in the order they are made, each at the lowest offset that is free for its whole life
// (first fit over the live intervals). Inputs, read or not, and outputs get slices of the upload and
// readback stores.
#include "graph/op.h"

#include "base/status.h"

typedef struct interval {
    gw_value *value; // or NULL: a node's scratch
    gw_slice *slice;
    size_t first, last; // node indices, inclusive
} interval;

typedef gw_vec(interval) intervals;

static interval *find(intervals *list, const gw_value *value) {
    for (size_t i = list->n; i-- > 0;) {
        if (list->items[i].value == value) return &list->items[i];
    }
    return NULL;
}

static bool add_value(intervals *list, const gw_host *host, gw_value *value, size_t at, size_t end,
                      bool keep) {
    interval *item = find(list, value);
    if (!item) {
        item = gw_vec_push(list, host);
        if (!item) return false;
        *item = (interval){.value = value, .slice = &value->slice, .first = at, .last = at};
    }
    const size_t last = value->keep || keep ? end : at;
    if (last > item->last) item->last = last;
    return true;
}

// Lowest offset, from `at` on, where `bytes` are free of every placed interval that is alive with this one.
static uint64_t lowest_free(const intervals *list, size_t n_placed, const interval *item,
                            uint64_t bytes, uint64_t at) {
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n_placed; i++) {
            const interval *other = &list->items[i];
            const gw_slice *slice = other->slice;
            if (other->last < item->first || item->last < other->first) continue;
            if (at < slice->offset + slice->bytes && slice->offset < at + bytes) {
                at = GW_ALIGN_UP(slice->offset + slice->bytes, GW_SLICE_ALIGN);
                moved = true;
            }
        }
    }
    return at;
}

static bool add_node(intervals *list, const gw_graph *graph, const gw_node *node, size_t at,
                     bool keep) {
    const size_t end = graph->nodes.n;
    bool ok = true;
    for (uint32_t k = 0; k < GW_MAX_OUTPUTS && node->outputs[k] && ok; k++) {
        ok = add_value(list, graph->host, node->outputs[k], at, end, keep);
    }
    for (uint32_t k = 0; k < node->n_inputs && ok; k++) {
        gw_value *root = node->inputs[k] ? gw_value_root(node->inputs[k]) : NULL;
        if (root) ok = add_value(list, graph->host, root, at, end, keep);
    }
    return ok;
}

static godwit_status collect(gw_graph *graph, intervals *list, bool keep, godwit_error *err) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *node = graph->nodes.items[i];
        bool ok = node->is_tail || add_node(list, graph, node, i, keep);
        if (ok && node->tail) ok = add_node(list, graph, node->tail, i, keep);
        if (!ok) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: lifetimes");
    }
    return GODWIT_OK;
}

static void append(gw_value *value, uint32_t buffer, uint64_t *bytes) {
    value->slice = (gw_slice){.buffer = buffer, .offset = *bytes, .bytes = gw_value_bytes(value)};
    *bytes = GW_ALIGN_UP(*bytes + value->slice.bytes, GW_SLICE_ALIGN);
}

// Inputs that no node reads: who fills a step's inputs need not know which these are.
static void place_unread(gw_graph *graph, gw_plan *plan) {
    for (size_t i = 0; i < graph->values.n; i++) {
        gw_value *value = graph->values.items[i];
        if (value->kind == GW_VALUE_INPUT && !value->slice.bytes)
            append(value, GW_STORE_UPLOAD, &plan->upload_bytes);
    }
}

static godwit_status place(gw_plan *plan, intervals *arena, const interval *item, uint64_t bytes,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    interval *placed = gw_vec_push(arena, plan->host);
    GW_CHECK_ALLOC(placed, err, "placement");
    *placed = *item;
    uint64_t at = lowest_free(arena, arena->n - 1, placed, bytes, plan->counter_bytes);
    *item->slice = (gw_slice){.buffer = GW_STORE_ARENA, .offset = at, .bytes = bytes};
    uint64_t end = GW_ALIGN_UP(at + bytes, GW_SLICE_ALIGN);
    if (end > plan->arena_bytes) plan->arena_bytes = end;
done:
    return status;
}

// After the values: what is free at a node's place is free for it.
static godwit_status place_scratch(gw_graph *graph, gw_plan *plan, intervals *arena,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < graph->nodes.n; i++) {
        gw_node *node = graph->nodes.items[i];
        uint64_t bytes = node->op->scratch ? node->op->scratch(node, &plan->tune) : 0;
        node->scratch = (gw_slice){0};
        if (!bytes || node->is_tail) continue;
        interval item = {.slice = &node->scratch, .first = i, .last = i};
        GW_TRY(place(plan, arena, &item, bytes, err));
    }
done:
    return status;
}

godwit_status gw_pass_place(gw_graph *graph, gw_plan *plan, godwit_error *err) {
    intervals list = {0};
    intervals arena = {0};
    godwit_status status = GODWIT_OK;
    plan->upload_bytes = plan->readback_bytes = 0;
    plan->arena_bytes = plan->counter_bytes;
    GW_TRY(collect(graph, &list, plan->tune.keep_values, err));
    for (size_t i = 0; i < list.n; i++) {
        interval *item = &list.items[i];
        gw_value *value = item->value;
        if (value->kind == GW_VALUE_INPUT) append(value, GW_STORE_UPLOAD, &plan->upload_bytes);
        if (value->kind == GW_VALUE_OUTPUT) append(value, GW_STORE_READBACK, &plan->readback_bytes);
        if (value->kind != GW_VALUE_COMPUTED) continue;
        GW_TRY(place(plan, &arena, item, gw_value_bytes(value), err));
    }
    place_unread(graph, plan);
    GW_TRY(place_scratch(graph, plan, &arena, err));
done:
    gw_vec_deinit(&list, graph->host);
    gw_vec_deinit(&arena, graph->host);
    return status;
}
