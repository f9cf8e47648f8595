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
    bool no_gate;       // act(up x) instead of act(gate x) * (up x)
    bool weighs_input;  // what the one that is used reads is weighted, not what it gives
    bool apart; // they stand beside a whole layer, and read a norm of their own of what it is given
    bool beside; // they stand beside a feed-forward that all tokens share, with norms of their own
} gw_experts_traits;

// The weights of a layer; router.w NULL: it has one feed-forward, as usual.
typedef struct gw_experts {
    gw_linear router;
    gw_weight *choice_bias;      // added for choosing alone, or NULL
    gw_weight *gate, *up, *down; // [n_experts, rows, cols]
    gw_weight *gate_up;          // the rows of both, or NULL: then there are no gate and up
    gw_weight *down_scale;       // [n_experts, 1], or NULL: what an expert gives is multiplied by
    gw_weight *gate_bias, *up_bias, *down_bias; // [n_experts, rows], or NULL
    gw_linear shared_gate, shared_up, shared_down;
    gw_linear shared_weight; // one row, of which a sigmoid is taken; w NULL: 1
    gw_linear latent_down,
        latent_up; // around the experts, whose rows are shorter; w NULL: they are not
    uint32_t n_used;
    gw_moe_gate gating;
    bool normed, weighs_input;
    uint32_t n_groups, n_groups_used; // of experts; 0: any may be chosen
    uint32_t n_ff;
    // Beside a feed-forward: of what the router reads, which is then divided by sqrt(n_embd), of what
    // experts read, of what the feed-forward gives, and of what they give.
    gw_norm router_norm, in_norm, shared_norm, out_norm;
    float scale;
    float cut, shared_cut; // as gw_layer.cut, of the experts and of what all tokens share
} gw_experts;

// out: [n_tok, used, rows], of w [n, rows, cols] and perhaps bias [n, rows].
godwit_status gw_block_routed(gw_builder *b, const char *what, const gw_weight *w,
                              const gw_weight *bias, gw_normed x, const gw_routed *r,
                              gw_value **out);
// Each token by all n matrices of a weight, in their order; without weights.
godwit_status gw_block_route_to_all(gw_builder *b, uint32_t n, gw_routed *out);

// traits NULL: the family has none; a file that has is refused.
godwit_status gw_experts_load(gw_model_def *def, const gw_experts_traits *traits, uint32_t layer,
                              gw_experts *out, godwit_error *err);
// experts: [n_layer]; a file that speaks of them has some.
godwit_status gw_experts_check(const gw_model_def *def, const gw_experts *experts,
                               godwit_error *err);
godwit_status gw_block_experts(gw_builder *b, const gw_experts *experts, gw_activation act,
                               gw_normed x, gw_value **out);
// Experts of x beside a feed-forward, whose result y is.
godwit_status gw_block_experts_beside(gw_builder *b, const gw_experts *experts, gw_activation act,
                                      gw_value *x, gw_value **y);

#endif
