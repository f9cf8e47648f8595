// The heapsort: what comes out is what the C library's sort gives, for every length and for items
// larger than what is swapped at once.
#include "base/sort.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    uint32_t key;
    uint32_t copies[40]; // of the key: an item that is torn apart shows
} item;

static int by_key(const void *a, const void *b) {
    const item *s = a, *t = b;
    return s->key < t->key ? -1 : s->key > t->key;
}

static size_t n_compared;
static int counted(const void *a, const void *b, const void *user) {
    cr_assert_str_eq(user, "user");
    n_compared++;
    return by_key(a, b);
}

enum { MOST = 300 };
static item ours[MOST], theirs[MOST];

static void check(size_t n, const char *what) {
    memcpy(theirs, ours, sizeof theirs);
    qsort(theirs, n, sizeof *theirs, by_key);
    gw_sort(ours, n, sizeof *ours, counted, "user");
    cr_assert_eq(memcmp(ours, theirs, sizeof ours), 0, "%zu items, %s", n, what);
}

static void fill(size_t n, uint32_t modulus, int kind) {
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        uint32_t key = kind == 0 ? state >> 8 : kind == 1 ? (uint32_t)i : (uint32_t)(n - i);
        ours[i].key = key % modulus;
        for (size_t k = 0; k < 40; k++) ours[i].copies[k] = ours[i].key;
    }
}

Test(sort, is_the_librarys_order) {
    for (size_t n = 0; n <= MOST; n++) {
        fill(n, UINT32_MAX, 0);
        check(n, "random");
        fill(n, 5, 0);
        check(n, "many equal ones");
        fill(n, UINT32_MAX, 1);
        check(n, "sorted");
        fill(n, UINT32_MAX, 2);
        check(n, "backwards");
    }
}

// Two comparisons for each of log2 n levels, for building the heap and for taking it apart.
Test(sort, is_never_quadratic) {
    for (int kind = 0; kind < 3; kind++) {
        fill(MOST, UINT32_MAX, kind);
        n_compared = 0;
        gw_sort(ours, MOST, sizeof *ours, counted, "user");
        cr_assert_leq(n_compared, 4 * MOST * 9, "kind %d", kind);
    }
}
