// Name index: finds what was put in, refuses twins, and cannot be made slow by chosen names.
#include "file/name_index.h"

#include <criterion/criterion.h>
#include <stdio.h>

static gw_host host;
static gw_arena arena;
static gw_name_index names;
static godwit_error err;

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    gw_arena_init(&arena, &host);
}

static void teardown(void) {
    gw_arena_deinit(&arena);
}

TestSuite(name_index, .init = setup, .fini = teardown);

static gw_str numbered(uint32_t i) {
    char text[32];
    int n = snprintf(text, sizeof text, "blk.%u.ffn_up.weight", i);
    return (gw_str){gw_arena_strndup(&arena, text, (size_t)n), (size_t)n};
}

Test(name_index, finds_each_name_and_no_other) {
    enum { N = 100000 };
    cr_assert_eq(gw_name_index_init(&names, &arena, N, &err), GODWIT_OK);
    for (uint32_t i = 0; i < N; i++) {
        cr_assert_eq(gw_name_index_add(&names, numbered(i), i, &err), GODWIT_OK, "%s", err.message);
    }
    for (uint32_t i = 0; i < N; i++) cr_assert_eq(gw_name_index_find(&names, numbered(i)), i);
    for (uint32_t i = N; i < N + 1000; i++) {
        cr_assert_eq(gw_name_index_find(&names, numbered(i)), GW_NAME_NONE);
    }
    cr_assert_eq(gw_name_index_find(&names, GW_STR("")), GW_NAME_NONE);
}

Test(name_index, refuses_a_twin) {
    cr_assert_eq(gw_name_index_init(&names, &arena, 4, &err), GODWIT_OK);
    cr_assert_eq(gw_name_index_add(&names, GW_STR("a"), 0, &err), GODWIT_OK);
    cr_assert_eq(gw_name_index_add(&names, GW_STR("b"), 1, &err), GODWIT_OK);
    cr_assert_eq(gw_name_index_add(&names, GW_STR("a"), 2, &err), GODWIT_MALFORMED);
    cr_assert_not_null(strstr(err.message, "a: numbers 0 and 2"), "%s", err.message);
    cr_assert_eq(gw_name_index_find(&names, GW_STR("a")), 0);
}

Test(name_index, an_empty_index_finds_nothing) {
    cr_assert_eq(gw_name_index_find(&names, GW_STR("a")), GW_NAME_NONE);
}

// The index's hash, written again: an attacker can read it, too.
static uint32_t known_hash(const char *text, int n) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < n; i++) hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ hash >> 32);
}

// 4096 names that all want one slot: refused after 1024, not searched through each time.
Test(name_index, refuses_names_chosen_to_collide) {
    godwit_status status = GODWIT_OK;
    uint32_t n = 0;
    cr_assert_eq(gw_name_index_init(&names, &arena, 4096, &err), GODWIT_OK);
    for (uint32_t i = 0; n < 4096 && status == GODWIT_OK; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "%u", i);
        if ((known_hash(text, length) & names.mask) != 7) continue;
        gw_str name = {gw_arena_strndup(&arena, text, (size_t)length), (size_t)length};
        status = gw_name_index_add(&names, name, n++, &err);
    }
    cr_assert_eq(status, GODWIT_MALFORMED);
    cr_assert_eq(n, 1025);
    cr_assert_not_null(strstr(err.message, "share a hash"), "%s", err.message);
}
