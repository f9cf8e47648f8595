// Memory: every allocation of the library goes through the caller's allocator.
//
// Owns: gw_host (the callbacks of a context, passed down to every module), sized allocation,
// an arena for things that die together, and a growable array. Nothing here aborts: a failed
// allocation is GODWIT_OUT_OF_MEMORY.
// Thread rule: gw_host is immutable; an arena or array belongs to one thread at a time.
#ifndef GW_BASE_MEM_H
#define GW_BASE_MEM_H

#include "godwit/godwit.h"

#include <stddef.h>
#include <stdint.h>

// The callbacks of a context. Lives as long as the context; everybody below holds a pointer.
typedef struct gw_host {
    godwit_allocator allocator;
    godwit_log_fn log;
    void *log_user;
    godwit_progress_fn progress; // of kernels; NULL: nobody looks
    void *progress_user;
} gw_host;

// Fills a gw_host from optional public callbacks (NULL: malloc family, no log).
void gw_host_init(gw_host *host, const godwit_allocator *allocator, godwit_log_fn log,
                  void *log_user);

// Zeroed memory of n_items * item_bytes (checked for overflow), or NULL. bytes 0 gives NULL.
void *gw_alloc(const gw_host *host, size_t n_items, size_t item_bytes);
// Keeps the contents; the grown part is not zeroed. NULL on failure, ptr then is still valid.
void *gw_realloc(const gw_host *host, void *ptr, size_t old_bytes, size_t new_bytes);
// ptr may be NULL. bytes is what was asked for.
void gw_free(const gw_host *host, void *ptr, size_t bytes);
// Formats into the caller's log, if any.
void gw_log(const gw_host *host, godwit_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Arena: a list of blocks freed at once. Initialise with gw_arena_init, or {.host = host}.
typedef struct gw_arena_block gw_arena_block;
typedef struct gw_arena {
    const gw_host *host;
    gw_arena_block *head;
} gw_arena;

void gw_arena_init(gw_arena *arena, const gw_host *host);
void gw_arena_deinit(gw_arena *arena);
// Zeroed, 16-byte aligned; NULL when memory ran out.
void *gw_arena_alloc(gw_arena *arena, size_t n_items, size_t item_bytes);
// A terminated copy of n bytes.
char *gw_arena_strndup(gw_arena *arena, const char *text, size_t n);

// Growable array: gw_vec(type) v = {0}; item = gw_vec_push(&v, host). items, n and cap are
// readable; pointers to items die at the next push.
#define gw_vec(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, cap;                                                                             \
    }
// Pointer to a zeroed new last item, or NULL.
#define gw_vec_push(v, host)                                                                       \
    ((v)->items = gw_vec_grow((host), (v)->items, (v)->n, &(v)->cap, sizeof *(v)->items),          \
     (v)->n < (v)->cap ? &(v)->items[(v)->n++] : NULL)
#define gw_vec_deinit(v, host)                                                                     \
    do {                                                                                           \
        gw_free((host), (v)->items, (v)->cap * sizeof *(v)->items);                                \
        (v)->items = NULL;                                                                         \
        (v)->n = (v)->cap = 0;                                                                     \
    } while (0)
// Where the items are with room for one more, which is zeroed; without memory they stay where they
// were, and n == *cap says so. Takes and returns the pointer by value, since a pointer to a pointer
// to items may not be accessed as a void **.
void *gw_vec_grow(const gw_host *host, void *items, size_t n, size_t *cap, size_t item_bytes);

#endif
