// Failing: an allocator whose n-th request from now fails, and that counts what is held.
#ifndef GW_TESTS_FAILING_H
#define GW_TESTS_FAILING_H

#include <stddef.h>
#include <stdint.h>

typedef struct failing {
    uint32_t until_failure; // 0: none fails, or one has
    int64_t held;           // blocks
} failing;

// godwit_allocator.realloc; user: a failing.
void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes);

#endif
