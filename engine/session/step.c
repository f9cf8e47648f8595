// Step graph: a family's graph with the values around it: ids, positions, rope table, KV caches,
// sampling.
#include "session/internal.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/sample.h"

#include <stdio.h>

static godwit_status build(const gw_model_def *def, gw_graph *graph, const gw_lora *lora,
                           gw_step_io *io, godwit_error *err) {
    godwit_status status = def->arch->build(def, graph, io, err);
    if (status != GODWIT_OK || !lora) return status;
    return gw_lora_apply(lora, graph, NULL, err);
}

static godwit_status input(gw_graph *graph, const char *name, uint64_t n, gw_value **out,
                           godwit_error *err) {
    return gw_graph_value(graph, GW_VALUE_INPUT, name, GODWIT_I32, 1, &n, out, err);
}

static godwit_status make_states(const gw_model_def *def, gw_graph *graph,
                                 const gw_step_shape *shape, gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    io->states = gw_arena_alloc(&graph->arena, def->states.n, sizeof *io->states);
    GW_CHECK_ALLOC(io->states, err, "step graph");
    for (uint32_t i = 0; i < def->states.n; i++) {
        const gw_state_def *state = &def->states.items[i];
        const bool block = state->kind == GW_STATE_BLOCK;
        uint64_t dims[3] = {block ? shape->n_blocks : shape->n_rows, state->n_heads,
                            block ? state->head : gw_head_row(state->head)};
        char name[32];
        snprintf(name, sizeof name, "%s_cache.%u", state->name, state->layer);
        GW_TRY(gw_graph_value(graph, GW_VALUE_STATE, name, gw_state_dtype(state, shape->kv_dtypes),
                              3, dims, &io->states[i], err));
    }
done:
    return status;
}

static godwit_status make_rope_tables(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                                      godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < def->h.n_ropes; i++) {
        uint64_t dims[2] = {io->n_tok, def->h.ropes[i].n_rot};
        GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "rope_table", GODWIT_F32, 2, dims,
                              &io->rope_tables[i], err));
    }
done:
    return status;
}

// What tokens see whose windows do not go along with them, or that see both ways; layers with a window and without
// read it apart. Of a decoder behind an encoder that one's text and its own.
static godwit_status make_seen(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool decodes = def->h.encodes && !io->encodes;
    bool some[2] = {decodes, decodes};
    for (uint32_t i = 0; i < def->h.n_layer; i++) some[def->h.layers[i].window != 0] = true;
    if (some[0] && !def->h.chunked) GW_TRY(input(graph, "seen", io->n_tok, &io->seen[0], err));
    if (some[1]) GW_TRY(input(graph, "seen_near", 2ull * io->n_tok, &io->seen[1], err));
done:
    return status;
}

// Where tokens stand: in their texts, in the caches, in ropes. many: of several sequences, each token with
// a table of pages of its own.
static godwit_status make_places(const gw_model_def *def, gw_graph *graph,
                                 const gw_step_shape *shape, bool many, gw_step_io *io,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n = shape->n_tok, n_tables = many ? n : 1;
    GW_TRY(input(graph, "positions", n, &io->positions, err));
    GW_TRY(input(graph, "kv_rows", n, &io->kv_rows, err));
    GW_TRY(input(graph, "pages", (uint64_t)n_tables * shape->n_pages, &io->pages, err));
    if (gw_def_has_blocks(def))
        GW_TRY(input(graph, "segments", 4 * (uint64_t)n_tables, &io->segments, err));
    if (def->h.both_ways || def->h.chunked || def->h.encodes)
        GW_TRY(make_seen(def, graph, io, err));
    GW_TRY(make_rope_tables(def, graph, io, err));
    if (def->h.q_scale != 0.0f)
        GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "q_scales", GODWIT_F32, 2, (uint64_t[]){n, 1},
                              &io->q_scales, err));
    GW_TRY(make_states(def, graph, shape, io, err));
done:
    return status;
}

// Tokens out of rows of logits; n_given: that stand in front of them.
static godwit_status sample(const gw_model_def *def, gw_graph *graph, const gw_step_shape *shape,
                            gw_value *logits, uint32_t n_given, gw_step_io *io, gw_value **out,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_value *inputs[4] = {logits};
    GW_TRY(input(graph, "control", GW_SAMPLE_CONTROL_WORDS * (uint64_t)shape->n_logits,
                 &io->control, err));
    inputs[1] = io->control;
    if (shape->n_adjusts) {
        gw_value *changed[3] = {logits};
        GW_TRY(input(graph, "heads", GW_SAMPLE_HEAD_WORDS * (uint64_t)shape->n_logits, &io->heads,
                     err));
        GW_TRY(input(graph, "adjusts", GW_SAMPLE_ADJUST_WORDS * (uint64_t)shape->n_adjusts,
                     &io->adjusts, err));
        changed[1] = io->heads;
        changed[2] = io->adjusts;
        GW_TRY(gw_graph_node(graph, &gw_op_adjust, "adjust", changed, 3, NULL, 0, &inputs[0], err));
    }
    // A short row is no work for more than one workgroup.
    uint32_t n_inputs = def->h.n_vocab > GW_SAMPLE_PART ? 3 : 2;
    if (n_inputs > 2)
        GW_TRY(gw_graph_node(graph, &gw_op_sample_parts, "sample_parts", inputs, 2, NULL, 0,
                             &inputs[2], err));
    if (n_given) {
        GW_TRY(input(graph, "given", n_given, &io->given, err));
        inputs[n_inputs++] = io->given;
    }
    GW_TRY(gw_graph_node(graph, &gw_op_sample, "sample", inputs, n_inputs, NULL, 0, out, err));
done:
    return status;
}

// Where there is one row of logits that are kept, the step makes it; else it is copied there.
static godwit_status keep_logits(gw_graph *graph, const gw_step_shape *shape, gw_step_io *io,
                                 godwit_error *err) {
    if (shape->n_slots == 1) {
        io->logits->kind = GW_VALUE_STATE;
        return GODWIT_OK;
    }
    godwit_status status = input(graph, "slots", io->n_logits, &io->slots, err);
    gw_value *inputs[3] = {io->logits, io->slots, io->logits_state};
    if (status != GODWIT_OK) return status;
    return gw_graph_node(graph, &gw_op_set_rows, "logits", inputs, 3, NULL, 0, NULL, err);
}

// --- embeddings and encoders ---------------------------------------------------------------------

static godwit_status embed_graph(const gw_model_def *def, gw_graph *graph,
                                 const gw_step_shape *shape, gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n = shape->n_tok;
    const bool many = shape->kind == GW_STEP_EMBED_MANY;
    io->embeds = true;
    GW_TRY(input(graph, "tokens", n, &io->tokens, err));
    if (def->h.n_types) GW_TRY(input(graph, "types", n, &io->types, err));
    GW_TRY(make_places(def, graph, shape, many, io, err));
    GW_TRY(build(def, graph, shape->lora, io, err));
    io->hidden->keep = true;
done:
    return status;
}

static godwit_status encode_graph(const gw_model_def *def, gw_graph *graph,
                                  const gw_step_shape *shape, gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    io->encodes = true;
    GW_TRY(input(graph, "tokens", shape->n_tok, &io->tokens, err));
    GW_TRY(make_places(def, graph, shape, false, io, err));
    GW_TRY(build(def, graph, shape->lora, io, err));
done:
    return status;
}

static godwit_status head_graph(const gw_model_def *def, gw_graph *graph,
                                const gw_step_shape *shape, gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t dims[2] = {io->n_tok, def->h.n_embd};
    io->scores = shape->kind == GW_STEP_SCORE;
    GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "pooled", GODWIT_F32, 2, dims, &io->pooled, err));
    GW_TRY(build(def, graph, shape->lora, io, err));
    io->hidden->keep = true;
done:
    return status;
}

godwit_status gw_step_graph(const gw_model_def *def, gw_graph *graph, const gw_step_shape *shape,
                            gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool sampled = shape->kind == GW_STEP_SAMPLED || shape->kind == GW_STEP_SAMPLE;
    const bool all = shape->kind == GW_STEP_GIVEN_ALL;
    const uint32_t n = shape->n_tok;
    uint64_t logits[2] = {shape->n_slots, def->h.n_vocab};
    *io = (gw_step_io){.n_tok = n, .n_pages = shape->n_pages};
    if (shape->kind == GW_STEP_EMBED || shape->kind == GW_STEP_EMBED_MANY)
        return embed_graph(def, graph, shape, io, err);
    if (shape->kind == GW_STEP_HEAD || shape->kind == GW_STEP_SCORE)
        return head_graph(def, graph, shape, io, err);
    if (shape->kind == GW_STEP_ENCODE) return encode_graph(def, graph, shape, io, err);
    if (def->h.both_ways) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "%s sees its text both ways: it gives embeddings (godwit embed), no text",
                def->arch->name);
    }
    io->n_logits = shape->n_logits;
    if (sampled || (!all && shape->n_slots > 1)) {
        GW_TRY(gw_graph_value(graph, GW_VALUE_STATE, "logits", GODWIT_F32, 2, logits,
                              &io->logits_state, err));
    }
    if (sampled)
        GW_TRY(
            sample(def, graph, shape, io->logits_state, n - shape->n_logits, io, &io->tokens, err));
    else
        GW_TRY(input(graph, "tokens", n, &io->tokens, err));
    if (shape->kind == GW_STEP_SAMPLE) goto done;
    if (shape->next) io->next = shape->next->family;
    GW_TRY(make_places(def, graph, shape, sampled, io, err));
    GW_TRY(build(def, graph, shape->lora, io, err));
    io->logits->keep = all;
    if (!all) GW_TRY(keep_logits(graph, shape, io, err));
    if (shape->kind == GW_STEP_VERIFY)
        GW_TRY(sample(def, graph, shape, io->logits, 0, io, &io->chosen, err));
done:
    return status;
}
