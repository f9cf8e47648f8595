// Hf scales: weights of 8 bits with scales beside them, as F32.
//
// A folder that was quantized so has FP8 (or whole numbers) and a tensor of scales for each weight: one
// of all, one a row, or one a block. Everything behind sees the products, number by number; the scales
// are no tensors any more. Sources: config.json's quantization_config as transformers reads it; llama.cpp's
// converter, which multiplies the same way.
#include "convert/hf_family.h"

#include "base/status.h"

#include <stdio.h>

enum { MAX_BLOCK = 1 << 20, SCALES_AT_ONCE = 256, MAX_MATRIX_DIMS = 3 };

// How a folder's scales are named, and what they are of.
typedef struct way {
    const char *end;              // of a scale's name, behind the weight's
    const char *const *left_outs; // ends of names that no weight needs: scales of activations
    uint64_t block[2];            // rows and columns of a scale; 0: one a row, or one of all
} way;

// A weight: number i of row r, column c has scale [r / block, c / block].
typedef struct scaled {
    const gw_st_tensor *numbers, *scales;
    const gw_format *scale_format;
    float values[256]; // of a byte
    uint64_t rows, cols, block[2];
    uint64_t strides[MAX_MATRIX_DIMS]; // in scales: of a matrix, of a block's row, of a block
} scaled;

// --- numbers -------------------------------------------------------------------------------------

static float power_of_two(int exponent) {
    float x = 1.0f;
    for (; exponent > 0; exponent--) x *= 2.0f;
    for (; exponent < 0; exponent++) x *= 0.5f;
    return x;
}

// A sign, an exponent, n_bits of a fraction. E4M3 has NaN alone besides numbers; E5M2 infinities too.
static float small_float(uint32_t byte, int n_bits, int bias) {
    const int exponent = (int)(byte & 127) >> n_bits, fraction = (int)byte & ((1 << n_bits) - 1);
    const bool last = exponent == 127 >> n_bits;
    float x = (float)(exponent ? fraction + (1 << n_bits) : fraction) *
              power_of_two((exponent ? exponent : 1) - bias - n_bits);
    const float large = 3e38f;
    if (last && n_bits == 2) x = fraction ? large * 10.0f - large * 10.0f : large * 10.0f;
    if (n_bits == 3 && (byte & 127) == 127) x = large * 10.0f - large * 10.0f;
    return byte & 128 ? -x : x;
}

static bool read_values(const char *type, float values[256]) {
    const bool e4m3 = !strcmp(type, "F8_E4M3"), e5m2 = !strcmp(type, "F8_E5M2");
    if (!e4m3 && !e5m2 && strcmp(type, "I8") != 0) return false;
    for (uint32_t i = 0; i < 256; i++) {
        values[i] = e4m3   ? small_float(i, 3, 7)
                    : e5m2 ? small_float(i, 2, 15)
                           : (float)(i < 128 ? (int)i : (int)i - 256);
    }
    return true;
}

static godwit_status read_scales(const scaled *s, uint64_t at, uint64_t n, float *out,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t size = s->scales->type->bytes;
    uint8_t scratch[SCALES_AT_ONCE * sizeof(float)];
    const uint8_t *bytes = NULL;
    GW_TRY(gw_source_view(&s->scales->source, at * size, n * size, scratch, &bytes, err));
    gw_format_dequantize(s->scale_format, bytes, n, out);
done:
    return status;
}

// n numbers of a row from column `col` on; bytes lie in front of where they are written, or at its end.
static godwit_status scale_run(const scaled *s, uint64_t row, uint64_t col, uint64_t n,
                               const uint8_t *bytes, float *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float scales[SCALES_AT_ONCE];
    const uint64_t first =
                       row / s->rows * s->strides[0] + row % s->rows / s->block[0] * s->strides[1],
                   end = col + n;
    while (col < end) {
        const uint64_t from = col / s->block[1];
        uint64_t to = (end - 1) / s->block[1] + 1;
        if (to - from > SCALES_AT_ONCE) to = from + SCALES_AT_ONCE;
        const uint64_t stop = to * s->block[1] < end ? to * s->block[1] : end;
        const uint64_t n_scales = s->strides[2] ? to - from : 1;
        GW_TRY(read_scales(s, first + from * s->strides[2], n_scales, scales, err));
        for (; col < stop; col++) {
            const float scale = scales[(col / s->block[1] - from) * s->strides[2]];
            *out++ = s->values[*bytes++] * scale;
        }
    }
done:
    return status;
}

// A gw_source.read of F32.
static godwit_status read_scaled(const void *user, uint64_t at, uint64_t n_bytes, void *out,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const scaled *s = user;
    const uint64_t first = at / sizeof(float), n = n_bytes / sizeof(float);
    float *x = out;
    const uint8_t *bytes = NULL;
    // The bytes come to the end of the room, and each is read before a number is written on it.
    GW_TRY(gw_source_view(&s->numbers->source, first, n, (uint8_t *)out + 3 * n, &bytes, err));
    for (uint64_t i = 0; i < n;) {
        const uint64_t col = (first + i) % s->cols, left = s->cols - col;
        const uint64_t run = left < n - i ? left : n - i;
        GW_TRY(scale_run(s, (first + i) / s->cols, col, run, bytes + i, x + i, err));
        i += run;
    }
done:
    return status;
}

// --- which scale is whose ------------------------------------------------------------------------

// Scales of all dimensions that the weight has: 1, or as many as it has blocks there.
static bool fits(scaled *s, const gw_st_tensor *weight, const gw_st_tensor *scales,
                 const uint64_t block[2]) {
    uint64_t dims[MAX_MATRIX_DIMS] = {1, 1, 1}, has[MAX_MATRIX_DIMS] = {1, 1, 1}, stride = 1;
    const uint32_t n = weight->n_dims, m = scales->n_dims;
    if (n < 1 || n > MAX_MATRIX_DIMS || (m > n && scales->n_elements != 1)) return false;
    // Of a block, the last dimensions of both are the same ones; else the first ones are.
    const uint32_t skip = block[0] ? MAX_MATRIX_DIMS - m : MAX_MATRIX_DIMS - n;
    for (uint32_t i = 0; i < n; i++) dims[MAX_MATRIX_DIMS - n + i] = weight->dims[i];
    for (uint32_t i = 0; i < m && scales->n_elements > 1; i++) has[skip + i] = scales->dims[i];
    s->rows = dims[1];
    s->cols = dims[2];
    s->block[0] = block[0] && has[1] > 1 ? block[0] : 1;
    s->block[1] = block[1] && has[2] > 1 ? block[1] : 1;
    for (int i = MAX_MATRIX_DIMS - 1; i >= 0; i--) {
        const uint64_t size = i > 0 && block[0] ? block[i - 1] : 1;
        const bool whole = has[i] == dims[i] / size + (dims[i] % size != 0);
        if (!whole && has[i] != 1) return false;
        s->strides[i] = has[i] > 1 ? stride : 0;
        stride *= has[i];
    }
    if (!s->strides[2]) s->block[1] = s->cols ? s->cols : 1;
    return true;
}

static godwit_status make_scaled(gw_hf *hf, const gw_st_tensor *weight, const gw_st_tensor *scales,
                                 const way *w, gw_st_tensor *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    scaled *s = gw_arena_alloc(&hf->arena, 1, sizeof *s);
    GW_CHECK_ALLOC(s, err, "scales");
    *s = (scaled){.numbers = weight, .scales = scales};
    if (!read_values(weight->type->name, s->values)) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor %s: %s with scales; F8_E4M3, F8_E5M2 and I8 can be converted", weight->name,
                weight->type->name);
    }
    if (scales->type->gguf < 0) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor %s: scales of type %s; F32, F16 and BF16 can be converted", scales->name,
                scales->type->name);
    }
    s->scale_format = gw_format_find((uint32_t)scales->type->gguf);
    if (!fits(s, weight, scales, w->block)) {
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: its shape is not one of scales for %s",
                scales->name, weight->name);
    }
    if (weight->n_elements > UINT64_MAX / sizeof(float))
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: over 2^64 bytes", weight->name);
    *out = *weight;
    out->type = gw_st_type_find("F32");
    out->bytes = weight->n_elements * sizeof(float);
    out->source = (gw_source){.read = read_scaled, .user = s};
done:
    return status;
}

static bool is_left_out(const gw_hf *hf, const way *w, const char *name) {
    char weight[512];
    for (size_t i = 0; w->left_outs[i]; i++) {
        if (gw_str_ends(gw_str_of(name), gw_str_of(w->left_outs[i]))) return true;
    }
    if (!gw_str_ends(gw_str_of(name), gw_str_of(w->end)) || strlen(name) >= sizeof weight)
        return false;
    snprintf(weight, sizeof weight, "%.*s", (int)(strlen(name) - strlen(w->end)), name);
    return gw_safetensors_find(hf->weights, weight) != NULL;
}

static godwit_status put_products(gw_hf *hf, const way *w, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t n = gw_safetensors_n(hf->weights);
    gw_st_tensor *all = gw_arena_alloc(&hf->arena, (size_t)n + 1, sizeof *all);
    uint64_t n_all = 0;
    char name[512];
    GW_CHECK_ALLOC(all, err, "tensors");
    for (uint64_t i = 0; i < n; i++) {
        const gw_st_tensor *t = gw_safetensors_at(hf->weights, i), *scales = NULL;
        if (is_left_out(hf, w, t->name)) continue;
        if (snprintf(name, sizeof name, "%s%s", t->name, w->end) < (int)sizeof name)
            scales = gw_safetensors_find(hf->weights, name);
        all[n_all] = *t;
        if (scales) GW_TRY(make_scaled(hf, t, scales, w, &all[n_all], err));
        n_all++;
    }
    GW_TRY(gw_safetensors_replace(hf->weights, all, n_all, err));
done:
    return status;
}

// --- settings ------------------------------------------------------------------------------------

// A list of rows and columns, or nothing.
static godwit_status read_block(const gw_json *list, way *w, godwit_error *err) {
    if (gw_json_is_null(list)) return GODWIT_OK;
    const gw_json *item = list->type == GW_JSON_ARRAY && list->n == 2 ? list->first : NULL;
    for (int i = 0; i < 2 && item; i++, item = item->next) {
        if (!gw_json_u64(item, &w->block[i]) || w->block[i] > MAX_BLOCK) w->block[i] = 0;
    }
    if (w->block[0] && w->block[1]) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "quantization_config: a block that is not of two sizes");
}

static godwit_status refuse(const char *what, gw_str name, godwit_error *err) {
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "quantization_config: %s %.*s is not converted (those that are: fp8, "
                   "compressed-tensors and modelopt of 8 bits, gpt-oss's mxfp4); convert the "
                   "original",
                   what, GW_STR_ARG(name));
}

static godwit_status read_compressed(const gw_json *config, way *w, godwit_error *err) {
    gw_str format = GW_STR("(none)"), strategy = GW_STR("(none)");
    const gw_json *groups = gw_json_get(config, "config_groups");
    gw_json_str(gw_json_get(config, "format"), &format);
    if (!gw_str_eq(format, GW_STR("float-quantized")) &&
        !gw_str_eq(format, GW_STR("int-quantized")) &&
        !gw_str_eq(format, GW_STR("naive-quantized")))
        return refuse("compressed-tensors' format", format, err);
    if (!groups || groups->type != GW_JSON_OBJECT || groups->n != 1) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "quantization_config: only one of config_groups is supported");
    }
    const gw_json *weights = gw_json_get(groups->first, "weights");
    gw_json_str(gw_json_get(weights, "strategy"), &strategy);
    if (gw_str_eq(strategy, GW_STR("block")))
        return read_block(gw_json_get(weights, "block_structure"), w, err);
    if (gw_str_eq(strategy, GW_STR("channel")) || gw_str_eq(strategy, GW_STR("tensor")))
        return GODWIT_OK;
    return refuse("compressed-tensors' strategy", strategy, err);
}

godwit_status gw_hf_read_scales(gw_hf *hf, godwit_error *err) {
    static const char *const of_activations[] = {
        ".activation_scale", "_activation_scale", ".input_scale", ".k_scale", ".v_scale", NULL};
    godwit_status status = GODWIT_OK;
    const gw_json *config = gw_hf_setting(hf, "quantization_config");
    gw_str method = GW_STR("(none)"), algo = GW_STR("(none)");
    way w = {.end = "_scale", .left_outs = of_activations};
    if (!config) return GODWIT_OK;
    gw_json_str(gw_json_get(config, "quant_method"), &method);
    gw_json_str(gw_json_get(config, "quant_algo"), &algo);
    if (gw_str_eq(method, GW_STR("mxfp4"))) return GODWIT_OK; // its blocks are named as such
    if (gw_str_eq(method, GW_STR("fp8"))) {
        w.end = "_scale_inv";
        GW_TRY(read_block(gw_json_get(config, "weight_block_size"), &w, err));
    } else if (gw_str_eq(method, GW_STR("compressed-tensors"))) {
        GW_TRY(read_compressed(config, &w, err));
    } else if (!gw_str_eq(method, GW_STR("modelopt"))) {
        return refuse("quant_method", method, err);
    } else if (!gw_str_eq(algo, GW_STR("FP8"))) {
        return refuse("modelopt's quant_algo", algo, err);
    }
    GW_TRY(put_products(hf, &w, err));
done:
    return status;
}
