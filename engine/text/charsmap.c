// Charsmap: the rewriting of characters that SentencePiece compiles into a vocabulary.
//
// tokenizer.ggml.precompiled_charsmap: u32 bytes of a trie, the trie, then texts, each ended by a
// zero. The trie is a double array of 32-bit units (Yata's "darts-clone"): from a unit a byte leads to
// the unit at offset XOR byte, if its label is that byte; where a unit has a leaf, it is at its offset,
// and its value is where in the texts lies what the bytes so far become. Units and values come from
// the file, so each is looked at before it is used, and a walk is at most as long as a rule may be.
// Source: Kudo and Richardson, "SentencePiece", 2018, normalizer.cc.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

enum { MAX_RULE_BYTES = 256, UNIT_BYTES = 4 };

#define KEY "tokenizer.ggml.precompiled_charsmap"

static uint32_t le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

godwit_status gw_charsmap_load(const gw_gguf *gguf, gw_charsmap *out, godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(gguf, KEY);
    *out = (gw_charsmap){0};
    if (!value) return GODWIT_OK;
    if (value->type != GW_GGUF_ARRAY ||
        (value->item_type != GW_GGUF_U8 && value->item_type != GW_GGUF_I8)) {
        return gw_fail(err, GODWIT_MALFORMED, "%s is no array of bytes", KEY);
    }
    const uint64_t n = value->n_items;
    if (n == 0) return GODWIT_OK;
    const uint64_t n_trie = n < UNIT_BYTES ? n : le32(value->data);
    if (n < 2 * UNIT_BYTES || n_trie % UNIT_BYTES || n_trie < UNIT_BYTES ||
        n_trie > n - UNIT_BYTES - 1 || value->data[n - 1] != 0) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%s: a trie of %llu in %llu bytes, then texts that end with a zero", KEY,
                       (unsigned long long)n_trie, (unsigned long long)n);
    }
    out->units = value->data + UNIT_BYTES;
    out->n_units = (uint32_t)(n_trie / UNIT_BYTES);
    out->texts = (gw_str){(const char *)out->units + n_trie, n - UNIT_BYTES - n_trie};
    return GODWIT_OK;
}

// The unit at an index; of one outside a unit that no byte leads to.
static uint32_t unit_at(const gw_charsmap *map, uint32_t index) {
    return index < map->n_units ? le32(map->units + (size_t)UNIT_BYTES * index) : 1u << 31;
}
static uint32_t offset_of(uint32_t unit) {
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

// Where in the texts lies what the longest known beginning of text becomes, false: none is known.
static bool find(const gw_charsmap *map, gw_str text, size_t *out_n, uint32_t *out_at) {
    bool found = false;
    uint32_t index = offset_of(unit_at(map, 0));
    for (size_t i = 0; i < text.n && i < MAX_RULE_BYTES; i++) {
        const uint8_t byte = (uint8_t)text.text[i];
        index ^= byte;
        const uint32_t unit = unit_at(map, index);
        if ((unit & (1u << 31 | 0xFF)) != byte) break;
        index ^= offset_of(unit);
        if (!(unit >> 8 & 1)) continue;
        const uint32_t at = unit_at(map, index) & ((1u << 31) - 1);
        if (at >= map->texts.n) continue;
        found = true;
        *out_n = i + 1;
        *out_at = at;
    }
    return found;
}

gw_str gw_charsmap_rewrite(const gw_charsmap *map, gw_str text, size_t *out_n) {
    uint32_t at = 0, code_point = 0;
    if (map->n_units && find(map, text, out_n, &at)) return gw_str_of(map->texts.text + at);
    const int n = gw_utf8_next(text.text, text.n, &code_point);
    *out_n = n > 0 ? (size_t)n : 1;
    return n > 0 ? (gw_str){text.text, (size_t)n} : GW_STR(GW_UTF8_REPLACEMENT);
}
