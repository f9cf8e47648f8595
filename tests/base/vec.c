// Growable arrays: items keep their values as the array grows, a new one is zeroed, and without
// memory what is there stays.
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    uint64_t a;
    uint8_t b;
} item;

static size_t limit = SIZE_MAX; // no block may be larger

static void *limited_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)user;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    if (new_bytes > limit) return NULL;
    uint8_t *grown = realloc(ptr, new_bytes);
    // What nobody zeroed is not zero.
    if (grown) memset(grown + old_bytes, 0xaa, new_bytes - old_bytes);
    return grown;
}

static gw_host host;

static void setup(void) {
    const godwit_allocator allocator = {.realloc = limited_realloc};
    gw_host_init(&host, &allocator, NULL, NULL);
}

TestSuite(vec, .init = setup);

Test(vec, keeps_what_was_pushed) {
    gw_vec(item) v = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        item *new_item = gw_vec_push(&v, &host);
        cr_assert_not_null(new_item);
        cr_assert_eq(v.n, i + 1);
        cr_assert(v.cap >= v.n && new_item == &v.items[i]);
        cr_assert(new_item->a == 0 && new_item->b == 0, "item %zu is not zeroed", (size_t)i);
        *new_item = (item){.a = i * i, .b = (uint8_t)i};
    }
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert(v.items[i].a == i * i && v.items[i].b == (uint8_t)i, "item %zu", (size_t)i);
    }
    gw_vec_deinit(&v, &host);
    cr_assert(!v.items && !v.n && !v.cap);
}

Test(vec, without_memory_what_is_there_stays) {
    gw_vec(item) v = {0};
    limit = 0;
    cr_assert_null(gw_vec_push(&v, &host));
    cr_assert(!v.items && !v.n && !v.cap);
    limit = 40 * sizeof(item);
    uint64_t n = 0;
    for (item *new_item; (new_item = gw_vec_push(&v, &host)); n++) new_item->a = n;
    cr_assert(n > 0 && n <= 40);
    cr_assert_null(gw_vec_push(&v, &host));
    cr_assert(v.n == n && v.cap == n);
    for (uint64_t i = 0; i < n; i++) cr_assert_eq(v.items[i].a, i);
    limit = SIZE_MAX;
    cr_assert_not_null(gw_vec_push(&v, &host), "and it grows again");
    cr_assert_eq(v.n, n + 1);
    gw_vec_deinit(&v, &host);
}
