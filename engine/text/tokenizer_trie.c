// Tokenizer trie: the tokens that a text begins with, found in one walk over its bytes.
//
// Made of the sorted texts, breadth first: what the texts of a range have in common is a node, and
// their next bytes part the range into its children. A step is a binary search among at most 256
// neighbours, so a walk costs the bytes that it takes, whatever the vocabulary.
#include "base/sort.h"
#include "text/tokenizer_impl.h"

typedef struct entry {
    gw_str text;
    int32_t id;
} entry;

// The texts of a node, which agree up to its depth.
typedef struct range {
    uint32_t low, high, depth;
} range;

typedef struct maker {
    const gw_host *host;
    entry *entries;
    size_t n, cap;
    gw_vec(range) ranges; // by node
} maker;

static int compare(const void *left, const void *right, const void *user) {
    const entry *a = left, *b = right;
    (void)user;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int order = memcmp(a->text.text, b->text.text, n);
    if (order != 0) return order;
    if (a->text.n != b->text.n) return a->text.n < b->text.n ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static godwit_status add_node(maker *m, gw_trie *trie, range r, uint8_t byte, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_trie_node *node = gw_vec_push(trie, m->host);
    GW_CHECK_ALLOC(node, err, "vocabulary");
    *node = (gw_trie_node){.id = -1, .byte = byte};
    range *own = gw_vec_push(&m->ranges, m->host);
    GW_CHECK_ALLOC(own, err, "vocabulary");
    *own = r;
done:
    return status;
}

// The children of a node, and of texts that end there the lowest id.
static godwit_status part(maker *m, gw_trie *trie, size_t node, godwit_error *err) {
    const range r = m->ranges.items[node];
    uint32_t low = r.low;
    while (low < r.high && m->entries[low].text.n == r.depth) {
        if (low == r.low) trie->items[node].id = m->entries[low].id;
        low++;
    }
    trie->items[node].first_child = (uint32_t)trie->n;
    while (low < r.high) {
        const char byte = m->entries[low].text.text[r.depth];
        uint32_t high = low;
        while (high < r.high && m->entries[high].text.text[r.depth] == byte) high++;
        const range child = {low, high, r.depth + 1};
        godwit_status status = add_node(m, trie, child, (uint8_t)byte, err);
        if (status != GODWIT_OK) return status;
        trie->items[node].n_children++;
        low = high;
    }
    return GODWIT_OK;
}

// A walk at each byte of a text must not be as long as a hostile vocabulary likes.
enum { MAX_TEXT_BYTES = 512 };

// What control, unknown and byte tokens are called is no text that becomes one.
static bool is_text(const gw_tokenizer *tokenizer, uint32_t id) {
    const uint8_t kind = tokenizer->kinds[id];
    return kind != GW_TOKEN_CONTROL && kind != GW_TOKEN_UNKNOWN && kind != GW_TOKEN_BYTE &&
           tokenizer->texts.items[id].n > 0 && tokenizer->texts.items[id].n <= MAX_TEXT_BYTES;
}

godwit_status gw_trie_load(gw_tokenizer *tokenizer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    maker m = {.host = tokenizer->host, .cap = tokenizer->n_tokens};
    m.entries = gw_alloc(m.host, m.cap, sizeof *m.entries);
    GW_CHECK_ALLOC(m.entries, err, "vocabulary");
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        if (is_text(tokenizer, i))
            m.entries[m.n++] = (entry){tokenizer->texts.items[i], (int32_t)i};
    }
    gw_sort(m.entries, m.n, sizeof *m.entries, compare, NULL);
    GW_TRY(add_node(&m, &tokenizer->trie, (range){0, (uint32_t)m.n, 0}, 0, err));
    for (size_t node = 0; node < tokenizer->trie.n; node++)
        GW_TRY(part(&m, &tokenizer->trie, node, err));
done:
    gw_vec_deinit(&m.ranges, m.host);
    gw_free(m.host, m.entries, m.cap * sizeof *m.entries);
    return status;
}

uint32_t gw_trie_step(const gw_trie *trie, uint32_t node, uint8_t byte) {
    const gw_trie_node *from = &trie->items[node];
    uint32_t low = from->first_child, n = from->n_children;
    while (n > 1) {
        const uint32_t half = n / 2;
        if (trie->items[low + half].byte <= byte) {
            low += half;
            n -= half;
        } else {
            n = half;
        }
    }
    return n == 1 && trie->items[low].byte == byte ? low : 0;
}
