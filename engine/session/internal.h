// Session internals: shared by session.c (memory, programs) and timeline.c (feed, sample, step).
#ifndef GW_SESSION_INTERNAL_H
#define GW_SESSION_INTERNAL_H

#include "session/session.h"

enum {
    GW_BATCH_DEFAULT = 64,
    GW_BATCH_MAX = 1024,
    GW_SLOT_STEP = 0,      // sample, then one token
    GW_SLOT_SAMPLE = 1,    // sample alone
    GW_SLOT_ONE = 2,       // one given token
    GW_SLOT_BATCH = 3,     // n_batch tokens
    GW_SLOT_REST = 4,      // whatever was left of a prompt, remade when the number changes
    GW_SLOT_ROWS = 5,      // a whole batch, and the logits of each of its tokens
    GW_SLOT_ROWS_REST = 6, // whatever was left of such a feed
    GW_N_SLOTS = 7,
};

enum {
    GW_ROWS_RUN_BYTES = 64 << 20, // logits that one run makes at most, but for one row
    GW_ROWS_MAX_BYTES = 1 << 30,  // logits that a session keeps
};

// A program with the places of what the host writes and reads around a run.
typedef struct gw_slot {
    gw_program *program;
    uint32_t n_tok;
    gw_slice tokens, positions, rope_table, control, logits;
} gw_slot;

typedef gw_vec(int32_t) gw_ids;

struct gw_session {
    const gw_host *host;
    gw_model *model;
    uint32_t n_ctx, n_batch, kv_dtypes[2]; // of keys, of values
    uint32_t n_past;
    gw_ids ids; // [n_past] the tokens
    bool has_logits;
    atomic_bool cancelled;
    gw_store arena, upload, readback;
    gw_store states[GW_MAX_STATE_STORES];
    uint64_t state_bytes[GW_MAX_STATE_STORES];
    uint32_t n_states;
    gw_slice *kv; // [n_layer][k, v]
    gw_slice logits;
    uint64_t kv_bytes;
    gw_slot slots[GW_N_SLOTS];
    uint8_t *rows; // host scratch for a chunk's rope rows and positions
    size_t rows_bytes;
    float *all_logits; // [n_all_logits, n_vocab] of the last feed that asked for them
    size_t all_logits_bytes, n_all_logits;
    uint32_t guard;       // check a product of every guard-th run that has one; 0: none
    uint64_t n_guardable; // such runs so far
    bool fast;            // fast numerics were asked for
    bool time_launches;
    gw_vec(godwit_launch_time) launch_times; // since they were taken last
    godwit_session_stats stats;
};

// Room for n more. Before the work whose tokens they are: what has run must be written down.
godwit_status gw_ids_reserve(gw_ids *ids, const gw_host *host, size_t n, godwit_error *err);
// Whether the parameters are in range.
godwit_status gw_sampling_check(const godwit_sample_params *params, godwit_error *err);
void gw_slot_clear(gw_slot *slot);
// Plans and records a program for n_tok tokens (0 and sampled: sampling alone) into slot.
godwit_status gw_slot_make(gw_session *session, uint32_t n_tok, gw_step_kind kind, gw_slot *slot,
                           godwit_error *err);
// After a run, where the session times launches (launch_times.c).
godwit_status gw_session_add_launch_times(gw_session *session, const gw_program *program,
                                          godwit_error *err);

#endif
