// Vulkan walker: records launches, or pieces of them, once into one command buffer, to be replayed.
#include "run/run.h"

#include "base/status.h"
#include "graph/op.h"

static godwit_status record_launch(gw_device *device, gw_recorder *recorder,
                                   const gw_launch *launch, const gw_piece *piece,
                                   const gw_store_table *table, godwit_error *err) {
    gw_binding bindings[GW_LAUNCH_MAX_BINDINGS];
    gw_kernel *kernel = NULL;
    godwit_status status = GODWIT_OK;
    for (uint32_t k = 0; k < launch->n_slices; k++) {
        const gw_slice *slice = &launch->slices[k];
        const gw_store *store = table->stores[slice->buffer];
        if (!store || !store->buffer) {
            GW_TRY(GW_BUG(err, "binding %u: store %u is missing", k, slice->buffer));
        }
        bindings[k] = (gw_binding){store->buffer, slice->offset, slice->bytes};
    }
    GW_TRY(gw_kernel_get(device, launch->shader, launch->spec, launch->n_spec, &kernel, err));
    const bool is_first = (piece->base[0] | piece->base[1] | piece->base[2]) == 0;
    if (launch->barrier_before && is_first) gw_record_barrier(recorder);
    GW_TRY(gw_record_dispatch(recorder, kernel, bindings, launch->n_slices, launch->params,
                              launch->params_bytes, piece->base, piece->groups, err));
done:
    return gw_note(err, status, "%s: %s", launch->op->name, launch->node);
}

godwit_status gw_vulkan_record(gw_device *device, const gw_plan *plan, const gw_store_table *table,
                               const gw_piece *pieces, size_t n, gw_commands **out_commands,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_recorder *recorder = NULL;
    GW_TRY(gw_recorder_begin(device, (uint32_t)n + 1, &recorder, err));
    gw_record_timestamp(recorder);
    for (size_t i = 0; i < n; i++) {
        const gw_launch *launch = &plan->launches.items[pieces[i].launch];
        GW_TRY(record_launch(device, recorder, launch, &pieces[i], table, err));
        if (!plan->tune.time_launches) continue;
        gw_record_barrier(recorder); // without it, the next launch would run beside this one
        gw_record_timestamp(recorder);
    }
    if (!plan->tune.time_launches) gw_record_timestamp(recorder);
    GW_TRY(gw_recorder_end(&recorder, out_commands, err));
done:
    gw_recorder_discard(&recorder);
    return status;
}
