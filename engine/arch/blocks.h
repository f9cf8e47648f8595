// Blocks: what the layers of decoder families are made of, as nodes of a graph: norms, products,
// attention, feed-forward. decoder.h wires them; a family that is wired otherwise calls them itself.
#ifndef GW_ARCH_BLOCKS_H
#define GW_ARCH_BLOCKS_H

#include "arch/arch.h"

// w NULL: there is no such norm. centred: layer_norm, else rms_norm.
typedef struct gw_norm {
    gw_weight *w, *bias;
    bool centred;
} gw_norm;

// What attention's result is multiplied by (gates.c): a row for each of its numbers, or for each head; w.w NULL: by
// nothing. zeros: as many, of a softplus; NULL: of a sigmoid.
typedef struct gw_attn_gate {
    gw_linear w;
    gw_weight *zeros;
} gw_attn_gate;

// The weights of a layer; those that a family has not are NULL.
typedef struct gw_layer {
    gw_norm attn_norm, q_norm, k_norm, v_norm, attn_post_norm, ffn_norm, ffn_post_norm;
    gw_linear q, k, v, o, gate, up, down;
    gw_attn_gate attn_gate;
    // What heads of q and k are multiplied by behind their norms, each by its own: [n_head * head_dim].
    gw_weight *q_each, *k_each;
    gw_norm attn_sub_norm, ffn_sub_norm; // of what attn_output and ffn_down read
    gw_weight *sinks;                    // [n_head]
    float sparse; // of gaussian_topk, of the feed-forward's gates; 0: they are as they are
    float cut; // of the feed-forward's SILU and what it is multiplied by; 0: they are as they are
    gw_norm cross_norm; // of attention to what an encoder gives (cross.c), and its products
    gw_linear cross_q, cross_k, cross_v, cross_o;
    float xielu[4];    // alpha_p, alpha_n, beta, eps
    const void *mixer; // of a recurrent layer (mixers.h)
} gw_layer;

// Of products by the matrices that are chosen for each token: which, how much each counts, and, where
// tokens are many, the pairs by matrix (experts.h).
typedef struct gw_routed {
    gw_value *ids, *weights, *groups;
} gw_routed;

typedef struct gw_builder {
    const gw_model_def *def;
    gw_graph *graph;
    gw_step_io *io;
    godwit_error *err;
    uint32_t layer;
    gw_value *per_layer; // rows of per_layer.h
    gw_routed all_heads; // made by the first layer that asks for it (mla.c)
} gw_builder;

// One of what a product reads: rows, and what the product is scaled by or NULL (docs/NUMERICS.md,
// "Norms folded into products").
typedef struct gw_normed {
    gw_value *x, *scale;
} gw_normed;

// A node of the layer. Inputs that are columns are copied where the op does not read them so.
godwit_status gw_block_node(gw_builder *b, const gw_op *op, const char *what,
                            gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                            size_t attr_bytes, gw_value **out);
// For products alone to read: the norm's scale may be left to them.
godwit_status gw_block_norm(gw_builder *b, const char *what, gw_norm norm, gw_value *x,
                            gw_normed *out);
// x is made its own norm; of rows of x.
godwit_status gw_block_norm_rows(gw_builder *b, const char *what, gw_norm norm, gw_value **x);
godwit_status gw_block_linear(gw_builder *b, const char *what, const gw_linear *linear, gw_normed x,
                              gw_value **out);
// Products of one x; those of one joined weight are columns of one product. out: [n].
godwit_status gw_block_siblings(gw_builder *b, const char *const *what,
                                const gw_linear *const *linears, uint32_t n, gw_normed x,
                                gw_value **out);
// Heads as long as n, by zeros behind; made of `like`, whose heads are at least as long as what is missing.
godwit_status gw_block_lengthen(gw_builder *b, const char *what, gw_value *like, uint64_t n,
                                gw_value **x);
// Rows of a table.
godwit_status gw_block_rows(gw_builder *b, const char *name, const gw_weight *table, gw_value *ids,
                            gw_value **out);
// x += y
godwit_status gw_block_residual(gw_builder *b, const char *what, gw_value **x, gw_value *y);

// x *= factor; 0: none
godwit_status gw_block_scale(gw_builder *b, const char *what, float factor, gw_value **x);
// x = cap * tanh(x / cap); 0: none
godwit_status gw_block_softcap(gw_builder *b, const char *what, float cap, gw_value **x);

// What is made of gates, by which attention's result is multiplied: of each number, or of each head.
typedef enum gw_gate { GW_GATE_NONE, GW_GATE_SIGMOID, GW_GATE_SOFTPLUS } gw_gate;

// What is added to scores by the distance of a key: of slopes one number a head, times the distance; else n numbers,
// of which `zero` is that of distance 0. w NULL: nothing.
typedef struct gw_position_bias {
    gw_weight *w; // [n_head * n]
    uint32_t n, zero;
    bool slopes;
} gw_position_bias;

// scale 0: 1 / sqrt(head_dim). softcap 0: none.
typedef struct gw_attention_options {
    float scale, softcap;
    float qkv_limit;      // q, k and v are cut to it; 0: they are not
    bool paired;          // rope turns neighbours, not halves
    bool norm_whole_rows; // q_norm and k_norm are of all heads of a token together
    bool turns_first;     // q_norm and k_norm are of heads that have turned
    bool gated;           // a gate behind each head of q, by whose sigmoid the result is multiplied
    float v_scale;        // of values; 0: none
    gw_position_bias bias;
} gw_attention_options;
// gates.c: y [n_tok, n_head * n] times what is made of gates of x.
godwit_status gw_block_attn_gate(gw_builder *b, const gw_attn_gate *gate, gw_normed x,
                                 gw_value **y);
// x as heads of the layer: [n_tok, n_head, head_dim].
godwit_status gw_block_as_heads(gw_builder *b, uint32_t n_head, gw_value **x);
// Heads as the caches have them, with zeros behind those that are shorter (gw_head_row).
godwit_status gw_block_pad_heads(gw_builder *b, const char *what, gw_value **x);
// A layer without k reads the keys and values of another one; one without v takes its keys, as they
// are before their norm, for values.
godwit_status gw_block_attention(gw_builder *b, const gw_layer *layer,
                                 const gw_attention_options *options, gw_normed x, gw_value **out);

// The first three are of feed-forwards with a gate; CLAMPED is that of gpt-oss. RELU, RELU2 (its square) and XIELU are of
// those without.
typedef enum gw_activation {
    GW_ACT_SILU,
    GW_ACT_GELU_TANH,
    GW_ACT_CLAMPED,
    GW_ACT_GELU,
    GW_ACT_RELU2,
    GW_ACT_RELU,
    GW_ACT_XIELU // whose numbers are the layer's
} gw_activation;
// act(x), of feed-forwards without a gate
godwit_status gw_block_act(gw_builder *b, gw_activation act, gw_value *x, gw_value **out);
// act(gated[0]) * gated[1]; cut: of SILU, what both are cut to, 0: nothing
godwit_status gw_block_gate(gw_builder *b, gw_activation act, float cut, gw_value *const gated[2],
                            gw_value **out);
// Each row of x times a number of its own, by [n_tok, 1], besides what it is multiplied by already.
godwit_status gw_block_scale_rows(gw_builder *b, const char *what, gw_value *by, gw_normed *x);
// What a product of queries reads, in layers that scale them by their positions.
godwit_status gw_block_scale_q(gw_builder *b, gw_normed *x);
// down (act(gate x) * (up x)); without a gate down act(up x)
godwit_status gw_block_feed_forward(gw_builder *b, const gw_layer *layer, gw_activation act,
                                    gw_normed x, gw_value **out);

#endif
