// Memory: see mem.h.
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *malloc_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)user;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

void gw_host_init(gw_host *host, const godwit_allocator *allocator, godwit_log_fn log,
                  void *log_user) {
    *host = (gw_host){.allocator = {.realloc = malloc_realloc}, .log = log, .log_user = log_user};
    if (allocator && allocator->realloc) host->allocator = *allocator;
}

void *gw_alloc(const gw_host *host, size_t n_items, size_t item_bytes) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(n_items, item_bytes, &bytes) || bytes == 0) return NULL;
    void *ptr = host->allocator.realloc(host->allocator.user, NULL, 0, bytes);
    if (ptr) memset(ptr, 0, bytes);
    return ptr;
}

void *gw_realloc(const gw_host *host, void *ptr, size_t old_bytes, size_t new_bytes) {
    if (new_bytes == 0) return NULL;
    return host->allocator.realloc(host->allocator.user, ptr, old_bytes, new_bytes);
}

void gw_free(const gw_host *host, void *ptr, size_t bytes) {
    if (ptr) host->allocator.realloc(host->allocator.user, ptr, bytes, 0);
}

void gw_log(const gw_host *host, godwit_log_level level, const char *format, ...) {
    if (!host->log) return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    host->log(host->log_user, level, line);
}

// --- arena ---------------------------------------------------------------------------------------

struct gw_arena_block {
    gw_arena_block *next;
    size_t bytes, used;
    _Alignas(16) uint8_t data[];
};

enum { ARENA_BLOCK_BYTES = 64 << 10, ARENA_ALIGN = 16 };

void gw_arena_init(gw_arena *arena, const gw_host *host) {
    *arena = (gw_arena){.host = host};
}

void gw_arena_deinit(gw_arena *arena) {
    for (gw_arena_block *block = arena->head; block;) {
        gw_arena_block *next = block->next;
        gw_free(arena->host, block, sizeof *block + block->bytes);
        block = next;
    }
    arena->head = NULL;
}

void *gw_arena_alloc(gw_arena *arena, size_t n_items, size_t item_bytes) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(n_items, item_bytes, &bytes) || bytes > SIZE_MAX / 2) return NULL;
    bytes = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (bytes == 0) bytes = ARENA_ALIGN;
    gw_arena_block *block = arena->head;
    if (!block || block->bytes - block->used < bytes) {
        size_t block_bytes = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
        block = gw_alloc(arena->host, 1, sizeof *block + block_bytes);
        if (!block) return NULL;
        block->bytes = block_bytes;
        block->next = arena->head;
        arena->head = block;
    }
    void *ptr = block->data + block->used;
    block->used += bytes;
    return ptr;
}

char *gw_arena_strndup(gw_arena *arena, const char *text, size_t n) {
    char *copy = gw_arena_alloc(arena, n + 1, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

// --- growable array ------------------------------------------------------------------------------

void *gw_vec_grow(const gw_host *host, void *items, size_t n, size_t *cap, size_t item_bytes) {
    if (n == *cap) {
        size_t new_cap = *cap ? *cap * 2 : 16;
        if (new_cap > SIZE_MAX / item_bytes / 2) return items;
        void *grown = gw_realloc(host, items, *cap * item_bytes, new_cap * item_bytes);
        if (!grown) return items;
        items = grown;
        *cap = new_cap;
    }
    memset((uint8_t *)items + n * item_bytes, 0, item_bytes);
    return items;
}
