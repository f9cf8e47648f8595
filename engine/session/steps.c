// Steps: the programs of a batch, one for each kind of run and number of tokens, kept.
//
// Numbers of tokens are rounded (schedule.c), so that a prompt of any length is worked on by programs
// that are there; tokens too many are idle: they write nothing that is read.
#include "session/internal.h"

#include "base/status.h"
#include "graph/op.h"

// --- programs ------------------------------------------------------------------------------------

static void clear(gw_step *step) {
    gw_program_destroy(&step->program);
    *step = (gw_step){0};
}

void gw_steps_clear(void *user) {
    gw_batch *batch = user;
    gw_ahead_drop(batch);
    for (size_t i = 0; i < batch->steps.n; i++) clear(&batch->steps.items[i]);
    batch->steps.n = 0;
}

// From which turn's logits a step chooses, and of which it writes them; of one slot.
static void place_states(gw_batch *b, gw_step_kind kind, uint32_t twin, const gw_step_io *io) {
    const uint32_t written =
        kind == GW_STEP_SAMPLED && gw_pool_looks_ahead(&b->pool) ? 1 - twin : twin;
    for (uint32_t i = 0; io->states && i < b->pool.n_kv; i++)
        io->states[i]->slice = b->pool.kv[i].slice;
    if (io->logits_state) io->logits_state->slice = gw_pool_logits(&b->pool, twin);
    if (io->logits && io->logits->kind == GW_VALUE_STATE)
        io->logits->slice = gw_pool_logits(&b->pool, written);
}

static gw_slice slice_of(const gw_value *value) {
    return value ? value->slice : (gw_slice){0};
}

static godwit_status make(gw_batch *b, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                          uint32_t n_adjusts, uint32_t twin, gw_step *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_graph graph;
    gw_step_io io;
    gw_program *program = NULL;
    gw_tune tune = b->model->backend->tune;
    const bool has_hidden = kind == GW_STEP_GIVEN || kind == GW_STEP_VERIFY;
    const uint32_t n_slots = gw_pool_binds_all(&b->pool) ? b->pool.n_turns * b->pool.n_slots : 1;
    const gw_step_shape shape = {.kind = kind,
                                 .n_tok = n_tok,
                                 .n_logits = n_logits,
                                 .n_adjusts = n_adjusts,
                                 .n_rows = b->pool.n_rows,
                                 .n_pages = b->n_pages,
                                 .n_slots = n_slots,
                                 .n_blocks = b->pool.n_blocks,
                                 .kv_dtypes = {b->kv_dtypes[0], b->kv_dtypes[1]},
                                 .lora = b->model->lora,
                                 .next = has_hidden && b->next ? b->next->model->def : NULL};
    const gw_executable_stores stores = {.workspace = &b->workspace,
                                         .states = b->pool.states,
                                         .n_states = b->pool.n_stores,
                                         .weights = &b->model->weights,
                                         .twin = twin == 1};
    tune.fast = b->fast;
    tune.keep_values = b->guard > 0;
    tune.time_launches = b->time_launches;
    gw_graph_init(&graph, b->host);
    gw_graph_place(&graph, &b->model->weights.placement);
    GW_TRY(gw_step_graph(b->model->def, &graph, &shape, &io, err));
    GW_TRY(gw_graph_optimize(&graph, NULL, NULL, err));
    place_states(b, kind, twin, &io);
    GW_TRY(gw_executable_create(b->model->backend, &graph, &tune, &stores, &program, err));
    *out = (gw_step){.kind = kind,
                     .n_tok = n_tok,
                     .n_logits = n_logits,
                     .n_adjusts = n_adjusts,
                     .twin = twin,
                     .program = program,
                     .upload = gw_program_table(program)->stores[GW_STORE_UPLOAD],
                     .readback = gw_program_table(program)->stores[GW_STORE_READBACK],
                     .tokens = slice_of(io.tokens),
                     .given = slice_of(io.given),
                     .chosen = slice_of(io.chosen),
                     .positions = slice_of(io.positions),
                     .kv_rows = slice_of(io.kv_rows),
                     .pages = slice_of(io.pages),
                     .slots = slice_of(io.slots),
                     .segments = slice_of(io.segments),
                     .q_scales = slice_of(io.q_scales),
                     .control = slice_of(io.control),
                     .heads = slice_of(io.heads),
                     .adjusts = slice_of(io.adjusts),
                     .logits = slice_of(io.logits),
                     .types = slice_of(io.types),
                     .seen = {slice_of(io.seen[0]), slice_of(io.seen[1])},
                     .pooled = slice_of(io.pooled),
                     .hidden = slice_of(io.hidden),
                     .hidden_in = slice_of(io.hidden_in)};
    for (uint32_t i = 0; i < GW_MAX_ROPES; i++) out->rope_tables[i] = slice_of(io.rope_tables[i]);
done:
    gw_graph_deinit(&graph);
    return status;
}

gw_step *gw_step_known(gw_batch *b, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                       uint32_t n_adjusts, uint32_t twin) {
    for (size_t i = 0; i < b->steps.n; i++) {
        gw_step *step = &b->steps.items[i];
        if (step->kind == kind && step->n_tok == n_tok && step->n_logits == n_logits &&
            step->n_adjusts == n_adjusts && step->twin == twin)
            return step;
    }
    return NULL;
}

godwit_status gw_step_find_twin(gw_batch *b, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                                uint32_t n_adjusts, uint32_t twin, gw_step **out_step,
                                godwit_error *err) {
    gw_step made;
    *out_step = gw_step_known(b, kind, n_tok, n_logits, n_adjusts, twin);
    if (*out_step) return GODWIT_OK;
    godwit_status status = make(b, kind, n_tok, n_logits, n_adjusts, twin, &made, err);
    if (status != GODWIT_OK) return status;
    *out_step = gw_vec_push(&b->steps, b->host);
    if (!*out_step) {
        clear(&made);
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: programs");
    }
    **out_step = made;
    return GODWIT_OK;
}

godwit_status gw_step_find(gw_batch *b, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                           gw_step **out_step, godwit_error *err) {
    gw_ahead_drop(b);
    return gw_step_find_twin(b, kind, n_tok, n_logits, 0, 0, out_step, err);
}
