// Decoder: the usual wiring of blocks.h, as data. A family says how it differs.
//
//   x = embedding[token]
//   each layer:  x += attention(norm(x));  x += feed_forward(norm(x))
//   logits = output norm(x)      (the embedding where no output is given: tied)
#ifndef GW_ARCH_DECODER_H
#define GW_ARCH_DECODER_H

#include "arch/experts.h"
#include "arch/mixers.h"
#include "arch/per_layer.h"

// EACH: of heads, by a row for each.
typedef enum gw_qk_norm {
    GW_QK_NORM_NONE,
    GW_QK_NORM_HEAD,
    GW_QK_NORM_ROW,
    GW_QK_NORM_EACH
} gw_qk_norm;

typedef struct gw_decoder_traits {
    bool no_window;         // but in layers that a key names
    bool still;             // heads do not turn
    bool rope_paired;       // as GGUF permutes the weights of some families
    bool layer_norm;        // norms are layer_norm, with biases
    bool plain_norms;       // norms have no weights
    bool clips;             // q, k and v are cut to a limit, by key
    bool parallel;          // feed-forward reads what attention reads, or its own norm of that x
    bool no_ffn_norm;       // then: the same norm
    const char *ffn_norm;   // the tensor's name, where it is another
    bool no_first_norm;     // in layer 0 attention reads x as it is
    bool no_pre_norm;       // attention and feed-forward read x as it is
    bool post_norm;         // and what they give is normed
    bool sum_norm;          // and x with it is: attn_output_norm, layer_output_norm
    bool embd_norm;         // the embedding is normed: token_embd_norm
    bool no_output_norm;    // the last layer gives what there is
    bool both_ways;         // an encoder, unless a key says otherwise
    bool fused_qkv;         // one tensor, attn_qkv; a file may say otherwise
    bool fused_gate_up;     // one tensor, ffn_up
    bool no_gate;           // of the feed-forward
    bool sinks, some_sinks; // of attention's heads, in all layers, or in those that have some
    bool learned_positions; // a row of position_embd is added to the embedding, nothing turns
    gw_qk_norm qk_norm;
    bool turns_first; // heads of q and k are normed after rope
    bool v_norm;      // heads of values are normed, by no weight
    bool v_from_k;    // without attn_v they are the keys
    gw_activation act;
    const gw_experts_traits *experts; // NULL: none
    const gw_mixer *mixer;            // of recurrent layers
    const gw_mixer *full_mixer;       // of the others, in the place of attention, or NULL
    bool mixer_beside;                // attention has one beside it, which reads the same norm
    bool one_block; // a layer is a mixer, attention or, where it has a size of that, a feed-forward
    bool no_attention;     // in any layer
    bool gated_attention;  // q has a gate behind each head
    bool next_normed;      // the block for the token after the next one reads output_norm(x)
    gw_gate gate;          // of attention's result, by attn_gate
    bool short_values;     // heads of values may be shorter than those of keys
    bool sub_norm;         // what attn_output and ffn_down read is normed
    bool cross;            // each layer attends to what an encoder gives, too (cross.c)
    const char *attn_norm; // the tensor's name, where it is another
    const char *attn_out;
    const char *output_norm;
} gw_decoder_traits;

typedef struct gw_decoder {
    const gw_decoder_traits *traits;
    gw_weight *token_embd, *position_embd, *token_types;
    gw_norm embd_norm;
    // What is made of a pooled embedding: scores by output (tanh(dense x)), or dense 2, dense 3.
    gw_linear cls_dense, cls_output, dense[2];
    gw_norm output_norm;
    gw_linear output;
    gw_layer *layers;            // [n_layer]
    gw_per_layer *per_layer;     // NULL: none
    float *layer_scales;         // [n_layer], what a layer gives is multiplied by; NULL: nothing
    gw_position_bias bias;       // of all layers' scores
    const gw_model_def *encoder; // in front, a model without memory of its own; NULL: none
    gw_experts *experts; // [n_layer], in the place of feed-forwards where they have a router
    // What values are multiplied by, and soft caps; 0: none, or of attention 1 / sqrt(head_dim).
    bool parallel;
    float qkv_limit; // 0: none
    float embd_scale, attn_scale, residual_scale, logit_scale, attn_softcap, logit_softcap, v_scale;
} gw_decoder;

// What stands in the place of a layer's attention, or NULL.
static inline const gw_mixer *gw_decoder_mixer(const gw_decoder_traits *t,
                                               const gw_layer_hparams *h) {
    return h->recurrent || (t->mixer && t->mixer->everywhere) ? t->mixer : t->full_mixer;
}

// Expects gw_hparams_read; makes def->family. Refuses what no trait speaks of.
godwit_status gw_decoder_load(gw_model_def *def, const gw_decoder_traits *traits,
                              gw_decoder **out_decoder, godwit_error *err);
// The same of an encoder in front of that decoder, whose embedding it takes; def has the encoder's hyper-parameters and
// names of layers while it is loaded.
godwit_status gw_decoder_load_encoder(gw_model_def *def, const gw_decoder_traits *traits,
                                      const gw_decoder *decoder, gw_decoder **out_encoder,
                                      godwit_error *err);
// gw_arch.load of a family that is its traits (gw_arch.decoder) and nothing else.
godwit_status gw_decoder_load_plain(gw_model_def *def, godwit_error *err);
// The same where layers without heads of keys are recurrent (gw_decoder_traits.mixer).
godwit_status gw_decoder_load_hybrid(gw_model_def *def, godwit_error *err);
// The same where a key says which layers are recurrent: full_attention_interval (4), each so many-th is not,
// or attention.recurrent_layers, a flag for each.
godwit_status gw_decoder_load_interval(gw_model_def *def, godwit_error *err);
// A float of the architecture's keys, of a range whose ends are allowed, or the fallback.
godwit_status gw_decoder_key(const gw_model_def *def, const char *suffix, float min, float max,
                             float fallback, float *out, godwit_error *err);
// final_logit_softcapping, of files that may have none.
godwit_status gw_decoder_softcap(const gw_model_def *def, gw_decoder *decoder, godwit_error *err);
// Of one that is loaded, with experts: swiglu_clamp_exp and swiglu_clamp_shexp, where what gates give is cut.
godwit_status gw_decoder_cuts(const gw_model_def *def, gw_decoder *decoder, godwit_error *err);
// Layers whose number is n * period - 1 see all keys; with the others' window. period 0: all do.
godwit_status gw_decoder_windows(gw_model_def *def, uint32_t period, godwit_error *err);
// The same where the first of each period sees all keys, not the last.
godwit_status gw_decoder_windows_behind(gw_model_def *def, uint32_t period, godwit_error *err);
// Layers with a window get a rope of this base that is not scaled, where there are such layers.
godwit_status gw_decoder_local_rope(gw_model_def *def, float base, godwit_error *err);
// The same with the base of rope.freq_base_swa (10,000).
godwit_status gw_decoder_swa_rope(gw_model_def *def, godwit_error *err);
// Behind it: how much of heads in layers with a window turns, by rope.dimension_count_swa.
godwit_status gw_decoder_swa_rotations(gw_model_def *def, uint32_t fallback, godwit_error *err);
// Of families some of whose models norm heads of q and k: whether this file's does, by a tensor of either.
bool gw_decoder_has_qk_norms(const gw_model_def *def);
// Where some layers have a window and others not, these do not turn queries and keys.
godwit_status gw_decoder_still_rope(gw_model_def *def, godwit_error *err);
// position_bias.c: scores are less by the distance of a key, times 2^(-max_bias (h + 1) / n_head) of head h. Of a decoder
// that is loaded.
godwit_status gw_decoder_slopes(gw_model_def *def, float max_bias, gw_decoder *decoder,
                                godwit_error *err);
// The same by buckets of distances: a table of layer 0, attn_rel_b [32, n_head]. Of what sees one way, keys behind have
// no buckets.
godwit_status gw_decoder_buckets(gw_model_def *def, gw_decoder *decoder, godwit_error *err);
// cross.c: attention to what an encoder gives of its text: the keys and values of it that a layer stores once, and what
// the layer makes of x with them.
godwit_status gw_cross_store(gw_builder *b, const gw_decoder *decoder, gw_normed encoded);
godwit_status gw_cross_attend(gw_builder *b, const gw_decoder *decoder, gw_normed x,
                              gw_value **out);
// heads.c: weights of what stands behind the layers of models that give embeddings, and its graph.
godwit_status gw_heads_load(gw_model_def *def, gw_decoder *decoder, godwit_error *err);
godwit_status gw_heads_build(gw_builder *b, const gw_decoder *decoder);
// decoder_build.c: what is in front of the layers and behind them. x: [n_tok, n_embd], or of the last n_logits tokens alone.
godwit_status gw_decoder_begin(gw_builder *b, const gw_decoder *decoder, gw_value **x);
godwit_status gw_decoder_end(gw_builder *b, const gw_decoder *decoder, gw_value *x);
// Of a layer by its number.
godwit_status gw_decoder_load_layer(gw_model_def *def, gw_decoder *decoder, uint32_t layer,
                                    godwit_error *err);
godwit_status gw_decoder_build_layer(gw_builder *b, const gw_decoder *decoder, gw_value **x);
// gw_arch.build
godwit_status gw_decoder_build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                               godwit_error *err);

#endif
