// Session internals, shared by the files of this folder.
//
// A batch owns what many sequences share: the pages of the KV caches (pool.c), the rows of logits,
// the programs for the numbers of tokens in use (steps.c). A session is one sequence in it: its
// tokens, its pages, its row. A session that was made alone has a batch of its own.
#ifndef GW_SESSION_INTERNAL_H
#define GW_SESSION_INTERNAL_H

#include "ops/ops.h"
#include "run/executable.h"
#include "session/session.h"

enum {
    GW_BATCH_MAX = 1024,
    GW_SEQ_DEFAULT = 8,
    GW_SEQ_MAX = 1024,
    GW_PAGE_ROWS = GW_ATTN_BLOCK,
    GW_PREFIX_MIN = 16, // tokens in common from which on a session takes them over
    GW_CHECKPOINTS_MAX = 4096,
};

enum {
    GW_ROWS_RUN_BYTES = 64 << 20, // logits that one run makes at most, but for one row
    GW_ROWS_MAX_BYTES = 1 << 30,  // logits that a session keeps
};

typedef gw_vec(int32_t) gw_ids;

// --- pool ----------------------------------------------------------------------------------------

// Where a state of the model lies, and the bytes of a row: its elements; its scales, of q8_0.
typedef struct gw_pool_state {
    gw_slice slice;
    uint64_t row_bytes[2];
    bool block; // its rows are blocks, not positions
} gw_pool_state;

// The dtype of a state, with keys and values in these.
uint32_t gw_state_dtype(const gw_state_def *state, const uint32_t kv_dtypes[2]);

// Pages of GW_PAGE_ROWS rows of every layer's keys and values, and a row of logits for each slot.
typedef struct gw_pool {
    const gw_backend *backend;
    gw_store states[GW_MAX_STATE_STORES];
    uint64_t state_bytes[GW_MAX_STATE_STORES];
    uint32_t n_stores;
    gw_pool_state *kv; // [n_kv] as the model has its states
    uint32_t n_kv;
    gw_slice logits; // of each turn a row a slot
    uint32_t
        n_turns; // 2: a step leaves the logits that it chooses from as they are, and writes others
    uint32_t n_drafts; // of a session; where there are any: n_turns is 1 + n_drafts
    uint64_t turn_bytes, logits_row_bytes;
    uint32_t n_rows, n_pages, n_slots;
    uint32_t *references; // [n_pages] sessions that a page belongs to
    uint32_t n_blocks;
    uint32_t *block_references; // [n_blocks] likewise; a block that a run has written never changes
    uint32_t *block_checkpoints;    // [n_blocks] those of them that are checkpoints
    double *block_worth;            // [n_blocks] scratch of checkpoints.c
    uint32_t n_checkpoints, n_kept; // blocks that may be checkpoints, and are
    uint64_t block_bytes;           // of all states
    uint32_t n_free;
    uint64_t kv_bytes;
} gw_pool;

// Of one block of a state that has blocks, of floats.
static inline uint64_t gw_state_block_bytes(const gw_state_def *state) {
    return sizeof(float) * (uint64_t)state->n_heads * state->head;
}

// Where the rows of a cache lie: all elements, row by row, then all scales.
typedef struct gw_pool_rows {
    gw_store *store;
    uint64_t offset[2], row_bytes[2];
} gw_pool_rows;

// n_rows: of each cache; the last page may be cut short. kv_dtypes: of keys, of values. n_turns: 1, 2.
// n_checkpoints: 0 of a model without blocks. n_drafts: instead of turns.
// Bytes of one sequence's states of n_rows tokens, caches in F16.
uint64_t gw_pool_state_bytes(const gw_model_def *def, uint32_t n_rows);
godwit_status gw_pool_create(const gw_model *model, const uint32_t kv_dtypes[2], uint32_t n_rows,
                             uint32_t n_slots, uint32_t n_turns, uint32_t n_drafts,
                             uint32_t n_checkpoints, gw_pool *out_pool, godwit_error *err);
void gw_pool_destroy(gw_pool *pool);
// False where none is free.
bool gw_pool_take(gw_pool *pool, uint32_t *out_page);
void gw_pool_retain(gw_pool *pool, uint32_t page);
void gw_pool_release(gw_pool *pool, uint32_t page);
// index: which of the model's states.
void gw_pool_rows_of(gw_pool *pool, uint32_t index, gw_pool_rows *out);
// Whether programs are bound to all rows of logits, or to one turn's.
static inline bool gw_pool_binds_all(const gw_pool *pool) {
    return pool->n_slots > 1 || pool->n_drafts > 0;
}
// Whether a step may be on its way before another has ended (ahead.c).
static inline bool gw_pool_looks_ahead(const gw_pool *pool) {
    return pool->n_turns > 1 && !pool->n_drafts;
}
// Where a slot's logits of a turn lie, and those that a program is bound to.
uint64_t gw_pool_logits_offset(const gw_pool *pool, uint32_t slot, uint32_t turn);
gw_slice gw_pool_logits(const gw_pool *pool, uint32_t turn);
// Which row that is of those that a program is bound to.
uint32_t gw_pool_logits_row(const gw_pool *pool, uint32_t slot, uint32_t turn);
// A free block; gw_pool_create makes two a session beside those of checkpoints, so there is one.
int32_t gw_pool_take_block(gw_pool *pool);
// The first n rows of a page into another one.
godwit_status gw_pool_copy(gw_pool *pool, uint32_t from, uint32_t to, uint32_t n,
                           godwit_error *err);

// --- batch ---------------------------------------------------------------------------------------

// A program with the places of what the host writes and reads around a run.
typedef struct gw_step {
    gw_step_kind kind;
    uint32_t n_tok, n_logits, n_adjusts, twin;
    gw_program *program;
    gw_store *upload, *readback;
    gw_slice heads, adjusts; // of changed logits
    gw_slice tokens, given, chosen, positions, kv_rows, pages, segments, slots, control, logits,
        q_scales, rope_tables[GW_MAX_ROPES];
    gw_slice types, seen[2], pooled, hidden, hidden_in; // of embeddings, and of a next block
} gw_step;

// What is asked of the tokens that the next run chooses, beside their controls (sampling.c).
typedef struct gw_asked {
    uint32_t n, n_adjusts; // tokens; changes of logits that the program has room for, 0: none
    int32_t heads[GW_STEP_MAX][GW_SAMPLE_HEAD_WORDS];
    gw_vec(gw_sample_adjust) adjusts;
    uint32_t
        *places; // [n_vocab] where the one of an id is among the token's, from 1 on; 0: it has none
    uint8_t *breaks; // [n_vocab] of DRY: whether no repeat goes across it, or what begins with it
    gw_ids repeats;  // of DRY: how long those are that end at each place
    float *rows;     // [n, n_vocab] logits, of tokens whose log probabilities are kept
    size_t rows_bytes;
} gw_asked;

// A decode step that is expected to be asked for, and perhaps on its way already (ahead.c).
typedef struct gw_ahead {
    gw_step step; // on its way; without a program: none is
    uint32_t n;
    gw_session *sessions[GW_STEP_MAX];
    gw_sample_control controls[GW_STEP_MAX];
    uint64_t submitted_ns, ended_ns; // ended: the last one that was waited for
    uint32_t n_met,
        patience; // steps that were as expected, one after the other; how many are wanted
} gw_ahead;

// Guesses at most `most` tokens behind `token`, which the session does not have yet; how many: returned.
typedef uint32_t gw_guess_fn(void *user, gw_session *session, int32_t token, uint32_t most,
                             int32_t *out);

struct gw_batch {
    const gw_host *host;
    gw_model *model;
    uint32_t n_references;                                 // its sessions, and whoever made it
    uint32_t n_ctx, n_batch, kv_dtypes[2], n_seq, n_pages; // n_pages: of a session
    uint32_t guard;       // check a product of every guard-th run that has one
    uint64_t n_guardable; // such runs so far
    uint64_t n_prompts;   // queued so far
    uint32_t checkpoint_every;
    uint32_t n_draft;
    gw_guess_fn *guess;
    gw_batch *next; // of the model's block for the token after the next one, or NULL
    void *guess_user;
    bool fast; // fast numerics were asked for
    bool time_launches;
    gw_rope_freqs ropes[GW_MAX_ROPES]; // of the model's
    gw_pool pool;
    gw_workspace workspace; // of all programs, which go where it grows
    gw_vec(gw_step) steps;
    gw_ahead ahead;
    gw_session **sessions; // [n_seq] by slot; NULL: free
    uint8_t *scratch;      // what the host writes before a run
    size_t scratch_bytes;
    gw_vec(godwit_launch_time) launch_times; // since they were taken last
    gw_asked asked;
};

// A block with the states after the first `at` tokens of a session.
typedef struct gw_checkpoint {
    uint32_t at;
    int32_t block;
} gw_checkpoint;

// Of mirostat, before the token at a position is chosen; token: the one before it (mirostat.c).
typedef struct gw_mu {
    uint32_t position;
    int32_t token;
    float mu;
} gw_mu;

// Guesses of the tokens after the last one, whose keys, values and logits are there: of the i-th in turn
// i + 1 (draft.c).
typedef struct gw_drafts {
    uint32_t n; // of which turn's many are the session's tokens by now
    int32_t ids[GODWIT_DRAFT_MAX];
    uint32_t n_chosen; // turns of which it is known what is chosen, by these controls
    int32_t chosen[GODWIT_DRAFT_MAX + 1];
    gw_sample_control controls[GODWIT_DRAFT_MAX + 1];
    int32_t block;                      // of recurrent states behind all of them, or -1
    uint32_t most;                      // how many are guessed next; 0: as many as may be
    uint32_t n_bad;                     // times one after the other that none was chosen
    uint32_t pause;                     // tokens to be chosen before the next guess
    const godwit_sample_params *params; // of the step that guesses
} gw_drafts;

// What the block for the token after the next one has of a session (next.c). Its j-th token is the session's
// token base + j + 1.
typedef struct gw_next_tokens {
    gw_session *session; // of the block's batch, or NULL
    uint32_t base, n;    // n: of its tokens that are not guesses
    float *hidden;       // [n_hidden, n_embd] of the session's tokens from first on
    uint32_t first, n_hidden, n_room;
} gw_next_tokens;

struct gw_session {
    gw_batch *batch;
    const gw_host *host;
    gw_model *model;
    uint32_t slot; // of the batch: its row of logits
    uint32_t turn; // of these: which one's logits are its last
    uint32_t n_past;
    uint32_t
        n_encoded; // of these, the text of the encoder, where the model has one in front (encode.c)
    gw_ids ids;    // [n_past] the tokens
    gw_ids queue;  // tokens to be worked on, but for the first n_unqueued, which were
    size_t n_unqueued;
    uint64_t queued_as; // the batch's n_prompts then
    bool is_fresh;      // its tokens are the start of the queue, taken over
    uint32_t *pages;    // [n_pages] of those that there are; the batch's n_pages are room for
    uint32_t n_pages;
    int32_t block;      // with the states after its tokens, but n_behind; -1: none, it begins
    int32_t next_block; // that its next run writes, or -1
    uint32_t
        n_behind;  // tokens that it went back to, whose keys and values are there, and states not
    uint32_t stop; // where one that begins alike wants a checkpoint; else 0
    gw_vec(gw_checkpoint) checkpoints; // by place
    bool has_logits;
    atomic_bool cancelled;
    float *all_logits; // [n_all_logits, n_vocab] of the last feed that asked for them
    size_t all_logits_bytes, n_all_logits;
    gw_vec(godwit_logprob) logprobs;      // of the token that was chosen last
    gw_vec(godwit_logit_bias) saved_bias; // of the file that it was loaded from
    gw_ids saved_breakers;                // likewise, and sequences
    gw_drafts drafts;
    gw_next_tokens next;
    gw_vec(gw_mu) mus; // by position; the last may be of a token that is not fed yet
    godwit_session_stats stats;
};

// What one run was, for the figures of those whose it was.
typedef struct gw_run_figures {
    uint64_t ns, device_ns, n_guarded;
    bool fast;
} gw_run_figures;
// --- runs (runs.c). stop: NULL or what ends it early.
godwit_status gw_batch_run(gw_batch *batch, const gw_step *step, const atomic_bool *stop,
                           gw_run_figures *out, godwit_error *err);
// ns: which of its times.
void gw_session_add_figures(gw_session *session, const gw_run_figures *figures, uint64_t *ns);
// GODWIT_CANCELLED once for each cancel.
godwit_status gw_session_check_cancelled(gw_session *session, godwit_error *err);
godwit_status gw_session_check_room(const gw_session *session, size_t n, godwit_error *err);

// Room for n more. Before the work whose tokens they are: what has run must be written down.
godwit_status gw_ids_reserve(gw_ids *ids, const gw_host *host, size_t n, godwit_error *err);
// Semantics: godwit_session_feed, of a run; n of its n_run tokens. all: their logits are kept.
godwit_status gw_session_feed_run(gw_session *session, const int32_t *ids, uint32_t n,
                                  uint32_t n_run, bool all, godwit_error *err);
// Its last ones, [n_vocab].
godwit_status gw_session_read_logits(gw_session *session, float *out, godwit_error *err);
// A run of many sessions. out_tokens: [n], of those that decode.
godwit_status gw_step_run(gw_batch *batch, gw_session *const *sessions,
                          const godwit_sample_params *params, uint32_t n, const gw_schedule *plan,
                          int32_t *out_tokens, godwit_error *err);
// Chosen and nothing more; -1 where logits are not finite.
godwit_status gw_session_choose(gw_session *session, const godwit_sample_params *params,
                                int32_t *out_token, godwit_error *err);
// After a run that worked on them.
void gw_session_append(gw_session *session, const int32_t *ids, uint32_t n);
// Whether the tokens may be fed.
godwit_status gw_session_check_ids(const gw_session *session, const int32_t *ids, size_t n_ids,
                                   godwit_error *err);
// After a run of n tokens that were given: they are the session's, and their logits are there.
void gw_session_append_prompt(gw_session *session, const int32_t *ids, uint32_t n);

// --- sampling (sampling.c)

// Whether the parameters are in range.
godwit_status gw_sampling_check(const godwit_sample_params *params, godwit_error *err);
// Whether what is asked of a token depends on the ones before it, or on their logits: then it is chosen
// by a run after the one that chose the last.
bool gw_sample_needs_history(const godwit_sample_params *params);
// Whether logits are changed before a token is chosen.
bool gw_sample_changes_logits(const godwit_sample_params *params);
// What a run reads of a token to be chosen, after `ahead` more; row: where its logits are.
void gw_sampling_control(const gw_session *session, const godwit_sample_params *params,
                         uint32_t ahead, uint32_t row, gw_sample_control *out);
// The tokens of a run, one after the other, before its program is found. session: NULL of one that is
// given; params: NULL: greedy.
void gw_sampling_begin(gw_batch *batch);
godwit_status gw_sampling_ask(gw_batch *batch, gw_session *session,
                              const godwit_sample_params *params, godwit_error *err);
// To the program that was found for batch->asked.n_adjusts.
godwit_status gw_sampling_write(gw_batch *batch, const gw_step *step, godwit_error *err);
// After the run, before the token is appended: of the at-th that was asked for.
void gw_sampling_take(gw_session *session, const godwit_sample_params *params, uint32_t at,
                      int32_t token);
void gw_sampling_free(gw_batch *batch);

// --- mirostat (mirostat.c)

#define GW_SAMPLE_COLDEST 0.001f // temperatures below are greedy
bool gw_mirostat_is_on(const godwit_sample_params *params);
// The least share of the next token, in 2^-32.
uint32_t gw_mirostat_least(const gw_session *session, const godwit_sample_params *params);
// After a token is chosen, before it is appended: of these logits, changed as they were for it.
void gw_mirostat_take(gw_session *session, const godwit_sample_params *params, const float *logits,
                      int32_t token);
// Of the next token; false: it is where it begins.
bool gw_mirostat_mu(const gw_session *session, float *out_mu);
godwit_status gw_mirostat_set(gw_session *session, gw_mu mu, godwit_error *err);
// Room for one.
godwit_status gw_mirostat_prepare(gw_session *session, godwit_error *err);
void gw_mirostat_truncate(gw_session *session, uint32_t n_keep);
// Takes over what another session of the batch has of the start of ids, where this one is empty or has
// less of it and nothing else (is_fresh); returns how many tokens it has then. Where there are blocks: to
// a place whose states are there.
size_t gw_session_take_prefix(gw_session *session, const int32_t *ids, size_t n_ids);

// --- drafts (draft.c) -----------------------------------------------------------------------------

// godwit_session_step of a session with drafts; -1 where logits are not finite.
godwit_status gw_draft_step(gw_session *session, const godwit_sample_params *params,
                            int32_t *out_token, godwit_error *err);
// A gw_guess_fn: what came behind the same tokens before.
uint32_t gw_draft_look_up(void *user, gw_session *session, int32_t token, uint32_t most,
                          int32_t *out);
// What is asked of the token after the session's and `ahead` more, but for its row.
gw_sample_control gw_draft_control(const gw_session *session, const godwit_sample_params *params,
                                   uint32_t ahead);
// --- the next block (next.c): none of these fails but by guessing less or worse
godwit_status gw_next_join(gw_session *session, godwit_error *err);
void gw_next_leave(gw_session *session);
// After a run: what it made of its last n tokens, the first of them at that position.
void gw_next_take(gw_session *session, const gw_step *step, uint32_t position, uint32_t n);
// Works on what is known, so that less is kept.
void gw_next_follow(gw_session *session);
void gw_next_truncate(gw_session *session, uint32_t n_keep);
// A gw_guess_fn.
uint32_t gw_next_guess(void *user, gw_session *session, int32_t token, uint32_t most, int32_t *out);
// Forgets the guesses; the last logits stay. Before other tokens are worked on, or its own again.
void gw_drafts_drop(gw_session *session);

// --- places (places.c) -----------------------------------------------------------------------------

// A token of a run: where it stands in which session. idle: its keys and values go nowhere; quiet:
// its logits do.
typedef struct gw_place {
    gw_session *session;
    uint32_t position;
    uint32_t turn; // of the logits that are written
    bool idle, quiet;
    bool again; // its keys and values are there
} gw_place;

// places: [step->n_tok].
godwit_status gw_places_write(gw_batch *batch, const gw_step *step, const gw_place *places,
                              godwit_error *err);

// --- encoders in front of decoders (encode.c)

// Whether what is fed next is an encoder's text.
bool gw_session_wants_text(const gw_session *session);
// Works on it in one run: it becomes the session's first tokens.
godwit_status gw_session_encode(gw_session *session, const int32_t *ids, size_t n_ids,
                                godwit_error *err);
// Then on the token that the decoder begins with. Where something fails the session stays empty.
godwit_status gw_session_begin(gw_session *session, const int32_t *ids, size_t n_ids,
                               godwit_error *err);
// What runs of whole texts read (embed.c): tokens of the run of one that long, at most GW_TEXT_MAX; and one text, in
// pages that are taken.
enum { GW_TEXT_MAX = 1 << 15 };
uint32_t gw_text_run(uint32_t n_ids);
godwit_status gw_text_write(gw_batch *batch, const gw_step *step, const int32_t *ids, size_t n_ids,
                            uint32_t *pages, uint32_t n_pages, godwit_error *err);
// A run whose time is a prompt's, or of tokens that are worked on again (generate.c).
godwit_status gw_session_run_prompt(gw_session *session, const gw_step *step, godwit_error *err);

// --- queues (queue.c): tokens that steps of the batch work on

uint32_t gw_session_n_queued(const gw_session *session);
// After a run of the next n of them.
void gw_session_unqueue(gw_session *session, uint32_t n);
// All of them, at once.
godwit_status gw_session_work_off(gw_session *session, godwit_error *err);
void gw_session_drop_queue(gw_session *session);

// Pages of its own for the rows of n more tokens; what it shared is copied.
godwit_status gw_session_own_pages(gw_session *session, uint32_t n, godwit_error *err);
// A block that a run may write; after it has, gw_session_keep_block makes it the session's. A run that
// fails leaves the session as it was. Nothing to do where the model has no blocks (blocks.c).
void gw_session_next_block(gw_session *session);
void gw_session_keep_block(gw_session *session);
void gw_session_release_blocks(gw_session *session);
// --- checkpoints (checkpoints.c)

// How many blocks of a batch may be; sets checkpoint_every.
godwit_status gw_checkpoints_read(gw_batch *batch, const godwit_session_params *params,
                                  uint32_t *out_n, godwit_error *err);
// Tokens whose states are in the session's block.
uint32_t gw_session_n_stated(const gw_session *session);
// Of n tokens after the first `at`, those to the next place of a checkpoint, where a run had better end.
uint32_t gw_session_until_checkpoint(const gw_session *session, uint32_t at, uint32_t n);
// The last place among the first n tokens whose states are there, in *out_block; -1 of place 0.
uint32_t gw_session_find_states(const gw_session *session, uint32_t n, int32_t *out_block);
// After a run, where it ended at such a place; always: at any.
void gw_session_keep_checkpoint(gw_session *session, bool always);
void gw_session_drop_checkpoints(gw_session *session, uint32_t n_keep);
// Those of another one's first n_past tokens, which are the session's.
void gw_session_share_states(gw_session *session, const gw_session *other);
// To its first n_keep tokens; n_behind of them are to be worked on again.
void gw_session_go_back(gw_session *session, uint32_t n_keep);
// Works on them; the last logits stay.
godwit_status gw_session_catch_up(gw_session *session, godwit_error *err);
// The row of the caches where a position of the session lies.
uint32_t gw_session_row(const gw_session *session, uint32_t position);
// The program for n_tok tokens, found or planned and recorded. It stays until stores must grow,
// which a later call may make them. No step is on its way after it.
godwit_status gw_step_find(gw_batch *batch, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                           gw_step **out_step, godwit_error *err);
// The same, with room for n_adjusts changes of logits, of a twin, 0 or 1: one may be written and submitted while the other is on its way, and where
// there is one slot, it chooses from the logits of that turn and writes the other's. A step that is on its
// way is left alone unless stores must grow.
godwit_status gw_step_find_twin(gw_batch *batch, gw_step_kind kind, uint32_t n_tok,
                                uint32_t n_logits, uint32_t n_adjusts, uint32_t twin,
                                gw_step **out_step, godwit_error *err);
// NULL: it is not made.
gw_step *gw_step_known(gw_batch *batch, gw_step_kind kind, uint32_t n_tok, uint32_t n_logits,
                       uint32_t n_adjusts, uint32_t twin);
// user: the batch (gw_workspace.before_growing).
void gw_steps_clear(void *user);
// --- ahead (ahead.c) -----------------------------------------------------------------------------

// Whether that decode step was expected; counts. Where not, no step is on its way after it.
bool gw_ahead_meets(gw_batch *batch, gw_session *const *sessions, const gw_sample_control *controls,
                    uint32_t n);
// The next step is to be submitted as well, if it can be.
bool gw_ahead_wants(const gw_batch *batch, gw_session *const *sessions, uint32_t n);
// Expects a step; step: on its way, or NULL.
void gw_ahead_expect(gw_batch *batch, const gw_step *step, gw_session *const *sessions,
                     const gw_sample_control *controls, uint32_t n);
// Expects none. One that was on its way has ended, and is as if it had not been.
void gw_ahead_drop(gw_batch *batch);

// A step that is on its way, or is to be run.
typedef struct gw_flight {
    gw_step step;
    bool submitted;
    uint64_t submitted_ns;
    uint32_t n, at[GW_STEP_MAX]; // of its last n tokens: which one each session's is
} gw_flight;

// Whether all of them decode, so that the step after may be known before this one has ended.
bool gw_flight_is_decode(gw_session *const *sessions, const gw_schedule *plan, uint32_t n);
// The step that is on its way, where it was met; else the program of a step, and, where the one after is
// wanted, that one's.
godwit_status gw_flight_board(gw_batch *batch, gw_session *const *sessions, const gw_schedule *plan,
                              uint32_t n, bool met, bool wants, gw_flight *out, godwit_error *err);
godwit_status gw_flight_submit(gw_flight *flight, godwit_error *err);
// out_ns: since it was submitted, or since the one before it ended.
godwit_status gw_flight_wait(gw_batch *batch, const gw_flight *flight, uint64_t *out_ns,
                             godwit_error *err);

// After a run, where the batch times launches (launch_times.c).
godwit_status gw_batch_add_launch_times(gw_batch *batch, const gw_program *program,
                                        godwit_error *err);

#endif
