// Experts in host memory: how many layers' go there, asked for or as many as do not fit; the bits are
// the same; and what is said where even that is too much.
#include "api/handles.h"
#include "families/golden.h"
#include "session/internal.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <unistd.h>

enum { N_PROMPT = 40, N_DECODED = 8, N_VOCAB = 131, ALL = 1000, NONE = -1 };
typedef float rows[N_DECODED + 1][N_VOCAB];

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

// Of 64 x 32 in F32, 8 KiB: two matrices around the layers, one in each of three layers, and experts in
// the layers 1 and 2 (2 and 1 from the last one on).
enum { KIB = 1024, MATRIX = 8 * KIB, N_WEIGHTS = 9 };
static const uint32_t of_layers[N_WEIGHTS] = {0, 0, 0, 0, 0, 2, 2, 1, 1};
static const struct {
    uint64_t room;
    uint32_t n;
} decisions[] = {
    {UINT64_MAX, 0},     {9 * MATRIX, 0}, {9 * MATRIX - 1, 1}, {7 * MATRIX, 1},
    {7 * MATRIX - 1, 2}, {5 * MATRIX, 2}, // all that can go, is gone
    {5 * MATRIX - 1, 2}, {0, 2},
};

Test(host_experts, as_many_as_do_not_fit) {
    const uint64_t dims[3] = {2, 32, 32};
    gw_weight weights[N_WEIGHTS], *list[N_WEIGHTS];
    for (int i = 0; i < N_WEIGHTS; i++) {
        gw_weight_init(&weights[i], "w", gw_format_find(GODWIT_F32), 3, dims, (gw_source){0});
        weights[i].experts_layer = of_layers[i];
        list[i] = &weights[i];
    }
    const gw_row_layout layout = gw_weight_layout(&weights[0]);
    cr_assert_eq(gw_layout_bytes(&layout, 64), MATRIX);
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++) {
        const uint32_t n = gw_weights_host_layers(list, N_WEIGHTS, decisions[i].room);
        cr_expect_eq(n, decisions[i].n, "row %zu: %u", i, n);
    }
    cr_expect_eq(gw_weights_host_layers(list, 5, 0), 0, "there are no experts");
}

typedef struct opened {
    stories_pair pair;
    godwit_device *cpu;
    godwit_file *file;
    int32_t ids[N_PROMPT + N_DECODED];
} opened;

// type: 0, or what matrices become.
static void open_it(opened *o, const char *name, uint32_t type) {
    char path[] = "/tmp/godwit-host-experts-XXXXXX", packed[64], ids[512];
    *o = (opened){0};
    golden_write(name, path);
    snprintf(packed, sizeof packed, "%s.packed", path);
    if (type) stories_requantize(path, packed, type);
    golden_path(name, ".ids.txt", ids, sizeof ids);
    FILE *text = fopen(ids, "rb");
    cr_assert_not_null(text, "%s is missing", ids);
    for (int i = 0; i < N_PROMPT + N_DECODED; i++) cr_assert_eq(fscanf(text, "%d", &o->ids[i]), 1);
    fclose(text);
    stories_open_pair(&o->pair);
    OK(godwit_device_open(o->pair.context, "cpu", NULL, &o->cpu, &err));
    OK(godwit_file_open(o->pair.context, type ? packed : path, &o->file, &err));
    unlink(path);
    unlink(packed);
}

static void close_it(opened *o) {
    godwit_file_close(&o->file);
    godwit_device_close(&o->cpu);
    stories_close_pair(&o->pair);
}

static godwit_status try_open(const opened *o, godwit_device *device, int32_t host_experts,
                              godwit_model **out) {
    godwit_model_params params = GODWIT_INIT(godwit_model_params);
    params.host_experts = host_experts;
    return godwit_model_open(device, o->file, &params, out, &err);
}

static godwit_model_info info_of(const godwit_model *model) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    OK(godwit_model_get_info(model, &info, &err));
    return info;
}

// Opens it once more; bytes in host memory.
static uint64_t host_bytes(const opened *o, godwit_device *device, int32_t host_experts) {
    godwit_model *model;
    OK(try_open(o, device, host_experts, &model));
    const uint64_t bytes = info_of(model).host_weights_bytes;
    godwit_model_close(&model);
    return bytes;
}

// Nothing but experts' matrices is in stores of the kind, and of the last layers all of them are.
static void check_stores(const godwit_model *model, uint32_t n_host) {
    const gw_weight_stores *stores = &model->model->weights;
    const gw_model_def *def = model->model->def;
    uint64_t bytes = 0;
    for (size_t i = 0; i < def->weights.n; i++) {
        const gw_weight *w = def->weights.items[i];
        const gw_placed *placed = gw_placement_find(&stores->placement, w);
        const bool experts = w->n_dims == 3 && strstr(w->name, "_exps."),
                   in_host = w->experts_layer && w->experts_layer <= n_host;
        cr_assert_eq(experts, w->experts_layer != 0, "%s", w->name);
        for (uint32_t k = 0; in_host && k < placed->n_chunks; k++)
            bytes += GW_ALIGN_UP(placed->chunks[k].bytes, GW_SLICE_ALIGN);
        // They are in the stores behind the others', or those before them.
        const gw_store *store = &stores->stores[placed->chunks[0].store];
        cr_assert(!in_host || store->n_bytes == stores->n_host_bytes, "%s", w->name);
    }
    cr_assert_eq(bytes, stores->n_host_bytes);
}

static uint64_t reported(const godwit_device *device, const char *owner) {
    godwit_memory_row list[32];
    const uint32_t n = godwit_device_memory(device, list, 32);
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(list[i].owner, owner)) return list[i].bytes;
    return 0;
}

static void tell(const opened *o, godwit_device *device, int32_t host_experts, rows out) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    godwit_session *session;
    godwit_model *model;
    OK(try_open(o, device, host_experts, &model));
    const godwit_model_info info = info_of(model);
    const uint32_t n_host = host_experts < 0 ? 0 : (uint32_t)host_experts;
    check_stores(model, n_host);
    if (device->backend.device) {
        const uint64_t there = reported(device, "host weights");
        cr_assert(there >= info.host_weights_bytes && (there != 0) == (n_host != 0));
    }
    cr_assert((info.host_weights_bytes != 0) == (n_host != 0));
    cr_assert_lt(info.host_weights_bytes, info.weights_bytes);
    params.n_ctx = N_PROMPT + N_DECODED;
    OK(godwit_session_create(model, &params, &session, &err));
    OK(godwit_session_feed(session, o->ids, N_PROMPT, &err));
    for (int i = 0; i <= N_DECODED; i++) {
        OK(godwit_session_logits(session, out[i], N_VOCAB, &err));
        if (i < N_DECODED) OK(godwit_session_feed(session, &o->ids[N_PROMPT + i], 1, &err));
    }
    OK(godwit_model_scrub(model, 0, &report, &err));
    cr_assert_eq(report.n_passes, 1);
    godwit_session_destroy(&session);
    godwit_model_close(&model);
}

static void check_bits(const char *name, uint32_t type) {
    static const int32_t asked[] = {1, ALL};
    static rows want, got;
    opened o;
    open_it(&o, name, type);
    tell(&o, o.cpu, NONE, want);
    godwit_device *const devices[] = {o.cpu, o.pair.cpu, o.pair.gpu};
    for (int d = 0; d < 3; d++) {
        tell(&o, devices[d], NONE, got);
        cr_expect(!memcmp(got, want, sizeof want), "%s in type %u, device %d", name, type, d);
        for (int i = 0; i < 2; i++) {
            tell(&o, devices[d], asked[i], got);
            cr_expect(!memcmp(got, want, sizeof want), "%s in type %u, device %d, experts of %d",
                      name, type, d, asked[i]);
        }
        cr_assert_lt(host_bytes(&o, devices[d], 1), host_bytes(&o, devices[d], ALL));
        cr_assert_eq(host_bytes(&o, devices[d], 0), 0, "all is one memory");
    }
    close_it(&o);
}

Test(host_experts, same_bits) {
    check_bits("qwen3moe", 0);
    check_bits("gpt-oss", GODWIT_MXFP4);
    check_bits("gpt-oss-odd", 0);
}

// Room on a device of which bytes are left for weights, by the reserve of gw_model_create.
static void leave(const opened *o, uint64_t bytes) {
    const gw_model_def *def;
    OK(gw_api_file_def(o->file, &def, &err));
    const uint64_t states = gw_pool_state_bytes(def, def->h.n_ctx_train);
    cr_assert(states && def->h.n_ctx_train <= GODWIT_CTX_DEFAULT_MAX);
    gw_device_inject_room(o->pair.gpu->backend.device, (bytes + states) * 16 / 15 + 16);
}

Test(host_experts, go_there_when_room_ends) {
    opened o;
    open_it(&o, "qwen3moe", 0);
    godwit_device *gpu = o.pair.gpu;
    godwit_model *model = NULL;
    OK(try_open(&o, gpu, NONE, &model));
    const uint64_t all = info_of(model).weights_bytes;
    godwit_model_close(&model);
    const uint64_t one = host_bytes(&o, gpu, 1), most = host_bytes(&o, gpu, ALL);
    leave(&o, all);
    cr_expect_eq(host_bytes(&o, gpu, 0), 0);
    leave(&o, all - KIB);
    cr_expect_eq(host_bytes(&o, gpu, 0), one);
    cr_expect_eq(host_bytes(&o, gpu, NONE), 0, "asked for, and there is room beside the reserve");
    leave(&o, all - one - KIB);
    cr_expect_gt(host_bytes(&o, gpu, 0), one);
    // Without the reserve the rest fits.
    gw_device_inject_room(gpu->backend.device, all - most + KIB);
    cr_expect_eq(host_bytes(&o, gpu, 0), most);
    cr_expect_eq(try_open(&o, gpu, NONE, &model), GODWIT_OUT_OF_DEVICE_MEMORY);
    cr_expect(!strstr(err.message, "host memory"), "%s", err.message);
    gw_device_inject_room(gpu->backend.device, all - most - KIB);
    cr_expect_eq(try_open(&o, gpu, 0, &model), GODWIT_OUT_OF_DEVICE_MEMORY);
    cr_expect(strstr(err.message, "of experts in host memory") && strstr(err.message, "are free"),
              "%s", err.message);
    cr_expect_eq(reported(gpu, "weights") + reported(gpu, "host weights"), 0);
    gw_device_inject_room(gpu->backend.device, 0);
    cr_expect_eq(host_bytes(&o, gpu, 0), 0);
    close_it(&o);
}
