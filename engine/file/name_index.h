// Name index: from a name to its number, for the tensors and metadata of a file.
//
// Open addressing with linear probing, at most half full. Names are borrowed. Since whoever wrote
// the file chose the names, a run of collisions longer than chance allows is refused instead of
// searched, so a crafted file cannot make the reader slow.
// Thread rule: immutable after the last add.
#ifndef GW_FILE_NAME_INDEX_H
#define GW_FILE_NAME_INDEX_H

#include "base/mem.h"
#include "base/span.h"

typedef struct gw_name_slot {
    gw_str name;
    uint32_t hash;
    uint32_t number_1; // number + 1; 0: the slot is free
} gw_name_slot;

typedef struct gw_name_index {
    gw_name_slot *slots;
    uint32_t mask;
} gw_name_index;

#define GW_NAME_NONE UINT32_MAX

// Room for n names (at most 2^28), in the arena.
godwit_status gw_name_index_init(gw_name_index *index, gw_arena *arena, uint64_t n,
                                 godwit_error *err);
// GODWIT_MALFORMED when the name is there already or collides too often.
godwit_status gw_name_index_add(gw_name_index *index, gw_str name, uint32_t number,
                                godwit_error *err);
// The name's number, or GW_NAME_NONE.
uint32_t gw_name_index_find(const gw_name_index *index, gw_str name);

#endif
