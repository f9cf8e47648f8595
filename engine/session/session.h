// Session: a model on a backend, and sequences of tokens over it.
//
// Owns: gw_model (weights placed and uploaded, rope angles), gw_batch (memory and programs that
// sequences share) and gw_session (one sequence). A program is made once for a number of tokens and
// replayed; what changes from step to step (ids, positions, pages, rope rows, sampling) lies in a
// small buffer that the host writes before each run. Thread rules: gw_model is immutable; a batch
// and its sessions belong to one thread at a time, but for cancel flags.
#ifndef GW_SESSION_SESSION_H
#define GW_SESSION_SESSION_H

#include "arch/arch.h"
#include "arch/lora.h"
#include "ops/sample.h"
#include "run/run.h"
#include "session/schedule.h"

#include <pthread.h>
#include <stdatomic.h>

enum { GW_FINGERPRINT_BYTES = 16 };

typedef struct gw_model {
    const gw_backend *backend;
    const gw_model_def *def;
    gw_lora *lora; // NULL: no adapters
    gw_model_def *next_def;
    struct gw_model
        *next; // the block for the token after the next one; its weights are in this one's
    gw_weight_stores weights;
    uint64_t load_ns;
    pthread_mutex_t fingerprint_lock; // of what follows
    bool has_fingerprint;
    uint8_t fingerprint[GW_FINGERPRINT_BYTES];
    uint8_t lora_fingerprints[GODWIT_LORA_MAX][GW_FINGERPRINT_BYTES];
} gw_model;

// Places all of a definition on a backend; both must outlive the model. loras: [n_loras].
godwit_status gw_model_create(const gw_backend *backend, const gw_model_def *def,
                              const gw_lora_source *loras, uint32_t n_loras,
                              const godwit_model_params *params, gw_model **out_model,
                              godwit_error *err);
void gw_model_destroy(gw_model **model);
// Semantics: godwit_model_scrub in godwit.h.
godwit_status gw_model_scrub(gw_model *model, uint64_t max_bytes, godwit_scrub_report *report,
                             godwit_error *err);

// Of the contents of the model's file (fingerprint.c). The first call reads the whole file:
// GODWIT_IO where that changed since it was opened. Any thread.
godwit_status gw_model_fingerprint(gw_model *model, uint8_t out[GW_FINGERPRINT_BYTES],
                                   godwit_error *err);
// The same of adapter `index` of a model: its tensors and the keys "adapter.*".
godwit_status gw_lora_fingerprint(gw_model *model, uint32_t index,
                                  uint8_t out[GW_FINGERPRINT_BYTES], godwit_error *err);
// That each of a model's adapters is one of a product that the model has (lora.c).
godwit_status gw_lora_check(const gw_model_def *def, const gw_lora *lora, godwit_error *err);
void gw_fingerprint_text(const uint8_t *fingerprint, char out[2 * GW_FINGERPRINT_BYTES + 1]);

typedef struct gw_batch gw_batch;
typedef struct gw_session gw_session;

godwit_status gw_session_create(gw_model *model, const godwit_session_params *params,
                                gw_session **out_session, godwit_error *err);
void gw_session_destroy(gw_session **session);
uint32_t gw_session_n_ctx(const gw_session *session);
uint32_t gw_session_n_past(const gw_session *session);
// Semantics of these: godwit_session_* in godwit.h.
godwit_status gw_session_feed(gw_session *session, const int32_t *ids, size_t n_ids,
                              godwit_error *err);
godwit_status gw_session_sample(gw_session *session, const godwit_sample_params *params,
                                int32_t *out_token, godwit_error *err);
godwit_status gw_session_step(gw_session *session, const godwit_sample_params *params,
                              int32_t *out_token, godwit_error *err);
godwit_status gw_session_logits(gw_session *session, float *out_logits, size_t n_logits,
                                godwit_error *err);
godwit_status gw_session_truncate(gw_session *session, uint32_t n_keep, godwit_error *err);
void gw_session_cancel(gw_session *session);
// How many rows there are; they are written and forgotten where n_max is no less.
size_t gw_session_take_launch_times(gw_session *session, godwit_launch_time *out, size_t n_max);
void gw_session_stats(const gw_session *session, godwit_session_stats *out_stats);

godwit_status gw_session_feed_rows(gw_session *session, const int32_t *ids, size_t n_ids,
                                   size_t n_rows, godwit_error *err);
godwit_status gw_session_logits_row(const gw_session *session, size_t row, float *out_logits,
                                    size_t n_logits, godwit_error *err);

// --- session files: semantics of these: godwit_session_save, _load and _inspect in godwit.h

godwit_status gw_session_save(gw_session *session, const godwit_sample_params *sampling,
                              bool tokens_only, godwit_write_fn write, void *user,
                              godwit_error *err);
godwit_status gw_session_load(gw_model *model, const godwit_session_params *params,
                              godwit_read_fn read, void *user, gw_session **out_session,
                              godwit_session_info *out_info, godwit_error *err);
godwit_status gw_session_inspect(const gw_host *host, godwit_read_fn read, void *user,
                                 int32_t *out_tokens, size_t n_max, godwit_session_info *out_info,
                                 godwit_error *err);
// Writes at most n_max, returns how many there are.
size_t gw_session_tokens(const gw_session *session, int32_t *out, size_t n_max);

size_t gw_session_logprobs(const gw_session *session, godwit_logprob *out, size_t n_max);

// --- batches -------------------------------------------------------------------------------------

// params: of all of its sessions; n_seq, kv_tokens: semantics in godwit.h.
godwit_status gw_batch_create(gw_model *model, const godwit_session_params *params,
                              gw_batch **out_batch, godwit_error *err);
// Whoever made it is done with it; it goes with its last session.
void gw_batch_release(gw_batch **batch);
godwit_status gw_batch_join(gw_batch *batch, gw_session **out_session, godwit_error *err);
// Semantics: godwit_batch_load in godwit.h.
godwit_status gw_batch_load(gw_batch *batch, godwit_read_fn read, void *user,
                            gw_session **out_session, godwit_session_info *out_info,
                            godwit_error *err);
godwit_status gw_session_fork(gw_session *session, gw_session **out_session, godwit_error *err);
// Semantics of these: godwit_session_queue and godwit_batch_step in godwit.h. n: at most GW_STEP_MAX.
godwit_status gw_session_queue(gw_session *session, const int32_t *ids, size_t n_ids,
                               godwit_error *err);
godwit_status gw_batch_step(gw_batch *batch, gw_session *const *sessions,
                            const godwit_sample_params *params, uint32_t n, int32_t *out_tokens,
                            godwit_error *err);
gw_batch *gw_session_batch(const gw_session *session);
void gw_batch_stats(const gw_batch *batch, godwit_batch_stats *out_stats);

// --- embeddings (embed.c): semantics of these: godwit_batch_embed in godwit.h --------------------

typedef struct gw_embed_shape {
    godwit_pooling pooling; // never MODEL
    uint32_t n_out;         // numbers of a row
    uint64_t n_rows;
} gw_embed_shape;
godwit_status gw_embed_shape_of(const gw_model *model, const godwit_embed_params *params,
                                const size_t *n_ids, size_t n_texts, gw_embed_shape *out,
                                godwit_error *err);
godwit_status gw_batch_embed(gw_batch *batch, const godwit_embed_params *params, const int32_t *ids,
                             const size_t *n_ids, size_t n_texts, float *out, size_t n_out,
                             godwit_error *err);

// --- steps ---------------------------------------------------------------------------------------

// Where a step's tokens come from, and which logits it makes. GIVEN: tokens of one session, logits of
// the last one; GIVEN_ALL: of each, kept behind the run; VERIFY: of the last n_logits, and what
// is chosen from each; SAMPLED: tokens of any sessions, given or
// chosen from their logits, and logits of the last n_logits; SAMPLE: chosen and nothing more. EMBED: what a model has
// of each token of a text, EMBED_MANY: of each of several; HEAD: what is made of pooled embeddings, SCORE:
// scores. ENCODE: a text through the encoder of a model that has one in front.
typedef enum gw_step_kind {
    GW_STEP_GIVEN,
    GW_STEP_GIVEN_ALL,
    GW_STEP_VERIFY,
    GW_STEP_SAMPLED,
    GW_STEP_SAMPLE,
    GW_STEP_EMBED,
    GW_STEP_EMBED_MANY,
    GW_STEP_HEAD,
    GW_STEP_SCORE,
    GW_STEP_ENCODE
} gw_step_kind;

typedef struct gw_step_shape {
    gw_step_kind kind;
    uint32_t n_tok, n_logits;
    uint32_t
        n_adjusts; // room for changes of logits, all tokens together; 0: tokens are chosen from them as they are
    uint32_t n_rows, n_pages, n_slots; // of the caches, of a table, of the logits that are kept
    uint32_t n_blocks;                 // of the states that have one a sequence
    uint32_t kv_dtypes[2];             // of K and of V
    const gw_lora *lora;               // of the model, or NULL
    const gw_model_def *next; // whose block reads what the step makes of each token, or NULL
} gw_step_shape;

// The graph of a step, without a device. Caches, inputs and outputs are made here.
godwit_status gw_step_graph(const gw_model_def *def, gw_graph *graph, const gw_step_shape *shape,
                            gw_step_io *io, godwit_error *err);

#endif
