// Blocks: states of which a sequence has one, that after its last token. A run reads one block and
// writes another, so what a block holds stays: a run that fails or is cancelled is as if it had not
// been, a fork has the block itself, and so has a checkpoint (checkpoints.c).
#include "session/internal.h"

static void release(gw_pool *pool, int32_t *block) {
    if (*block >= 0) pool->block_references[*block]--;
    *block = -1;
}

int32_t gw_pool_take_block(gw_pool *pool) {
    for (uint32_t i = 0; i < pool->n_blocks; i++) {
        if (pool->block_references[i]) continue;
        pool->block_references[i] = 1;
        return (int32_t)i;
    }
    return -1;
}

void gw_session_next_block(gw_session *s) {
    if (s->next_block < 0) s->next_block = gw_pool_take_block(&s->batch->pool);
}

void gw_session_keep_block(gw_session *s) {
    if (s->next_block < 0) return;
    release(&s->batch->pool, &s->block);
    s->block = s->next_block;
    s->next_block = -1;
}

void gw_session_release_blocks(gw_session *s) {
    gw_session_drop_checkpoints(s, 0);
    gw_drafts_drop(s);
    s->n_behind = 0;
    release(&s->batch->pool, &s->block);
    release(&s->batch->pool, &s->next_block);
}
