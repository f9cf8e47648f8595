// Choose: which number format a tensor gets.
//
// In this order: what is no weight stays as it is; vectors are F32; the first rule whose pattern
// fits; small tensors that everything hangs on are F32; the format that was asked for. Where a
// row is no multiple of that format's block, the next better one that fits; where a format needs
// importances and none are known, IQ2_S.
#include "convert/convert.h"

#include "base/status.h"

#include <stdio.h>

static bool can_write(const gw_format *format, bool has_importances) {
    return format && format->quantize && (has_importances || !format->needs_importances);
}

// Formats that can be written, for messages.
static void list_formats(bool has_importances, char *text, size_t text_bytes) {
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t id = 0; id < GW_FMT_COUNT && n < text_bytes; id++) {
        const gw_format *format = gw_format_at(id);
        if (!can_write(format, has_importances)) continue;
        n += (size_t)snprintf(text + n, text_bytes - n, "%s%s", n ? ", " : "",
                              godwit_dtype_name((godwit_dtype)format->type));
    }
}

godwit_status gw_convert_format(const gw_convert_job *job, uint32_t type,
                                const gw_format **out_format, godwit_error *err) {
    *out_format = gw_format_find(type);
    if (can_write(*out_format, job->matrix != NULL)) return GODWIT_OK;
    const gw_gguf_type_row *row = gw_gguf_tensor_type(type);
    char known[320];
    list_formats(job->matrix != NULL, known, sizeof known);
    return gw_fail(err, GODWIT_UNSUPPORTED, "cannot write type %s: %s; these can be written: %s",
                   row ? row->name : "?",
                   *out_format ? "it needs calibration; quantize with an importance matrix"
                               : "this build does not know the format",
                   known);
}

bool gw_convert_matches(const char *pattern, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

godwit_status gw_convert_check_rules(const gw_convert_job *job, const gw_convert_tensor *tensors,
                                     size_t n_tensors, godwit_error *err) {
    for (size_t i = 0; i < job->n_rules; i++) {
        const char *pattern = job->rules[i].pattern;
        const gw_format *format = NULL;
        size_t k = 0;
        godwit_status status = gw_convert_format(job, job->rules[i].dtype, &format, err);
        if (status != GODWIT_OK) return gw_note(err, status, "tensor pattern '%s'", pattern);
        while (k < n_tensors && !gw_convert_matches(pattern, tensors[k].name)) k++;
        if (k < n_tensors) continue;
        return gw_fail(err, GODWIT_NOT_FOUND,
                       "tensor pattern '%s': no tensor has such a name; the first is called %s",
                       pattern, n_tensors ? tensors[0].name : "(there is none)");
    }
    return GODWIT_OK;
}

// Next better formats for rows that do not fit, by bits a weight.
static const uint32_t fallbacks[] = {GODWIT_IQ4_NL, GODWIT_Q5_0, GODWIT_Q5_1,
                                     GODWIT_Q8_0,   GODWIT_F16,  GODWIT_F32};

static godwit_status fall_back(gw_convert_tensor *tensor, godwit_error *err) {
    const gw_format *wanted = tensor->to;
    uint64_t n_cols = tensor->dims[tensor->n_dims - 1];
    if (n_cols % wanted->block == 0) return GODWIT_OK;
    for (size_t i = 0; i < sizeof fallbacks / sizeof *fallbacks; i++) {
        const gw_format *format = gw_format_find(fallbacks[i]);
        if (!can_write(format, false) || n_cols % format->block) continue;
        // More bits a weight than was asked for: a smaller block is the weaker format at equal
        // ones.
        if ((uint64_t)format->block_bytes * wanted->block <=
            (uint64_t)wanted->block_bytes * format->block) {
            continue;
        }
        tensor->to = format;
        snprintf(tensor->why, sizeof tensor->why,
                 "rows of %llu are no multiple of %s's block of %u", (unsigned long long)n_cols,
                 godwit_dtype_name((godwit_dtype)wanted->type), wanted->block);
        return GODWIT_OK;
    }
    return GW_BUG(err, "tensor %s: no format fits rows of %llu", tensor->name,
                  (unsigned long long)n_cols);
}

// Of a format that needs importances, a tensor that the matrix says nothing of gets the least that
// does without.
static void replace_uncalibrated(gw_convert_tensor *tensor) {
    if (!tensor->to->needs_importances || tensor->weights) return;
    snprintf(tensor->why, sizeof tensor->why,
             "the importance matrix has nothing of it, which %s needs",
             godwit_dtype_name((godwit_dtype)tensor->to->type));
    tensor->to = gw_format_find(GODWIT_IQ2_S);
}

// Routers choose experts, positions, norms and short convolutions go into everything: all are
// a small part of the bytes and a large one of the error.
static bool is_sensitive(const char *name) {
    static const char *const patterns[] = {"*_norm.weight",
                                           "*.ffn_gate_inp.weight",
                                           "position_embd.weight",
                                           "token_types.weight",
                                           "*.shortconv.conv.weight",
                                           "*.ssm_conv1d*.weight",
                                           "*.ssm_a",
                                           "*.ssm_d"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (gw_convert_matches(patterns[i], name)) return true;
    }
    return false;
}

godwit_status gw_convert_choose(gw_convert_tensor *tensor, godwit_error *err) {
    const gw_convert_job *job = tensor->job;
    const godwit_tensor_rule *rule = NULL;
    godwit_status status = GODWIT_OK;
    tensor->to_type = tensor->from_type;
    if (!tensor->from) return GODWIT_OK;
    for (size_t i = 0; i < job->n_rules && !rule; i++) {
        if (gw_convert_matches(job->rules[i].pattern, tensor->name)) rule = &job->rules[i];
    }
    tensor->to = rule ? gw_format_find(rule->dtype) : job->format;
    if (tensor->is_kept && !rule) {
        tensor->to = tensor->from;
        snprintf(tensor->why, sizeof tensor->why, "the folder has it in %s already",
                 godwit_dtype_name((godwit_dtype)tensor->from->type));
        return GODWIT_OK;
    }
    const char *kept = NULL;
    if (tensor->n_dims < 2) {
        kept = "vectors are F32";
    } else if (gw_convert_matches("*.bias", tensor->name)) {
        kept = "biases are F32";
    } else if (!rule && is_sensitive(tensor->name)) {
        kept = "small and sensitive: F32 unless named with a rule";
    }
    if (kept && tensor->to->type != GODWIT_F32) {
        tensor->to = gw_format_find(GODWIT_F32);
        snprintf(tensor->why, sizeof tensor->why, "%s", kept);
    } else {
        replace_uncalibrated(tensor);
        status = fall_back(tensor, err);
    }
    tensor->to_type = tensor->to->type;
    return status;
}
