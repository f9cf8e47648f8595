// Elements in vectors: ops that make each element by itself. Items are pieces of GW_ELEMENTS elements of a
// row; a row's last piece may be shorter.
#ifndef GW_CPU_ELEMENTS_H
#define GW_CPU_ELEMENTS_H

#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/binary.h"
#include "ops/moe.h"
#include "ops/unary.h"

// Where a piece is: n of a row's elements, from `at` on.
typedef struct gw_piece_place {
    uint64_t row;
    uint32_t at, n;
} gw_piece_place;

GW_INLINE gw_piece_place gw_piece_of(uint64_t item, uint32_t n) {
    const uint32_t n_pieces = (n + GW_ELEMENTS - 1) / GW_ELEMENTS;
    gw_piece_place p = {.row = item / n_pieces, .at = (uint32_t)(item % n_pieces) * GW_ELEMENTS};
    p.n = n - p.at < GW_ELEMENTS ? n - p.at : GW_ELEMENTS;
    return p;
}

// expression: of x, and of a and b, which are the launch's numbers.
#define GW_UNARY_PIECES(name, expression)                                                          \
    static inline void gw_##name##_pieces(const gw_reference_args *args) {                         \
        const gw_unary_params *p = args->params;                                                   \
        const gw_vf a = gw_splat_f(p->a), b = gw_splat_f(p->b);                                    \
        (void)a, (void)b;                                                                          \
        for (uint64_t item = args->first; item < args->end; item++) {                              \
            const gw_piece_place here = gw_piece_of(item, p->n);                                   \
            const float *from =                                                                    \
                (const float *)args->bufs[0] + gw_column_at(&p->x, here.row * p->n) + here.at;     \
            float *to = (float *)args->bufs[1] + here.row * p->n + here.at;                        \
            for (uint32_t i = 0; i < here.n; i += GW_LANES) {                                      \
                const gw_vf x = gw_load_floats(from + i, here.n - i);                              \
                gw_save_floats(to + i, here.n - i, gw_flush_v(expression));                        \
            }                                                                                      \
        }                                                                                          \
    }

GW_UNARY_PIECES(scale, x *a)
GW_UNARY_PIECES(clip, gw_pick_f(x < a, a, gw_pick_f(x > b, b, x)))
GW_UNARY_PIECES(softcap, gw_flush_v(gw_tanh_v(gw_flush_v(x *a))) * b)
GW_UNARY_PIECES(gelu_erf, gw_gelu_v(x))
GW_UNARY_PIECES(gelu_tanh, gw_gelu_tanh_v(x))

static inline void gw_gelu_pieces(const gw_reference_args *args) {
    if (((const gw_unary_params *)args->params)->a != 0.0f)
        gw_gelu_tanh_pieces(args);
    else
        gw_gelu_erf_pieces(args);
}

GW_UNARY_PIECES(relu_plain, gw_pick_f(x > 0.0f, x, gw_splat_f(0.0f)))
GW_UNARY_PIECES(relu_squared, gw_pick_f(x > 0.0f, x *x, gw_splat_f(0.0f)))

static inline void gw_relu_pieces(const gw_reference_args *args) {
    if (((const gw_unary_params *)args->params)->a != 0.0f)
        gw_relu_squared_pieces(args);
    else
        gw_relu_plain_pieces(args);
}

// expression: of x and y.
#define GW_BINARY_PIECES(name, expression)                                                         \
    static inline void gw_##name##_pieces(const gw_reference_args *args) {                         \
        const gw_binary_params *p = args->params;                                                  \
        for (uint64_t item = args->first; item < args->end; item++) {                              \
            const gw_piece_place here = gw_piece_of(item, p->n);                                   \
            const float *xs =                                                                      \
                (const float *)args->bufs[0] + gw_column_at(&p->a, here.row * p->n) + here.at;     \
            const float *ys = (const float *)args->bufs[1] + here.row * p->b_stride + here.at;     \
            float *to = (float *)args->bufs[2] + here.row * p->n + here.at;                        \
            for (uint32_t i = 0; i < here.n; i += GW_LANES) {                                      \
                const gw_vf x = gw_load_floats(xs + i, here.n - i);                                \
                const gw_vf y = gw_load_floats(ys + i, here.n - i);                                \
                gw_save_floats(to + i, here.n - i, gw_flush_v(expression));                        \
            }                                                                                      \
        }                                                                                          \
    }

GW_BINARY_PIECES(add, x + y)
GW_BINARY_PIECES(mul, x *y)

// Rows are tokens.
static inline void gw_moe_sum_pieces(const gw_reference_args *args) {
    const gw_moe_sum_params *p = args->params;
    for (uint64_t item = args->first; item < args->end; item++) {
        const gw_piece_place here = gw_piece_of(item, p->n);
        const float *from = (const float *)args->bufs[0] + here.row * p->n_used * p->n + here.at;
        const float *w = (const float *)args->bufs[1] + here.row * p->n_used;
        float *to = (float *)args->bufs[2] + here.row * p->n + here.at;
        for (uint32_t i = 0; i < here.n; i += GW_LANES) {
            gw_vf sum = gw_splat_f(0.0f);
            for (uint32_t j = 0; j < p->n_used; j++) {
                const gw_vf x = gw_load_floats(from + (uint64_t)j * p->n + i, here.n - i);
                sum = sum + x * w[j];
            }
            gw_save_floats(to + i, here.n - i, gw_flush_v(sum));
        }
    }
}

#endif
