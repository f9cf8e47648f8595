// IQ grid: least squares by search.
//
// Each n_scale weights try a few scales and keep the one whose points fit best. d is fitted to all
// of these, each own scale taken as the nearest odd multiple of a part of the largest; then each
// takes the multiple of d, of the two nearest to its own, and the points that leave the least
// error, and d is fitted once more to what was taken. Scales are tried LANES at a time.
//
// The point nearest to some weights is found exactly, but for the lowest bits of what points cost.
#include "quant/iq_grid.h"

enum { BLOCK = 256, LANES = GW_GRID_LEVELS, PARTS = 4, PART = 9 };
enum { CELLS = PART * PART, MAX_POINTS = 2048 };

// The grid, ordered for search. An entry is four parts of 4 bits, of two codes or of one, numbered
// densely: 9 or 8 a part. Entries are sorted: those of one high byte, the upper two parts, are a
// cell.
typedef struct grid_order {
    uint16_t begin[CELLS + 1]; // points of cell c: begin[c] .. begin[c + 1] - 1
    uint8_t filled[CELLS];     // the cell, or the last before it that has a point
    uint8_t high[MAX_POINTS];  // cells of points
    uint8_t low[MAX_POINTS];   // of each point, its low byte: the lower two parts
} grid_order;

typedef struct grid_input {
    const grid_order *order;
    const gw_grid_kind *kind;
    float a[BLOCK], counts[BLOCK]; // magnitudes; what their errors count
} grid_input;

typedef struct grid_fit {
    float qx, q2; // sums over weights of counts * q * a, counts * q^2
} grid_fit;

// Of n_scale weights.
typedef struct grid_choice {
    uint16_t points[8];
    uint8_t shifts[8];
} grid_choice;

// Several scales at a time, as GNU C's vectors: element by element on any machine.
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t lane_bits __attribute__((vector_size(4 * LANES)));
typedef int64_t lane_pairs __attribute__((vector_size(4 * LANES)));

static inline lanes lesser(lanes x, lanes y) {
    lane_bits less = x < y;
    return (lanes)(((lane_bits)x & less) | ((lane_bits)y & ~less));
}
static inline bool any(lane_bits x) {
    lane_pairs pairs = (lane_pairs)x;
    return (pairs[0] | pairs[1]) != 0;
}
static float square(float x) {
    return x * x;
}

static void order_grid(grid_order *order, const gw_grid_kind *kind) {
    uint8_t part[16]; // of 4 bits: two codes of 2, or one
    bool eights = kind->code_bits == 2;
    uint32_t size = eights ? 9 : 8, cell = 0;
    for (uint32_t bits = 0; bits < 16; bits++) {
        part[bits] = (uint8_t)(eights ? bits % 4 + bits / 4 * 3 : bits);
    }
    order->begin[0] = 0;
    for (uint32_t p = 0; p < kind->n_points; p++) {
        uint32_t entry = kind->grid[p], high = part[entry >> 12] * size + part[entry >> 8 & 15];
        order->low[p] = (uint8_t)(part[entry >> 4 & 15] * size + part[entry & 15]);
        order->high[p] = (uint8_t)high;
        while (cell < high) order->begin[++cell] = (uint16_t)p;
    }
    while (cell < size * size) order->begin[++cell] = (uint16_t)kind->n_points;
    uint32_t filled = 0;
    for (uint32_t c = 0; c < size * size; c++) {
        if (order->begin[c] < order->begin[c + 1]) filled = c;
        order->filled[c] = (uint8_t)filled;
    }
}

// What each part of a point costs at each scale.
typedef struct grid_costs {
    lanes part[PARTS][PART];
    lanes least[PARTS - 1]; // of each part but the last
    lanes low[CELLS];       // of the low byte
} grid_costs;

static inline lanes cost_of(float value, float a, float count, lanes scales) {
    lanes diff = a - scales * value;
    return count * (diff * diff);
}

static inline void fill_low(uint32_t size, grid_costs *out) {
    for (uint32_t c = 0; c < size; c++) {
        lanes second = out->part[1][c];
        for (uint32_t e = 0; e < size; e++) out->low[c * size + e] = second + out->part[0][e];
    }
}

// A part is two weights of three values.
static void fill_costs_of_8(const float *values, const float *a, const float *counts, lanes scales,
                            grid_costs *out) {
    for (uint32_t k = 0; k < PARTS; k++) {
        lanes first[3], second[3];
        for (uint32_t v = 0; v < 3; v++) {
            first[v] = cost_of(values[v], a[2 * k], counts[2 * k], scales);
            second[v] = cost_of(values[v], a[2 * k + 1], counts[2 * k + 1], scales);
        }
        for (uint32_t c = 0; c < 9; c++) out->part[k][c] = first[c % 3] + second[c / 3];
        if (k == PARTS - 1) break;
        out->least[k] = lesser(lesser(first[0], first[1]), first[2]) +
                        lesser(lesser(second[0], second[1]), second[2]);
    }
    fill_low(9, out);
}

// A part is a weight of eight values.
static void fill_costs_of_4(const float *values, const float *a, const float *counts, lanes scales,
                            grid_costs *out) {
    for (uint32_t k = 0; k < PARTS; k++) {
        for (uint32_t v = 0; v < 8; v++) {
            out->part[k][v] = cost_of(values[v], a[k], counts[k], scales);
        }
        if (k == PARTS - 1) break;
        out->least[k] = out->part[k][0];
        for (uint32_t v = 1; v < 8; v++) out->least[k] = lesser(out->part[k][v], out->least[k]);
    }
    fill_low(8, out);
}

// Of each lane, the point that costs least, in a key: what it costs, whose lowest bits have given
// way to the point's number. Costs are not negative, so they order as their bits do.
enum { POINT_MASK = MAX_POINTS - 1 };

// high: what the cell's high byte costs.
static inline lane_bits search_cell(const grid_order *order, const grid_costs *costs, lanes high,
                                    uint32_t cell, lane_bits keys) {
    for (int32_t p = order->begin[cell]; p < order->begin[cell + 1]; p++) {
        lane_bits key = ((lane_bits)(costs->low[order->low[p]] + high) & ~POINT_MASK) | p;
        lane_bits less = key < keys;
        keys = (key & less) | (keys & ~less);
    }
    return keys;
}

// The part's combination that costs one lane the least.
static inline uint32_t least_part(const lanes *part, uint32_t size) {
    enum { LANE = 1, MASK = 15 };
    int32_t least = INT32_MAX;
    for (uint32_t c = 0; c < size; c++) {
        int32_t key = (((lane_bits)part[c])[LANE] & ~MASK) | (int32_t)c;
        least = key < least ? key : least;
    }
    return (uint32_t)(least & MASK);
}

// The cell that one lane is in by rounding, or one before it that has points.
static inline uint32_t guess_cell(const grid_order *order, const grid_costs *costs, uint32_t size) {
    return order
        ->filled[least_part(costs->part[3], size) * size + least_part(costs->part[2], size)];
}

// First the cell that is guessed; then all but those that, with the least that the rest could cost,
// cost more than what is known. size: combinations of a part.
static inline lane_bits search(const grid_order *order, const grid_costs *costs, uint32_t guess,
                               uint32_t size) {
    lanes high = costs->part[3][guess / size] + costs->part[2][guess % size];
    lanes least_low = costs->least[1] + costs->least[0];
    lanes least_three = least_low + costs->least[2];
    lane_bits keys = (lane_bits){0} + (0x7fffffff & (~POINT_MASK | order->begin[guess]));
    keys = search_cell(order, costs, high, guess, keys);
    for (uint32_t a = 0; a < size; a++) {
        if (!any((lane_bits)(costs->part[3][a] + least_three) < keys)) continue;
        for (uint32_t b = 0; b < size; b++) {
            high = costs->part[3][a] + costs->part[2][b];
            if (!any((lane_bits)(high + least_low) < keys) || a * size + b == guess) continue;
            keys = search_cell(order, costs, high, a * size + b, keys);
        }
    }
    return keys;
}

// Weights from `at` that share a shift bit, at each of the scales: the points, and what they cost.
static lanes take_shifted(const grid_input *in, uint32_t at, uint32_t n_weights, lanes scales,
                          const uint16_t *known, uint32_t first_point, grid_choice *choices) {
    const gw_grid_kind *kind = in->kind;
    bool eights = kind->code_bits == 2;
    uint32_t size = eights ? 8 : 4, n_points = n_weights / size;
    lanes best = {0};
    for (uint32_t shift = 0; shift < (kind->n_shift ? 2u : 1u); shift++) {
        lane_bits points[4];
        lanes sum = {0};
        for (uint32_t g = 0; g < n_points; g++) {
            const float *a = in->a + at + g * size, *counts = in->counts + at + g * size;
            grid_costs costs;
            lane_bits keys;
            if (eights) {
                fill_costs_of_8(kind->values[shift], a, counts, scales, &costs);
                uint32_t guess =
                    known ? in->order->high[known[g]] : guess_cell(in->order, &costs, 9);
                keys = search(in->order, &costs, guess, 9);
            } else {
                fill_costs_of_4(kind->values[shift], a, counts, scales, &costs);
                uint32_t guess =
                    known ? in->order->high[known[g]] : guess_cell(in->order, &costs, 8);
                keys = search(in->order, &costs, guess, 8);
            }
            sum += (lanes)(keys & ~POINT_MASK);
            points[g] = keys & POINT_MASK;
        }
        for (uint32_t l = 0; l < LANES; l++) {
            if (shift && !(sum[l] < best[l])) continue;
            best[l] = sum[l];
            for (uint32_t g = 0; g < n_points; g++) {
                choices[l].points[first_point + g] = (uint16_t)points[g][l];
                choices[l].shifts[first_point + g] = (uint8_t)shift;
            }
        }
    }
    return best;
}

// n_scale weights from `at` at each of the scales: the points, and what they cost.
static lanes take_points(const grid_input *in, uint32_t at, lanes scales, const uint16_t *known,
                         grid_choice *choices) {
    const gw_grid_kind *kind = in->kind;
    uint32_t size = 16 / kind->code_bits, n_weights = kind->n_shift ? kind->n_shift : size;
    lanes errors = {0};
    for (uint32_t i = 0; i < kind->n_scale; i += n_weights) {
        errors += take_shifted(in, at + i, n_weights, scales, known ? known + i / size : NULL,
                               i / size, choices);
    }
    return errors;
}

// Sums of counts * q * a and of counts * q^2, of each choice.
static void fit_points(const grid_input *in, uint32_t at, const grid_choice *choices,
                       grid_fit *out) {
    const gw_grid_kind *kind = in->kind;
    uint32_t size = 16 / kind->code_bits, mask = kind->code_bits == 2 ? 3 : 7;
    lanes qx = {0}, q2 = {0};
    for (uint32_t i = 0; i < kind->n_scale; i++) {
        lanes q;
        for (uint32_t l = 0; l < LANES; l++) {
            uint32_t entry = kind->grid[choices[l].points[i / size]];
            const float *values = kind->values[choices[l].shifts[i / size]];
            q[l] = values[entry >> (i % size * kind->code_bits) & mask];
        }
        qx += in->counts[at + i] * q * in->a[at + i];
        q2 += in->counts[at + i] * q * q;
    }
    for (uint32_t l = 0; l < LANES; l++) out[l] = (grid_fit){qx[l], q2[l]};
}

// The scale of n_scale weights alone: the largest magnitude is tried at a few levels.
static float own_scale(const grid_input *in, uint32_t at, grid_choice *out, grid_fit *out_fit) {
    float largest = gw_abs(gw_largest(in->a + at, (int)in->kind->n_scale));
    float best = 0.0f, scale = 0.0f;
    lanes scales = {0};
    grid_choice choices[LANES];
    grid_fit fits[LANES];
    if (!(largest > 0.0f)) return 0.0f;
    for (uint32_t l = 0; l < LANES; l++) scales[l] = largest / in->kind->levels[l];
    take_points(in, at, scales, NULL, choices);
    fit_points(in, at, choices, fits);
    for (uint32_t l = 0; l < LANES; l++) {
        grid_fit fit = fits[l];
        if (fit.q2 > 0.0f && fit.qx > 0.0f && fit.qx * (fit.qx / fit.q2) > best) {
            scale = fit.qx / fit.q2;
            best = scale * fit.qx;
            *out = choices[l];
            *out_fit = fit;
        }
    }
    return scale;
}

// The scale nearest to `own` at a given d, and the second nearest.
static uint32_t scales_near(const gw_grid_kind *kind, float own, float d, uint32_t *out_second) {
    float wish = (own / d - 1.0f) * 0.5f, top = (float)kind->max_scale;
    uint32_t near = wish > top ? kind->max_scale : wish > 0.0f ? (uint32_t)(wish + 0.5f) : 0;
    bool up = near == 0 || (wish > (float)near && near < kind->max_scale);
    *out_second = up ? near + 1 : near - 1;
    return near;
}

static void add_fit(grid_fit *sum, grid_fit fit, uint32_t scale) {
    float times = (float)(2 * scale + 1);
    sum->qx += fit.qx * times;
    sum->q2 += fit.q2 * times * times;
}

// Scale and points of n_scale weights for a given d. own: a scale that fits them; io: its points.
static uint32_t take(const grid_input *in, uint32_t at, float own, float d, grid_choice *io,
                     grid_fit *out_fit) {
    uint32_t second, near = scales_near(in->kind, own, d, &second);
    lanes scales = (lanes){0} + d * (float)(2 * near + 1);
    grid_choice choices[LANES];
    grid_fit fits[LANES];
    scales[1] = d * (float)(2 * second + 1);
    lanes errors = take_points(in, at, scales, io->points, choices);
    uint32_t best = errors[1] < errors[0];
    fit_points(in, at, choices, fits);
    *io = choices[best];
    *out_fit = fits[best];
    return best ? second : near;
}

static float put_d(const gw_grid_kind *kind, float d, gw_grid_block *out) {
    out->half = gw_f32_to_f16(d / kind->unit_d);
    return gw_f16_to_f32(out->half) * kind->unit_d;
}

// Magnitudes and signs. Where the number of signs must be even, the smallest weight gives way: its
// "magnitude" is then negative.
static void split_signs(const float *x, grid_input *in, uint8_t *signs) {
    if (in->kind->signs == GW_GRID_UNSIGNED) {
        memcpy(in->a, x, sizeof in->a);
        return;
    }
    for (uint32_t g = 0; g < BLOCK / 8; g++) {
        uint32_t least = 0, n_minus = 0;
        signs[g] = 0;
        for (uint32_t i = 0; i < 8; i++) {
            float v = x[g * 8 + i];
            in->a[g * 8 + i] = gw_abs(v);
            n_minus += v < 0.0f;
            signs[g] |= (uint8_t)((v < 0.0f) << i);
            if (in->counts[g * 8 + i] * square(v) <
                in->counts[g * 8 + least] * square(x[g * 8 + least])) {
                least = i;
            }
        }
        if (in->kind->signs != GW_GRID_EVEN || n_minus % 2 == 0) continue;
        signs[g] ^= (uint8_t)(1u << least);
        in->a[g * 8 + least] = -in->a[g * 8 + least];
    }
}

// What errors count: all count something, so that no value is left to chance.
static void weigh(const float *x, const float *importances, float *out) {
    float mean = 0.0f, largest = 0.0f;
    for (int i = 0; i < BLOCK; i++) mean += x[i] * x[i] * (2.0f / BLOCK);
    for (int i = 0; i < BLOCK; i++) {
        out[i] = importances ? importances[i] * gw_sqrt(mean + x[i] * x[i]) : 1.0f;
        largest = out[i] > largest ? out[i] : largest;
    }
    float least = largest > 0.0f ? largest * 1e-6f : 1.0f;
    for (int i = 0; i < BLOCK; i++) out[i] = out[i] > least ? out[i] : least;
}

static void search_block(const gw_grid_kind *kind, const grid_order *order, const float *x,
                         const float *importances, gw_grid_block *out) {
    uint32_t n_units = BLOCK / kind->n_scale, n_points = kind->n_scale * kind->code_bits / 16;
    grid_input in = {.order = order, .kind = kind};
    grid_choice choices[16] = {{{0}, {0}}};
    grid_fit fits[16] = {{0.0f, 0.0f}}, sum = {0.0f, 0.0f};
    float own[16], largest = 0.0f;
    memset(out, 0, sizeof *out);
    weigh(x, importances, in.counts);
    split_signs(x, &in, out->signs);
    for (uint32_t u = 0; u < n_units; u++) {
        own[u] = own_scale(&in, u * kind->n_scale, &choices[u], &fits[u]);
        largest = own[u] > largest ? own[u] : largest;
    }
    float d = largest / (float)(2 * kind->max_scale + 1);
    if (!(d > 0.0f)) return;
    for (uint32_t u = 0; u < n_units; u++) {
        uint32_t second;
        add_fit(&sum, fits[u], scales_near(kind, own[u], d, &second));
    }
    d = put_d(kind, sum.q2 > 0.0f ? sum.qx / sum.q2 : 0.0f, out);
    if (!(d > 0.0f)) return;
    sum = (grid_fit){0.0f, 0.0f};
    for (uint32_t u = 0; u < n_units; u++) {
        uint32_t scale = take(&in, u * kind->n_scale, own[u], d, &choices[u], &fits[u]);
        add_fit(&sum, fits[u], scale);
        out->scales[u] = (uint8_t)scale;
        for (uint32_t g = 0; g < n_points; g++) {
            out->points[u * n_points + g] = choices[u].points[g];
            out->shifts[u * n_points + g] = choices[u].shifts[g];
        }
    }
    if (sum.q2 > 0.0f && sum.qx > 0.0f) put_d(kind, sum.qx / sum.q2, out);
}

void gw_grid_quantize(const gw_grid_kind *kind, const float *src, const float *importances,
                      uint64_t n, uint32_t block_bytes,
                      void (*put)(const gw_grid_block *found, uint8_t *block), uint8_t *out) {
    grid_order order;
    order_grid(&order, kind);
    memset(out, 0, n / BLOCK * block_bytes);
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        gw_grid_block found;
        search_block(kind, &order, src + b * BLOCK, importances ? importances + b * BLOCK : NULL,
                     &found);
        put(&found, out + b * block_bytes);
    }
}
