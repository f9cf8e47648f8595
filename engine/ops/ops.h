// Ops: what the op files share.
//
// The attribute structs of ops that other modules build nodes with, and small helpers. Each op's
// own file states its equation, shapes and order of sums.
#ifndef GW_OPS_OPS_H
#define GW_OPS_OPS_H

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"

enum {
    GW_ATTN_BLOCK = 256, // keys that have one partial result in attention, and rows of a page
};

// 2^-20: the smallest eps of a norm that products fold; then its scale is at most 2^10.
#define GW_FOLD_EPS_MIN 0x1p-20f

typedef struct gw_rms_norm_attrs {
    float eps;
    uint32_t folded; // 1: the products that read y take the norm's scale, a second output
} gw_rms_norm_attrs;

typedef struct gw_layer_norm_attrs {
    float eps;
} gw_layer_norm_attrs;

typedef struct gw_l2_norm_attrs {
    float eps;
} gw_l2_norm_attrs;

typedef struct gw_gelu_attrs {
    uint32_t tanh; // 1: the form with tanh; 0: with erf
} gw_gelu_attrs;

typedef struct gw_relu_attrs {
    uint32_t squared; // 1: the square of it
} gw_relu_attrs;

#define GW_XIELU_MAX 0x1p20f // of each of its numbers
typedef struct gw_xielu_attrs {
    float alpha_p, alpha_n, beta, eps; // as they are used: alphas behind their softplus
} gw_xielu_attrs;

// Both ends allowed.
#define GW_CLIP_MIN 0x1p-10f
#define GW_CLIP_MAX 0x1p20f
typedef struct gw_clip_attrs {
    float limit;
} gw_clip_attrs;

typedef struct gw_match_rms_attrs {
    uint32_t lead; // 1: the rows that are matched stand in front
} gw_match_rms_attrs;

typedef struct gw_mix_streams_attrs {
    uint32_t skip;
} gw_mix_streams_attrs;

#define GW_GAUSSIAN_MAX 16.0f

typedef struct gw_gaussian_topk_attrs {
    float scale; // standard deviations above the mean from where on values are left
} gw_gaussian_topk_attrs;

// What cuts nothing.
#define GW_SWIGLU_NO_LIMIT 0x1.fffffep127f

typedef struct gw_swiglu_clamp_attrs {
    float alpha, limit, offset, gate_limit, act_limit;
} gw_swiglu_clamp_attrs;

// Both ends allowed.
#define GW_SOFTCAP_MIN 0x1p-10f
#define GW_SOFTCAP_MAX 0x1p20f

typedef struct gw_softcap_attrs {
    float cap;
} gw_softcap_attrs;

typedef struct gw_scale_attrs {
    float factor;
} gw_scale_attrs;

typedef struct gw_rope_attrs {
    uint32_t n_rot;  // dimensions of a head that turn; the rest pass
    uint32_t paired; // 1: neighbours (x[2i], x[2i+1]); 0: halves (x[i], x[i + n_rot/2])
} gw_rope_attrs;

typedef struct gw_ssm_conv_attrs {
    uint32_t n_taps;
    uint32_t gated; // 1: x has two gates beside its channels
    uint32_t silu;  // 1: of what the sum gives
} gw_ssm_conv_attrs;

typedef struct gw_ssm_gates_attrs {
    float bound; // of the logarithm of a decay, -32 to 0; 0: none
} gw_ssm_gates_attrs;

// Of gated_delta_net and ssm_scan.
typedef struct gw_recurrence_attrs {
    float scale;    // of queries; gated_delta_net's
    uint32_t tiled; // 1: keys of head h are those of h % n_heads_k; 0: of its group of heads
} gw_recurrence_attrs;

typedef enum gw_moe_gate { GW_MOE_SOFTMAX, GW_MOE_SOFTMAX_USED, GW_MOE_SIGMOID } gw_moe_gate;
typedef struct gw_moe_route_attrs {
    uint32_t n_used, gate, normed;
    float scale;
    uint32_t n_groups, n_groups_used; // of experts; 0: any may be chosen
} gw_moe_route_attrs;

enum {
    GW_MOE_MAX_EXPERTS = 512,
    GW_MOE_MAX_USED = 32,
    GW_MOE_MAX_GROUPS = 64, // of experts
    GW_MOE_MAX_TILE = 32,
    GW_MOE_COLS = 8,          // pairs of a tile that an invocation works on at once
    GW_MOE_MAX_PAIRS = 32768, // that are sorted
};

typedef struct gw_moe_group_attrs {
    uint32_t n_experts;
    uint32_t tile; // pairs
} gw_moe_group_attrs;

typedef struct gw_iota_attrs {
    uint32_t n, n_rows;
} gw_iota_attrs;

#define GW_ATTN_GIVEN UINT32_MAX
typedef struct gw_attention_attrs {
    float scale;
    uint32_t window;   // 0: all keys; else the last `window` ones; GIVEN: pos says which
    uint32_t head_dim; // of a head's elements the first ones are the result; 0: all
    uint32_t n_pages;  // of a table: what a sequence may have
    float softcap;     // 0: none; else a score s is softcap * tanh(s / softcap)
} gw_attention_attrs;

typedef struct gw_biased_attention_attrs {
    float scale;
    uint32_t head_dim, n_pages; // as attention's
    uint32_t n_bias, zero;      // of a head's biases: how many, and which is that of distance 0
    uint32_t slopes;            // 1: a head has one number, times the distance
} gw_biased_attention_attrs;

// A weight that is read as plain fp32 rows (norms, biases): its one chunk as a slice.
static inline bool gw_is_f32_rows(const gw_value *value) {
    const gw_placed *p = value->placed;
    return value->dtype == GODWIT_F32 &&
           (!p || (p->n_chunks == 1 && value->weight->group_rows == 1));
}
// Floats from one row to the next as stored: weights are padded to whole units.
static inline uint32_t gw_row_stride(const gw_value *value) {
    uint64_t n = gw_value_row(value);
    return (uint32_t)(value->weight ? GW_ALIGN_UP(n, 8) : n);
}
// Binds either kind.
static inline void gw_launch_bind_f32(gw_launch *launch, const gw_value *value, bool write) {
    if (!value->weight) {
        gw_launch_bind(launch, value, write);
        return;
    }
    gw_launch_bind_chunk(launch, value->placed->chunks);
}

static inline uint32_t gw_div_up(uint64_t a, uint64_t b) {
    return (uint32_t)((a + b - 1) / b);
}

// A 1-d grid of n workgroups, folded into two dimensions where x alone does not hold it; kernels
// index by x + y * groups_x and check their bounds.
void gw_launch_grid(gw_launch *launch, const gw_tune *tune, uint64_t n);

// In launch functions: allocation of a launch failed.
#define GW_OP_LAUNCH(launch, plan, node, params)                                                   \
    gw_launch *launch = gw_plan_launch((plan), (node), &(params), sizeof(params));                 \
    if (!launch) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: plan")

#endif
