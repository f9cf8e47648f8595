// Program: a plan made ready to run on a backend.
#include "run/run.h"

#include "base/status.h"

struct gw_program {
    const gw_backend *backend;
    gw_plan *plan;
    gw_store_table table;
    gw_commands *commands; // Vulkan
};

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
    if (backend->device) {
        GW_TRY(gw_vulkan_record(backend->device, program->plan, &program->table, &program->commands,
                                err));
    }
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
    gw_commands_destroy(&(*program)->commands);
    gw_plan_destroy(&(*program)->plan);
    gw_free(host, *program, sizeof **program);
    *program = NULL;
}

const gw_plan *gw_program_plan(const gw_program *program) {
    return program->plan;
}

godwit_status gw_program_run(gw_program *program, godwit_error *err) {
    if (!program->commands) return gw_reference_run(program->plan, &program->table, err);
    godwit_status status = gw_commands_submit(program->commands, err);
    if (status != GODWIT_OK) return status;
    return gw_commands_wait(program->commands, err);
}

uint64_t gw_program_device_ns(const gw_program *program) {
    uint64_t ns[2] = {0, 0};
    if (!program->commands || gw_commands_timestamps(program->commands, ns, 2) < 2) return 0;
    return ns[1] - ns[0];
}
