// Runs: a program is run, what it was is written down, and the guard looks at it.
#include "session/internal.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/status.h"
#include "run/run.h"

// Checks a product of every guard-th run that has one; sampling alone reads no weights.
static godwit_status guard(gw_batch *b, const gw_program *program, uint64_t *n_guarded,
                           godwit_error *err) {
    if (!b->guard || !gw_program_plan(program)->weight_bytes) return GODWIT_OK;
    if (++b->n_guardable % b->guard) return GODWIT_OK;
    uint32_t choice = gw_philox(b->guard, 0, (uint32_t)b->n_guardable);
    godwit_status status = gw_guard_check(program, choice, err);
    if (status == GODWIT_OK || status == GODWIT_CORRUPT) ++*n_guarded;
    return status;
}

godwit_status gw_batch_run(gw_batch *b, const gw_step *step, const atomic_bool *stop,
                           gw_run_figures *out, godwit_error *err) {
    *out = (gw_run_figures){.fast = gw_program_plan(step->program)->fast};
    uint64_t start = gw_now_ns();
    godwit_status status = gw_program_run(step->program, stop, err);
    out->ns = gw_now_ns() - start;
    out->device_ns = gw_program_device_ns(step->program);
    if (status == GODWIT_OK) status = gw_batch_add_launch_times(b, step->program, err);
    return status == GODWIT_OK ? guard(b, step->program, &out->n_guarded, err) : status;
}

void gw_session_add_figures(gw_session *s, const gw_run_figures *f, uint64_t *ns) {
    *ns += f->ns;
    s->stats.n_submits++;
    s->stats.device_ns += f->device_ns;
    s->stats.n_guarded += f->n_guarded;
    s->stats.fast |= f->fast;
}

godwit_status gw_session_check_cancelled(gw_session *s, godwit_error *err) {
    if (!atomic_exchange(&s->cancelled, false)) return GODWIT_OK;
    gw_session_drop_queue(s);
    return gw_fail(err, GODWIT_CANCELLED, "session: cancelled after %u tokens", s->n_past);
}

godwit_status gw_session_check_room(const gw_session *s, size_t n, godwit_error *err) {
    const uint32_t n_there = s->n_past + gw_session_n_queued(s);
    if (n <= s->batch->n_ctx - n_there) return GODWIT_OK;
    return gw_fail(err, GODWIT_CONTEXT_FULL,
                   "session: %zu more tokens after %u pass the context of %u; make it with a "
                   "larger n_ctx (--ctx)",
                   n, n_there, s->batch->n_ctx);
}
