// Reference walker: the plan in plain C, launch by launch. Slow and right: this is the definition
// that every kernel equals, bit for bit.
#include "run/run.h"

#include "base/clock.h"
#include "base/status.h"
#include "graph/op.h"

godwit_status gw_reference_run(const gw_plan *plan, const gw_store_table *table, uint64_t *out_ns,
                               godwit_error *err) {
    for (size_t i = 0; i < plan->launches.n; i++) {
        const gw_launch *launch = &plan->launches.items[i];
        gw_reference_args args = {.params = launch->params};
        for (uint32_t k = 0; k < launch->n_slices; k++) {
            const gw_slice *slice = &launch->slices[k];
            const gw_store *store = table->stores[slice->buffer];
            if (!store || slice->offset > store->n_bytes ||
                slice->bytes > store->n_bytes - slice->offset) {
                return GW_BUG(err, "%s: %s: binding %u is outside its store", launch->op->name,
                              launch->node, k);
            }
            args.bufs[k] = store->bytes + slice->offset;
        }
        uint64_t start = out_ns ? gw_now_ns() : 0;
        launch->op->reference(&args);
        if (out_ns) out_ns[i] = gw_now_ns() - start;
    }
    return GODWIT_OK;
}
