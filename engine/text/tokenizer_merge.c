// Tokenizer merge: the loop that both algorithms are made of.
//
// A row of symbols, linked both ways, and a heap of the pairs that may become one. The best pair is
// taken, its right symbol is merged into its left one, and the two pairs that this makes possible
// are put on the heap. Pairs whose symbols have changed since stay on the heap and are passed over
// when they come up. O(n log n) for n symbols: each merge pushes at most two pairs.
#include "text/tokenizer_impl.h"

godwit_status gw_merge_push_symbol(gw_encoder *encoder, uint32_t pos, uint32_t n, int32_t id,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t index = (int32_t)encoder->symbols.n;
    gw_symbol *symbol = gw_vec_push(&encoder->symbols, encoder->host);
    GW_CHECK_ALLOC(symbol, err, "symbols of a text to tokenize");
    *symbol = (gw_symbol){.prev = index - 1, .next = -1, .pos = pos, .n = n, .id = id};
    if (index > 0) encoder->symbols.items[index - 1].next = index;
done:
    return status;
}

static godwit_status heap_push(gw_encoder *encoder, gw_bigram bigram, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_CHECK_ALLOC(gw_vec_push(&encoder->heap, encoder->host), err, "pairs of a text to tokenize");
    gw_bigram *items = encoder->heap.items;
    size_t hole = encoder->heap.n - 1;
    while (hole > 0 && items[(hole - 1) / 2].key > bigram.key) {
        items[hole] = items[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    items[hole] = bigram;
done:
    return status;
}

static gw_bigram heap_pop(gw_encoder *encoder) {
    gw_bigram *items = encoder->heap.items;
    gw_bigram top = items[0];
    size_t n = --encoder->heap.n;
    gw_bigram last = items[n];
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= n) break;
        if (child + 1 < n && items[child + 1].key < items[child].key) child++;
        if (items[child].key >= last.key) break;
        items[hole] = items[child];
        hole = child;
    }
    items[hole] = last;
    return top;
}

static godwit_status try_pair(gw_encoder *encoder, gw_pair_fn pair, int32_t left, int32_t right,
                              godwit_error *err) {
    if (left < 0 || right < 0) return GODWIT_OK;
    const gw_symbol *l = &encoder->symbols.items[left];
    const gw_symbol *r = &encoder->symbols.items[right];
    uint32_t priority = 0;
    int32_t id = -1;
    if (!pair(encoder, l, r, &priority, &id)) return GODWIT_OK;
    gw_bigram bigram = {(uint64_t)priority << 32 | (uint32_t)left, l->n + r->n, id};
    return heap_push(encoder, bigram, err);
}

godwit_status gw_merge_run(gw_encoder *encoder, gw_pair_fn pair, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_symbol *symbols = encoder->symbols.items;
    encoder->heap.n = 0;
    for (size_t i = 1; i < encoder->symbols.n; i++) {
        GW_TRY(try_pair(encoder, pair, (int32_t)i - 1, (int32_t)i, err));
    }
    while (encoder->heap.n > 0) {
        gw_bigram bigram = heap_pop(encoder);
        int32_t left = (int32_t)(uint32_t)bigram.key;
        int32_t right = symbols[left].next;
        // A symbol only ever grows, so an equal sum of lengths means that both are as they were.
        if (symbols[left].n == 0 || right < 0) continue;
        if (symbols[left].n + symbols[right].n != bigram.n_bytes) continue;
        symbols[left].n = bigram.n_bytes;
        symbols[left].id = bigram.id;
        symbols[left].next = symbols[right].next;
        if (symbols[right].next >= 0) symbols[symbols[right].next].prev = left;
        symbols[right].n = 0;
        GW_TRY(try_pair(encoder, pair, symbols[left].prev, left, err));
        GW_TRY(try_pair(encoder, pair, left, symbols[left].next, err));
    }
done:
    return status;
}
