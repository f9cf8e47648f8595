// Quantize: a GGUF file as another one, in other number formats.
#include "convert/convert.h"

#include "base/status.h"
#include "file/recognize.h"

// What general.quantization_version says of the block layouts that Godwit writes: ggml's second.
enum { QUANTIZATION_VERSION = 2 };

godwit_status gw_convert_job_init(gw_convert_job *job, const gw_host *host,
                                  const godwit_quantize_params *params, godwit_error *err) {
    *job = (gw_convert_job){.host = host,
                            .n_threads = params->n_threads ? params->n_threads : 1,
                            .rules = params->rules,
                            .n_rules = params->n_rules,
                            .matrix_path = params->imatrix_path,
                            .progress = params->progress,
                            .progress_user = params->progress_user,
                            .each = params->each,
                            .each_user = params->each_user};
    godwit_status status = GODWIT_OK;
    if (job->matrix_path) GW_TRY(gw_imatrix_open(host, job->matrix_path, &job->matrix, err));
    GW_TRY(gw_convert_format(job, params->dtype, &job->format, err));
done:
    return status;
}

void gw_convert_job_deinit(gw_convert_job *job) {
    gw_imatrix_destroy(&job->matrix);
}

static godwit_status say_matrix(const gw_convert_job *job, gw_gguf_writer *writer,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str path = gw_str_of(job->matrix_path);
    uint32_t n = (uint32_t)gw_imatrix_n(job->matrix);
    GW_TRY(gw_gguf_writer_set_str(writer, "quantize.imatrix.file", path, err));
    GW_TRY(gw_gguf_writer_set_u32(writer, "quantize.imatrix.entries_count", n, err));
done:
    return status;
}

static godwit_status find_importances(gw_convert_tensor *t, godwit_error *err) {
    const gw_convert_job *job = t->job;
    uint64_t n_matrices = 1, n_cols = t->dims[t->n_dims - 1];
    for (uint32_t i = 0; i + 2 < t->n_dims; i++) n_matrices *= t->dims[i];
    return gw_note(
        err,
        gw_imatrix_find(job->matrix, t->name, n_cols, n_matrices, &t->weights, &t->n_weights, err),
        "%s", job->matrix_path);
}

// Of all matrices. An importance matrix that has none for any of them is another model's.
static godwit_status find_all_importances(const gw_convert_job *job, gw_convert_tensor *tensors,
                                          size_t n_tensors, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const char *first = "(there is none)";
    size_t n_matrices = 0, n_known = 0;
    if (!job->matrix) return GODWIT_OK;
    for (size_t i = 0; i < n_tensors; i++) {
        gw_convert_tensor *t = &tensors[i];
        if (t->n_dims < 2 || !t->from) continue;
        GW_TRY(find_importances(t, err));
        if (n_matrices++ == 0) first = t->name;
        n_known += t->weights != NULL;
    }
    if (n_known == 0) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "%s: it has no importances for any of %zu matrices; its first entry is %.*s, the "
                "first matrix %s: it belongs to another model",
                job->matrix_path, n_matrices, GW_STR_ARG(gw_imatrix_name(job->matrix, 0)), first);
    }
done:
    return status;
}

// A rule none of whose tensors has its format would be taken for one that did something. Only the
// first rule that fits a tensor counts.
static void warn_of_idle_rules(const gw_convert_job *job, const gw_convert_tensor *tensors,
                               size_t n_tensors) {
    for (size_t r = 0; r < job->n_rules; r++) {
        const godwit_tensor_rule *rule = &job->rules[r];
        const gw_convert_tensor *idle = NULL;
        const char *why = "an earlier pattern fits it";
        bool works = false, own = false;
        for (size_t i = 0; i < n_tensors && !works; i++) {
            const gw_convert_tensor *t = &tensors[i];
            if (!gw_convert_matches(rule->pattern, t->name)) continue;
            size_t first = 0;
            while (!gw_convert_matches(job->rules[first].pattern, t->name)) first++;
            works = t->to_type == (uint32_t)rule->dtype;
            if (works || (idle && (own || first != r))) continue;
            idle = t;
            own = first == r;
            if (own) why = t->to ? t->why : "it holds no weights and is copied";
        }
        if (works || !idle) continue;
        gw_log(job->host, GODWIT_LOG_WARN,
               "tensor pattern '%s': no tensor becomes %s; %s gets %s: %s", rule->pattern,
               godwit_dtype_name(rule->dtype), idle->name, gw_gguf_tensor_type(idle->to_type)->name,
               why);
    }
}

godwit_status gw_convert_save(gw_convert_job *job, gw_gguf_writer *writer,
                              gw_convert_tensor *tensors, size_t n_tensors, const char *path,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t file_type = job->format->file_type;
    GW_TRY(gw_convert_check_rules(job, tensors, n_tensors, err));
    GW_TRY(gw_gguf_writer_set_u32(writer, "general.file_type", file_type, err));
    GW_TRY(
        gw_gguf_writer_set_u32(writer, "general.quantization_version", QUANTIZATION_VERSION, err));
    if (job->matrix) GW_TRY(say_matrix(job, writer, err));
    GW_TRY(find_all_importances(job, tensors, n_tensors, err));
    for (size_t i = 0; i < n_tensors; i++) {
        gw_convert_tensor *t = &tensors[i];
        GW_TRY(gw_convert_choose(t, err));
        GW_TRY(gw_gguf_writer_add_tensor(writer, t->name, t->to_type, t->n_dims, t->dims,
                                         gw_convert_rows, t, err));
        job->bytes_total += t->from_bytes;
    }
    warn_of_idle_rules(job, tensors, n_tensors);
    GW_TRY(gw_gguf_writer_save(writer, path, err));
done:
    if (job->failed && err) *err = job->failure;
    return status;
}

// Whole numbers and the like are no weights and are copied; a packed format that nothing here reads
// is an error.
static bool is_packed(uint32_t type) {
    const gw_gguf_type_row *row = gw_gguf_tensor_type(type);
    return row && row->block_elements > 1;
}

// The one format of weights that files have and no kernel reads: a source alone.
static void widen_f64(const uint8_t *src, uint64_t n, float *out) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        double value;
        for (uint32_t k = 0; k < 8; k++) bits |= (uint64_t)src[8 * i + k] << 8 * k;
        memcpy(&value, &bits, sizeof value);
        out[i] = (float)value;
    }
}

static const gw_format f64_source = {.type = GW_GGUF_TENSOR_F64,
                                     .name = "f64",
                                     .form = GW_FORM_FLOAT,
                                     .block = 1,
                                     .block_bytes = 8,
                                     .widen = widen_f64};

static godwit_status fill(gw_convert_job *job, const gw_gguf_tensor *from, gw_convert_tensor *out,
                          godwit_error *err) {
    *out = (gw_convert_tensor){
        .job = job,
        .name = from->name,
        .n_dims = from->n_dims,
        .from_type = from->type,
        .from = from->type == GW_GGUF_TENSOR_F64 ? &f64_source : gw_format_find(from->type),
        .source = from->source,
        .from_bytes = from->bytes};
    memcpy(out->dims, from->dims, sizeof out->dims);
    if (!out->from && is_packed(from->type)) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: nothing here reads type %s", from->name,
                       gw_gguf_tensor_type(from->type)->name);
    }
    return GODWIT_OK;
}

static godwit_status copy_metadata(const gw_gguf *gguf, gw_gguf_writer *writer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        const gw_gguf_value *value = gw_gguf_value_at(gguf, i);
        // What is written is one file, whatever it is made of.
        if (strncmp(value->key.text, "split.", 6) == 0) continue;
        GW_TRY(gw_gguf_writer_copy(writer, value, err));
    }
done:
    return status;
}

godwit_status gw_quantize_file(const gw_host *host, const gw_gguf *gguf,
                               const godwit_quantize_params *params, const char *path,
                               godwit_quantize_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_convert_job job;
    gw_gguf_writer *writer = NULL;
    gw_convert_tensor *tensors = NULL;
    size_t n_tensors = (size_t)gw_gguf_n_tensors(gguf);
    GW_TRY(gw_convert_job_init(&job, host, params, err));
    if (gw_gguf_is_imatrix(gguf)) {
        GW_TRY(gw_note(err, gw_gguf_check_model(gguf, err), "%s", gw_gguf_name(gguf)));
    }
    if (n_tensors) {
        tensors = gw_alloc(host, n_tensors, sizeof *tensors);
        GW_CHECK_ALLOC(tensors, err, "tensors");
    }
    for (size_t i = 0; i < n_tensors; i++) {
        GW_TRY(gw_note(err, fill(&job, gw_gguf_tensor_at(gguf, i), &tensors[i], err), "%s",
                       gw_gguf_name(gguf)));
        tensors[i].from_file = gw_gguf_name(gguf);
        tensors[i].from_name = tensors[i].name;
    }
    GW_TRY(gw_gguf_writer_create(host, &writer, err));
    GW_TRY(copy_metadata(gguf, writer, err));
    GW_TRY(gw_convert_save(&job, writer, tensors, n_tensors, path, err));
    *out_result = job.result;
done:
    gw_gguf_writer_destroy(&writer);
    gw_free(host, tensors, n_tensors * sizeof *tensors);
    gw_convert_job_deinit(&job);
    return status;
}
