// batch_plan.c: see batch_plan.h.
#include "batch_plan.h"

#include <stdlib.h>

uint32_t batch_common_start(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b) {
    uint32_t n = 0;
    while (n < n_a && n < n_b && a[n] == b[n]) n++;
    return n;
}

static int by_tokens(const void *left, const void *right) {
    const batch_prompt *a = left, *b = right;
    uint32_t n = batch_common_start(a->ids, a->n_ids, b->ids, b->n_ids);
    if (n < a->n_ids && n < b->n_ids) return a->ids[n] < b->ids[n] ? -1 : 1;
    if (a->n_ids != b->n_ids) return a->n_ids < b->n_ids ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int by_group(const void *left, const void *right) {
    const batch_prompt *a = left, *b = right;
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    return by_tokens(a, b);
}

void batch_order(batch_prompt *prompts, size_t n) {
    qsort(prompts, n, sizeof(*prompts), by_tokens);
    for (size_t first = 0, end; first < n; first = end) {
        size_t least = prompts[first].index;
        for (end = first + 1; end < n; end++) {
            const batch_prompt *a = &prompts[end - 1], *b = &prompts[end];
            if (batch_common_start(a->ids, a->n_ids, b->ids, b->n_ids) < BATCH_SHARED_MIN) break;
            if (b->index < least) least = b->index;
        }
        for (size_t i = first; i < end; i++) prompts[i].group = least;
    }
    qsort(prompts, n, sizeof(*prompts), by_group);
}

static int greatest_first(const void *left, const void *right) {
    const uint32_t *a = left, *b = right;
    return (*a < *b) - (*a > *b);
}

batch_size batch_fit(uint32_t *needs, size_t n, uint32_t most, uint32_t page_tokens,
                     uint64_t kv_tokens_max) {
    batch_size size = {0};
    qsort(needs, n, sizeof(*needs), greatest_first);
    // A page that two share is copied before one of them writes to it: one more.
    size.kv_tokens = page_tokens;
    for (size_t i = 0; i < n && i < most; i++) {
        uint64_t n_pages = ((uint64_t)needs[i] + page_tokens - 1) / page_tokens;
        uint64_t kv_tokens = size.kv_tokens + n_pages * page_tokens;
        if (i > 0 && kv_tokens > kv_tokens_max) break;
        size.kv_tokens = kv_tokens;
        size.n_streams++;
    }
    return size;
}
