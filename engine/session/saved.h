// Saved sessions: what the chunks of a session file hold (docs/SESSION.md has each byte), shared by
// save.c and load.c; and the rows of a session's states in the form that a file has them, which
// knows no device, page or padding (states.c).
#ifndef GW_SESSION_SAVED_H
#define GW_SESSION_SAVED_H

#include "session/internal.h"

// In the order in which a file has them; GW_TAG_TOKENS and GW_TAG_STATE as often as it takes,
// GW_TAG_SHAPE where layers differ.
#define GW_TAG_SESSION "SESS"
#define GW_TAG_MODEL   "MODL"
#define GW_TAG_SHAPE   "SHAP"
#define GW_TAG_LORA    "LORA" // where flag GW_SAVED_LORA is set
#define GW_TAG_SAMPLER "SMPL"
#define GW_TAG_CHANGES "SMPX" // where flag GW_SAVED_CHANGES is set
#define GW_TAG_FILTERS "SMPF" // where flag GW_SAVED_FILTERS is set
#define GW_TAG_TOKENS  "TOKS"
#define GW_TAG_STATE   "STAT"

enum {
    GW_SAVED_SESSION_BYTES = 32,
    GW_SAVED_ARCH_BYTES = 64,
    GW_SAVED_NAME_BYTES = 128,
    GW_SAVED_MODEL_BYTES = GW_FINGERPRINT_BYTES + GW_SAVED_ARCH_BYTES + GW_SAVED_NAME_BYTES + 24,
    GW_SAVED_SHAPE_BYTES = 20,                      // of a state
    GW_SAVED_LORA_BYTES = GW_FINGERPRINT_BYTES + 4, // of an adapter
    GW_SAVED_SAMPLER_BYTES = 32,
    GW_SAVED_CHANGES_BYTES = 64, // in front of biases and breakers
    GW_SAVED_FILTERS_BYTES = 64,
    GW_SAVED_RUN_BYTES = 8,    // in front of tokens
    GW_SAVED_STATE_BYTES = 64, // in front of rows
    GW_SAVED_TOKENS_ONLY = 1,  // flags
    GW_SAVED_LOGITS = 2,
    GW_SAVED_CHANGES = 4,
    GW_SAVED_FILTERS = 8,
    GW_SAVED_LORA = 16,
};

// SMPF (saved_filters.c): whether there is one; its bytes, with mirostat's mu, or NULL: it is where it
// begins; what they say, false where that cannot be.
bool gw_saved_has_filters(const godwit_sample_params *params);
void gw_saved_filters_put(const godwit_sample_params *params, const float *mu, uint8_t *out);
bool gw_saved_filters_get(const uint8_t *bytes, godwit_sample_params *params, bool *out_has_mu,
                          float *out_mu);

// A state of a session, by what it is: nothing here says where or how a device keeps it.
typedef struct gw_state {
    char name[16]; // "k", "v", "logits"
    gw_state_kind kind;
    uint32_t layer;
    godwit_dtype dtype; // F32, F16 or Q8_0
    uint32_t group; // Q8_0: elements that share a scale, the last of a head perhaps fewer; else 0
    uint32_t n_heads, head;
    uint64_t row_bytes;
} gw_state;

// A family's states and what they are stored as; of a model, or as a file says.
typedef struct gw_state_shape {
    const gw_state_def *states; // [n_states]
    uint32_t n_states, n_vocab;
    godwit_kv kv[2]; // of keys, of values
} gw_state_shape;

// The states in their order, then the logits.
void gw_state_at(const gw_state_shape *shape, uint32_t index, gw_state *out_state);
static inline uint32_t gw_n_states(const gw_state_shape *shape, bool logits) {
    return shape->n_states + logits;
}
// The heads of every state, where they are alike and each layer has one of keys and one of values;
// else *out_n_heads is 0.
void gw_states_alike(const gw_state_shape *shape, uint32_t n_layer, uint32_t *out_n_heads,
                     uint32_t *out_head);
void gw_session_shape(const gw_session *session, gw_state_shape *out_shape);
// n rows of state `index` from row `first` on. out, rows: [n, row_bytes].
godwit_status gw_session_read_rows(gw_session *session, uint32_t index, uint32_t first, uint32_t n,
                                   uint8_t *out, godwit_error *err);
godwit_status gw_session_write_rows(gw_session *session, uint32_t index, uint32_t first, uint32_t n,
                                    const uint8_t *rows, godwit_error *err);

// Of a model's adapters, [n_loras, GW_SAVED_LORA_BYTES]: written; GODWIT_UNSUPPORTED where the model's
// are others (NULL: there is none to go on with).
godwit_status gw_lora_put_saved(gw_model *model, uint8_t *out, godwit_error *err);
godwit_status gw_lora_check_saved(gw_model *model, const uint8_t *bytes, size_t n_bytes,
                                  uint32_t *out_n, godwit_error *err);

// As a chunk has it in front of the rows: [GW_SAVED_STATE_BYTES].
void gw_state_put(const gw_state *state, uint32_t first, uint32_t n, uint8_t *out);

#endif
