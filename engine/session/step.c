// Step graph: a family's graph with the values around it: ids, positions, rope table, KV caches,
// sampling.
#include "session/session.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/sample.h"

#include <stdio.h>

static godwit_status make_caches(const gw_model_def *def, gw_graph *graph, uint32_t n_ctx,
                                 const uint32_t kv_dtypes[2], gw_step_io *io, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &def->h;
    uint64_t dims[3] = {n_ctx, h->n_head_kv, gw_head_row(h)};
    io->k_cache = gw_arena_alloc(&graph->arena, h->n_layer, sizeof *io->k_cache);
    io->v_cache = gw_arena_alloc(&graph->arena, h->n_layer, sizeof *io->v_cache);
    GW_CHECK_ALLOC(io->k_cache && io->v_cache, err, "step graph");
    for (uint32_t i = 0; i < h->n_layer; i++) {
        char name[32];
        snprintf(name, sizeof name, "k_cache.%u", i);
        GW_TRY(gw_graph_value(graph, GW_VALUE_STATE, name, kv_dtypes[0], 3, dims, &io->k_cache[i],
                              err));
        name[0] = 'v';
        GW_TRY(gw_graph_value(graph, GW_VALUE_STATE, name, kv_dtypes[1], 3, dims, &io->v_cache[i],
                              err));
    }
done:
    return status;
}

godwit_status gw_step_graph(const gw_model_def *def, gw_graph *graph, uint32_t n_tok,
                            uint32_t n_ctx, const uint32_t kv_dtypes[2], gw_step_kind kind,
                            gw_step_io *io, gw_value **out_control, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n[2] = {n_tok, def->h.n_rot}, control[1] = {8}, vocab[2] = {1, def->h.n_vocab};
    bool all = kind == GW_STEP_GIVEN_ALL;
    *io = (gw_step_io){.n_tok = n_tok, .n_logits = all ? n_tok : 1};
    *out_control = NULL;
    if (kind == GW_STEP_SAMPLED) {
        gw_value *inputs[3];
        // A short row is no work for more than one workgroup.
        const uint32_t n_inputs = def->h.n_vocab > GW_SAMPLE_PART ? 3 : 2;
        GW_TRY(
            gw_graph_value(graph, GW_VALUE_STATE, "logits", GODWIT_F32, 2, vocab, &inputs[0], err));
        GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "control", GODWIT_I32, 1, control, &inputs[1],
                              err));
        *out_control = inputs[1];
        io->logits = inputs[0];
        if (n_inputs > 2)
            GW_TRY(gw_graph_node(graph, &gw_op_sample_parts, "sample_parts", inputs, 2, NULL, 0,
                                 &inputs[2], err));
        GW_TRY(gw_graph_node(graph, &gw_op_sample, "sample", inputs, n_inputs, NULL, 0, &io->tokens,
                             err));
        if (n_tok == 0) goto done; // sampling alone
    } else {
        GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "tokens", GODWIT_I32, 1, n, &io->tokens, err));
    }
    GW_TRY(
        gw_graph_value(graph, GW_VALUE_INPUT, "positions", GODWIT_I32, 1, n, &io->positions, err));
    GW_TRY(gw_graph_value(graph, GW_VALUE_INPUT, "rope_table", GODWIT_F32, 2, n, &io->rope_table,
                          err));
    GW_TRY(make_caches(def, graph, n_ctx, kv_dtypes, io, err));
    GW_TRY(def->arch->build(def, graph, io, err));
    io->logits->keep = all;
    if (!all) io->logits->kind = GW_VALUE_STATE;
done:
    return status;
}
