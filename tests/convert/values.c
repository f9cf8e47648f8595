// Values: which weights are refused, which are warned of, and what messages name.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/hf/"

enum { N_ROWS = 4, N_COLS = 512, N_VALUES = N_ROWS * N_COLS };

typedef struct box {
    char dir[512], in[600], out[600], matrix[600];
    float values[N_VALUES];
    heard heard;
} box;

static void fill_values(float *values, size_t n, float scale) {
    uint32_t state = 7;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = ((float)(state >> 8) / (float)(1 << 24) - 0.5f) * scale;
    }
}

static box *box_make(void) {
    static box b;
    folder_make(b.dir, sizeof b.dir);
    snprintf(b.in, sizeof b.in, "%s/in.gguf", b.dir);
    snprintf(b.out, sizeof b.out, "%s/out.gguf", b.dir);
    snprintf(b.matrix, sizeof b.matrix, "%s/matrix.gguf", b.dir);
    fill_values(b.values, N_VALUES, 1);
    b.heard = (heard){0};
    return &b;
}

static godwit_status quantize_file(box *b, const godwit_quantize_params *params,
                                   godwit_error *err) {
    gw_host host;
    godwit_quantize_result result;
    gw_host_init(&host, NULL, hear, &b->heard);
    opened file = open_gguf(b->in);
    b->heard = (heard){0};
    godwit_status status = gw_quantize_file(&host, file.gguf, params, b->out, &result, err);
    close_gguf(&file);
    return status;
}

// "w" [N_ROWS, N_COLS] with the box's values.
static godwit_status quantize(box *b, const godwit_quantize_params *params, godwit_error *err) {
    write_f32(b->in, &(shape){"w", 2, {N_ROWS, N_COLS}}, 1, b->values);
    return quantize_file(b, params, err);
}

// The message is "<in>: tensor <says>..." and does not name the file that was to be written.
static void expect_refused(box *b, godwit_status got, godwit_status want, const godwit_error *err,
                           const char *says) {
    char begin[1100];
    snprintf(begin, sizeof begin, "%s: tensor %s", b->in, says);
    cr_expect_eq(got, want, "%s", err->message);
    cr_expect_eq(strncmp(err->message, begin, strlen(begin)), 0, "not '%s': %s", begin,
                 err->message);
    cr_expect_null(strstr(err->message, b->out), "%s", err->message);
    cr_expect_neq(access(b->out, F_OK), 0, "%s: a file is left", says);
}

// --- limits --------------------------------------------------------------------------------------

// The error of values whose largest magnitude is that, by the values.
static double relative_error(const gw_format *format, float largest) {
    static float x[N_COLS], back[N_COLS], ones[N_COLS];
    static uint8_t bytes[N_COLS * 4];
    float found = 0;
    double error = 0, energy = 0;
    fill_values(x, N_COLS, 1);
    for (int i = 0; i < N_COLS; i++) {
        found = fabsf(x[i]) > found ? fabsf(x[i]) : found;
        ones[i] = 1;
    }
    for (int i = 0; i < N_COLS; i++) x[i] *= largest / found;
    format->quantize(x, format->needs_importances ? ones : NULL, N_COLS, bytes);
    gw_format_dequantize(format, bytes, N_COLS, back);
    for (int i = 0; i < N_COLS; i++) {
        double d = (double)back[i] - (double)x[i];
        error += d * d;
        energy += (double)x[i] * (double)x[i];
    }
    return sqrt(error / energy);
}

// What a format says of itself: up to its limit it is as good as for small values, and far above it
// is not. The searches of Q3_K and IQ4 square and multiply so often that large values pass the
// largest float and they settle for the plain scale.
Test(values, limits_of_formats) {
    int n_limits = 0;
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        if (!f->quantize) continue;
        if (f->limit == 0) {
            cr_expect_leq(relative_error(f, 0x1p120f), relative_error(f, 1), "%s", f->name);
            continue;
        }
        double usual = relative_error(f, 1), at = relative_error(f, f->limit * 0.999f);
        double above = relative_error(f, f->limit * 8); // Q1_0's scale is a mean
        cr_expect_lt(at, usual * 1.2, "%s: %g at its limit, %g usually", f->name, at, usual);
        cr_expect_gt(above, usual * 1.4, "%s: %g above its limit, %g usually", f->name, above,
                     usual);
        n_limits++;
    }
    cr_expect_geq(n_limits, 20);
}

Test(values, too_large_for_a_format) {
    static const struct {
        godwit_dtype dtype;
        float value;
        const char *says; // NULL: not too large
    } rows[] = {
        {GODWIT_NVFP4, 2600, NULL},
        {GODWIT_NVFP4, -3000, "w: row 2, column 5: -3000 is too large for NVFP4; give w a rule"},
        {GODWIT_F16, 65504, NULL},
        {GODWIT_F16, 66000, "w: row 2, column 5: 66000 is too large for F16; give w a rule"},
        {GODWIT_Q8_0, 8e6f, NULL},
        {GODWIT_Q8_0, 8.4e6f, "w: row 2, column 5: 8.4e+06 is too large for Q8_0"},
        {GODWIT_Q4_K, 5e6f, "w: row 2, column 5: 5e+06 is too large for Q4_K"},
        {GODWIT_MXFP4, 1e37f, NULL},
        {GODWIT_BF16, 3.4e38f, "w: row 2, column 5: 3.4e+38 is too large for BF16"},
        {GODWIT_F32, 3.4e38f, NULL},
    };
    box *b = box_make();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_error err = {0};
        b->values[2 * N_COLS + 5] = rows[i].value;
        godwit_status got =
            quantize(b, &(godwit_quantize_params){.dtype = rows[i].dtype, .n_threads = 3}, &err);
        if (rows[i].says) {
            expect_refused(b, got, GODWIT_UNSUPPORTED, &err, rows[i].says);
        } else {
            cr_expect_eq(got, GODWIT_OK, "%s %g: %s", godwit_dtype_name(rows[i].dtype),
                         (double)rows[i].value, err.message);
        }
        unlink(b->out);
    }
    folder_remove(b->dir);
}

// --- lost rows -----------------------------------------------------------------------------------

static void keep_squares(void *user, const godwit_converted_tensor *t) {
    ((double *)user)[0] = t->mean_squared_error;
    ((double *)user)[1] = t->mean_square;
}

// Once a tensor, where a row comes out no better than zeros; the squares let one say how bad.
Test(values, rows_that_are_lost) {
    static const struct {
        godwit_dtype dtype;
        float scale;
        const char *says; // NULL: nothing
    } rows[] = {
        {GODWIT_NVFP4, 1, NULL},
        {GODWIT_NVFP4, 0.1f, NULL},
        {GODWIT_NVFP4, 0.001f,
         "tensor w: 3 of 4 rows are no better in NVFP4 than zeros would be, "
         "row 1 the first"},
        {GODWIT_Q4_K, 1e-3f, NULL},
        {GODWIT_Q4_K, 1e-7f, "tensor w: 3 of 4 rows are no better in Q4_K"},
        {GODWIT_Q5_K, 1e-7f, "tensor w: 3 of 4 rows are no better in Q5_K"},
        {GODWIT_Q8_0, 1e-6f, "tensor w: 3 of 4 rows are no better in Q8_0"},
        {GODWIT_F16, 1e-8f, "tensor w: 3 of 4 rows are no better in F16"},
        {GODWIT_BF16, 1e-8f, NULL},
        {GODWIT_F16, 1e-13f, NULL}, // below 2^-40: zeros to every kernel
    };
    box *b = box_make();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_error err = {0};
        double squares[2] = {0}, want = 0;
        fill_values(b->values, N_VALUES, rows[i].scale);
        fill_values(b->values, N_COLS, 1);
        for (int k = 0; k < N_VALUES; k++) {
            want += (double)b->values[k] * (double)b->values[k] / N_VALUES;
        }
        godwit_quantize_params params = {
            .dtype = rows[i].dtype, .n_threads = 2, .each = keep_squares, .each_user = squares};
        cr_assert_eq(quantize(b, &params, &err), GODWIT_OK, "%s", err.message);
        cr_expect_eq(b->heard.n, rows[i].says != NULL, "%s of %g: %s",
                     godwit_dtype_name(rows[i].dtype), (double)rows[i].scale, b->heard.line);
        if (rows[i].says) {
            cr_expect_not_null(strstr(b->heard.line, rows[i].says), "%s", b->heard.line);
            cr_expect_eq(strncmp(b->heard.line, b->in, strlen(b->in)), 0, "%s", b->heard.line);
        }
        cr_expect(fabs(squares[1] - want) < 1e-9 * want, "%g, not %g", squares[1], want);
        cr_expect(squares[0] > 0 && squares[0] < want, "%g", squares[0]);
    }
    folder_remove(b->dir);
}

// --- NaN and infinity ----------------------------------------------------------------------------

// Also where the type stays, and in vectors and norms, which are F32 in every file.
Test(values, not_finite) {
    static const struct {
        shape shape;
        size_t at;
        float value;
        const char *says;
    } rows[] = {
        {{"w", 2, {N_ROWS, N_COLS}}, 3 * N_COLS + 7, NAN, "w: row 3, column 7: NaN"},
        {{"w", 2, {N_ROWS, N_COLS}}, N_COLS, INFINITY, "w: row 1, column 0: infinity"},
        {{"w", 3, {2, 2, N_COLS}}, 3 * N_COLS, -INFINITY, "w: row 3, column 0: infinity"},
        {{"blk.0.attn_norm.weight", 1, {N_COLS}},
         37,
         NAN,
         "blk.0.attn_norm.weight: element 37: NaN"},
    };
    static const godwit_dtype types[] = {GODWIT_F32, GODWIT_F16, GODWIT_Q8_0, GODWIT_MXFP4};
    box *b = box_make();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fill_values(b->values, N_VALUES, 1);
        b->values[rows[i].at] = rows[i].value;
        for (size_t k = 0; k < 4; k++) {
            godwit_error err = {0};
            write_f32(b->in, &rows[i].shape, 1, b->values);
            godwit_status got =
                quantize_file(b, &(godwit_quantize_params){.dtype = types[k]}, &err);
            expect_refused(b, got, GODWIT_MALFORMED, &err, rows[i].says);
        }
    }
    folder_remove(b->dir);
}

static void write_bytes(const char *path, uint32_t type, uint64_t n_cols, const void *bytes) {
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    cr_assert_eq(
        gw_gguf_writer_add_bytes(writer, "w", type, 2, (uint64_t[]){2, n_cols}, bytes, &err),
        GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

// Scales of a quantized source; whole numbers are no weights.
Test(values, not_finite_in_other_types) {
    uint8_t blocks[2 * 34] = {0};
    int32_t whole[2 * 4] = {-1, 0x7f800000, -1, -1, 0x7fc00000, -1, -1, -1};
    box *b = box_make();
    godwit_error err = {0};
    blocks[34] = 0x01; // 0x7c01: NaN
    blocks[35] = 0x7c;
    write_bytes(b->in, GODWIT_Q8_0, 32, blocks);
    godwit_status got = quantize_file(b, &(godwit_quantize_params){.dtype = GODWIT_Q8_0}, &err);
    expect_refused(b, got, GODWIT_MALFORMED, &err, "w: row 1, column 0: NaN");
    write_bytes(b->in, GODWIT_I32, 4, whole);
    got = quantize_file(b, &(godwit_quantize_params){.dtype = GODWIT_Q8_0}, &err);
    cr_expect_eq(got, GODWIT_OK, "%s", err.message);
    folder_remove(b->dir);
}

// --- what a folder calls it ----------------------------------------------------------------------

// The folder "plain" with a value of a tensor, in F16, changed.
static void change_value(const char *dir, const char *tensor, uint64_t element, uint16_t half) {
    static char bytes[1 << 20];
    char path[1024];
    godwit_error err = {0};
    gw_safetensors *weights = NULL;
    size_t n = 0;
    copy_folder(dir, GOLDEN "plain", "model.safetensors");
    cr_assert_eq(gw_safetensors_open(plain_host(), GOLDEN "plain", &weights, &err), GODWIT_OK);
    const gw_st_tensor *t = gw_safetensors_find(weights, tensor);
    cr_assert(t && element < t->n_elements);
    FILE *f = fopen(GOLDEN "plain/model.safetensors", "rb");
    cr_assert_not_null(f);
    n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    cr_assert(n >= t->offset + t->bytes && n < sizeof bytes);
    bytes[t->offset + 2 * element] = (char)(half & 255);
    bytes[t->offset + 2 * element + 1] = (char)(half >> 8);
    gw_safetensors_destroy(&weights);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    write_text(dir, "model.safetensors", bytes, n);
}

// Rows of Wq and Wk, and their biases' elements, change places on the way: the source's are named.
Test(values, a_folder_is_named_as_it_is) {
    static const struct {
        const char *tensor;
        uint64_t element;
        godwit_dtype dtype;
        const char *says;
    } rows[] = {
        {"model.layers.0.self_attn.q_proj.weight", 3 * 32 + 5, GODWIT_F16, "row 3, column 5: NaN"},
        {"model.layers.0.self_attn.q_proj.weight", 3 * 32 + 5, GODWIT_F32, "row 3, column 5: NaN"},
        {"model.layers.1.self_attn.k_proj.bias", 6, GODWIT_F16, "element 6: NaN"},
        {"model.layers.1.mlp.up_proj.weight", 7 * 32, GODWIT_F16, "row 7, column 0: NaN"},
        {"model.norm.weight", 31, GODWIT_Q8_0, "element 31: NaN"},
    };
    char dir[512], out[600], want[1200];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_quantize_params params = {.dtype = rows[i].dtype, .n_threads = 2};
        godwit_quantize_result result;
        godwit_error err = {0};
        change_value(dir, rows[i].tensor, rows[i].element, 0x7e00);
        snprintf(want, sizeof want, "%s/model.safetensors: tensor %s: %s", dir, rows[i].tensor,
                 rows[i].says);
        cr_expect_eq(gw_convert_folder(plain_host(), dir, &params, out, &result, &err),
                     GODWIT_MALFORMED);
        cr_expect_eq(strncmp(err.message, want, strlen(want)), 0, "not '%s': %s", want,
                     err.message);
        cr_expect_neq(access(out, F_OK), 0);
    }
    folder_remove(dir);
}

// --- importances ---------------------------------------------------------------------------------

static void write_matrix(const char *path, const char *name, float scale) {
    static float sums[N_COLS];
    static const float once = 1;
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    char tensor[64];
    for (int i = 0; i < N_COLS; i++) sums[i] = (float)(1 + i % 13) * scale;
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    snprintf(tensor, sizeof tensor, "%s.in_sum2", name);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, tensor, GODWIT_F32, 2, (uint64_t[]){1, N_COLS},
                                          sums, &err),
                 GODWIT_OK);
    snprintf(tensor, sizeof tensor, "%s.counts", name);
    cr_assert_eq(
        gw_gguf_writer_add_bytes(writer, tensor, GODWIT_F32, 2, (uint64_t[]){1, 1}, &once, &err),
        GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

// Importances count by their ratios: those times 2^124, near the largest float, give the same file.
Test(values, importances_of_any_size) {
    static uint8_t first[1 << 16];
    box *b = box_make();
    int n_formats = 0;
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        godwit_quantize_params params = {.dtype = (godwit_dtype)f->type, .imatrix_path = b->matrix};
        if (!f->quantize || gw_format_is_float(f)) continue;
        n_formats++;
        for (int large = 0; large < 2; large++) {
            godwit_error err = {0};
            write_matrix(b->matrix, "w", large ? 0x1p124f : 1.0f);
            cr_assert_eq(quantize(b, &params, &err), GODWIT_OK, "%s: %s", f->name, err.message);
            contents got = read_file(b->out);
            cr_assert_leq(got.n, sizeof first);
            if (!large) memcpy(first, got.bytes, (size_t)got.n);
            cr_expect_eq(memcmp(first, got.bytes, (size_t)got.n), 0, "%s", f->name);
            drop_file(&got);
        }
    }
    cr_expect_geq(n_formats, 20);
    folder_remove(b->dir);
}

// How many matrices it knows is said; one that knows none is refused by its own name.
Test(values, importances_of_another_model) {
    static const shape shapes[] = {
        {"v", 2, {2, N_COLS}}, {"w", 2, {2, N_COLS}}, {"n", 1, {N_COLS}}};
    box *b = box_make();
    gw_host host;
    char want[1100];
    godwit_quantize_params params = {.dtype = GODWIT_Q4_K, .imatrix_path = b->matrix};
    godwit_quantize_result result = {0};
    godwit_error err = {0};
    gw_host_init(&host, NULL, NULL, NULL);
    write_f32(b->in, shapes, 3, b->values);
    opened file = open_gguf(b->in);
    write_matrix(b->matrix, "w", 2);
    cr_expect_eq(gw_quantize_file(&host, file.gguf, &params, b->out, &result, &err), GODWIT_OK,
                 "%s", err.message);
    cr_expect(result.n_matrices == 2 && result.n_important == 1);
    write_matrix(b->matrix, "n", 2);
    snprintf(want, sizeof want,
             "%s: it has no importances for any of 2 matrices; its first entry is n, the first "
             "matrix v",
             b->matrix);
    cr_expect_eq(gw_quantize_file(&host, file.gguf, &params, b->out, &result, &err),
                 GODWIT_MALFORMED);
    cr_expect_eq(strncmp(err.message, want, strlen(want)), 0, "%s", err.message);
    close_gguf(&file);
    folder_remove(b->dir);
}
