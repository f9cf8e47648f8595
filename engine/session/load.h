// Walk: a session file on its way in (load.c), and what its parts share.
#ifndef GW_SESSION_LOAD_H
#define GW_SESSION_LOAD_H

#include "session/saved.h"

#include "base/exact.h"
#include "base/status.h"
#include "file/reader.h"
#include "file/session_file.h"

typedef struct gw_walk {
    const gw_host *host;
    gw_model *model; // NULL: to inspect
    gw_batch *batch; // NULL: the session gets one of its own, by params
    godwit_session_params params;
    gw_session *session; // NULL until all that it is made of was read
    gw_chunk_reader *reader;
    gw_chunk chunk;
    gw_state_shape shape;
    gw_vec(gw_state_def) states; // of the shape
    gw_ids ids;
    gw_vec(godwit_logit_bias) bias;
    gw_ids breakers;                                 // and sequences
    bool has_changes, has_filters, has_mu, has_lora; // chunks of these follow; with mu
    float mu;                                        // of mirostat
    godwit_session_info info;
} gw_walk;

// "session file: chunk 3 (STAT): <printf>"
#define GW_LOAD_FAIL(w, code, ...)                                                                 \
    gw_note(err, gw_fail(err, (code), __VA_ARGS__), "session file: chunk %u (%s)",                 \
            (w)->chunk.index, (w)->chunk.tag)

// The next chunk, which is of this tag; of that many bytes.
godwit_status gw_load_next(gw_walk *w, const char *tag, godwit_error *err);
godwit_status gw_load_next_of(gw_walk *w, const char *tag, size_t n_bytes, godwit_error *err);
static inline uint32_t gw_load_word(const gw_walk *w, size_t at) {
    return gw_le32(w->chunk.bytes + at);
}
// SMPL, and what follows it of SMPX and SMPF (load_sampling.c).
godwit_status gw_load_sampling(gw_walk *w, godwit_error *err);

#endif
