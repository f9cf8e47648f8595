// Tokenizer index: texts and merges found by hash, in constant time whatever the vocabulary.
//
// Linear probing, at most half full. A vocabulary made to collide would turn that into a
// quadratic search, so a chain longer than GW_INDEX_MAX_PROBES is refused when it is built: every
// look-up is bounded, and nothing depends on a random seed.
#include "text/tokenizer_impl.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

uint64_t gw_index_hash(uint64_t seed, const char *text, size_t n) {
    uint64_t hash = mix(seed, n);
    while (n >= 8) {
        uint64_t word = 0;
        memcpy(&word, text, 8);
        hash = mix(hash, word);
        text += 8;
        n -= 8;
    }
    uint64_t word = 0;
    if (n) memcpy(&word, text, n);
    hash = mix(hash, word);
    return mix(hash, hash >> 29);
}

godwit_status gw_index_init(gw_index *index, const gw_host *host, size_t n_items,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t n_slots = 16;
    while (n_slots / 2 < n_items) n_slots *= 2;
    index->slots = gw_alloc(host, n_slots, sizeof *index->slots);
    GW_CHECK_ALLOC(index->slots, err, "tokenizer index");
    index->n_slots = n_slots;
done:
    return status;
}

void gw_index_deinit(gw_index *index, const gw_host *host) {
    gw_free(host, index->slots, index->n_slots * sizeof *index->slots);
    *index = (gw_index){0};
}

// The slot where a chain with this hash goes on after probe steps.
static gw_index_slot *slot_at(const gw_index *index, uint64_t hash, size_t probe) {
    return &index->slots[(hash + probe) & (index->n_slots - 1)];
}

static godwit_status too_many_probes(godwit_error *err) {
    return gw_fail(err, GODWIT_MALFORMED,
                   "tokenizer: vocabulary: more than %d entries collide; no honest file does this",
                   GW_INDEX_MAX_PROBES);
}

int32_t gw_index_find_text(const gw_index *index, const gw_str *texts, gw_str text) {
    uint64_t hash = gw_index_hash(0, text.text, text.n);
    for (size_t probe = 0; probe < GW_INDEX_MAX_PROBES; probe++) {
        const gw_index_slot *slot = slot_at(index, hash, probe);
        if (slot->index_plus_1 == 0) break;
        if (slot->tag == (uint32_t)(hash >> 32) && gw_str_eq(texts[slot->index_plus_1 - 1], text)) {
            return (int32_t)(slot->index_plus_1 - 1);
        }
    }
    return -1;
}

godwit_status gw_index_add_text(gw_index *index, const gw_str *texts, uint32_t item,
                                uint32_t *out_item, godwit_error *err) {
    uint64_t hash = gw_index_hash(0, texts[item].text, texts[item].n);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t probe = 0; probe < GW_INDEX_MAX_PROBES; probe++) {
        gw_index_slot *slot = slot_at(index, hash, probe);
        if (slot->index_plus_1 == 0) *slot = (gw_index_slot){tag, item + 1};
        if (slot->tag == tag && gw_str_eq(texts[slot->index_plus_1 - 1], texts[item])) {
            *out_item = slot->index_plus_1 - 1;
            return GODWIT_OK;
        }
    }
    return too_many_probes(err);
}

static uint64_t merge_hash(uint32_t left, uint32_t right) {
    uint64_t hash = mix(0, (uint64_t)left << 32 | right);
    return mix(hash, hash >> 29);
}

int32_t gw_index_find_merge(const gw_index *index, const gw_merge *merges, uint32_t left,
                            uint32_t right) {
    uint64_t hash = merge_hash(left, right);
    for (size_t probe = 0; probe < GW_INDEX_MAX_PROBES; probe++) {
        const gw_index_slot *slot = slot_at(index, hash, probe);
        if (slot->index_plus_1 == 0) break;
        const gw_merge *merge = &merges[slot->index_plus_1 - 1];
        if (slot->tag == (uint32_t)(hash >> 32) && merge->left == left && merge->right == right) {
            return (int32_t)(slot->index_plus_1 - 1);
        }
    }
    return -1;
}

godwit_status gw_index_add_merge(gw_index *index, const gw_merge *merges, uint32_t item,
                                 godwit_error *err) {
    uint64_t hash = merge_hash(merges[item].left, merges[item].right);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t probe = 0; probe < GW_INDEX_MAX_PROBES; probe++) {
        gw_index_slot *slot = slot_at(index, hash, probe);
        if (slot->index_plus_1 == 0) {
            *slot = (gw_index_slot){tag, item + 1};
            return GODWIT_OK;
        }
        const gw_merge *merge = &merges[slot->index_plus_1 - 1];
        // Of a pair that is listed twice the first, better rank stands.
        if (slot->tag == tag && merge->left == merges[item].left &&
            merge->right == merges[item].right) {
            return GODWIT_OK;
        }
    }
    return too_many_probes(err);
}
