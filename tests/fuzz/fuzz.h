// Fuzz: what fuzzers share: a check that ends the run, and an allocator that fails once.
#ifndef GW_TESTS_FUZZ_H
#define GW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s\n", what);                                                         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct failing {
    size_t n_left; // allocations until one fails; 0: none does
    int64_t live_bytes;
} failing;

static inline void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    failing *f = user;
    if (new_bytes > 0 && f->n_left > 0 && --f->n_left == 0) return NULL;
    f->live_bytes += (int64_t)new_bytes - (int64_t)old_bytes;
    if (new_bytes > 0) return realloc(ptr, new_bytes);
    free(ptr);
    return NULL;
}

#endif
