// Experts: feed-forwards of which a router chooses some for each token, and one that all tokens share.
#ifndef GW_ARCH_EXPERTS_H
#define GW_ARCH_EXPERTS_H

#include "arch/blocks.h"
#include "ops/ops.h"

// What a family does; the numbers are the file's.
typedef struct gw_experts_traits {
    gw_moe_gate gate;
    bool normed;        // weights of those used add up to 1
    bool weighs_shared; // what all tokens share is multiplied by a sigmoid
    bool by_keys;       // a file's keys say gate and normed; these are for files without
} gw_experts_traits;

// The weights of a layer; router.w NULL: it has one feed-forward, as usual.
typedef struct gw_experts {
    gw_linear router;
    gw_weight *choice_bias;                     // added for choosing alone, or NULL
    gw_weight *gate, *up, *down;                // [n_experts, rows, cols]
    gw_weight *gate_bias, *up_bias, *down_bias; // [n_experts, rows], or NULL
    gw_linear shared_gate, shared_up, shared_down;
    gw_linear shared_weight; // one row, of which a sigmoid is taken; w NULL: 1
    uint32_t n_used;
    gw_moe_gate gating;
    bool normed;
    uint32_t n_groups, n_groups_used; // of experts; 0: any may be chosen
    float scale;
} gw_experts;

// traits NULL: the family has none; a file that has is refused.
godwit_status gw_experts_load(gw_model_def *def, const gw_experts_traits *traits, uint32_t layer,
                              gw_experts *out, godwit_error *err);
// experts: [n_layer]; a file that speaks of them has some.
godwit_status gw_experts_check(const gw_model_def *def, const gw_experts *experts,
                               godwit_error *err);
godwit_status gw_block_experts(gw_builder *b, const gw_experts *experts, gw_activation act,
                               gw_normed x, gw_value **out);

#endif
