// Rig: see rig.h.
#include "support/rig.h"

#include "graph/variant.h"
#include "ops/kv.h"
#include "quant/wide.h"
#include "run/cases.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

// Threads of a caller's that are none.
static void backwards(void *user, uint32_t n, void (*task)(void *, uint32_t), void *arg) {
    (void)user;
    while (n-- > 0) task(arg, n);
}

static const gw_cpu_params cpu_params[RIG_N_CPUS] = {{.n_threads = 5, .parallel = backwards},
#if defined(__aarch64__)
                                                     {.n_threads = 2, .isa = "i8mm"},
                                                     {.n_threads = 7, .isa = "dotprod"},
                                                     {.n_threads = 4, .isa = "neon"},
#else
                                                     {.n_threads = 2, .isa = "avx512"},
                                                     {.n_threads = 7, .isa = "avx2"},
                                                     {.n_threads = 4, .isa = "avxvnni"},
#endif
                                                     {.n_threads = 3, .isa = "plain"}};

static void open_cpus(rig *r) {
    godwit_error err = {0};
    for (int i = 0; i < RIG_N_CPUS; i++) {
        gw_backend *b = &r->cpus[i];
        *b = r->reference;
        godwit_status status = gw_cpu_create(&r->host, &cpu_params[i], &b->cpu, &err);
        cr_assert(status == GODWIT_OK || status == GODWIT_UNSUPPORTED, "%s", err.message);
    }
}

bool rig_open(rig *r) {
    return rig_open_lanes(r, lanes_order_of(getenv("GODWIT_TEST_LANES")), NULL, 0, NULL);
}

bool rig_open_lanes(rig *r, lanes_order order, const char *without, uint32_t barrier,
                    uint32_t *out_n_barriers) {
    const bool as_built = order == LANES_AS_THEY_ARE && !without;
    godwit_error err = {0};
    *r = (rig){0};
    gw_host_init(&r->host, NULL, NULL, NULL);
    r->reference.host = r->vulkan.host = &r->host;
    gw_tune_for(NULL, &r->reference.tune);
    if (as_built) open_cpus(r);
    gw_gpu_params params = {.validation = getenv("GODWIT_TEST_VALIDATION") != NULL};
    if (gw_gpu_create(&r->host, &params, &r->gpu, &err) != GODWIT_OK) {
        fprintf(stderr, "SKIPPED, no Vulkan device: %s\n", err.message);
        for (int i = 0; i < RIG_N_CPUS; i++) gw_cpu_destroy(&r->cpus[i].cpu);
        return false;
    }
    if (!as_built) {
        r->lanes = lanes_make(order, without, barrier, out_n_barriers);
        gw_gpu_override_shaders(r->gpu, r->lanes.table, r->lanes.n);
    }
    godwit_status status = gw_device_open(r->gpu, 0, NULL, &r->device, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    r->vulkan.device = r->device;
    gw_tune_for(gw_device_caps(r->device), &r->vulkan.tune);
    return true;
}

static const char *const masks[RIG_N_MASKS] = {"floor", "dot",       "fp16",     "subgroup",
                                               "int8",  "storage16", "storage8", "coopmat"};

static const gw_backend *masked(rig *r, uint32_t i) {
    gw_backend *b = &r->masked[i];
    if (b->device) return b;
    godwit_error err = {0};
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.mask = masks[i];
    b->host = &r->host;
    godwit_status status = gw_device_open(r->gpu, 0, &params, &b->device, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    gw_tune_for(gw_device_caps(b->device), &b->tune);
    return b;
}

void rig_close(rig *r) {
    for (int i = 0; i < RIG_N_MASKS; i++) gw_device_release(&r->masked[i].device);
    for (int i = 0; i < RIG_N_CPUS; i++) gw_cpu_destroy(&r->cpus[i].cpu);
    cr_expect(gw_gpu_validation_count(r->gpu) == 0, "the validation layers complained");
    gw_device_release(&r->device);
    gw_gpu_release(&r->gpu);
    lanes_free(&r->lanes);
}

// --- data ----------------------------------------------------------------------------------------

static const uint32_t rig_key[2] = {7, 11};

uint32_t rig_random(rig_case *c) {
    return gw_philox(rig_key[0], rig_key[1], c->seed++);
}

float rig_float(rig_case *c) {
    uint32_t u = rig_random(c), v = rig_random(c);
    float unit = (float)(int32_t)u * 0x1p-30f; // -2 .. 2
    switch (c->fill) {
    case RIG_ZEROS:
        return u & 1 ? 0.0f : -0.0f;
    case RIG_HUGE:
        return unit * (v & 3 ? 5e11f : 1.0f);
    case RIG_TINY:
        return unit * (v & 1 ? 0x1p-39f : v & 2 ? 0x1p-60f : 0x1p-30f);
    case RIG_MIXED:
        if (v % 7 == 0) return 0.0f;
        if (v % 7 == 1) return gw_from_bits((127 - 30 + v / 7 % 40) << 23);
        return unit * gw_from_bits((127 - 38 + v / 7 % 58) << 23);
    default:
        return unit;
    }
}

static void *space(rig_case *c, uint64_t n, size_t bytes) {
    void *data = gw_arena_alloc(&c->graph.arena, n, bytes);
    cr_assert(data, "no memory");
    return data;
}

// Values between ops are stored ones: flushed.
static float *floats(rig_case *c, uint64_t n) {
    float *data = space(c, n, 4);
    for (uint64_t i = 0; i < n; i++) data[i] = gw_flush(rig_float(c));
    return data;
}

static gw_value *value(rig_case *c, gw_value_kind kind, const char *name, uint32_t dtype,
                       uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = NULL;
    godwit_error err = {0};
    godwit_status status = gw_graph_value(&c->graph, kind, name, dtype, n_dims, dims, &v, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    return v;
}

static void remember(rig_case *c, gw_value *v, const void *data) {
    rig_input *input = gw_vec_push(&c->inputs, c->graph.host);
    cr_assert(input);
    *input = (rig_input){v, data};
}

gw_value *rig_f32(rig_case *c, const char *name, uint32_t n_dims, const uint64_t *dims) {
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_F32, n_dims, dims);
    remember(c, v, floats(c, gw_value_n_elements(v)));
    return v;
}

gw_value *rig_columns(rig_case *c, const char *name, uint32_t n_dims, const uint64_t *dims,
                      uint64_t before) {
    uint64_t n = 1;
    for (uint32_t i = 1; i < n_dims; i++) n *= dims[i];
    const uint64_t wide[2] = {dims[0], before + n + 5};
    godwit_error err = {0};
    gw_value *v = rig_f32(c, name, 2, wide);
    cr_assert(gw_graph_columns(&c->graph, v, before, n, &v, &err) == GODWIT_OK, "%s", err.message);
    cr_assert(gw_graph_reshape(&c->graph, v, n_dims, dims, &v, &err) == GODWIT_OK, "%s",
              err.message);
    return v;
}

gw_value *rig_i32(rig_case *c, const char *name, uint32_t n, const int32_t *data) {
    uint64_t dims[1] = {n};
    gw_value *v = value(c, GW_VALUE_INPUT, name, GODWIT_I32, 1, dims);
    int32_t *copy = space(c, n, sizeof *copy);
    memcpy(copy, data, n * sizeof *copy);
    remember(c, v, copy);
    return v;
}

// The heads of a q8_0 cache.
static void *pack_heads(rig_case *c, const gw_value *v, bool values, const float *data) {
    uint32_t d = (uint32_t)gw_value_row(v), group = gw_kv_group(d, values);
    uint32_t n_scales = gw_div_up(d, group);
    uint8_t *out = space(c, gw_value_bytes(v), 1);
    float *scales = (float *)(void *)(out + gw_value_n_elements(v));
    for (uint64_t r = 0; r < gw_value_n_rows(v); r++)
        gw_kv_pack_head(data + r * d, d, group, (int8_t *)out + r * d, scales + r * n_scales);
    return out;
}

gw_value *rig_state(rig_case *c, const char *name, uint32_t dtype, uint32_t n_dims,
                    const uint64_t *dims) {
    gw_value *v = value(c, GW_VALUE_STATE, name, dtype, n_dims, dims);
    v->slice =
        (gw_slice){.buffer = GW_STORE_STATE, .offset = c->state_bytes, .bytes = gw_value_bytes(v)};
    c->state_bytes = GW_ALIGN_UP(c->state_bytes + v->slice.bytes, GW_SLICE_ALIGN);
    float *data = floats(c, gw_value_n_elements(v));
    if (dtype == GW_DTYPE_Q8_KEYS || dtype == GW_DTYPE_Q8_VALUES)
        data = pack_heads(c, v, dtype == GW_DTYPE_Q8_VALUES, data);
    for (uint64_t i = 0; dtype == GODWIT_F16 && i < gw_value_n_elements(v); i++) {
        uint16_t h = (uint16_t)gw_f32_to_f16(data[i]);
        memcpy((uint8_t *)data + 2 * i, &h, 2);
    }
    remember(c, v, data);
    return v;
}

gw_value *rig_weight(rig_case *c, const gw_format *format, uint64_t rows, uint64_t cols) {
    const uint64_t dims[2] = {rows, cols};
    return rig_weight_of(c, format, rows ? 2 : 1, rows ? dims : dims + 1);
}

gw_value *rig_weight_of(rig_case *c, const gw_format *format, uint32_t n_dims,
                        const uint64_t *dims) {
    gw_weight *w = space(c, 1, sizeof *w), **item = gw_vec_push(&c->weights, c->graph.host);
    cr_assert(item);
    gw_weight_init(w, "w", format, n_dims, dims, (gw_source){0});
    uint64_t n = w->n_rows * w->n_cols;
    float *data = floats(c, n);
    // A half's scale must stay finite: weights are never as huge as activations.
    for (uint64_t i = 0; c->fill == RIG_HUGE && i < n; i++) data[i] *= 1e-9f;
    uint8_t *blocks = space(c, n / format->block, format->block_bytes);
    // Blocks of any bits where values of that kind have no meaning, or no quantizer is there.
    if (!format->quantize || (c->fill == RIG_MIXED && !gw_format_is_float(format))) {
        for (uint64_t b = 0; b < n / format->block; b++) {
            gw_case_random_block(format, rig_key, &c->seed, 0x1p20f,
                                 blocks + b * format->block_bytes);
        }
    } else {
        format->quantize(data, NULL, n, blocks);
    }
    w->source.bytes = blocks;
    *item = w;
    gw_value *v = NULL;
    cr_assert(gw_graph_weight(&c->graph, w, &v, NULL) == GODWIT_OK);
    return v;
}

gw_value *rig_node(rig_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n_inputs,
                   const void *attrs, size_t attr_bytes) {
    gw_value *out[GW_MAX_OUTPUTS] = {NULL};
    godwit_error err = {0};
    godwit_status status =
        gw_graph_node(&c->graph, op, "case", inputs, n_inputs, attrs, attr_bytes, out, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    return out[0];
}

void rig_output(rig_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n_inputs,
                const void *attrs, size_t attr_bytes) {
    rig_node(c, op, inputs, n_inputs, attrs, attr_bytes)->keep = true;
}

// --- running -------------------------------------------------------------------------------------

typedef struct rig_result {
    uint8_t *bytes;
    uint64_t n;
    bool has_grids; // some weight is of a format that has a wide twin
} rig_result;

static void append(rig_result *result, gw_store *store, uint64_t offset, uint64_t n) {
    godwit_error err = {0};
    result->bytes = realloc(result->bytes, result->n + n);
    cr_assert(result->bytes);
    godwit_status status = gw_store_read(store, offset, result->bytes + result->n, n, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    result->n += n;
}

static void collect(rig_case *c, gw_workspace *w, gw_store *state, rig_result *result) {
    for (size_t i = 0; i < c->graph.values.n; i++) {
        const gw_value *v = c->graph.values.items[i];
        if (v->view_of || !v->slice.bytes) continue;
        if (v->kind == GW_VALUE_COMPUTED && v->keep) {
            append(result, &w->arena, v->slice.offset, v->slice.bytes);
        }
        if (v->kind == GW_VALUE_OUTPUT) {
            append(result, &w->readback, v->slice.offset, v->slice.bytes);
        }
    }
    if (c->state_bytes) append(result, state, 0, c->state_bytes);
}

static void write_inputs(const rig_case *c, gw_store *upload, gw_store *state) {
    for (size_t i = 0; i < c->inputs.n; i++) {
        const gw_value *v = c->inputs.items[i].value;
        gw_store *store = v->kind == GW_VALUE_STATE ? state : upload;
        if (!v->slice.bytes) continue;
        cr_assert(gw_store_write(store, v->slice.offset, c->inputs.items[i].data, v->slice.bytes,
                                 NULL) == GODWIT_OK);
    }
}

static void run(const gw_backend *backend, rig_build build, const void *user, rig_fill fill,
                rig_result *result) {
    godwit_error err = {0};
    rig_case c = {.seed = 1, .fill = fill, .user = user};
    gw_program *program = NULL;
    gw_workspace work = {0};
    gw_store state;
    gw_weight_stores weights = {0};
    const gw_executable_stores stores = {
        .workspace = &work, .states = &state, .n_states = 1, .weights = &weights};
    *result = (rig_result){0};
    gw_graph_init(&c.graph, backend->host);
    build(&c);
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)
    MUST(gw_graph_optimize(&c.graph, NULL, NULL, &err));
    gw_graph_lay_out(&c.graph);
    for (size_t i = 0; i < c.weights.n; i++)
        result->has_grids |= gw_format_wide(c.weights.items[i]->format) != NULL;
    MUST(gw_weights_upload(backend, c.weights.items, c.weights.n, 0, NULL, NULL, &weights, &err));
    MUST(gw_store_create(backend, GW_BUFFER_DEVICE, c.state_bytes, "state", &state, &err));
    MUST(gw_executable_create(backend, &c.graph, &backend->tune, &stores, &program, &err));
    write_inputs(&c, &work.upload, &state);
    MUST(gw_program_run(program, NULL, &err));
    collect(&c, &work, &state, result);
    gw_program_destroy(&program);
    gw_workspace_destroy(&work);
    gw_store_destroy(&state);
    gw_weight_stores_destroy(&weights);
    gw_vec_deinit(&c.inputs, backend->host);
    gw_vec_deinit(&c.weights, backend->host);
    gw_graph_deinit(&c.graph);
}

static void compare(const rig_result *want, const gw_backend *backend, rig_build build,
                    const void *user, rig_fill fill, const char *label) {
    rig_result got;
    run(backend, build, user, fill, &got);
    cr_assert(got.n == want->n && got.n > 0, "%s: %llu bytes of results, %llu wanted", label,
              (unsigned long long)got.n, (unsigned long long)want->n);
    for (uint64_t i = 0; i < got.n / 4; i++) {
        uint32_t a, b;
        memcpy(&a, want->bytes + i * 4, 4);
        memcpy(&b, got.bytes + i * 4, 4);
        cr_assert(a == b, "%s (fill %d): word %llu of %llu: reference %08x (%g), device %08x (%g)",
                  label, (int)fill, (unsigned long long)i, (unsigned long long)got.n / 4, a,
                  (double)gw_from_bits(a), b, (double)gw_from_bits(b));
    }
    free(got.bytes);
}

static void compare_cpus(rig *r, const rig_result *want, rig_build build, const void *user,
                         rig_fill fill, const char *label) {
    // Weights of grids wide, as they lie where there is memory, and packed.
    for (int i = 0; i < RIG_N_CPUS * (want->has_grids ? 2 : 1); i++) {
        gw_backend b = r->cpus[i % RIG_N_CPUS];
        char text[160];
        if (!b.cpu) continue;
        if (i >= RIG_N_CPUS) b.memory_free = 1;
        snprintf(text, sizeof text, "%s, cpu, %s, %u threads%s", label, gw_cpu_isa(b.cpu),
                 gw_cpu_n_threads(b.cpu), i >= RIG_N_CPUS ? ", packed" : "");
        compare(want, &b, build, user, fill, text);
    }
}

void rig_compare(rig *r, rig_build build, const void *user, rig_fill fill, const char *label) {
    rig_result want;
    run(&r->reference, build, user, fill, &want);
    compare_cpus(r, &want, build, user, fill, label);
    compare(&want, &r->vulkan, build, user, fill, label);
    if (getenv("GODWIT_TEST_MASKS")) {
        const uint32_t i = 1 + r->n_compared++ % (RIG_N_MASKS - 1);
        char text[160];
        snprintf(text, sizeof text, "%s, mask floor", label);
        compare(&want, masked(r, 0), build, user, fill, text);
        snprintf(text, sizeof text, "%s, mask %s", label, masks[i]);
        compare(&want, masked(r, i), build, user, fill, text);
    }
    free(want.bytes);
}

void rig_same(rig *r, rig_build build, const void *a, const void *b, rig_fill fill,
              const char *label) {
    rig_result want;
    run(&r->reference, build, b, fill, &want);
    compare(&want, &r->reference, build, a, fill, label);
    free(want.bytes);
}

bool rig_sees(size_t i) {
    const char *turn = getenv("GODWIT_TEST_TUNES_IN_TURNS");
    unsigned k = 0, n = 1;
    cr_assert(!turn || (sscanf(turn, "%u/%u", &k, &n) == 2 && k < n), "%s is no turn", turn);
    return i % n == k;
}

// Kernel shapes that share nothing but the result: one lane and many (as far as the device goes), odd tiles,
// the floor's 128.
static const struct rig_tune {
    struct gw_matmul_tune matmul;
    uint32_t row_lanes, elem_lanes, attn_lanes, attn_queries, attn_parts, sample_lanes, group_lanes,
        max_groups_x, tile, row_wide;
} rig_tunes[] = {
    {{16, 1, 8, 1, 1}, 256, 128, 128, 4, 1, 1024, 8, 65535, 0, 128},
    {{1, 4, 2, 3, 2}, 1, 1, 1, 2, 0, 1, 1, 65535, 10, 8}, // a tile's blocks over groups
    {{4, 2, 1, 1, 5}, 48, 7, 5, 8, 1, 33, 8, 4, 0, 40},   // grids fold, as long ones do
    {{8, 1, 1, 4, 1},
     64,
     8,
     256,
     1,
     0,
     8,
     8,
     65535,
     4,
     0}, // a tile's rows and tokens over subgroups
};

// Launches in pieces of a workgroup, as a device with a watchdog has those that it expects to take long.
static void cut_launches(const rig *r, bool cut) {
    ((gw_caps *)gw_device_caps(r->device))->submit_ms = cut ? 1000 : 0;
    gw_device_inject_pace(r->device, cut ? UINT64_C(1) << 42 : 0);
}

static gw_backend tuned(const rig *r, const struct rig_tune *tune) {
    const uint32_t most = gw_device_caps(r->device)->max_workgroup_invocations;
    gw_backend backend = r->vulkan;
    gw_tune *t = &backend.tune;
    for (int k = 0; k < 6; k++) t->choice.matmul[k / 3][k % 3] = tune->matmul;
    t->row_lanes = tune->row_lanes < most ? tune->row_lanes : most;
    t->row_wide = tune->row_wide;
    t->elem_lanes = tune->elem_lanes;
    t->attn_lanes = tune->attn_lanes;
    t->sample_lanes = tune->sample_lanes < most ? tune->sample_lanes : most;
    t->group_lanes = tune->group_lanes;
    t->attn_queries = tune->attn_queries;
    t->attn_parts = tune->attn_parts != 0;
    t->max_groups[0] = tune->max_groups_x;
    t->tile = tune->tile;
    t->cores = 64;
    t->slow_dots = false; // all tiles there are
    return backend;
}

bool rig_is_wrong(rig *r, rig_build build, const void *user, rig_fill fill) {
    bool wrong = false;
    rig_result want, got;
    run(&r->reference, build, user, fill, &want);
    for (size_t i = 0; i < sizeof rig_tunes / sizeof *rig_tunes && !wrong; i++) {
        gw_backend backend = tuned(r, &rig_tunes[i]);
        gw_variant_only(&backend.tune, GW_VARIANT_PLAIN);
        run(&backend, build, user, fill, &got);
        wrong = got.n != want.n || memcmp(got.bytes, want.bytes, want.n) != 0;
        free(got.bytes);
    }
    free(want.bytes);
    return wrong;
}

void rig_compare_tunes(rig *r, rig_build build, const void *user, rig_fill fill,
                       const char *label) {
    // Where another driver's compiler does them all, a tuning each call, in turns, so that an op with
    // some cases sees each; what only this driver has is tried in all.
    const size_t n_tunes = sizeof rig_tunes / sizeof *rig_tunes, turn = r->n_tuned++ % n_tunes;
    const bool in_turns = getenv("GODWIT_TEST_TUNES_IN_TURNS") != NULL;
    rig_result want;
    run(&r->reference, build, user, fill, &want);
    compare_cpus(r, &want, build, user, fill, label);
    for (size_t i = 0; i < n_tunes; i++) {
        const bool shared = !in_turns || i == turn;
        gw_backend backend = tuned(r, &rig_tunes[i]);
        char text[160];
        cut_launches(r, i == 3);
        snprintf(text, sizeof text, "%s, tuning %zu", label, i);
        gw_variant_only(&backend.tune, GW_VARIANT_PLAIN);
        if (shared) compare(&want, &backend, build, user, fill, text);
        for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
            // Most variants of matmul have shapes of their own: once is enough. Fast numerics have
            // other bits.
            bool tuned = v == GW_VARIANT_matmul_dot || v == GW_VARIANT_matmul_texel ||
                         (v == GW_VARIANT_matmul_coopmat && rig_tunes[i].tile);
            if (i > 0 && gw_variant_at(v)->op == &gw_op_matmul && !tuned) continue;
            if (!r->vulkan.tune.variants[v] || gw_variant_at(v)->fast) continue;
            if (!shared && (i > 0 || v != GW_VARIANT_matmul_coopmat)) continue;
            gw_variant_only(&backend.tune, v);
            snprintf(text, sizeof text, "%s, tuning %zu, %s", label, i, gw_variant_at(v)->module);
            compare(&want, &backend, build, user, fill, text);
        }
    }
    cut_launches(r, false);
    free(want.bytes);
}
