// Sort: see sort.h.
#include "base/sort.h"

#include <string.h>

typedef struct heap {
    char *items;
    size_t item_bytes;
    gw_compare_fn compare;
    const void *user;
} heap;

static char *at(const heap *h, size_t i) {
    return h->items + i * h->item_bytes;
}

static int order(const heap *h, size_t i, size_t j) {
    return h->compare(at(h, i), at(h, j), h->user);
}

static void swap(const heap *h, size_t i, size_t j) {
    char *a = at(h, i), *b = at(h, j), kept[64];
    for (size_t left = h->item_bytes; left > 0;) {
        size_t n = left < sizeof kept ? left : sizeof kept;
        memcpy(kept, a, n);
        memcpy(a, b, n);
        memcpy(b, kept, n);
        a += n;
        b += n;
        left -= n;
    }
}

// Lets item i sink to its place in the heap of the first n, the last in order on top.
static void sink(const heap *h, size_t i, size_t n) {
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n) return;
        if (child + 1 < n && order(h, child, child + 1) < 0) child++;
        if (order(h, i, child) >= 0) return;
        swap(h, i, child);
        i = child;
    }
}

void gw_sort(void *items, size_t n, size_t item_bytes, gw_compare_fn compare, const void *user) {
    heap h = {.items = items, .item_bytes = item_bytes, .compare = compare, .user = user};
    for (size_t i = n / 2; i > 0; i--) sink(&h, i - 1, n);
    for (size_t left = n; left > 1; left--) {
        swap(&h, 0, left - 1);
        sink(&h, 0, left - 1);
    }
}
