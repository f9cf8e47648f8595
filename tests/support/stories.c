// Stories: see stories.h.
#include "support/stories.h"

#include "api/handles.h"
#include "file/gguf_write.h"
#include "graph/variant.h"
#include "quant/quant.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *stories_data(char *path, size_t path_bytes, const char *name) {
    const char *data = getenv("GODWIT_DATA");
    snprintf(path, path_bytes, "%s/%s", data ? data : GODWIT_TEST_ROOT "/../shared/data", name);
    FILE *file = fopen(path, "rb");
    if (file) {
        fclose(file);
        return path;
    }
    fprintf(stderr, "SKIPPED: %s is not there (set GODWIT_DATA)\n", path);
    return NULL;
}

const char *stories_small(char *path, size_t path_bytes) {
    snprintf(path, path_bytes, "%s/tests/golden/run/small.gguf", GODWIT_TEST_ROOT);
    return path;
}

char *stories_read(const char *path, size_t *out_n) {
    FILE *file = fopen(path, "rb");
    cr_assert(file, "cannot read %s", path);
    fseek(file, 0, SEEK_END);
    long n = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)n + 1);
    cr_assert(text && fread(text, 1, (size_t)n, file) == (size_t)n, "cannot read %s", path);
    fclose(file);
    *out_n = (size_t)n;
    return text;
}

typedef struct requantized {
    const gw_gguf_tensor *from;
    const gw_format *format;
} requantized;

static godwit_status write_rows(void *user, const gw_gguf_tensor *tensor, gw_gguf_sink *sink,
                                godwit_error *err) {
    const requantized *r = user;
    uint8_t *out = malloc(tensor->bytes);
    float *in = malloc(tensor->n_elements * sizeof *in);
    cr_assert(in && out);
    memcpy(in, r->from->source.bytes, tensor->n_elements * sizeof *in);
    r->format->quantize(in, NULL, tensor->n_elements, out);
    godwit_status status = gw_gguf_sink_write(sink, out, tensor->bytes, err);
    free(in);
    free(out);
    return status;
}

void stories_requantize(const char *from, const char *to, uint32_t type) {
    gw_host host;
    size_t n_bytes = 0;
    char *bytes = stories_read(from, &n_bytes);
    gw_gguf *gguf = NULL;
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    static requantized rows[256];
    gw_host_init(&host, NULL, NULL, NULL);
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)
    MUST(gw_gguf_parse(&host, (const uint8_t *)bytes, n_bytes, from, &gguf, &err));
    MUST(gw_gguf_writer_create(&host, &writer, &err));
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        MUST(gw_gguf_writer_copy(writer, gw_gguf_value_at(gguf, i), &err));
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        const gw_format *format = gw_format_find(type);
        if (t->dims[t->n_dims - 1] % format->block) format = &gw_format_f16;
        const size_t n = strlen(t->name);
        const bool is_bias = n > 5 && !strcmp(t->name + n - 5, ".bias");
        const bool conv = strstr(t->name, "conv.weight") || strstr(t->name, ".ssm_conv1d") ||
                          strstr(t->name, "_norm.weight") || strstr(t->name, ".ssm_a") ||
                          t->dims[t->n_dims - 1] == 1;
        // As `godwit quantize` keeps them.
        if (t->n_dims == 1 || is_bias || conv) format = &gw_format_f32;
        cr_assert(i < 256 && t->type == GODWIT_F32);
        rows[i] = (requantized){t, format};
        MUST(gw_gguf_writer_add_tensor(writer, t->name, format->type, t->n_dims, t->dims,
                                       write_rows, &rows[i], &err));
    }
    MUST(gw_gguf_writer_save(writer, to, &err));
    gw_gguf_writer_destroy(&writer);
    gw_gguf_destroy(&gguf);
    free(bytes);
}

void stories_open(stories_run *r, const char *which, const char *name, uint32_t type,
                  const godwit_session_params *session) {
    char from[512], path[512];
    godwit_error err = {0};
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_file *file = NULL;
    *r = (stories_run){0};
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    if (!name) stories_small(from, sizeof from);
    if (name && !stories_data(from, sizeof from, name)) cr_skip_test("no data");
    snprintf(path, sizeof path, "/tmp/godwit-test-%d-open.gguf", (int)getpid());
    stories_requantize(from, path, type);
    MUST(godwit_context_create(&params, &r->context, &err));
    if (!which && godwit_context_n_devices(r->context) < 2) cr_skip_test("no Vulkan device");
    MUST(godwit_device_open(r->context, which ? which : "0", NULL, &r->device, &err));
    MUST(godwit_file_open(r->context, path, &file, &err));
    MUST(godwit_model_open(r->device, file, NULL, &r->model, &err));
    MUST(godwit_session_create(r->model, session, &r->session, &err));
    godwit_file_close(&file);
    r->file = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(r->file, 0);
    remove(path);
}

void stories_close(stories_run *r) {
    close(r->file);
    cr_expect(godwit_context_validation_count(r->context) == 0, "validation complained");
    godwit_session_destroy(&r->session);
    godwit_model_close(&r->model);
    godwit_device_close(&r->device);
    godwit_context_destroy(&r->context);
}

void stories_open_pair(stories_pair *pair) {
    godwit_error err = {0};
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    cr_assert(godwit_context_create(&params, &pair->context, &err) == GODWIT_OK, "%s", err.message);
    if (godwit_context_n_devices(pair->context) < 2) {
        fprintf(stderr, "SKIPPED, %s\n", godwit_context_no_vulkan_reason(pair->context));
        cr_skip_test("no Vulkan device");
    }
    cr_assert(godwit_device_open(pair->context, "0", NULL, &pair->gpu, &err) == GODWIT_OK, "%s",
              err.message);
    cr_assert(godwit_device_open(pair->context, "reference", NULL, &pair->cpu, &err) == GODWIT_OK,
              "%s", err.message);
}

void stories_close_pair(stories_pair *pair) {
    cr_expect(godwit_context_validation_count(pair->context) == 0, "validation complained");
    godwit_context_destroy(&pair->context);
    godwit_device_close(&pair->gpu);
    godwit_device_close(&pair->cpu);
}

bool stories_plan_as_for_gpus(godwit_device *device) {
    gw_tune gpu, *tune = &device->backend.tune;
    gw_tune_for_gpu(&gpu);
    if (!tune->variants[GW_VARIANT_matmul_rows] || !tune->counts) return false;
    tune->choice = gpu.choice;
    tune->few_max = gpu.few_max;
    tune->attn_lanes = gpu.attn_lanes < tune->max_invocations ? gpu.attn_lanes : 128;
    tune->group_lanes = gpu.group_lanes;
    tune->cores = gpu.cores;
    return true;
}
