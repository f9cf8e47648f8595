// Quantize: blocks against the gguf package's, which format a tensor gets, what is refused.
#include "convert/convert_support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { N_VALUES = 3 * 96 * 256 };

typedef struct box {
    char dir[512], in[600], out[600];
    float *values;
} box;

static float draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (float)(1 << 24) - 0.5f;
}

static void box_make(box *b) {
    static float values[N_VALUES];
    uint32_t state = 7;
    for (size_t i = 0; i < N_VALUES; i++) values[i] = draw(&state);
    b->values = values;
    folder_make(b->dir, sizeof b->dir);
    snprintf(b->in, sizeof b->in, "%s/in.gguf", b->dir);
    snprintf(b->out, sizeof b->out, "%s/out.gguf", b->dir);
}

static godwit_status quantize(const char *in, const char *out, const godwit_quantize_params *params,
                              godwit_quantize_result *result, godwit_error *err) {
    godwit_quantize_result unused;
    opened file = open_gguf(in);
    godwit_status status =
        gw_quantize_file(plain_host(), file.gguf, params, out, result ? result : &unused, err);
    close_gguf(&file);
    return status;
}

// Every format that both the package and this build can write: the same bytes.
Test(quantize, blocks_of_the_gguf_package) {
    box b;
    int n = 0;
    box_make(&b);
    opened golden = open_gguf(GODWIT_TEST_ROOT "/tests/golden/convert/blocks.gguf");
    for (uint64_t i = 0; i < gw_gguf_n_tensors(golden.gguf); i++) {
        const gw_gguf_tensor *want = gw_gguf_tensor_at(golden.gguf, i);
        const gw_format *format = gw_format_find(want->type);
        if (strcmp(want->name, "source") == 0 || !format || !format->quantize) continue;
        godwit_error err = {0};
        godwit_quantize_params params = {.dtype = want->type};
        const gw_gguf_tensor *source = gw_gguf_find_tensor(golden.gguf, "source");
        write_f32(b.in, &(shape){"source", 2, {source->dims[0], source->dims[1]}}, 1,
                  (const float *)(const void *)source->source.bytes);
        cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
        opened got = open_gguf(b.out);
        const gw_gguf_tensor *t = gw_gguf_tensor_at(got.gguf, 0);
        cr_assert_eq(t->type, want->type);
        cr_assert_eq(t->bytes, want->bytes);
        for (uint64_t k = 0; k < t->bytes; k++) {
            cr_assert_eq(t->source.bytes[k], want->source.bytes[k], "%s: byte %d of block %d",
                         want->name, (int)(k % format->block_bytes),
                         (int)(k / format->block_bytes));
        }
        close_gguf(&got);
        n++;
    }
    cr_assert_geq(n, 4, "only %d formats were compared", n);
    close_gguf(&golden);
    folder_remove(b.dir);
}

Test(quantize, which_format_a_tensor_gets) {
    static const struct {
        shape shape;
        uint32_t to;
    } rows[] = {
        {{"blk.0.attn_q.weight", 2, {4, 64}}, GODWIT_Q4_0},
        {{"blk.0.attn_q.bias", 1, {64}}, GODWIT_F32},
        {{"blk.0.attn_norm.weight", 1, {64}}, GODWIT_F32},
        {{"blk.0.attn_q_norm.weight", 2, {4, 64}}, GODWIT_F32},
        {{"blk.1.attn_k_norm.weight", 2, {4, 64}}, GODWIT_Q8_0}, // has a rule
        {{"blk.1.attn_v.weight", 2, {4, 64}}, GODWIT_Q8_0},
        {{"blk.12.attn_v.weight", 2, {4, 64}}, GODWIT_BF16},
        {{"blk.0.ffn_down.weight", 2, {4, 172}}, GODWIT_F16}, // no multiple of 32
        {{"blk.0.ffn_gate_inp.weight", 2, {4, 64}}, GODWIT_F32},
        {{"blk.0.ffn_up_exps.weight", 3, {3, 4, 32}}, GODWIT_Q4_0},
        {{"token_embd.weight", 2, {8, 32}}, GODWIT_Q4_0},
        {{"output.weight", 2, {8, 32}}, GODWIT_F32}, // has a rule
    };
    enum { N = sizeof rows / sizeof *rows };
    const godwit_tensor_rule rules[] = {
        {"blk.?.attn_v.*", GODWIT_Q8_0},
        {"blk.*.attn_v.weight", GODWIT_BF16},
        {"*.attn_k_norm.weight", GODWIT_Q8_0},
        {"output.weight", GODWIT_F32},
    };
    godwit_quantize_params params = {.dtype = GODWIT_Q4_0, .rules = rules, .n_rules = 4};
    godwit_quantize_result result;
    godwit_error err = {0};
    box b;
    shape shapes[N];
    box_make(&b);
    for (size_t i = 0; i < N; i++) shapes[i] = rows[i].shape;
    write_f32(b.in, shapes, N, b.values);
    cr_assert_eq(quantize(b.in, b.out, &params, &result, &err), GODWIT_OK, "%s", err.message);
    opened got = open_gguf(b.out);
    cr_assert_eq(gw_gguf_n_tensors(got.gguf), N);
    for (size_t i = 0; i < N; i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(got.gguf, i);
        cr_expect_str_eq(t->name, rows[i].shape.name);
        cr_expect_eq(t->type, rows[i].to, "%s: type %u, not %u", t->name, t->type, rows[i].to);
        cr_expect_eq(memcmp(t->dims, shapes[i].dims, t->n_dims * sizeof *t->dims), 0);
    }
    cr_expect_eq(result.n_other, 3);
    cr_expect_eq(result.n_tensors, N);
    uint32_t number = 0;
    cr_assert_eq(gw_gguf_require_u32(got.gguf, "general.file_type", 0, 99, &number, &err),
                 GODWIT_OK);
    cr_expect_eq(number, 2);
    cr_assert_eq(
        gw_gguf_require_u32(got.gguf, "general.quantization_version", 0, 99, &number, &err),
        GODWIT_OK);
    cr_expect_eq(number, 2);
    cr_expect_not_null(gw_gguf_find(got.gguf, "general.name"));
    close_gguf(&got);
    folder_remove(b.dir);
}

// Doubles are weights as floats are; whole numbers are none. F16 and BF16 come the same way.
Test(quantize, sources) {
    static const godwit_dtype wanted[] = {GODWIT_F32, GODWIT_F16, GODWIT_Q8_0, GODWIT_Q4_0};
    static double doubles[4 * 64];
    static const int32_t numbers[4] = {1, -2, 3, 1 << 30};
    const uint64_t dims[2] = {4, 64};
    godwit_error err = {0};
    box b;
    box_make(&b);
    for (size_t i = 0; i < 4 * 64; i++) doubles[i] = (double)b.values[i] * (1 + 1e-9);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        gw_gguf_writer *writer = NULL;
        godwit_quantize_params params = {.dtype = wanted[i]};
        cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, "f64", 28, 2, dims, doubles, &err),
                     GODWIT_OK);
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, "f64.bias", 28, 1, dims + 1, doubles, &err),
                     GODWIT_OK);
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, "f32", 0, 2, dims, b.values, &err),
                     GODWIT_OK);
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, "i32", 26, 1, dims, numbers, &err),
                     GODWIT_OK);
        cr_assert_eq(gw_gguf_writer_save(writer, b.in, &err), GODWIT_OK, "%s", err.message);
        gw_gguf_writer_destroy(&writer);
        cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
        opened got = open_gguf(b.out);
        const gw_gguf_tensor *f64 = gw_gguf_tensor_at(got.gguf, 0);
        const gw_gguf_tensor *bias = gw_gguf_tensor_at(got.gguf, 1);
        const gw_gguf_tensor *f32 = gw_gguf_tensor_at(got.gguf, 2);
        const gw_gguf_tensor *i32 = gw_gguf_tensor_at(got.gguf, 3);
        cr_expect(f64->type == wanted[i] && f32->type == wanted[i], "type %u", f64->type);
        cr_expect_eq(memcmp(f64->source.bytes, f32->source.bytes, f32->bytes), 0, "to type %u",
                     f64->type);
        cr_expect(bias->type == GODWIT_F32 &&
                  memcmp(bias->source.bytes, b.values, bias->bytes) == 0);
        cr_expect(i32->type == 26 && memcmp(i32->source.bytes, numbers, sizeof numbers) == 0);
        close_gguf(&got);
    }
    folder_remove(b.dir);
}

static char warnings[4][512];
static size_t n_warnings;

static void keep_warning(void *user, godwit_log_level level, const char *text) {
    (void)user;
    if (level != GODWIT_LOG_WARN) return;
    cr_assert_lt(n_warnings, 4);
    snprintf(warnings[n_warnings++], sizeof *warnings, "%s", text);
}

// A rule that changes nothing is said once, with why.
Test(quantize, rules_without_effect) {
    static const shape shapes[] = {{"blk.0.attn_norm.weight", 1, {64}},
                                   {"blk.1.attn_norm.weight", 1, {64}},
                                   {"blk.0.ffn_down.weight", 2, {4, 172}},
                                   {"blk.0.attn_q.weight", 2, {4, 64}},
                                   {"blk.1.attn_q.weight", 2, {4, 64}}};
    static const struct {
        godwit_tensor_rule rules[2];
        const char *says;
    } rows[] = {
        {{{"*_norm.weight", GODWIT_F16}, {"*_q.*", GODWIT_F16}},
         "'*_norm.weight': no tensor becomes F16; blk.0.attn_norm.weight gets F32: vectors"},
        {{{"*_q.weight", GODWIT_F16}, {"blk.1.attn_q.*", GODWIT_Q8_0}},
         "'blk.1.attn_q.*': no tensor becomes Q8_0; blk.1.attn_q.weight gets F16: an "
         "earlier"},
        {{{"*_down.weight", GODWIT_Q8_0}, {"*_q.*", GODWIT_F16}},
         "'*_down.weight': no tensor becomes Q8_0; blk.0.ffn_down.weight gets F16: rows of"},
        {{{"*.weight", GODWIT_F16}, {"*_norm.weight", GODWIT_F32}}, NULL},
        {{{"*_norm.weight", GODWIT_F32}, {"blk.1.*", GODWIT_F16}}, NULL},
    };
    box b;
    box_make(&b);
    write_f32(b.in, shapes, 5, b.values);
    gw_host host;
    gw_host_init(&host, NULL, keep_warning, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_quantize_params params = {
            .dtype = GODWIT_Q4_0, .rules = rows[i].rules, .n_rules = 2};
        godwit_quantize_result result;
        godwit_error err = {0};
        opened file = open_gguf(b.in);
        n_warnings = 0;
        cr_assert_eq(gw_quantize_file(&host, file.gguf, &params, b.out, &result, &err), GODWIT_OK,
                     "%s", err.message);
        close_gguf(&file);
        cr_expect_eq(n_warnings, rows[i].says ? 1 : 0, "row %zu: %zu", i, n_warnings);
        if (!rows[i].says || n_warnings == 0) continue;
        cr_expect(strstr(warnings[0], rows[i].says), "row %zu: %s", i, warnings[0]);
    }
    folder_remove(b.dir);
}

// The same bytes on any number of threads, also where a piece ends inside of a tensor.
Test(quantize, threads) {
    const shape shapes[] = {{"a", 2, {3 * 96 * 256 / 32, 32}},
                            {"b", 2, {288, 256}},
                            {"c", 3, {3, 96, 256}},
                            {"d", 2, {2, 3 * 96 * 128}}};
    static uint8_t first[1 << 20];
    box b;
    box_make(&b);
    write_f32(b.in, shapes, 4, b.values);
    for (uint32_t n_threads = 1; n_threads <= 8; n_threads++) {
        godwit_error err = {0};
        godwit_quantize_params params = {.dtype = GODWIT_Q4_0, .n_threads = n_threads};
        cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
        contents got = read_file(b.out);
        cr_assert_leq(got.n, sizeof first);
        if (n_threads == 1) memcpy(first, got.bytes, (size_t)got.n);
        cr_assert_eq(memcmp(first, got.bytes, (size_t)got.n), 0, "%u threads", n_threads);
        drop_file(&got);
    }
    folder_remove(b.dir);
}

static bool stop_at_second(void *user, const char *what, uint64_t done, uint64_t total) {
    cr_expect(done <= total && what[0]);
    return ++*(int *)user < 2;
}

Test(quantize, stopped_leaves_nothing) {
    const shape shapes[] = {{"a", 2, {288, 256}}, {"b", 2, {288, 256}}, {"c", 2, {288, 256}}};
    box b;
    int n_calls = 0;
    godwit_error err = {0};
    godwit_quantize_params params = {
        .dtype = GODWIT_Q8_0, .progress = stop_at_second, .progress_user = &n_calls};
    box_make(&b);
    write_f32(b.in, shapes, 3, b.values);
    cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_CANCELLED);
    cr_expect_eq(n_calls, 2);
    cr_expect_eq(folder_count(b.dir), 1);
    folder_remove(b.dir);
}

static void add_error(void *user, const godwit_converted_tensor *t) {
    *(double *)user += t->mean_squared_error;
}

// The reported error is that of the file.
Test(quantize, error_is_measured) {
    box b;
    double reported = 0, measured = 0;
    godwit_error err = {0};
    godwit_quantize_params params = {
        .dtype = GODWIT_Q4_0, .each = add_error, .each_user = &reported};
    box_make(&b);
    write_f32(b.in, &(shape){"a", 2, {288, 256}}, 1, b.values);
    cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
    opened got = open_gguf(b.out);
    static float back[288 * 256];
    gw_format_dequantize(gw_format_find(GODWIT_Q4_0), gw_gguf_tensor_at(got.gguf, 0)->source.bytes,
                         288 * 256, back);
    for (int i = 0; i < 288 * 256; i++) {
        double d = (double)back[i] - (double)b.values[i];
        measured += d * d / (288 * 256);
    }
    cr_expect(measured > 1e-4 && reported > measured * 0.999999 && reported < measured * 1.000001,
              "%g, measured %g", reported, measured);
    close_gguf(&got);
    folder_remove(b.dir);
}

// An importance matrix for "w": in_sum2 [n_matrices, 256], each measured twice.
static void write_matrix(const char *path, const float *sums, uint64_t n_matrices) {
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    const float counts[2] = {2, 2};
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "w.in_sum2", GODWIT_F32, 2,
                                          (uint64_t[]){n_matrices, 256}, sums, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "w.counts", GODWIT_F32, 2,
                                          (uint64_t[]){n_matrices, 1}, counts, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

// The squared error of rows of 256, each column's times its importance.
static double weighted_error(const char *path, const float *values, const float *sums,
                             uint64_t n_rows, uint64_t rows_per_matrix) {
    static float back[256];
    double error = 0;
    opened file = open_gguf(path);
    const gw_gguf_tensor *t = gw_gguf_tensor_at(file.gguf, 0);
    const gw_format *format = gw_format_find(t->type);
    for (uint64_t r = 0; r < n_rows; r++) {
        const float *w = sums + r / rows_per_matrix * 256;
        gw_format_dequantize(format, t->source.bytes + r * format->block_bytes, 256, back);
        for (int i = 0; i < 256; i++) {
            double d = (double)back[i] - (double)values[r * 256 + (uint64_t)i];
            error += d * d * (double)w[i];
        }
    }
    close_gguf(&file);
    return error;
}

// Two experts for which other columns matter: each one's own importances reach its rows.
Test(quantize, importances) {
    static float sums[512], swapped[512];
    const gw_format *format = gw_format_find(GODWIT_Q4_K);
    if (!format || !format->quantize) cr_skip_test("nothing here quantizes to Q4_K");
    box b;
    char matrix[600];
    double errors[3];
    box_make(&b);
    snprintf(matrix, sizeof matrix, "%s/matrix.gguf", b.dir);
    for (int i = 0; i < 512; i++) {
        sums[i] = i % 2 == i / 256 ? 100.0f : 0.01f;
        swapped[(i + 256) % 512] = sums[i];
    }
    write_f32(b.in, &(shape){"w", 3, {2, 8, 256}}, 1, b.values);
    for (int i = 0; i < 3; i++) {
        godwit_error err = {0};
        godwit_quantize_params params = {.dtype = GODWIT_Q4_K, .imatrix_path = i ? matrix : NULL};
        if (i) write_matrix(matrix, i == 1 ? sums : swapped, 2);
        cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
        errors[i] = weighted_error(b.out, b.values, sums, 16, 8);
    }
    cr_expect_lt(errors[1], errors[0] * 0.9, "%g without, %g with", errors[0], errors[1]);
    cr_expect_gt(errors[2], errors[0] * 1.1, "%g without, %g with those of the other", errors[0],
                 errors[2]);
    folder_remove(b.dir);
}

static void expect_refused(box *b, const shape *shape, const godwit_quantize_params *params,
                           godwit_status want, const char *said) {
    godwit_error err = {0};
    write_f32(b->in, shape, 1, b->values);
    cr_expect_eq(quantize(b->in, b->out, params, NULL, &err), want, "%s", err.message);
    cr_expect_not_null(strstr(err.message, said), "'%s' is not in: %s", said, err.message);
    cr_expect_eq(folder_count(b->dir), 1);
}

Test(quantize, refused) {
    box b;
    box_make(&b);
    const shape matrix = {"blk.0.ffn_up.weight", 2, {4, 64}};
    const godwit_tensor_rule unmatched = {"blk.?.none", GODWIT_F16};
    const godwit_tensor_rule unknown = {"*", GODWIT_I32};
    expect_refused(&b, &matrix, &(godwit_quantize_params){.dtype = GODWIT_I8}, GODWIT_UNSUPPORTED,
                   "these can be written: F32");
    expect_refused(&b, &matrix, &(godwit_quantize_params){.rules = &unmatched, .n_rules = 1},
                   GODWIT_NOT_FOUND, "blk.?.none");
    expect_refused(&b, &matrix, &(godwit_quantize_params){.rules = &unknown, .n_rules = 1},
                   GODWIT_UNSUPPORTED, "I32");
    b.values[2 * 64 + 5] = 70000;
    expect_refused(&b, &matrix, &(godwit_quantize_params){.dtype = GODWIT_F16}, GODWIT_UNSUPPORTED,
                   "row 2, column 5: 70000 is too large for F16");
    b.values[64 + 5] = -INFINITY;
    expect_refused(&b, &matrix, &(godwit_quantize_params){.dtype = GODWIT_Q8_0}, GODWIT_MALFORMED,
                   "ffn_up.weight: row 1");
    b.values[64 + 5] = NAN;
    expect_refused(&b, &matrix, &(godwit_quantize_params){.dtype = GODWIT_BF16}, GODWIT_MALFORMED,
                   "row 1");
    folder_remove(b.dir);
}

static void keep_type(void *user, const godwit_converted_tensor *t) {
    cr_expect_eq(strcmp(t->to_name, *(const char **)user) != 0, t->why[0] != 0, "%s", t->why);
    *(const char **)user = t->to_name;
}

// Formats of so few bits are refused without importances, and IQ2_S where a tensor has none.
Test(quantize, needs_importances) {
    static const shape shapes[] = {{"w", 2, {4, 256}}, {"v", 2, {4, 256}}};
    static float sums[256];
    uint32_t n_seen = 0;
    box b;
    char matrix[600];
    box_make(&b);
    snprintf(matrix, sizeof matrix, "%s/matrix.gguf", b.dir);
    for (int i = 0; i < 256; i++) sums[i] = (float)(1 + i % 3);
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        if (!f->needs_importances) continue;
        n_seen++;
        godwit_quantize_params params = {.dtype = (godwit_dtype)f->type};
        expect_refused(&b, &(shape){"w", 2, {4, 256}}, &params, GODWIT_UNSUPPORTED,
                       "an importance matrix");
        write_matrix(matrix, sums, 1);
        for (int known = 0; known < 2; known++) {
            godwit_error err = {0};
            const char *wanted = godwit_dtype_name(params.dtype), *name = wanted;
            params.imatrix_path = matrix;
            params.each = keep_type;
            params.each_user = &name;
            write_f32(b.in, shapes, known ? 1 : 2, b.values);
            cr_assert_eq(quantize(b.in, b.out, &params, NULL, &err), GODWIT_OK, "%s", err.message);
            cr_expect_str_eq(name, known ? wanted : "IQ2_S");
        }
        remove(matrix);
        remove(b.out);
    }
    cr_expect_eq(n_seen, 4);
    folder_remove(b.dir);
}

Test(quantize, patterns) {
    static const struct {
        const char *pattern, *text;
        bool fits;
    } rows[] = {
        {"", "", true},          {"*", "", true},
        {"?", "", false},        {"a", "a", true},
        {"a", "ab", false},      {"a*", "ab", true},
        {"*b", "aab", true},     {"*ab*", "xxaby", true},
        {"*ab*", "xxay", false}, {"a?c", "abc", true},
        {"a?c", "ac", false},    {"*.*.x", "a.b.c.x", true},
        {"**a**", "bab", true},  {"a*b*c", "a-b-b-", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(gw_convert_matches(rows[i].pattern, rows[i].text), rows[i].fits, "%s ~ %s",
                     rows[i].pattern, rows[i].text);
    }
}

// A name and a pattern that make a matcher that goes back everywhere slow.
Test(quantize, pattern_is_fast, .timeout = 5) {
    char text[256], pattern[256];
    memset(text, 'a', 255);
    text[255] = '\0';
    for (int i = 0; i < 126; i++) memcpy(pattern + 2 * i, "*a", 2);
    memcpy(pattern + 252, "*b", 3);
    cr_expect_not(gw_convert_matches(pattern, text));
}
