// Guard: see run.h. The numerics are exact, so a product that was right is equal bit for bit to the
// one that the reference makes of the same inputs and of the weights as they lie in the file. A
// check by Freivalds' method would be cheaper, but misses a fault with some probability and needs a
// tolerance for float sums; this needs neither, and costs one whole product on the host a check.
#include "run/run.h"

#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>

typedef struct copy {
    uint8_t *bytes;
    uint64_t n_bytes;
} copy;

static uint32_t n_with_weights(const gw_plan *plan) {
    uint32_t n = 0;
    for (size_t i = 0; i < plan->launches.n; i++) n += plan->launches.items[i].placed != NULL;
    return n;
}

static const gw_launch *nth_with_weights(const gw_plan *plan, uint32_t n) {
    for (size_t i = 0; i < plan->launches.n; i++) {
        if (plan->launches.items[i].placed && n-- == 0) return &plan->launches.items[i];
    }
    return NULL;
}

static godwit_status make(const gw_host *host, uint64_t n_bytes, copy *out, godwit_error *err) {
    out->bytes = gw_alloc(host, n_bytes + 4, 1);
    out->n_bytes = n_bytes + 4;
    if (out->bytes) return GODWIT_OK;
    return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: guard (%llu bytes)",
                   (unsigned long long)n_bytes);
}

// The chunk's rows out of the file, as upload repacks them.
static godwit_status repack(const gw_host *host, const gw_launch *launch, copy *out,
                            godwit_error *err) {
    gw_groups groups;
    godwit_status status = GODWIT_OK;
    const gw_placed *placed = launch->placed;
    GW_TRY(gw_groups_init(&groups, host, placed->weight, placed->format, err));
    uint64_t bytes = gw_layout_group_bytes(&groups.layout);
    uint64_t first = launch->chunk->row0 / groups.layout.rows;
    for (uint64_t i = 0; i < launch->chunk->bytes / bytes; i++) {
        GW_TRY(gw_groups_get(&groups, first + i, out->bytes + i * bytes, err));
    }
done:
    gw_groups_deinit(&groups);
    return status;
}

static godwit_status compare(const gw_program *program, const gw_launch *launch, const copy *device,
                             const copy *wanted, godwit_error *err) {
    for (uint64_t at = 0; at + 4 <= wanted->n_bytes; at += 4) {
        uint32_t got, want;
        memcpy(&got, device->bytes + at, 4);
        memcpy(&want, wanted->bytes + at, 4);
        if (got == want) continue;
        godwit_device_info info = GODWIT_INIT(godwit_device_info);
        // Rows of a joined weight are columns of the result.
        uint64_t row = at / 4 % launch->placed->weight->n_rows;
        const char *name = gw_weight_part(launch->placed->weight, row, &row)->name;
        gw_device *on = gw_program_device(program);
        if (on && gw_device_info(on, &info, NULL) != GODWIT_OK) info.name[0] = 0;
        return gw_fail(err, GODWIT_CORRUPT,
                       "guard: %s: tensor %s: word %llu of the result is %08x, its weights in the "
                       "file give %08x; %s memory is damaged: open the model again",
                       on ? info.name : "cpu", name, (unsigned long long)(at / 4), got, want,
                       on ? "the device's" : "this machine's");
    }
    return GODWIT_OK;
}

godwit_status gw_guard_check(const gw_program *program, uint32_t choice, godwit_error *err) {
    const gw_plan *plan = gw_program_plan(program);
    const gw_store_table *table = gw_program_table(program);
    uint32_t n = n_with_weights(plan);
    const gw_launch *launch = n ? nth_with_weights(plan, choice % n) : NULL;
    copy bufs[GW_LAUNCH_MAX_BINDINGS] = {0}, device = {0};
    godwit_status status = GODWIT_OK;
    if (!launch) return GODWIT_OK;
    gw_reference_args args = {.params = launch->params};
    GW_TRY(make(plan->host, launch->chunk->bytes, &bufs[0], err));
    GW_TRY(gw_note(err, repack(plan->host, launch, &bufs[0], err), "guard"));
    args.bufs[0] = bufs[0].bytes;
    args.bufs[1] = (void *)(uintptr_t)launch->placed->format->table;
    uint32_t y = launch->n_slices - 1; // what is written is bound last
    if (launch->writes != 1u << y) GW_FAIL(err, GODWIT_BUG, "guard: %s writes more", launch->node);
    for (uint32_t k = 2; k < launch->n_slices; k++) {
        const gw_slice *slice = &launch->slices[k];
        GW_TRY(make(plan->host, slice->bytes, &bufs[k], err));
        GW_TRY(gw_store_read(table->stores[slice->buffer], slice->offset, bufs[k].bytes,
                             slice->bytes, err));
        args.bufs[k] = bufs[k].bytes;
    }
    // Other launches may have written other parts of y: those stay as the device has them.
    GW_TRY(make(plan->host, launch->slices[y].bytes, &device, err));
    memcpy(device.bytes, bufs[y].bytes, bufs[y].n_bytes);
    gw_reference(launch->op, &args);
    status = compare(program, launch, &device, &bufs[y], err);
done:
    for (uint32_t k = 0; k < GW_LAUNCH_MAX_BINDINGS; k++) {
        gw_free(plan->host, bufs[k].bytes, bufs[k].n_bytes);
    }
    gw_free(plan->host, device.bytes, device.n_bytes);
    return status;
}
