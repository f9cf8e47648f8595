// Program: a plan made ready to run on a backend.
//
// On a device without a watchdog, one that runs on the host's cores, a plan is one command buffer.
// Elsewhere a submit that takes long would have the device reset (gw_caps.submit_ms): the first run
// submits launch by launch and takes their times; from then on neighbours go together, as far as a
// quarter of the allowed time reaches.
#include "run/run.h"

#include "base/clock.h"
#include "base/status.h"

#include <string.h>

typedef struct part {
    size_t end; // the launch behind its last one
    gw_commands *commands;
    uint64_t ns; // wall, of the last run
} part;

typedef gw_vec(part) parts;

struct gw_program {
    const gw_backend *backend;
    gw_plan *plan;
    gw_store_table table;
    parts parts;         // Vulkan
    bool joined;         // parts are what a run's times made of them
    uint64_t device_ns;  // of the last run, where parts may have changed since
    uint64_t *launch_ns; // [launches], of the last run, where the plan asks for it; all 0: none
};

static void destroy_parts(const gw_host *host, parts *list) {
    for (size_t i = 0; i < list->n; i++) gw_commands_destroy(&list->items[i].commands);
    gw_vec_deinit(list, host);
}

static godwit_status add_part(gw_program *program, parts *list, size_t end, godwit_error *err) {
    size_t first = list->n ? list->items[list->n - 1].end : 0;
    part *added = gw_vec_push(list, program->backend->host);
    if (!added) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: program");
    added->end = end;
    return gw_vulkan_record(program->backend->device, program->plan, &program->table, first, end,
                            &added->commands, err);
}

static uint64_t budget_ns(const gw_program *program) {
    return (uint64_t)gw_device_caps(program->backend->device)->submit_ms * 1000000u / 4;
}

// Launch by launch under a watchdog, else all of it.
static godwit_status record(gw_program *program, parts *list, godwit_error *err) {
    size_t n = program->plan->launches.n, step = budget_ns(program) && n ? 1 : n;
    for (size_t end = step; end <= n; end += step) {
        godwit_status status = add_part(program, list, end, err);
        if (status != GODWIT_OK || step == 0) return status;
    }
    return GODWIT_OK;
}

// Neighbours that together stay within the budget, out of what was measured one by one.
static godwit_status join(gw_program *program, parts *list, godwit_error *err) {
    uint64_t budget = budget_ns(program), ns = 0;
    for (size_t i = 0; i < program->parts.n; i++) {
        bool last = i + 1 == program->parts.n;
        ns += program->parts.items[i].ns;
        if (!last && ns + program->parts.items[i + 1].ns <= budget) continue;
        godwit_status status = add_part(program, list, program->parts.items[i].end, err);
        if (status != GODWIT_OK) return status;
        ns = 0;
    }
    return GODWIT_OK;
}

// After a run under a watchdog: joins what was measured one by one, once; takes apart again what
// has come to take long. What cannot be recorded anew stays as it is: it ran.
static void adapt(gw_program *program) {
    parts fresh = {0};
    bool slow = false;
    for (size_t i = 0; i < program->parts.n; i++) {
        const part *p = &program->parts.items[i];
        size_t first = i ? program->parts.items[i - 1].end : 0;
        slow |= p->end - first > 1 && p->ns > 2 * budget_ns(program);
    }
    if (program->joined && !slow) return;
    godwit_status status =
        program->joined ? record(program, &fresh, NULL) : join(program, &fresh, NULL);
    program->joined = !program->joined;
    if (status == GODWIT_OK) {
        parts old = program->parts;
        program->parts = fresh;
        fresh = old;
    }
    destroy_parts(program->backend->host, &fresh);
}

// The first two timestamps lie around a part, or around its first launch.
static uint64_t device_ns(const gw_program *program) {
    uint64_t sum = 0;
    if (program->launch_ns) {
        for (size_t i = 0; i < program->plan->launches.n; i++) sum += program->launch_ns[i];
        return sum;
    }
    for (size_t i = 0; i < program->parts.n; i++) {
        uint64_t ns[2] = {0, 0};
        if (gw_commands_timestamps(program->parts.items[i].commands, ns, 2) < 2) return 0;
        sum += ns[1] - ns[0];
    }
    return sum;
}

// Timestamps lie before the first launch of a part and behind each.
static godwit_status read_launch_ns(gw_program *program, godwit_error *err) {
    const gw_host *host = program->backend->host;
    size_t n = program->plan->launches.n, first = 0;
    uint64_t *at = gw_alloc(host, n + 1, sizeof *at);
    if (!at) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: times of launches");
    memset(program->launch_ns, 0, n * sizeof *at);
    for (size_t i = 0; i < program->parts.n; i++) {
        const part *p = &program->parts.items[i];
        uint32_t n_here = (uint32_t)(p->end - first);
        if (gw_commands_timestamps(p->commands, at, n_here + 1) == n_here + 1) {
            for (uint32_t k = 0; k < n_here; k++) program->launch_ns[first + k] = at[k + 1] - at[k];
        }
        first = p->end;
    }
    gw_free(host, at, (n + 1) * sizeof *at);
    return GODWIT_OK;
}

godwit_status gw_program_create(const gw_backend *backend, gw_plan **plan,
                                const gw_store_table *table, gw_program **out_program,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_program *program = gw_alloc(backend->host, 1, sizeof *program);
    GW_CHECK_ALLOC(program, err, "program");
    program->backend = backend;
    program->plan = *plan;
    *plan = NULL;
    program->table = *table;
    if (program->plan->tune.time_launches && program->plan->launches.n) {
        program->launch_ns = gw_alloc(backend->host, program->plan->launches.n, sizeof(uint64_t));
        GW_CHECK_ALLOC(program->launch_ns, err, "times of launches");
    }
    if (backend->device) GW_TRY(record(program, &program->parts, err));
    *out_program = program;
    program = NULL;
done:
    gw_program_destroy(&program);
    gw_plan_destroy(plan);
    return status;
}

void gw_program_destroy(gw_program **program) {
    if (!*program) return;
    const gw_host *host = (*program)->backend->host;
    destroy_parts(host, &(*program)->parts);
    if ((*program)->launch_ns) {
        gw_free(host, (*program)->launch_ns, (*program)->plan->launches.n * sizeof(uint64_t));
    }
    gw_plan_destroy(&(*program)->plan);
    gw_free(host, *program, sizeof **program);
    *program = NULL;
}

const gw_store_table *gw_program_table(const gw_program *program) {
    return &program->table;
}

gw_device *gw_program_device(const gw_program *program) {
    return program->backend->device;
}

const gw_plan *gw_program_plan(const gw_program *program) {
    return program->plan;
}

godwit_status gw_program_run(gw_program *program, godwit_error *err) {
    if (!program->backend->device) {
        return gw_host_run(program->backend->cpu, program->plan, &program->table,
                           program->launch_ns, err);
    }
    for (size_t i = 0; i < program->parts.n; i++) {
        part *p = &program->parts.items[i];
        uint64_t start = gw_now_ns();
        godwit_status status = gw_commands_submit(p->commands, err);
        if (status == GODWIT_OK) status = gw_commands_wait(p->commands, err);
        if (status != GODWIT_OK) return status;
        p->ns = gw_now_ns() - start;
    }
    if (program->launch_ns) {
        godwit_status status = read_launch_ns(program, err);
        if (status != GODWIT_OK) return status;
    }
    if (budget_ns(program)) {
        program->device_ns = device_ns(program);
        adapt(program);
    }
    return GODWIT_OK;
}

bool gw_program_launch_ns(const gw_program *program, uint64_t *out_ns) {
    uint64_t sum = 0;
    for (size_t i = 0; program->launch_ns && i < program->plan->launches.n; i++) {
        out_ns[i] = program->launch_ns[i];
        sum += out_ns[i];
    }
    return sum > 0;
}

uint64_t gw_program_device_ns(const gw_program *program) {
    bool watched = program->backend->device && budget_ns(program);
    return watched ? program->device_ns : device_ns(program);
}
