// Other number formats: godwit_quantize, godwit_convert.
#include "api/handles.h"

#include "arch/arch.h"
#include "base/save.h"
#include "base/threads.h"
#include "convert/convert.h"
#include "convert/hf.h"
#include "text/tokenizer.h"

static godwit_status check(const godwit_quantize_params *p, const char *out_path,
                           godwit_error *error) {
    GW_WANT(p->rules || !p->n_rules, error);
    GW_WANT(p->n_threads <= GW_MAX_THREADS, error);
    for (size_t i = 0; i < p->n_rules; i++) GW_WANT(p->rules[i].pattern, error);
    godwit_status status = gw_save_check(out_path, error);
    if (status != GODWIT_OK || !p->imatrix_path) return status;
    return gw_save_check_input(out_path, p->imatrix_path, error);
}

godwit_status godwit_quantize(godwit_context *context, const godwit_file *file,
                              const godwit_quantize_params *params, const char *out_path,
                              godwit_quantize_result *out_result, godwit_error *error) {
    GW_WANT(context && file && out_path, error);
    GW_PARAMS(godwit_quantize_params, p, params);
    godwit_quantize_result result = {0};
    godwit_status status = check(&p, out_path, error);
    const char *input = NULL;
    for (uint32_t i = 0; status == GODWIT_OK && (input = gw_gguf_file(file->gguf, i)); i++) {
        status = gw_save_check_input(out_path, input, error);
    }
    if (status != GODWIT_OK) return status;
    status = gw_quantize_file(&context->host, file->gguf, &p, out_path, &result, error);
    if (status == GODWIT_OK && out_result) GW_RESULT(out_result, result);
    return status;
}

// Whether what was written can be run: a tensor that the folder lacks, or has in another shape than its
// settings say, is seen here.
static godwit_status check_runs(const gw_host *host, const char *path, godwit_error *error) {
    gw_gguf *gguf = NULL;
    gw_model_def *def = NULL;
    gw_tokenizer *tokenizer = NULL;
    godwit_status status = gw_gguf_open(host, path, &gguf, error);
    const bool adapter = gguf && gw_gguf_find(gguf, "adapter.type");
    if (status == GODWIT_OK && !adapter) status = gw_model_def_create(host, gguf, &def, error);
    if (status == GODWIT_OK && !adapter)
        status = gw_tokenizer_create(host, gguf, &tokenizer, error);
    gw_note(error, status, "it is written, but cannot be run");
    gw_tokenizer_destroy(&tokenizer);
    gw_model_def_destroy(&def);
    gw_gguf_destroy(&gguf);
    return status;
}

godwit_status godwit_convert(godwit_context *context, const char *folder,
                             const godwit_quantize_params *params, const char *out_path,
                             godwit_quantize_result *out_result, godwit_error *error) {
    GW_WANT(context && folder && out_path, error);
    GW_PARAMS(godwit_quantize_params, p, params);
    godwit_quantize_result result = {0};
    godwit_status status = check(&p, out_path, error);
    if (status != GODWIT_OK) return status;
    status = gw_convert_folder(&context->host, folder, &p, out_path, &result, error);
    if (status == GODWIT_OK) status = check_runs(&context->host, out_path, error);
    if (status == GODWIT_OK && out_result) GW_RESULT(out_result, result);
    return status;
}
