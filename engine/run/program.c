// Program: a plan made ready to run on a backend.
//
// On a device without a watchdog, one that runs on the host's cores, a plan is one command buffer.
// Elsewhere a submit that takes long would have the device reset (gw_caps.submit_ms), and the host
// could not stop it: a submit is as much as is expected to take a quarter of that time. What to expect
// is guessed from the launches' multiply-adds and the device's pace until a run has taken the times. A
// launch that is expected to take longer is cut into pieces of its grid.
#include "run/run.h"

#include "base/clock.h"
#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>
#include <string.h>

enum {
    LAUNCH_NS = 10000,      // what a launch takes beside its arithmetic
    LEARN_NS = 1000000,     // a shorter submit says little of the pace,
    LEARN_WORK = 100000000, // and so does one with less to do
    NOTE_BYTES = 64,        // of a launch in a message
    MOVED_BYTES = 4,        // stand for a multiply-add where an op names no work
};

// One submit: pieces up to end.
typedef struct part {
    size_t end;
    gw_commands *commands;
    uint64_t ns, expected_ns; // wall, of the last run
    uint64_t submitted_ns;
} part;

struct gw_program {
    const gw_backend *backend;
    gw_plan *plan;
    gw_store_table table;
    gw_vec(gw_piece) pieces; // of the launches, as far as recorded
    gw_vec(part) parts;      // Vulkan
    double *expected_ns;     // [launches] where a run has taken times (is_measured)
    double *measured_ns;     // [launches] of this run
    bool is_measured;
    bool settled;        // parts do; runs are not looked into any more, but for slow ones
    size_t n_submitted;  // parts that gw_program_wait is to wait for
    uint64_t device_ns;  // of the last run, where parts may have changed since
    uint64_t *launch_ns; // [launches], of the last run, where the plan asks for it; all 0: none
};

// --- what to expect ------------------------------------------------------------------------------

static uint64_t budget_ns(const gw_program *program) {
    return (uint64_t)gw_device_caps(program->backend->device)->submit_ms * 1000000u / 4;
}

static double work_of(const gw_launch *launch) {
    if (launch->op->work) return (double)launch->op->work(launch->params);
    double bytes = 0;
    for (uint32_t i = 0; i < launch->n_slices; i++) bytes += (double)launch->slices[i].bytes;
    return bytes / MOVED_BYTES;
}

static double expected_of(const gw_program *program, size_t launch) {
    if (program->is_measured) return program->expected_ns[launch];
    const double fs = (double)gw_device_pace(program->backend->device);
    return LAUNCH_NS + work_of(&program->plan->launches.items[launch]) * fs * 1e-6;
}

static uint64_t n_groups(const uint32_t groups[3]) {
    return (uint64_t)groups[0] * groups[1] * groups[2];
}

// The share of a launch that a piece of it is.
static double share(const gw_program *program, const gw_piece *piece) {
    const gw_launch *launch = &program->plan->launches.items[piece->launch];
    return (double)n_groups(piece->groups) / (double)n_groups(launch->groups);
}

// The dimension that a launch is cut along: never x where there are several of z, which kernels fold
// a long x into by the number of its groups.
static int longest(const uint32_t groups[3]) {
    int d = groups[1] >= groups[2] ? 1 : 2;
    return groups[2] == 1 && groups[0] > groups[d] ? 0 : d;
}

// What follows the last piece: the rest of its launch, or the next; false behind the last launch.
static bool rest_of(const gw_program *program, const gw_piece *last, gw_piece *out) {
    const gw_launch *launches = program->plan->launches.items;
    *out = (gw_piece){0};
    if (last) {
        const uint32_t *whole = launches[last->launch].groups;
        const int d = longest(whole);
        const uint32_t done = last->base[d] + last->groups[d];
        *out = *last;
        if (done < whole[d]) {
            out->base[d] = done;
            out->groups[d] = whole[d] - done;
            return true;
        }
        *out = (gw_piece){.launch = last->launch + 1};
    }
    if (out->launch >= program->plan->launches.n) return false;
    memcpy(out->groups, launches[out->launch].groups, sizeof out->groups);
    return true;
}

// Cuts a piece down to what the budget allows.
static void cut(const gw_program *program, gw_piece *piece, double ns, double budget) {
    const int d = longest(program->plan->launches.items[piece->launch].groups);
    const double fits = (double)piece->groups[d] * budget / ns;
    if (fits < 1.0)
        piece->groups[d] = 1;
    else if (fits < (double)piece->groups[d])
        piece->groups[d] = (uint32_t)fits;
}

// The same whatever it takes: some three pieces of a launch.
static void cut_in_three(const gw_program *program, gw_piece *piece) {
    const uint32_t *whole = program->plan->launches.items[piece->launch].groups;
    const int d = longest(whole);
    const uint32_t most = (whole[d] + 2) / 3;
    if (piece->groups[d] > most) piece->groups[d] = most;
}

// --- recording -----------------------------------------------------------------------------------

static godwit_status record(const gw_program *program, size_t first, size_t end,
                            gw_commands **out_commands, godwit_error *err) {
    return gw_vulkan_record(program->backend->device, program->plan, &program->table,
                            &program->pieces.items[first], end - first, out_commands, err);
}

// Adds the next part: as much as is expected to take no longer than the budget; 0: all of it.
static godwit_status add_part(gw_program *program, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = program->backend->host;
    const size_t first = program->pieces.n;
    const double budget = (double)budget_ns(program);
    double sum = 0;
    gw_piece piece;
    part *added = NULL;
    for (;;) {
        const size_t n = program->pieces.n;
        if (!rest_of(program, n ? &program->pieces.items[n - 1] : NULL, &piece)) break;
        double ns = budget > 0 ? expected_of(program, piece.launch) * share(program, &piece) : 0;
        if (n > first && sum + ns > budget) break;
        if (ns > budget) cut(program, &piece, ns, budget);
        if (program->backend->in_pieces) cut_in_three(program, &piece);
        gw_piece *entry = gw_vec_push(&program->pieces, host);
        GW_CHECK_ALLOC(entry, err, "program");
        *entry = piece;
        sum += ns;
        if (sum > budget || program->backend->in_pieces) break;
    }
    added = gw_vec_push(&program->parts, host);
    GW_CHECK_ALLOC(added, err, "program");
    *added = (part){.end = program->pieces.n, .expected_ns = (uint64_t)sum};
    status = record(program, first, added->end, &added->commands, err);
    if (status != GODWIT_OK) program->parts.n--;
done:
    if (status != GODWIT_OK) program->pieces.n = first;
    return status;
}

static void clear_parts(gw_program *program) {
    for (size_t i = 0; i < program->parts.n; i++)
        gw_commands_destroy(&program->parts.items[i].commands);
    program->parts.n = program->pieces.n = 0;
}

static size_t first_of(const gw_program *program, size_t part) {
    return part ? program->parts.items[part - 1].end : 0;
}

static bool is_recorded(const gw_program *program) {
    gw_piece rest;
    const size_t n = program->pieces.n;
    return !rest_of(program, n ? &program->pieces.items[n - 1] : NULL, &rest);
}

// --- learning ------------------------------------------------------------------------------------

// Of a part that ran: the pace, and what each of its launches took, as far as it can be told.
static void learn(gw_program *program, size_t index) {
    const part *p = &program->parts.items[index];
    const size_t first = first_of(program, index);
    double work = 0, expected = 0;
    for (size_t i = first; i < p->end; i++) {
        const gw_piece *piece = &program->pieces.items[i];
        const double part_of = share(program, piece);
        work += work_of(&program->plan->launches.items[piece->launch]) * part_of;
        expected += expected_of(program, piece->launch) * part_of;
    }
    for (size_t i = first; i < p->end && expected > 0; i++) {
        const gw_piece *piece = &program->pieces.items[i];
        program->measured_ns[piece->launch] +=
            expected_of(program, piece->launch) * share(program, piece) * (double)p->ns / expected;
    }
    if (p->ns < LEARN_NS || work < LEARN_WORK) return;
    gw_device_learn_pace(program->backend->device, (uint64_t)((double)p->ns * 1e6 / work));
}

// After a run: whether other parts would do better. Fewer, once; or what has come to take long, as
// attention does with the keys, is cut anew, by the times of another run.
static void adapt(gw_program *program) {
    const double budget = (double)budget_ns(program);
    double sum = 0;
    bool slow = false;
    for (size_t i = 0; i < program->parts.n; i++) {
        const part *p = &program->parts.items[i];
        slow |= (double)p->ns > 2 * budget && p->ns > 2 * p->expected_ns;
    }
    if (program->settled) {
        program->settled = !slow;
        return;
    }
    for (size_t i = 0; i < program->plan->launches.n; i++) sum += program->measured_ns[i];
    const bool fewer = !program->is_measured && program->parts.n > 1 &&
                       sum < budget * (double)(program->parts.n - 1) / 2;
    program->settled = !fewer && !slow;
    if (program->settled) return;
    program->is_measured = true;
    memcpy(program->expected_ns, program->measured_ns,
           program->plan->launches.n * sizeof *program->expected_ns);
    clear_parts(program);
}

// The first two timestamps lie around a part, or around its first piece.
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

// Timestamps lie before the first piece of a part and behind each.
static godwit_status read_launch_ns(gw_program *program, godwit_error *err) {
    const gw_host *host = program->backend->host;
    size_t n = program->pieces.n;
    uint64_t *at = gw_alloc(host, n + 1, sizeof *at);
    if (!at) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: times of launches");
    memset(program->launch_ns, 0, program->plan->launches.n * sizeof *at);
    for (size_t i = 0; i < program->parts.n; i++) {
        const part *p = &program->parts.items[i];
        const size_t first = first_of(program, i);
        uint32_t n_here = (uint32_t)(p->end - first);
        if (gw_commands_timestamps(p->commands, at, n_here + 1) != n_here + 1) continue;
        for (uint32_t k = 0; k < n_here; k++)
            program->launch_ns[program->pieces.items[first + k].launch] += at[k + 1] - at[k];
    }
    gw_free(host, at, (n + 1) * sizeof *at);
    return GODWIT_OK;
}

// --- programs ------------------------------------------------------------------------------------

// Kernels are compiled before the first run, so that it says what is missing and takes no time for it.
static godwit_status prepare(gw_program *program, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = program->backend->host;
    const size_t n = program->plan->launches.n;
    if (n == 0) return GODWIT_OK;
    if (!budget_ns(program)) return add_part(program, err);
    program->expected_ns = gw_alloc(host, n, sizeof *program->expected_ns);
    program->measured_ns = gw_alloc(host, n, sizeof *program->measured_ns);
    GW_CHECK_ALLOC(program->expected_ns && program->measured_ns, err, "program");
    for (size_t i = 0; i < n; i++) {
        const gw_launch *launch = &program->plan->launches.items[i];
        gw_kernel *kernel = NULL;
        status = gw_kernel_get(program->backend->device, launch->shader, launch->spec,
                               launch->n_spec, &kernel, err);
        GW_TRY(gw_note(err, status, "%s: %s", launch->op->name, launch->node));
    }
done:
    return status;
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
    if (backend->device) GW_TRY(prepare(program, err));
    *out_program = program;
    program = NULL;
done:
    gw_program_destroy(&program);
    gw_plan_destroy(plan);
    return status;
}

void gw_program_destroy(gw_program **program) {
    gw_program *p = *program;
    if (!p) return;
    const gw_host *host = p->backend->host;
    const size_t n = p->plan->launches.n;
    clear_parts(p);
    gw_vec_deinit(&p->parts, host);
    gw_vec_deinit(&p->pieces, host);
    gw_free(host, p->launch_ns, n * sizeof *p->launch_ns);
    gw_free(host, p->expected_ns, n * sizeof *p->expected_ns);
    gw_free(host, p->measured_ns, n * sizeof *p->measured_ns);
    gw_plan_destroy(&p->plan);
    gw_free(host, p, sizeof *p);
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

// "matmul blk.3.ffn_up"
static const char *name_of(const gw_program *program, size_t piece, char text[NOTE_BYTES]) {
    const size_t i = program->pieces.items[piece].launch;
    const gw_launch *launch = &program->plan->launches.items[i];
    snprintf(text, NOTE_BYTES, "%.12s %.48s", launch->op->name, launch->node);
    return text;
}

static godwit_status note_part(const gw_program *program, size_t index, godwit_status status,
                               godwit_error *err) {
    char from[NOTE_BYTES], to[NOTE_BYTES];
    const part *p = &program->parts.items[index];
    return gw_note(err, status, "submit %zu of a run of %zu launches (%s to %s), after %.1f ms",
                   index + 1, program->plan->launches.n,
                   name_of(program, first_of(program, index), from),
                   name_of(program, p->end - 1, to), (double)p->ns * 1e-6);
}

static godwit_status submit_part(gw_program *program, size_t index, godwit_error *err) {
    part *p = &program->parts.items[index];
    p->ns = 0;
    p->submitted_ns = gw_now_ns();
    godwit_status status = gw_commands_submit(p->commands, err);
    return status == GODWIT_OK ? status : note_part(program, index, status, err);
}

static godwit_status wait_for_part(gw_program *program, size_t index, godwit_error *err) {
    part *p = &program->parts.items[index];
    godwit_status status = gw_commands_wait(p->commands, err);
    p->ns = gw_now_ns() - p->submitted_ns;
    return status == GODWIT_OK ? status : note_part(program, index, status, err);
}

static godwit_status run_part(gw_program *program, size_t index, godwit_error *err) {
    godwit_status status = submit_part(program, index, err);
    return status == GODWIT_OK ? wait_for_part(program, index, err) : status;
}

// A launch that was stopped between two pieces leaves workgroups counted.
static void clear_counters(gw_program *program) {
    gw_store *arena = program->table.stores[GW_STORE_ARENA];
    godwit_error ignored;
    if (program->plan->counter_bytes)
        (void)gw_store_set(arena, 0, program->plan->counter_bytes, 0, &ignored);
}

// After all parts have run.
static godwit_status look_back(gw_program *program, godwit_error *err) {
    if (program->launch_ns) {
        godwit_status status = read_launch_ns(program, err);
        if (status != GODWIT_OK) return status;
    }
    if (budget_ns(program) == 0) return GODWIT_OK;
    program->device_ns = device_ns(program);
    adapt(program);
    return GODWIT_OK;
}

godwit_status gw_program_run(gw_program *program, const atomic_bool *stop, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (program->n_submitted) return GW_BUG(err, "program: run before the wait for its last run");
    if (!program->backend->device) {
        return gw_host_run(program->backend->cpu, program->plan, &program->table,
                           program->launch_ns, stop, err);
    }
    const bool learns = budget_ns(program) > 0 && !program->settled;
    if (learns) memset(program->measured_ns, 0, program->plan->launches.n * sizeof(double));
    for (size_t i = 0; i < program->parts.n || !is_recorded(program); i++) {
        if (stop && atomic_load(stop)) GW_FAIL(err, GODWIT_CANCELLED, "stopped by the caller");
        if (i == program->parts.n) GW_TRY(add_part(program, err));
        GW_TRY(run_part(program, i, err));
        if (learns) learn(program, i);
    }
    GW_TRY(look_back(program, err));
done:
    if (status != GODWIT_OK) clear_counters(program);
    return status;
}

// --- submit and wait, apart ----------------------------------------------------------------------

bool gw_program_is_ready(const gw_program *program) {
    return program->backend->device && !program->n_submitted && program->parts.n &&
           (program->settled || budget_ns(program) == 0) && is_recorded(program);
}

// What was submitted ends first: its commands may be submitted again. Where nothing was, the counters may
// be another program's, which is under way.
static void withdraw(gw_program *program) {
    if (program->n_submitted == 0) return;
    for (size_t i = 0; i < program->n_submitted; i++)
        (void)gw_commands_wait(program->parts.items[i].commands, NULL);
    program->n_submitted = 0;
    clear_counters(program);
}

godwit_status gw_program_submit(gw_program *program, godwit_error *err) {
    if (!gw_program_is_ready(program)) return GW_BUG(err, "program: submitted, but not ready");
    for (size_t i = 0; i < program->parts.n; i++) {
        godwit_status status = submit_part(program, i, err);
        if (status != GODWIT_OK) {
            withdraw(program);
            return status;
        }
        program->n_submitted++;
    }
    return GODWIT_OK;
}

// A part's time is that on the device where there are timestamps: by the clock it may have stood behind
// others.
static void correct_ns(part *p) {
    uint64_t ns[2] = {0, 0};
    if (gw_commands_timestamps(p->commands, ns, 2) == 2 && ns[1] < p->ns) p->ns = ns[1];
}

godwit_status gw_program_wait(gw_program *program, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size_t n = program->n_submitted;
    if (n == 0) return GW_BUG(err, "program: waited for, but not submitted");
    for (size_t i = 0; i < n; i++) {
        GW_TRY(wait_for_part(program, i, err));
        if (!program->launch_ns) correct_ns(&program->parts.items[i]);
    }
    program->n_submitted = 0;
    GW_TRY(look_back(program, err));
done:
    if (status != GODWIT_OK) withdraw(program);
    return status;
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
