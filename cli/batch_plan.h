// batch_plan.h: what `godwit batch` works on when, and how much at once. Pure policy: no device, no
// file.
#ifndef GODWIT_CLI_BATCH_PLAN_H
#define GODWIT_CLI_BATCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_SHARED_MIN = 16, // tokens from which on a common start counts
};

// A prompt in the order of work.
typedef struct batch_prompt {
    const int32_t *ids; // [n_ids]
    uint32_t n_ids;
    size_t index; // where it stands in the input
    size_t group; // batch_order's own: the first index among those with its start
} batch_prompt;

// Sorts prompts into the order in which they are begun: that of the input, but those that begin alike
// follow each other, each behind the one that it has the longest start in common with. So it is
// enough for sharing that the one begun last is still there.
void batch_order(batch_prompt *prompts, size_t n);
// Tokens that two begin with in common.
uint32_t batch_common_start(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b);

typedef struct batch_size {
    uint32_t n_streams; // at least 1
    uint64_t kv_tokens; // that any n_streams of the prompts at once need, in whole pages
} batch_size;
// needs: [n], n > 0, tokens of each prompt with what is generated; sorted by it, greatest first. At
// most `most` streams, and fewer where they would take more than kv_tokens_max.
batch_size batch_fit(uint32_t *needs, size_t n, uint32_t most, uint32_t page_tokens,
                     uint64_t kv_tokens_max);

#endif
