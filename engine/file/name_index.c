// Name index: see name_index.h.
#include "file/name_index.h"

#include "base/status.h"

// Half full, with 2^20 names that were not chosen against the hash, the longest run seen stays
// below 60 (simulated; theory says O(log n)).
enum { MAX_PROBES = 1024 };

// FNV-1a over 64 bits, its high half folded in, since the slot is taken from the low bits.
static uint32_t hash_name(gw_str name) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.n; i++) hash = (hash ^ (uint8_t)name.text[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ hash >> 32);
}

godwit_status gw_name_index_init(gw_name_index *index, gw_arena *arena, uint64_t n,
                                 godwit_error *err) {
    uint64_t n_slots = 2;
    while (n_slots < 2 * n && n_slots < (uint64_t)1 << 29) n_slots *= 2;
    *index = (gw_name_index){.mask = (uint32_t)(n_slots - 1)};
    index->slots = gw_arena_alloc(arena, (size_t)n_slots, sizeof *index->slots);
    if (!index->slots) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: name index");
    return GODWIT_OK;
}

// The slot that holds name or would; NULL after MAX_PROBES.
static gw_name_slot *probe(const gw_name_index *index, gw_str name, uint32_t hash) {
    for (uint32_t i = 0; i < MAX_PROBES; i++) {
        gw_name_slot *slot = &index->slots[(hash + i) & index->mask];
        if (slot->number_1 == 0) return slot;
        if (slot->hash == hash && gw_str_eq(slot->name, name)) return slot;
    }
    return NULL;
}

godwit_status gw_name_index_add(gw_name_index *index, gw_str name, uint32_t number,
                                godwit_error *err) {
    uint32_t hash = hash_name(name);
    gw_name_slot *slot = probe(index, name, hash);
    if (!slot) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%.*s: over %d names share a hash; the file was made to be slow to read",
                       GW_STR_ARG(name), MAX_PROBES);
    }
    if (slot->number_1 != 0) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: numbers %u and %u have the same name",
                       GW_STR_ARG(name), slot->number_1 - 1, number);
    }
    *slot = (gw_name_slot){.name = name, .hash = hash, .number_1 = number + 1};
    return GODWIT_OK;
}

uint32_t gw_name_index_find(const gw_name_index *index, gw_str name) {
    if (!index->slots) return GW_NAME_NONE;
    const gw_name_slot *slot = probe(index, name, hash_name(name));
    return slot && slot->number_1 ? slot->number_1 - 1 : GW_NAME_NONE;
}
