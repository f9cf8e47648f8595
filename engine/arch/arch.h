// Arch: what a model family gives: its hyper-parameters and weights from a file, and the graph of a
// step.
//
// A family is one file that builds graphs and nothing else; it sees no device. gw_model_def is a
// model as the file describes it; its weights may be placed on any number of devices
// (graph/placement.h). Thread rule: a def is immutable after gw_model_def_create.
#ifndef GW_ARCH_ARCH_H
#define GW_ARCH_ARCH_H

#include "base/limits.h"
#include "file/gguf.h"
#include "graph/ir.h"

typedef enum gw_rope_scaling { GW_ROPE_NONE, GW_ROPE_LINEAR, GW_ROPE_YARN } gw_rope_scaling;

// One way of turning heads; names are GGUF's.
typedef struct gw_rope {
    uint32_t n_rot;
    bool still; // every angle is 0: nothing turns
    float base, factor, attn_factor;
    gw_rope_scaling scaling;
    uint32_t ctx_orig;
    bool yarn_between_pairs; // the ends of its ramp are not rounded to pairs
    float yarn_beta_fast, yarn_beta_slow, yarn_ext_factor, yarn_log_mul;
    const gw_gguf_tensor *freqs;      // [n_rot / 2] f32 divisors of the frequencies, or NULL
    const gw_gguf_tensor *long_freqs; // the same for contexts above ctx_orig, where both are there
} gw_rope;

// Of one layer.
typedef struct gw_layer_hparams {
    uint32_t n_head, n_head_kv, head_dim, n_ff;
    uint32_t v_dim;  // of heads of values, which may be shorter
    uint32_t window; // sliding window of attention; 0: none
    uint32_t rope;   // which of gw_hparams.ropes
    uint32_t k, v;   // which of gw_model_def.states; perhaps another layer's
    bool recurrent;  // it has a state in the place of keys and values
} gw_layer_hparams;

enum { GW_MAX_ROPES = 2 };

// Hyper-parameters that families share; names are GGUF's.
typedef struct gw_hparams {
    uint32_t n_layer, n_embd, n_vocab, n_ctx_train;
    uint32_t
        n_next; // blocks behind the layers that predict tokens after the next one; they are not run
    uint32_t n_ctx_max;                         // no position is known from there on; 0: any is
    uint32_t n_head, n_head_kv, head_dim, n_ff; // of layer 0
    float norm_eps;
    // Each token sees all of its text: an encoder, which gives embeddings and no logits, and keeps
    // nothing: all layers write the same states.
    bool both_ways;
    bool chunked; // windows are parts of the text that begin every so many tokens
    // An encoder is in front: a sequence's first tokens are its text, whose keys and values each layer
    // of the decoder reads beside its own, which begin with the token decoder_start.
    bool encodes;
    uint32_t decoder_start;
    godwit_pooling pooling;   // MODEL: the file names none
    uint32_t n_types;         // kinds of tokens that the embedding tells apart; 0: none
    uint32_t n_out;           // numbers of an embedding
    bool has_dense;           // of which dense layers make them
    uint32_t n_labels;        // scores of a pair of texts; 0: it gives none
    gw_layer_hparams *layers; // [n_layer]
    // Queries at a position are multiplied by 1 + q_scale * ln(1 + floor((position + q_scale_from) /
    // q_scale_length)); q_scale 0: they are not.
    float q_scale;
    uint32_t q_scale_length, q_scale_from;
    bool q_scale_still; // but only in layers that do not turn
    uint32_t n_ropes;
    gw_rope ropes[GW_MAX_ROPES];
} gw_hparams;

static inline bool gw_layer_scales_q(const gw_hparams *h, uint32_t layer) {
    return h->q_scale != 0.0f && (!h->q_scale_still || h->ropes[h->layers[layer].rope].still);
}

// The first token of what one at a position sees, where windows are chunks.
static inline uint32_t gw_chunk_begin(uint32_t position, uint32_t window) {
    return position - position % window;
}

// Elements that a head takes in the KV caches: zeros behind head_dim, which change no sum.
static inline uint32_t gw_head_row(uint32_t head_dim) {
    return (uint32_t)GW_ALIGN_UP(head_dim, GW_HEAD_DIM_STEP);
}

// --- states --------------------------------------------------------------------------------------

// How often a sequence has a row of a state: one a position, in pages; or one in all, which is what it
// is after the sequence's last token (convolution tails, recurrent states).
typedef enum gw_state_kind { GW_STATE_ROWS = 0, GW_STATE_BLOCK = 1 } gw_state_kind;
// What it is. Number formats: those of the session's keys, of its values, F32 of the others. The numbers
// are those of session files.
typedef enum gw_state_type {
    GW_STATE_KEYS,
    GW_STATE_VALUES,
    GW_STATE_CONV, // the last inputs of a short convolution: [taps - 1, channels]
    GW_STATE_SSM,  // matrices of heads: [heads, columns * rows]
    GW_STATE_LOGITS,
    GW_STATE_LATENTS, // keys and values in one; of the format of keys
} gw_state_type;

// What lives across steps, as a family declares it: rows of n_heads * head elements.
typedef struct gw_state_def {
    const char *name; // "k"
    gw_state_kind kind;
    gw_state_type type;
    uint32_t layer, n_heads, head;
    bool no_q8; // F16 where q8_0 is asked for
} gw_state_def;

// --- models --------------------------------------------------------------------------------------

typedef struct gw_arch gw_arch;

typedef struct gw_model_def {
    const gw_host *host;
    gw_arena arena;
    const gw_gguf *gguf;
    const gw_arch *arch;
    gw_hparams h;
    const char *layers_in; // what stands in front of "blk." in tensors' names: "enc.", or NULL
    gw_vec(gw_weight *) weights;
    uint32_t n_made;             // of the weights, that are in no file
    gw_vec(gw_state_def) states; // in order of layers
    void *family;                // the family's own struct, in the arena
} gw_model_def;

// What a step's graph reads and writes. The caller makes the values; build returns logits.
typedef struct gw_step_io {
    uint32_t n_tok;
    uint32_t n_logits;   // of the last so many tokens
    gw_value *tokens;    // [n_tok] i32
    gw_value *positions; // [n_tok] i32
    // The last key that each sees, [n_tok] i32; of layers with a window [2 n_tok], then the first. NULL
    // where tokens see up to their own position, of windows that go along with them. Of a decoder behind an
    // encoder: the last key of the encoder's text; and of its own the last and the first.
    gw_value *seen[2];
    gw_value *types;                     // [n_tok] i32, NULL where the model has none
    gw_value *rope_tables[GW_MAX_ROPES]; // [n_tok, n_rot] f32
    gw_value *q_scales; // [n_tok, 1] f32, of queries; NULL where the model has none
    gw_value *kv_rows;  // [n_tok] i32: where keys and values of each go in the caches
    gw_value *pages;    // [n_pages] i32, or [n_tok * n_pages]: attention's tables
    uint32_t n_pages;
    // [4 * n_segments] i32, of models with blocks: the tokens of one sequence, which stand together: the
    // first, how many (0: none), the block that holds its states before them (-1: it begins), and the
    // one that they are written to.
    gw_value *segments;
    gw_value *
        *states; // as the model has them, each [n_rows, n_heads, gw_head_row]; blocks [n_blocks,
                 // n_heads, head]
    gw_value *logits; // out: [n_logits, n_vocab] f32
    // Of embeddings: what the model has of each token, [n_tok, n_embd] f32, normed, instead of logits;
    // or of pooled ones, [n_tok, n_embd] f32, what is made of them: scores [n_tok, n_labels] or
    // embeddings [n_tok, n_out].
    bool embeds, scores;
    bool
        encodes; // of a model with an encoder: it alone, which stores keys and values for the decoder
    gw_value *pooled, *hidden; // hidden: out
    // Of a model whose block for the token after the next one is run, too (next.h): it makes hidden, [n_tok,
    // n_embd] f32, beside logits; the block's own graph reads the same of the tokens before.
    const struct gw_next *next;
    gw_value *hidden_in;
    // Around what a family builds; NULL where a step has none.
    gw_value *control;         // [8 n_logits] i32 of sample
    gw_value *heads, *adjusts; // [4 n_logits], [5 n] i32 of adjust, or NULL
    gw_value *given;           // [n_tok - n_logits] i32 of sample
    gw_value *slots;           // [n_logits] i32: rows of logits_state that the logits go to
    gw_value *logits_state;    // [n_slots, n_vocab] f32
    gw_value *chosen;          // out: [n_logits] i32, from these logits
} gw_step_io;

struct gw_arch {
    const char *name;
    const struct gw_decoder_traits
        *decoder; // of a family that decoder.h loads by its traits, or NULL
    // Reads hyper-parameters, declares states and finds the weights (gw_def_weight).
    godwit_status (*load)(gw_model_def *def, godwit_error *err);
    godwit_status (*build)(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                           godwit_error *err);
};

// Errors name the file and the key or tensor: GODWIT_UNSUPPORTED for an architecture or tensor type
// that this build does not run, GODWIT_MALFORMED for what contradicts itself. gguf must outlive the
// def.
godwit_status gw_model_def_create(const gw_host *host, const gw_gguf *gguf, gw_model_def **out_def,
                                  godwit_error *err);
void gw_model_def_destroy(gw_model_def **def);

// For families: a weight by name with the shape it must have (dims outermost first). optional: a
// missing tensor gives NULL and GODWIT_OK.
godwit_status gw_def_weight(gw_model_def *def, const char *name, bool optional, uint32_t n_dims,
                            const uint64_t *dims, gw_weight **out_weight, godwit_error *err);
// A vector of n numbers that are in no file, and which are to be filled in.
godwit_status gw_def_made(gw_model_def *def, uint64_t n, float **out_numbers,
                          gw_weight **out_weight, godwit_error *err);
// A vector of n ones, for norms without a weight.
godwit_status gw_def_ones(gw_model_def *def, uint64_t n, gw_weight **out_weight, godwit_error *err);
// The one number that a weight is.
godwit_status gw_def_number(const gw_weight *weight, float *out, godwit_error *err);
// The same of "blk.<layer>.<name>".
godwit_status gw_def_layer_weight(gw_model_def *def, uint32_t layer, const char *name,
                                  bool optional, uint32_t n_dims, const uint64_t *dims,
                                  gw_weight **out_weight, godwit_error *err);
// What one product gives: rows of a weight, from row0 on. Without a call of gw_def_join all of them.
typedef struct gw_linear {
    gw_weight *w, *bias; // bias: [n_rows] or NULL; joined as w is, where each part of w has one
    uint64_t row0, n_rows;
} gw_linear;
// For products of one value: weights of one format become one weight, so that one launch reads them
// (a part whose rows fill no whole groups may be a last one only; what cannot be joined stays as it is).
// linears: [n], of each w is set, with the same number of columns; n <= GW_WEIGHT_MAX_PARTS.
godwit_status gw_def_join(gw_model_def *def, gw_linear *const *linears, uint32_t n,
                          godwit_error *err);
// n_vocab from the rows of an embedding, which must be as many as the file's tokens, where it has
// any.
godwit_status gw_def_vocab(gw_model_def *def, const char *name, godwit_error *err);
// "llama.block_count" from "block_count": architecture in front.
const char *gw_def_key(const gw_model_def *def, const char *suffix, char *text, size_t text_bytes);
// Hyper-parameters common to decoder families, range-checked, one rope for all layers, and keys and
// values of every layer as states.
godwit_status gw_hparams_read(gw_model_def *def, godwit_error *err);
// The same where some layers may have no heads of keys, which are recurrent then, or no feed-forward; no
// states are made.
godwit_status gw_hparams_read_hybrid(gw_model_def *def, godwit_error *err);
godwit_status gw_hparams_add_kv(gw_model_def *def, uint32_t layer, godwit_error *err);
// Of an encoder with a decoder behind it: the decoder's, whose layers alone have states. *out_encoder: the other
// one's, whose layers write those of the decoder's first one, before that does.
godwit_status gw_hparams_read_pair(gw_model_def *def, gw_hparams *out_encoder, godwit_error *err);
// What latent attention keeps: one head of a layer's head_dim.
godwit_status gw_hparams_add_latents(gw_model_def *def, uint32_t layer, godwit_error *err);
// type: CONV or SSM.
godwit_status gw_hparams_add_block(gw_model_def *def, uint32_t layer, gw_state_type type,
                                   uint64_t n_heads, uint64_t head, uint32_t *out_state,
                                   godwit_error *err);
// The window of layers that have one; 0: none has.
uint32_t gw_def_window(const gw_model_def *def);
// Whether sequences have blocks, so that their states are those after the last token alone.
bool gw_def_has_blocks(const gw_model_def *def);
// One more rope, a copy of the first but for its base and without scaling.
godwit_status gw_hparams_add_rope(gw_model_def *def, float base, uint32_t *out_rope,
                                  godwit_error *err);

// Heads of another size, in a layer.
void gw_hparams_set_head(gw_model_def *def, uint32_t layer, uint32_t head_dim);
// The last n layers have no keys and values of their own: each reads those of the last layer before
// them that has a window where it has one.
godwit_status gw_hparams_share_kv(gw_model_def *def, uint32_t n, godwit_error *err);

// --- rope tables ---------------------------------------------------------------------------------

// Angles of each pair, per position: freqs [n_rot / 2] and a factor on cos and sin. Host arithmetic
// in double from + - * / alone, so every host gives the same table.
typedef struct gw_rope_freqs {
    uint32_t n_pairs;
    double freqs[512];
    double magnitude;
} gw_rope_freqs;

// n_ctx: tokens of the context.
godwit_status gw_rope_freqs_of(const gw_rope *rope, uint32_t n_ctx, gw_rope_freqs *out_freqs,
                               godwit_error *err);
// Whether contexts of a and of b tokens have the same table.
bool gw_rope_is_same(const gw_rope *rope, uint32_t a, uint32_t b);
// What queries at a position are multiplied by.
float gw_q_scale_at(const gw_hparams *h, uint32_t position);
// out: [2 * n_pairs], (cos, sin) of each pair at a position.
void gw_rope_row(const gw_rope_freqs *freqs, uint32_t position, float *out);

#endif
