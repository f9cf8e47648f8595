// Checkpoints: blocks of recurrent states that a session keeps of places it has passed, so that it, or
// one that begins alike, goes on from there.
//
// A block that a run has written never changes (blocks.c), so a checkpoint is one reference more to the
// block that was the session's when it stood there: nothing is copied, nothing is allocated on the
// device. The pool has blocks for n_checkpoints of them, shared ones counted once; where all are taken,
// the one goes that costs least: its tokens would be worked on again by who goes back to between it and
// the next one, which is the less likely, the further back that is. So a long sequence keeps many of its
// near past and few of its far one.
#include "session/internal.h"

#include "base/status.h"

// --- how many ------------------------------------------------------------------------------------

enum { CHECKPOINTS_DEFAULT = 4, CHECKPOINTS_LEAST = 2, WEIGHTS_PART = 16 };

// Bytes of a block of all layers; of the layer that has most.
static uint64_t block_bytes(const gw_model_def *def, uint64_t *out_most) {
    uint64_t sum = 0;
    *out_most = 0;
    for (size_t i = 0; i < def->states.n; i++) {
        const gw_state_def *state = &def->states.items[i];
        if (state->kind != GW_STATE_BLOCK) continue;
        const uint64_t bytes = gw_state_block_bytes(state);
        if (bytes > *out_most) *out_most = bytes;
        sum += bytes;
    }
    return sum;
}

godwit_status gw_checkpoints_read(gw_batch *b, const godwit_session_params *p, uint32_t *out_n,
                                  godwit_error *err) {
    const gw_backend *backend = b->model->backend;
    uint64_t most = 0, n = p->n_checkpoints;
    *out_n = 0;
    if (n > GW_CHECKPOINTS_MAX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: n_checkpoints %u is above the limit of %d", p->n_checkpoints,
                       GW_CHECKPOINTS_MAX);
    }
    if (!p->checkpoint_every || !gw_def_has_blocks(b->model->def)) return GODWIT_OK;
    const uint64_t bytes = block_bytes(b->model->def, &most);
    if (n == 0) {
        const uint64_t part = b->model->weights.n_bytes / WEIGHTS_PART / bytes;
        const uint64_t bound = backend->tune.max_range / most;
        n = (uint64_t)CHECKPOINTS_DEFAULT * b->n_seq;
        if (n > part) n = part > CHECKPOINTS_LEAST ? part : CHECKPOINTS_LEAST;
        if (n > GW_CHECKPOINTS_MAX) n = GW_CHECKPOINTS_MAX;
        const uint64_t room = bound > 2ull * b->n_seq ? bound - 2ull * b->n_seq : 0;
        if (n > room) n = room;
    }
    b->checkpoint_every = p->checkpoint_every;
    *out_n = (uint32_t)n;
    return GODWIT_OK;
}

// --- where ---------------------------------------------------------------------------------------

uint32_t gw_session_n_stated(const gw_session *s) {
    return s->n_past - s->n_behind;
}

uint32_t gw_session_until_checkpoint(const gw_session *s, uint32_t at, uint32_t n) {
    const uint32_t every = s->batch->checkpoint_every;
    if (!s->batch->pool.n_checkpoints) return n;
    uint32_t left = every - at % every;
    if (s->stop > at && s->stop - at < left) left = s->stop - at;
    return n < left ? n : left;
}

uint32_t gw_session_find_states(const gw_session *s, uint32_t n, int32_t *out_block) {
    const uint32_t at = gw_session_n_stated(s);
    *out_block = -1;
    if (at <= n) {
        *out_block = s->block;
        return at;
    }
    for (size_t i = s->checkpoints.n; i-- > 0;) {
        const gw_checkpoint *c = &s->checkpoints.items[i];
        if (c->at > n) continue;
        *out_block = c->block;
        return c->at;
    }
    return 0;
}

// --- keeping -------------------------------------------------------------------------------------

static void release(gw_pool *pool, int32_t block) {
    pool->block_references[block]--;
    if (--pool->block_checkpoints[block] == 0) pool->n_kept--;
}

void gw_session_drop_checkpoints(gw_session *s, uint32_t n_keep) {
    gw_pool *pool = &s->batch->pool;
    while (s->checkpoints.n && s->checkpoints.items[s->checkpoints.n - 1].at > n_keep)
        release(pool, s->checkpoints.items[--s->checkpoints.n].block);
}

// Without memory for the list there is one checkpoint less, which costs nothing but time.
static bool add(gw_session *s, uint32_t at, int32_t block) {
    gw_pool *pool = &s->batch->pool;
    gw_checkpoint *c = gw_vec_push(&s->checkpoints, s->host);
    if (!c) return false;
    *c = (gw_checkpoint){.at = at, .block = block};
    pool->block_references[block]++;
    if (pool->block_checkpoints[block]++ == 0) pool->n_kept++;
    return true;
}

// What it would cost without the i-th of them: tokens, the far past for less.
static double worth(const gw_session *s, size_t i) {
    const gw_checkpoint *c = &s->checkpoints.items[i];
    const uint32_t end = s->n_past > c->at ? s->n_past : c->at;
    const uint32_t before = i ? c[-1].at : 0;
    const uint32_t after = i + 1 < s->checkpoints.n ? c[1].at : end + 1;
    return (double)(c->at - before) * (double)(after - c->at) / (double)(end + 1 - c->at);
}

// Lets the one go that is worth least, of all sessions; not that in `block`.
static void drop_one(gw_batch *b, int32_t block) {
    gw_pool *pool = &b->pool;
    int32_t least = -1;
    for (uint32_t i = 0; i < pool->n_blocks; i++) pool->block_worth[i] = 0.0;
    for (uint32_t k = 0; k < b->n_seq; k++) {
        const gw_session *s = b->sessions[k];
        for (size_t i = 0; s && i < s->checkpoints.n; i++)
            pool->block_worth[s->checkpoints.items[i].block] += worth(s, i);
    }
    for (uint32_t i = 0; i < pool->n_blocks; i++) {
        if (!pool->block_checkpoints[i] || (int32_t)i == block) continue;
        if (least < 0 || pool->block_worth[i] < pool->block_worth[least]) least = (int32_t)i;
    }
    for (uint32_t k = 0; k < b->n_seq && least >= 0; k++) {
        gw_session *s = b->sessions[k];
        size_t n = 0;
        for (size_t i = 0; s && i < s->checkpoints.n; i++) {
            const gw_checkpoint c = s->checkpoints.items[i];
            if (c.block == least)
                release(pool, least);
            else
                s->checkpoints.items[n++] = c;
        }
        if (s) s->checkpoints.n = n;
    }
}

void gw_session_keep_checkpoint(gw_session *s, bool always) {
    gw_batch *b = s->batch;
    const uint32_t at = gw_session_n_stated(s);
    const size_t n = s->checkpoints.n;
    if (!b->pool.n_checkpoints || s->block < 0) return;
    if (!always && at % b->checkpoint_every && at != s->stop) return;
    if (n && s->checkpoints.items[n - 1].at >= at) return; // it is there
    if (add(s, at, s->block) && b->pool.n_kept > b->pool.n_checkpoints) drop_one(b, s->block);
}

void gw_session_share_states(gw_session *s, const gw_session *other) {
    const uint32_t n = s->n_past;
    s->n_behind = n - gw_session_find_states(other, n, &s->block);
    if (s->block >= 0) s->batch->pool.block_references[s->block]++;
    for (size_t i = 0; i < other->checkpoints.n && other->checkpoints.items[i].at <= n; i++)
        if (!add(s, other->checkpoints.items[i].at, other->checkpoints.items[i].block)) return;
}

void gw_session_go_back(gw_session *s, uint32_t n_keep) {
    gw_pool *pool = &s->batch->pool;
    int32_t block = -1;
    const uint32_t at = gw_session_find_states(s, n_keep, &block);
    if (at != gw_session_n_stated(s)) {
        if (block >= 0) pool->block_references[block]++;
        if (s->block >= 0) pool->block_references[s->block]--;
        s->block = block;
    }
    gw_session_drop_checkpoints(s, n_keep);
    s->n_past = n_keep;
    s->n_behind = n_keep - at;
}
