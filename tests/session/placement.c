// Placement: one definition lies on several devices at once, or a part of it on one; what a device
// does not have is named, and matrices of experts are cut between experts.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <string.h>

enum { VOCAB = 512, PROMPT = 5 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77, 300};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void logits_of(godwit_device *device, const godwit_file *file, godwit_model **model,
                      float *out) {
    godwit_session *session;
    MUST(godwit_model_open(device, file, NULL, model, &err));
    MUST(godwit_session_create(*model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_logits(session, out, VOCAB, &err));
    godwit_session_destroy(&session);
}

Test(placement, one_definition_lies_on_two_devices) {
    stories_pair pair;
    char path[512];
    godwit_file *file;
    godwit_model *a, *b;
    static float on_a[VOCAB], on_b[VOCAB];
    stories_open_pair(&pair);
    MUST(godwit_file_open(pair.context, stories_small(path, sizeof path), &file, &err));
    logits_of(pair.gpu, file, &a, on_a);
    logits_of(pair.cpu, file, &b, on_b); // while the first one is there
    cr_assert(a->model->def == b->model->def);
    cr_assert(!memcmp(on_a, on_b, sizeof on_a));
    godwit_model_close(&a); // what is left goes on
    godwit_file_close(&file);
    godwit_session *session;
    MUST(godwit_session_create(b, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_logits(session, on_a, VOCAB, &err));
    cr_assert(!memcmp(on_a, on_b, sizeof on_a));
    godwit_session_destroy(&session);
    godwit_model_close(&b);
    stories_close_pair(&pair);
}

// Layer 0 and what stands around the layers; a step that needs layer 1 is told what is missing.
Test(placement, a_part_of_a_definition) {
    stories_pair pair;
    char path[512];
    godwit_file *file;
    const gw_model_def *def;
    gw_weight *some[64];
    uint64_t n = 0;
    gw_weight_stores stores;
    gw_graph graph;
    gw_step_io io;
    gw_plan *plan = NULL;
    stories_open_pair(&pair);
    MUST(godwit_file_open(pair.context, stories_small(path, sizeof path), &file, &err));
    MUST(gw_api_file_def(file, &def, &err));
    for (size_t i = 0; i < def->weights.n; i++) {
        if (!strstr(def->weights.items[i]->name, "blk.1.")) some[n++] = def->weights.items[i];
    }
    cr_assert(n < def->weights.n);
    const gw_backend *backend = &pair.cpu->backend;
    MUST(gw_weights_upload(backend, some, n, 0, NULL, NULL, &stores, &err));
    for (size_t i = 0; i < def->weights.n; i++) {
        const gw_weight *w = def->weights.items[i];
        const bool there = gw_placement_find(&stores.placement, w) != NULL;
        cr_assert_eq(there, !strstr(w->name, "blk.1."), "%s", w->name);
    }
    const gw_step_shape shape = gw_api_step_of(def, GW_STEP_GIVEN, 1, 128);
    gw_graph_init(&graph, backend->host);
    gw_graph_place(&graph, &stores.placement);
    MUST(gw_step_graph(def, &graph, &shape, &io, &err));
    MUST(gw_graph_optimize(&graph, NULL, NULL, &err));
    for (size_t i = 0; i < graph.values.n; i++) {
        gw_value *v = graph.values.items[i];
        if (v->kind == GW_VALUE_STATE)
            v->slice = (gw_slice){.buffer = GW_STORE_STATE, .bytes = gw_value_bytes(v)};
    }
    cr_assert_eq(gw_plan_create(&graph, &backend->tune, &plan, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "blk.1.") && strstr(err.message, "not placed"), "%s",
              err.message);
    gw_graph_deinit(&graph);
    gw_weight_stores_destroy(&stores);
    godwit_file_close(&file);
    stories_close_pair(&pair);
}

// 5 experts of 64 rows of 32 numbers, where a binding holds two and a half of them.
Test(placement, experts_stay_whole) {
    enum { EXPERTS = 5, ROWS = 64, COLS = 32 };
    static float data[EXPERTS * ROWS * COLS];
    const uint64_t dims[3] = {EXPERTS, ROWS, COLS};
    uint64_t row = 0;
    gw_store_sizes sizes;
    gw_host host;
    gw_placement placement;
    gw_weight w, *list[1] = {&w};
    gw_host_init(&host, NULL, NULL, NULL);
    gw_backend backend = {.host = &host};
    gw_tune_for(NULL, &backend.tune);
    gw_weight_init(&w, "w", gw_format_find(GODWIT_F32), 3, dims,
                   (gw_source){.bytes = (const uint8_t *)data});
    backend.tune.max_weight_range = ROWS * COLS * 4 * 5 / 2 + GW_SLICE_ALIGN;
    gw_placement_init(&placement, &host);
    MUST(gw_weights_place(&backend, list, 1, 0, false, &placement, &sizes, &err));
    const gw_placed *placed = gw_placement_find(&placement, &w);
    cr_assert_eq(placed->n_chunks, 3);
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        cr_assert_eq(placed->chunks[i].row0, row);
        cr_assert_eq(placed->chunks[i].row0 % ROWS, 0);
        row += placed->chunks[i].n_rows;
    }
    cr_assert_eq(row, EXPERTS * ROWS);
    gw_placement_deinit(&placement);
}
