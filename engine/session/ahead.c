// Ahead: a decode step that is submitted before the one before it has ended, so that the device goes on while
// the host takes that one's token, works with it and asks for the next.
//
// A step chooses its tokens on the device, from the logits of the step before, so that all that the host
// writes for it is known earlier: positions, pages, what sampling is asked for. It writes keys and values
// behind those that there are, and logits of the other turn: until it is asked for, nobody sees of it, and where
// something else is asked for, it is dropped. Blocks of recurrent states do not stay, so models that have them
// go without. That costs a step of the device's time, so one is submitted where steps have been coming one
// after the other, and each that is dropped early makes that twice as many steps.
#include "session/internal.h"

#include "base/clock.h"

enum { LONG_MET = 32, PATIENCE_MAX = 64 };

// Where a session stands in what is expected; n: it does not.
static uint32_t find(const gw_ahead *a, const gw_session *session) {
    uint32_t k = 0;
    while (k < a->n && a->sessions[k] != session) k++;
    return k;
}

bool gw_ahead_meets(gw_batch *b, gw_session *const *sessions, const gw_sample_control *controls,
                    uint32_t n) {
    gw_ahead *a = &b->ahead;
    bool met = n > 0 && a->n > 0;
    for (uint32_t i = 0; i < n && met; i++) {
        const uint32_t k = find(a, sessions[i]);
        met = k < a->n && memcmp(&a->controls[k], &controls[i], sizeof *controls) == 0;
    }
    if (met)
        a->n_met++;
    else
        gw_ahead_drop(b);
    return met;
}

bool gw_ahead_wants(const gw_batch *b, gw_session *const *sessions, uint32_t n) {
    const gw_ahead *a = &b->ahead;
    if (!gw_pool_looks_ahead(&b->pool) || a->n_met == 0 || a->n_met < a->patience) return false;
    for (uint32_t i = 0; i < n; i++) {
        const gw_session *s = sessions[i];
        const uint32_t at = (s->n_past + 1) / GW_PAGE_ROWS; // of the token after the next
        // Pages are taken and copied for steps that are asked for.
        if (s->n_past + 2 > b->n_ctx || at >= s->n_pages) return false;
        if (b->pool.references[s->pages[at]] != 1) return false;
    }
    return true;
}

void gw_ahead_expect(gw_batch *b, const gw_step *step, gw_session *const *sessions,
                     const gw_sample_control *controls, uint32_t n) {
    gw_ahead *a = &b->ahead;
    a->step = step ? *step : (gw_step){0};
    a->n = n;
    memcpy(a->sessions, sessions, n * sizeof(gw_session *));
    memcpy(a->controls, controls, n * sizeof *controls);
}

void gw_ahead_drop(gw_batch *b) {
    gw_ahead *a = &b->ahead;
    if (a->step.program) {
        (void)gw_program_wait(a->step.program, NULL);
        const uint32_t twice = 2 * (a->patience ? a->patience : 1);
        a->patience = a->n_met >= LONG_MET ? 1 : twice < PATIENCE_MAX ? twice : PATIENCE_MAX;
    }
    a->step = (gw_step){0};
    a->n = a->n_met = 0;
}

// --- flights -------------------------------------------------------------------------------------

bool gw_flight_is_decode(gw_session *const *sessions, const gw_schedule *plan, uint32_t n) {
    bool all =
        gw_pool_looks_ahead(&sessions[0]->batch->pool) && plan->n_rows == n && !plan->n_alone;
    for (uint32_t i = 0; i < n; i++)
        all &= plan->takes[i] == 1 && !gw_session_n_queued(sessions[i]);
    return all;
}

godwit_status gw_flight_submit(gw_flight *f, godwit_error *err) {
    godwit_status status = gw_program_submit(f->step.program, err);
    f->submitted = status == GODWIT_OK;
    f->submitted_ns = gw_now_ns();
    return status;
}

// Which twin a step is that none is on its way before: of one slot, that of its turn; else, where both are
// wanted, one that is not ready yet, which a run makes it.
static uint32_t first_twin(gw_batch *b, const gw_session *s, const gw_schedule *plan, bool wants) {
    const bool one = !gw_pool_binds_all(&b->pool);
    if (one || !wants) return one ? s->turn : 0;
    for (uint32_t twin = 0; twin < 2; twin++) {
        const gw_step *step =
            gw_step_known(b, GW_STEP_SAMPLED, plan->n_run, plan->n_logits, 0, twin);
        if (step && !gw_program_is_ready(step->program)) return twin;
    }
    return 0;
}

godwit_status gw_flight_board(gw_batch *b, gw_session *const *sessions, const gw_schedule *plan,
                              uint32_t n, bool met, bool wants, gw_flight *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_ahead *a = &b->ahead;
    gw_step *step = NULL;
    *out = (gw_flight){.step = a->step, .submitted = met && a->step.program};
    if (out->submitted) {
        out->submitted_ns = a->submitted_ns;
        out->n = a->n;
        for (uint32_t k = 0; k < a->n; k++)
            for (uint32_t i = 0; i < n; i++)
                if (a->sessions[k] == sessions[i]) out->at[i] = k;
        a->step = (gw_step){0};
        return GODWIT_OK;
    }
    const uint32_t twin = first_twin(b, sessions[0], plan, wants);
    // Both, so that neither moves the other's memory later.
    if (wants)
        GW_TRY(gw_step_find_twin(b, GW_STEP_SAMPLED, plan->n_run, plan->n_logits, 0, 1 - twin,
                                 &step, err));
    GW_TRY(gw_step_find_twin(b, GW_STEP_SAMPLED, plan->n_run, plan->n_logits, b->asked.n_adjusts,
                             twin, &step, err));
    out->step = *step;
    out->n = n;
    for (uint32_t i = 0; i < n; i++) out->at[i] = i;
done:
    return status;
}

godwit_status gw_flight_wait(gw_batch *b, const gw_flight *f, uint64_t *out_ns, godwit_error *err) {
    gw_ahead *a = &b->ahead;
    godwit_status status = gw_program_wait(f->step.program, err);
    const uint64_t began = a->ended_ns > f->submitted_ns ? a->ended_ns : f->submitted_ns;
    a->ended_ns = gw_now_ns();
    *out_ns = a->ended_ns - began;
    return status;
}
