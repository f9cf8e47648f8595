// Barriers: as few as the data needs.
//
// Walks the launches and keeps what was read and written since the last barrier. A launch that
// reads what was written, or writes what was read or written (the same store, overlapping bytes),
// needs a barrier before it; that one barrier covers everything so far.
#include "graph/plan.h"

static bool overlap(const gw_slice *a, const gw_slice *b) {
    return a->buffer == b->buffer && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

static bool conflict(const gw_launch *before, const gw_launch *after) {
    for (uint32_t i = 0; i < before->n_slices; i++) {
        for (uint32_t k = 0; k < after->n_slices; k++) {
            bool writes = (before->writes >> i & 1u) || (after->writes >> k & 1u);
            if (writes && overlap(&before->slices[i], &after->slices[k])) return true;
        }
    }
    return false;
}

void gw_pass_barriers(gw_plan *plan) {
    size_t since = 0; // first launch after the last barrier
    plan->n_barriers = 0;
    for (size_t i = 0; i < plan->launches.n; i++) {
        gw_launch *launch = &plan->launches.items[i];
        for (size_t k = since; k < i && !launch->barrier_before; k++) {
            launch->barrier_before = conflict(&plan->launches.items[k], launch);
        }
        if (launch->barrier_before) {
            since = i;
            plan->n_barriers++;
        }
    }
}
