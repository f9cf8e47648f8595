// matmul (ONNX MatMul with a constant, transposed second operand): y = x W^T (* scale) (+ residual)
//   y[t, r] = sum over k of w[r, k] * x[t, k] (* scale[t]) (+ residual[t, r])
//   W: [n_rows, n_cols] any number format; x: [.., n_cols] f32, or q8_act after the pack pass;
//   residual (optional): [.., n_rows] f32; scale (optional): [.., 1] f32, of a norm that was folded
//   (rms_norm); y: [.., n_rows] f32
// Order of sums: shaders/matmul.comp.
#include "ops/matmul.h"

#include "graph/variant.h"
#include "ops/ops.h"
#include "ops/product.h"

static const gw_value *optional(const gw_node *node, uint32_t i) {
    return node->n_inputs > i ? node->inputs[i] : NULL;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *w = node->inputs[0], *x = node->inputs[1];
    const gw_value *residual = optional(node, 2), *scale = optional(node, 3);
    GW_OP_CHECK(node, w->weight != NULL, err, "the first input is not a constant");
    const gw_format *format = w->weight->format;
    GW_OP_CHECK(node, w->n_dims == 2, err, "weights have %u dims, 2 are wanted", w->n_dims);
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 || x->dtype == GW_DTYPE_Q8_ACT, err,
                "x is %s, f32 is wanted", gw_value_dtype_name(x));
    GW_OP_CHECK(node, !x->weight && !(residual && residual->weight) && !(scale && scale->weight),
                err, "x, the residual and the scale are computed values or inputs, not constants");
    GW_OP_CHECK(node, !scale || gw_value_n_elements(scale) == gw_value_n_rows(x), err,
                "the scale is not one number for each row of x");
    GW_OP_CHECK(node, gw_value_row(x) == w->dims[1], err, "x has rows of %llu, the weights of %llu",
                (unsigned long long)gw_value_row(x), (unsigned long long)w->dims[1]);
    GW_OP_CHECK(node, w->dims[1] % format->block == 0, err,
                "rows of %llu are no multiple of %u, as %s needs", (unsigned long long)w->dims[1],
                format->block, format->name);
    GW_OP_CHECK(node, gw_value_n_rows(x) * w->dims[0] < UINT32_MAX, err,
                "the result has 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    out->dims[x->n_dims - 1] = w->dims[0];
    if (residual) {
        GW_OP_CHECK(node, gw_value_n_elements(residual) == gw_value_n_elements(out), err,
                    "the residual has another shape than the result");
    }
    return GODWIT_OK;
}

static const struct gw_matmul_tune *tune_for(const gw_tune *tune, const gw_matmul_params *p) {
    bool is_float = gw_format_is_float(gw_format_at(p->format));
    return &tune->choice.matmul[is_float][gw_tokens_of(tune, p->n_tok)];
}

// Long matrices fold into z, where x alone would pass the device's limit.
static void shape_grid(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p,
                       uint32_t tile_rows, uint32_t tile_toks) {
    gw_launch_grid(launch, tune, gw_div_up(p->n_rows, tile_rows));
    launch->groups[2] = launch->groups[1];
    launch->groups[1] = gw_div_up(p->n_tok, tile_toks);
}

static void shape_tiles(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p) {
    const struct gw_matmul_tune *t = tune_for(tune, p);
    // As few columns as the tokens leave without a use.
    uint32_t tiles = gw_div_up(p->n_tok, (uint64_t)t->tok_lanes * t->cols);
    uint32_t cols = gw_div_up(p->n_tok, (uint64_t)tiles * t->tok_lanes);
    uint32_t more[] = {p->format, t->lanes, t->tok_lanes, t->row_groups, t->rows, cols};
    gw_launch_spec(launch, t->lanes * t->tok_lanes * t->row_groups, 6, more);
    shape_grid(launch, tune, p, t->row_groups * t->rows, t->tok_lanes * cols);
}

// A group of 32 rows, or a part of it where that makes too few workgroups, by so many tokens that
// none of up to 8 is left over (more: by 8); parts of a workgroup share the blocks. Bytes: what the
// kernel keeps in shared memory of a block and token.
static void shape_rows(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p,
                       uint32_t max_shared) {
    enum { MAX_COLS = 8, MAX_LANES = 512, MAX_SPAN = 64, MIN_ROWS = 8 };
    enum { INT_BYTES = 480, FLOAT_BYTES = 1152 };
    const gw_format *format = gw_format_at(p->format);
    bool is_float = gw_format_is_float(format);
    uint32_t units = GW_BLOCK_MAX / gw_format_unit(format), rows = GW_GROUP_ROWS;
    uint32_t n_blocks = gw_div_up(p->n_units, units), cols = 1, parts = 1, span = MAX_SPAN;
    while (cols < p->n_tok && cols < MAX_COLS) cols *= 2;
    while (rows > MIN_ROWS && gw_div_up(p->n_rows, rows) * gw_div_up(p->n_tok, cols) < tune->cores)
        rows /= 2;
    uint32_t bytes = cols * (is_float ? FLOAT_BYTES : INT_BYTES);
    while (span > 1 && (span * bytes > max_shared || span / 2 >= n_blocks)) span /= 2;
    uint32_t most = tune->max_invocations < MAX_LANES ? tune->max_invocations : MAX_LANES;
    // Where there are enough of them, workgroups of half the size are faster by a tenth.
    if (gw_div_up(p->n_rows, rows) >= 4 * tune->cores) most /= 2;
    while (2 * parts * rows <= most && parts < n_blocks && parts < span) parts *= 2;
    uint32_t more[] = {p->format, parts, cols, span, p->n_units % units != 0, rows};
    gw_launch_spec(launch, rows * parts, 6, more);
    shape_grid(launch, tune, p, rows, cols);
}

// One subgroup a workgroup, for 32 rows by 32 tokens in tiles of the matrices' size.
static void shape_fast(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p) {
    enum { ROWS = 32, TOKS = 32 };
    const struct gw_matrix_tune *t = &tune->matrices[1];
    uint32_t more[] = {p->format, tune->subgroup_size, t->m, t->n, t->k, ROWS / t->m, TOKS / t->n};
    gw_launch_spec(launch, tune->subgroup_size, 7, more);
    shape_grid(launch, tune, p, ROWS, TOKS);
}

// Rows and tokens of a workgroup's tile, and what it is cut into: for matrices subgroups, for dots
// the invocations, over rows and over tokens; and, where few tiles are made, groups of them over
// blocks of columns.
typedef struct tile_shape {
    uint32_t rows, toks, over_rows, over_toks, over_blocks;
} tile_shape;
// The last of each fits any device.
static const tile_shape matrix_tiles[] = {
    {128, 128, 2, 4, 1}, {64, 128, 2, 4, 1}, {128, 64, 4, 2, 1}, {64, 64, 2, 2, 1},
    {64, 32, 1, 1, 4},   {32, 64, 1, 1, 4},  {32, 32, 1, 1, 8},  {64, 16, 1, 1, 4},
    {32, 16, 1, 1, 8},   {16, 16, 1, 1, 8},  {32, 32, 1, 1, 1},  {16, 16, 1, 1, 1}};
static const tile_shape dot_tiles[] = {
    {64, 64, 8, 16, 1}, {64, 32, 16, 8, 1}, {64, 16, 16, 8, 1}, {32, 32, 8, 8, 1}};
static const tile_shape float_tiles[] = {
    {64, 64, 16, 16, 1}, {64, 32, 16, 8, 1}, {64, 16, 16, 8, 1}, {32, 32, 8, 8, 1}};

// A kind of tiles; what they cost, in instructions and cycles of a core, are estimates.
typedef struct tile_kind {
    const tile_shape *shapes;
    uint32_t n_shapes, lanes; // invocations of a part
    bool twice;               // weights are staged twice
    uint32_t term;            // instructions for a unit of 32 columns of a result,
    uint32_t staging;         // and for staging one of a row or token
    uint32_t waiting;         // cycles that a unit takes however small the tile is
} tile_kind;

static bool has_sixteens(const gw_format *format) {
    static const bool of_id[] = {
#define X(id, name, form, words, half, offset, sixteens) [id] = (sixteens) != 0,
#include "quant/quant.def"
#undef X
    };
    return of_id[format->id];
}

// Bytes that shaders/lib/matmul_tile.glsl keeps in shared memory, and its float twin.
static uint32_t tile_bytes(const gw_format *format, const tile_shape *t, bool twice) {
    enum { LINE_BYTES = 80, FLOAT_LINE_BYTES = 144 };
    // Scales of a row's unit; those of its halves, where they have their own.
    static const uint32_t of_row[] = {
        [GW_FORM_PLAIN] = 1, [GW_FORM_SUB] = 2, [GW_FORM_MIN] = 4, [GW_FORM_PAIR] = 2};
    if (gw_format_is_float(format)) return 2 * (t->rows + t->toks) * FLOAT_LINE_BYTES;
    bool minima = format->form == GW_FORM_MIN, apart = has_sixteens(format);
    uint32_t scales = of_row[format->form] + (apart ? 1 + (minima ? 1 : 0) : 0);
    uint32_t sums = minima ? 3 : 1;
    uint32_t buffers = t->over_blocks > 1 ? t->over_blocks : 2;
    uint32_t staged = buffers * (t->rows * (twice ? 2 : 1) + t->toks) * LINE_BYTES;
    uint32_t of_blocks = t->over_blocks > 1 ? t->over_blocks * t->rows * t->toks * 4 : 0;
    return (staged > of_blocks ? staged : of_blocks) +
           2 * buffers * (t->rows * scales + t->toks * sums) * 4;
}

static uint32_t tile_lanes(const tile_kind *kind, const tile_shape *t) {
    return t->over_rows * t->over_toks * t->over_blocks * kind->lanes;
}

// What a product takes in such tiles, in cycles. On an H200 a workgroup took waiting and 1.8 times
// its instructions, and those of a core, however many it holds, followed one another.
static uint64_t tiles_cost(const tile_kind *kind, const tile_shape *t, const gw_tune *tune,
                           const gw_matmul_params *p) {
    enum { AT_ONCE = 128 }; // lanes of a core
    const gw_format *format = gw_format_at(p->format);
    uint32_t lanes = tile_lanes(kind, t), per_unit = GW_UNIT / gw_format_unit(format);
    uint64_t n_tiles = gw_div_up(p->n_rows, t->rows) * gw_div_up(p->n_tok, t->toks);
    uint64_t units = gw_div_up(p->n_units, t->over_blocks * per_unit);
    uint64_t work = (uint64_t)t->rows * t->toks * kind->term + (t->rows + t->toks) * kind->staging;
    work = work * t->over_blocks / (lanes < AT_ONCE ? lanes : AT_ONCE);
    uint64_t one = kind->waiting + work * 9 / 5;
    return units * one * (n_tiles > tune->cores ? n_tiles : tune->cores);
}

// The cheapest tile that fits the device. The last one fits any.
static const tile_shape *tile_for(const tile_kind *kind, const gw_tune *tune,
                                  const gw_matmul_params *p) {
    const gw_format *format = gw_format_at(p->format);
    const tile_shape *best = &kind->shapes[kind->n_shapes - 1];
    uint64_t least = UINT64_MAX;
    uint32_t first = tune->tile ? (tune->tile - 1) % kind->n_shapes : 0;
    bool by_size = !tune->tile && !tune->small_tiles;
    for (uint32_t i = first; i < kind->n_shapes && (by_size || tune->tile); i++) {
        const tile_shape *t = &kind->shapes[i];
        if (tile_lanes(kind, t) > tune->max_invocations ||
            tile_bytes(format, t, kind->twice) > tune->max_shared)
            continue;
        if (!by_size) return t;
        uint64_t cost = tiles_cost(kind, t, tune, p);
        if (cost >= least) continue;
        best = t;
        least = cost;
    }
    return best;
}

enum {
    N_MATRIX_TILES = sizeof matrix_tiles / sizeof *matrix_tiles,
    N_DOT_TILES = sizeof dot_tiles / sizeof *dot_tiles,
    N_FLOAT_TILES = sizeof float_tiles / sizeof *float_tiles,
};

static void shape_matrices(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p) {
    const struct gw_matrix_tune *m = &tune->matrices[0];
    const tile_kind kind = {.shapes = matrix_tiles,
                            .n_shapes = N_MATRIX_TILES,
                            .lanes = tune->subgroup_size,
                            .twice = has_sixteens(gw_format_at(p->format)) && m->k == 32,
                            .term = 5,
                            .staging = 48,
                            .waiting = 250};
    const tile_shape *t = tile_for(&kind, tune, p);
    uint32_t more[] = {p->format,
                       tune->subgroup_size,
                       m->m,
                       m->n,
                       m->k,
                       t->over_rows,
                       t->over_toks,
                       t->rows / t->over_rows / m->m,
                       t->toks / t->over_toks / m->n,
                       t->over_blocks};
    gw_launch_spec(launch, tile_lanes(&kind, t), 10, more);
    shape_grid(launch, tune, p, t->rows, t->toks);
}

static void shape_dots(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p) {
    static const tile_kind kinds[2] = {{dot_tiles, N_DOT_TILES, 1, false, 16, 48, 250},
                                       {float_tiles, N_FLOAT_TILES, 1, false, 80, 64, 1000}};
    const bool is_float = gw_format_is_float(gw_format_at(p->format));
    // The bytes of a large tile's dots that are taken apart fill more registers than Vega has.
    const tile_kind few = {dot_tiles + 1, N_DOT_TILES - 1, 1, false, 16, 48, 250};
    const tile_kind *kind = !is_float && tune->slow_dots ? &few : &kinds[is_float];
    const tile_shape *t = tile_for(kind, tune, p);
    uint32_t more[] = {p->format, t->over_rows, t->over_toks, t->rows / t->over_rows,
                       t->toks / t->over_toks};
    gw_launch_spec(launch, tile_lanes(kind, t), 5, more);
    shape_grid(launch, tune, p, t->rows, t->toks);
}

static void shape(gw_launch *launch, const gw_tune *tune, const gw_matmul_params *p,
                  uint32_t variant, bool tail) {
    if (variant == GW_VARIANT_matmul_coopmat)
        shape_matrices(launch, tune, p);
    else if (variant == GW_VARIANT_matmul_coopmat_fast)
        shape_fast(launch, tune, p);
    else if (variant == GW_VARIANT_matmul_tile)
        shape_dots(launch, tune, p);
    else if (variant == GW_VARIANT_matmul_rows || variant == GW_VARIANT_matmul_rows_fp16)
        shape_rows(launch, tune, p, tune->max_shared - (tail ? GW_MATMUL_TAIL_SHARED : 0));
    else
        shape_tiles(launch, tune, p);
}

// In its place a norm that follows has its weights.
static void bind_scale(gw_launch *launch, const gw_node *node, const gw_value *scale) {
    bool norm = node->tail && node->tail->op == &gw_op_rms_norm;
    gw_launch_bind_f32(launch, norm ? node->tail->inputs[1] : scale, false);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_placed *placed = node->inputs[0]->placed;
    const gw_weight *w = placed->weight;
    const gw_value *x = node->inputs[1], *y = node->outputs[0];
    const gw_value *residual = optional(node, 2), *scale = optional(node, 3);
    uint64_t n_tok = gw_value_n_rows(x);
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        const gw_weight_chunk *chunk = &placed->chunks[i];
        gw_matmul_params params = {.format = placed->format->id,
                                   .n_rows = (uint32_t)chunk->n_rows,
                                   .n_units = (uint32_t)gw_format_units(w->format, w->n_cols),
                                   .n_tok = (uint32_t)n_tok,
                                   .row0 = (uint32_t)chunk->row0,
                                   .y_stride = (uint32_t)gw_value_row(y),
                                   .has_residual = residual != NULL,
                                   .has_scale = scale != NULL,
                                   .w = gw_placed_params(placed)};
        GW_OP_LAUNCH(launch, plan, node, params);
        gw_launch_bind_weight(launch, placed, chunk);
        if (x->dtype == GW_DTYPE_Q8_ACT) {
            gw_launch_bind_q8_act(launch, x, false);
        } else {
            gw_launch_bind(launch, x, false);
            gw_launch_bind(launch, x, false);
        }
        gw_launch_bind(launch, residual ? residual : x, false);
        bind_scale(launch, node, scale ? scale : x);
        if (node->tail)
            gw_launch_bind_arena(launch, plan);
        else
            gw_launch_bind(launch, y, true);
        uint32_t variant = gw_variant_for(&plan->tune, node->op, w->format, n_tok);
        gw_launch_variant(launch, variant);
        gw_launch_format(launch, w->format);
        plan->fast |= variant != GW_VARIANT_PLAIN && gw_variant_at(variant)->fast;
        shape(launch, &plan->tune, &params, variant, node->tail != NULL);
        if (node->tail) gw_matmul_add_tail(launch, node);
        plan->weight_bytes += chunk->bytes;
    }
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

// A tile of tokens shares the unpacking of weights, and a block of rows the laying out of
// activations; a tile's tokens lie side by side, so that compilers make vectors of them (behind the
// last one, of what was there). Of FEW tokens and more: fewer are worked on one by one.
enum { TILE = 32, ROWS = 32, FEW = 4 };

typedef struct tile {
    const gw_matmul_params *p;
    const gw_reference_args *args;
    const gw_format *format;
    uint32_t row0, n_rows, tok0, n_tok;
    gw_row_layout layout;
    gw_block_row rows[ROWS];           // a block of each
    float floats[GW_FLOAT_UNIT][TILE]; // a unit of activations, of float formats
    int16_t ints[GW_UNIT][TILE];       // and of integer formats
    float scale[TILE];                 // its scale
    int32_t x_sum[TILE][2];            // and the sums of its halves
    float chain[ROWS][TILE];           // float formats: of a unit of 32 columns
    float sum[ROWS][TILE];             // of a block
    float total[ROWS][TILE];
} tile;

// Units of the walk (8 columns of a float format, 32 of an integer one) in a unit of the order, and
// in a block.
static uint32_t chain_of(const gw_format *format) {
    return GW_UNIT / gw_format_unit(format);
}
static uint32_t block_of(const gw_format *format) {
    return GW_BLOCK_MAX / gw_format_unit(format);
}

// Block b of each row.
static void load_blocks(tile *t, uint32_t b) {
    for (uint32_t r = 0; r < t->n_rows; r++) {
        gw_layout_get(&t->layout, t->args->bufs[0], t->row0 + r, b, &t->rows[r]);
    }
}

static void load_ints(tile *t, uint32_t u) {
    for (uint32_t i = 0; i < t->n_tok; i++) {
        uint64_t at = (uint64_t)(t->tok0 + i) * t->p->n_units + u;
        const int8_t *x = (const int8_t *)t->args->bufs[2] + at * GW_UNIT;
        t->x_sum[i][0] = t->x_sum[i][1] = 0;
        for (int k = 0; k < GW_UNIT; k++) {
            t->ints[k][i] = x[k];
            t->x_sum[i][k / 16] += x[k];
        }
        t->scale[i] = ((const float *)t->args->bufs[3])[at];
    }
}

static void load_floats(tile *t, uint32_t u) {
    for (uint32_t i = 0; i < t->n_tok; i++) {
        uint64_t at = (uint64_t)(t->tok0 + i) * t->p->n_units + u;
        const float *x = (const float *)t->args->bufs[2] + at * GW_FLOAT_UNIT;
        for (int k = 0; k < GW_FLOAT_UNIT; k++) t->floats[k][i] = x[k];
    }
}

// The dots of 16 weights with each token's activations. Two products fit 16 bits, since activations
// are never -128.
static void dots_of(const int8_t *restrict q, const int16_t (*restrict x)[TILE],
                    int32_t *restrict out) {
    int32_t dot[TILE] = {0};
    for (int k = 0; k < 16; k += 2) {
        for (int i = 0; i < TILE; i++) {
            int16_t low = (int16_t)(q[k] * x[k][i]), high = (int16_t)(q[k + 1] * x[k + 1][i]);
            dot[i] += (int16_t)(low + high);
        }
    }
    memcpy(out, dot, sizeof dot);
}

static void add_ints(const tile *t, const gw_unit *w, float *sum) {
    int32_t dot[2][TILE];
    dots_of(w->q, t->ints, dot[0]);
    dots_of(w->q + 16, t->ints + 16, dot[1]);
    for (int i = 0; i < TILE; i++) {
        int32_t dots[2] = {dot[0][i], dot[1][i]};
        float term = gw_term_of_dots(t->format->form, w, dots, t->x_sum[i], t->scale[i]);
        sum[i] = sum[i] + term;
    }
}

static void add_floats(const tile *t, const float *w, float *sum) {
    for (int i = 0; i < TILE; i++) {
        float s = sum[i];
        for (int k = 0; k < GW_FLOAT_UNIT; k++) {
            float product = w[k] * t->floats[k][i];
            s = s + product;
        }
        sum[i] = s;
    }
}

static void add_unit(tile *t, uint32_t u) {
    bool is_float = gw_format_is_float(t->format);
    uint32_t in_block = u % block_of(t->format);
    if (in_block == 0) load_blocks(t, u / block_of(t->format));
    if (is_float)
        load_floats(t, u);
    else
        load_ints(t, u);
    for (uint32_t r = 0; r < t->n_rows; r++) {
        if (is_float) {
            float w[GW_FLOAT_UNIT];
            t->format->unpack_floats(&t->rows[r].packed, in_block, w);
            add_floats(t, w, t->chain[r]);
        } else {
            gw_unit w = {.s = {1, 1}};
            t->format->unpack(&t->rows[r].packed, in_block, &w);
            add_ints(t, &w, t->sum[r]);
        }
    }
}

static float plus_unit(const tile *t, const gw_packed *block, uint64_t tok, uint32_t u, float sum) {
    uint32_t in_block = u % block_of(t->format);
    uint64_t at = tok * t->p->n_units + u;
    if (!gw_format_is_float(t->format)) {
        gw_unit w = {.s = {1, 1}};
        t->format->unpack(block, in_block, &w);
        const int8_t *x = (const int8_t *)t->args->bufs[2] + at * GW_UNIT;
        return sum + gw_term(t->format->form, &w, x, ((const float *)t->args->bufs[3])[at]);
    }
    float w[GW_FLOAT_UNIT];
    t->format->unpack_floats(block, in_block, w);
    const float *x = (const float *)t->args->bufs[2] + at * GW_FLOAT_UNIT;
    for (int k = 0; k < GW_FLOAT_UNIT; k++) {
        float product = w[k] * x[k];
        sum = sum + product;
    }
    return sum;
}

static float row_times_token(tile *t, uint32_t r, uint64_t tok) {
    gw_block_row *row = &t->rows[r];
    uint32_t n = t->p->n_units, n_chain = chain_of(t->format), n_block = block_of(t->format);
    float total = 0.0f, sum = 0.0f, chain = 0.0f;
    for (uint32_t u = 0; u < n; u++) {
        if (u % n_block == 0) {
            gw_layout_get(&t->layout, t->args->bufs[0], t->row0 + r, u / n_block, row);
        }
        // A term of an integer format is a unit by itself: its chain is the block's sum.
        if (n_chain == 1)
            sum = plus_unit(t, &row->packed, tok, u, sum);
        else
            chain = plus_unit(t, &row->packed, tok, u, chain);
        bool last = u + 1 == n;
        if (n_chain > 1 && (last || (u + 1) % n_chain == 0)) {
            sum = sum + chain;
            chain = 0.0f;
        }
        if (last || (u + 1) % n_block == 0) {
            total = total + sum;
            sum = 0.0f;
        }
    }
    return total;
}

// to = to + from, and from = 0.
static void move_sums(const tile *t, float (*from)[TILE], float (*to)[TILE]) {
    for (uint32_t r = 0; r < t->n_rows; r++) {
        for (uint32_t i = 0; i < TILE; i++) {
            to[r][i] = to[r][i] + from[r][i];
            from[r][i] = 0.0f;
        }
    }
}

// The block's rows times the tile's tokens: total.
static void rows_times_tile(tile *t) {
    if (t->n_tok < FEW) {
        for (uint32_t i = 0; i < t->n_tok; i++) {
            for (uint32_t r = 0; r < t->n_rows; r++) {
                t->total[r][i] = row_times_token(t, r, t->tok0 + i);
            }
        }
        return;
    }
    uint32_t n = t->p->n_units, n_chain = chain_of(t->format), n_block = block_of(t->format);
    memset(t->total, 0, sizeof t->total);
    memset(t->sum, 0, sizeof t->sum);
    memset(t->chain, 0, sizeof t->chain);
    for (uint32_t u = 0; u < n; u++) {
        add_unit(t, u);
        bool last = u + 1 == n;
        if (n_chain > 1 && (last || (u + 1) % n_chain == 0)) move_sums(t, t->chain, t->sum);
        if (last || (u + 1) % n_block == 0) move_sums(t, t->sum, t->total);
    }
}

static void store_tile(const tile *t) {
    const gw_matmul_params *p = t->p;
    const float *residual = t->args->bufs[4], *scale = t->args->bufs[5];
    float *y = t->args->bufs[6];
    for (uint32_t i = 0; i < t->n_tok; i++) {
        uint64_t at = (uint64_t)(t->tok0 + i) * p->y_stride + p->row0 + t->row0;
        for (uint32_t r = 0; r < t->n_rows; r++, at++) {
            float value = gw_flush(t->total[r][i]);
            if (p->has_scale) value = gw_flush(value * scale[t->tok0 + i]);
            if (p->has_residual) value = gw_flush(value + residual[at]);
            y[at] = value;
        }
    }
}

static void reference(const gw_reference_args *args) {
    const gw_matmul_params *p = args->params;
    tile t = {.p = p, .args = args, .format = gw_format_at(p->format)};
    gw_layout_of(t.format, (uint64_t)p->n_units * gw_format_unit(t.format), p->w.group_rows,
                 &t.layout);
    for (t.row0 = 0; t.row0 < p->n_rows; t.row0 += ROWS) {
        t.n_rows = p->n_rows - t.row0 < ROWS ? p->n_rows - t.row0 : ROWS;
        for (t.tok0 = 0; t.tok0 < p->n_tok; t.tok0 += TILE) {
            t.n_tok = p->n_tok - t.tok0 < TILE ? p->n_tok - t.tok0 : TILE;
            rows_times_tile(&t);
            store_tile(&t);
        }
    }
}

static uint64_t work(const void *params) {
    const gw_matmul_params *p = params;
    return (uint64_t)p->n_rows * p->n_units * GW_UNIT * p->n_tok; // at most: some units are smaller
}

const gw_op gw_op_matmul = {.name = "matmul",
                            .n_inputs_min = 2,
                            .n_inputs_max = 4,
                            .packs_x = true,
                            .infer = infer,
                            .takes_tail = gw_matmul_takes_tail,
                            .scratch = gw_matmul_tail_scratch,
                            .launch = launch,
                            .work = work,
                            .reference = reference};
