// The host's walker: the plan launch by launch, on the device "cpu" or by the references in plain C,
// which are slow and right: the definition that every kernel equals, bit for bit.
#include "run/run.h"

#include "base/clock.h"
#include "base/status.h"
#include "graph/op.h"

static godwit_status bind(const gw_launch *launch, const gw_store_table *table,
                          gw_reference_args *out, godwit_error *err) {
    *out = (gw_reference_args){.params = launch->params};
    for (uint32_t k = 0; k < launch->n_slices; k++) {
        const gw_slice *slice = &launch->slices[k];
        const gw_store *store = table->stores[slice->buffer];
        if (!store || slice->offset > store->n_bytes ||
            slice->bytes > store->n_bytes - slice->offset) {
            return GW_BUG(err, "%s: %s: binding %u is outside its store", launch->op->name,
                          launch->node, k);
        }
        out->bufs[k] = store->bytes + slice->offset;
    }
    return GODWIT_OK;
}

godwit_status gw_host_run(gw_cpu *cpu, const gw_plan *plan, const gw_store_table *table,
                          uint64_t *out_ns, const atomic_bool *stop, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (cpu) gw_cpu_begin(cpu);
    for (size_t i = 0; i < plan->launches.n; i++) {
        const gw_launch *launch = &plan->launches.items[i];
        gw_reference_args args;
        if (stop && atomic_load(stop)) GW_FAIL(err, GODWIT_CANCELLED, "stopped by the caller");
        GW_TRY(bind(launch, table, &args, err));
        uint64_t start = out_ns ? gw_now_ns() : 0;
        if (cpu)
            gw_cpu_launch(cpu, launch->op, &args);
        else
            gw_reference(launch->op, &args);
        if (out_ns) out_ns[i] = gw_now_ns() - start;
    }
done:
    if (cpu) gw_cpu_end(cpu);
    return status;
}
