// BPE: the encoder of byte-level vocabularies (tokenizer.ggml.model "gpt2"), and the merges of "gemma4",
// whose characters are spm.c's.
//
// A vocabulary writes each byte as one printable character. A word's bytes start as the symbols of
// their characters; of all adjacent pairs that are listed as merges the earliest in the list is
// made, the leftmost among equals, until none is left. Symbols are interned: every text that a
// merge can make has a number, be it a token or not, so a step costs two integer look-ups.
// Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, and the
// byte map of its published encoder.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <string.h>

#define KEY_MERGES "tokenizer.ggml.merges"

static bool stands_for_itself(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

uint32_t gw_bpe_byte_char(uint8_t byte) {
    if (stands_for_itself(byte)) return byte;
    // The others take U+0100 and on, in order: 00..20, 7F..A0, AD.
    if (byte <= 0x20) return 0x100u + byte;
    return byte == 0xAD ? 0x143 : 0x121u + (byte - 0x7Fu);
}

int gw_bpe_char_byte(uint32_t code_point) {
    if (code_point < 0x100) return stands_for_itself(code_point) ? (int)code_point : -1;
    if (code_point <= 0x120) return (int)(code_point - 0x100);
    if (code_point <= 0x142) return (int)(code_point - 0x121 + 0x7F);
    return code_point == 0x143 ? 0xAD : -1;
}

// --- load

// The symbol of left and right joined, a token's where there is one. The text is copied only when
// it is new.
static godwit_status intern(gw_tokenizer *tokenizer, gw_str left, gw_str right,
                            uint32_t *out_symbol, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char small[64];
    char *joined = small;
    size_t n = left.n + right.n; // both lie in one file's bytes or in arena texts of that size
    if (n > sizeof small) {
        joined = gw_alloc(tokenizer->host, n, 1);
        GW_CHECK_ALLOC(joined, err, "a merge's text");
    }
    memcpy(joined, left.text, left.n);
    if (right.n) memcpy(joined + left.n, right.text, right.n);
    int32_t found =
        gw_index_find_text(&tokenizer->index, tokenizer->texts.items, (gw_str){joined, n});
    if (found >= 0) {
        *out_symbol = (uint32_t)found;
        goto done;
    }
    const char *copy = gw_arena_strndup(&tokenizer->arena, joined, n);
    GW_CHECK_ALLOC(copy, err, "a merge's text");
    gw_str *text = gw_vec_push(&tokenizer->texts, tokenizer->host);
    GW_CHECK_ALLOC(text, err, "merge texts");
    *text = (gw_str){copy, n};
    GW_TRY(gw_index_add_text(&tokenizer->index, tokenizer->texts.items,
                             (uint32_t)tokenizer->texts.n - 1, out_symbol, err));
done:
    if (joined != small) gw_free(tokenizer->host, joined, n);
    return status;
}

// "left right": the first space that is not the first byte parts them.
static godwit_status part(gw_str merge, uint64_t i, gw_str *out_left, gw_str *out_right,
                          godwit_error *err) {
    const char *space = merge.n > 2 ? memchr(merge.text + 1, ' ', merge.n - 2) : NULL;
    if (!space) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%s: item %llu is '%.*s', not two texts parted by a space", KEY_MERGES,
                       (unsigned long long)i, GW_STR_ARG(merge));
    }
    *out_left = (gw_str){merge.text, (size_t)(space - merge.text)};
    *out_right = (gw_str){space + 1, merge.n - out_left->n - 1};
    return GODWIT_OK;
}

static godwit_status load_merges(gw_tokenizer *tokenizer, const gw_gguf_value *value,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t n = (size_t)value->n_items;
    GW_TRY(gw_index_init(&tokenizer->merge_index, tokenizer->host, n, err));
    if (n == 0) goto done;
    tokenizer->merges = gw_alloc(tokenizer->host, n, sizeof *tokenizer->merges);
    GW_CHECK_ALLOC(tokenizer->merges, err, "merges");
    tokenizer->n_merges = n;
    for (size_t i = 0; i < n; i++) {
        gw_str text = {0};
        gw_str left = {0};
        gw_str right = {0};
        gw_merge *merge = &tokenizer->merges[i];
        GW_TRY(gw_gguf_item_str(value, i, &text, err));
        GW_TRY(part(text, i, &left, &right, err));
        GW_TRY(intern(tokenizer, left, (gw_str){0}, &merge->left, err));
        GW_TRY(intern(tokenizer, right, (gw_str){0}, &merge->right, err));
        GW_TRY(intern(tokenizer, left, right, &merge->result, err));
        GW_TRY(gw_index_add_merge(&tokenizer->merge_index, tokenizer->merges, (uint32_t)i, err));
    }
done:
    return status;
}

// Symbols of merges join the tokens' index; it must hold them all without growing.
static godwit_status widen_index(gw_tokenizer *tokenizer, size_t n_merges, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_index wider = {0};
    // Both counts are at most GW_GGUF_MAX_ARRAY_ITEMS = 2^26, so ids stay inside 31 bits.
    GW_TRY(gw_index_init(&wider, tokenizer->host, tokenizer->n_tokens + 256 + 3 * n_merges, err));
    for (size_t i = 0; i < tokenizer->index.n_slots; i++) {
        uint32_t item = tokenizer->index.slots[i].index_plus_1;
        if (item == 0) continue;
        GW_TRY(gw_index_add_text(&wider, tokenizer->texts.items, item - 1, &item, err));
    }
    gw_index_deinit(&tokenizer->index, tokenizer->host);
    tokenizer->index = wider;
    wider = (gw_index){0};
done:
    gw_index_deinit(&wider, tokenizer->host);
    return status;
}

static godwit_status load_bytes(gw_tokenizer *tokenizer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (int byte = 0; byte < 256; byte++) {
        char text[4];
        size_t n = (size_t)gw_utf8_put(gw_bpe_byte_char((uint8_t)byte), text);
        uint32_t symbol = 0;
        GW_TRY(intern(tokenizer, (gw_str){text, n}, (gw_str){0}, &symbol, err));
        tokenizer->byte_symbols[byte] = symbol;
        if (symbol < tokenizer->n_tokens) tokenizer->byte_ids[byte] = (int32_t)symbol;
    }
done:
    return status;
}

godwit_status gw_bpe_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    GW_TRY(gw_tokenizer_string_array(gguf, KEY_MERGES, &value, err));
    if (!value) GW_FAIL(err, GODWIT_MALFORMED, "%s is missing", KEY_MERGES);
    GW_TRY(widen_index(tokenizer, (size_t)value->n_items, err));
    if (tokenizer->model == GW_TOKENIZER_BPE) GW_TRY(load_bytes(tokenizer, err));
    GW_TRY(load_merges(tokenizer, value, err));
    for (size_t i = tokenizer->n_tokens; i < tokenizer->texts.n; i++) {
        const gw_str text = tokenizer->texts.items[i];
        if (gw_spm_word_end(text, 0) < text.n) tokenizer->words_apart = false;
    }
done:
    return status;
}

// --- encode

bool gw_bpe_pair(const gw_encoder *encoder, const gw_symbol *left, const gw_symbol *right,
                 uint32_t *out_priority, int32_t *out_id) {
    const gw_tokenizer *tokenizer = encoder->tokenizer;
    if (left->id < 0 || right->id < 0) return false; // characters that the vocabulary has not
    int32_t rank = gw_index_find_merge(&tokenizer->merge_index, tokenizer->merges,
                                       (uint32_t)left->id, (uint32_t)right->id);
    if (rank < 0) return false;
    *out_priority = (uint32_t)rank;
    *out_id = (int32_t)tokenizer->merges[rank].result;
    return true;
}

// The token of a whole word, where the vocabulary says that such words are not merged.
static int32_t find_word(const gw_tokenizer *tokenizer, gw_str word) {
    char mapped[512];
    size_t n = 0;
    if (word.n > sizeof mapped / 2) return -1; // a byte's character takes two bytes at most
    for (size_t i = 0; i < word.n; i++) {
        char text[4];
        int length = gw_utf8_put(gw_bpe_byte_char((uint8_t)word.text[i]), text);
        memcpy(mapped + n, text, (size_t)length);
        n += (size_t)length;
    }
    int32_t found =
        gw_index_find_text(&tokenizer->index, tokenizer->texts.items, (gw_str){mapped, n});
    return found >= 0 && (uint32_t)found < tokenizer->n_tokens ? found : -1;
}

static godwit_status encode_word(gw_encoder *encoder, gw_str word, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_tokenizer *tokenizer = encoder->tokenizer;
    int32_t whole = tokenizer->ignore_merges ? find_word(tokenizer, word) : -1;
    if (whole >= 0) {
        gw_encoder_emit(encoder, whole);
        goto done;
    }
    encoder->symbols.n = 0;
    for (size_t i = 0; i < word.n; i++) {
        int32_t id = (int32_t)tokenizer->byte_symbols[(uint8_t)word.text[i]];
        GW_TRY(gw_merge_push_symbol(encoder, (uint32_t)i, 1, id, err));
    }
    GW_TRY(gw_merge_run(encoder, gw_bpe_pair, err));
    for (size_t i = 0; i < encoder->symbols.n; i++) {
        const gw_symbol *symbol = &encoder->symbols.items[i];
        if (symbol->n == 0) continue;
        if ((uint32_t)symbol->id < tokenizer->n_tokens) {
            gw_encoder_emit(encoder, symbol->id);
            continue;
        }
        // A merge made a text that is no token: its bytes are spelled one by one.
        for (uint32_t k = 0; k < symbol->n; k++) {
            gw_str byte = {word.text + symbol->pos + k, 1};
            int32_t id = tokenizer->byte_ids[(uint8_t)*byte.text];
            if (id >= 0) gw_encoder_emit(encoder, id);
            if (id < 0) GW_TRY(gw_encoder_emit_unknown(encoder, byte, err));
        }
    }
done:
    return status;
}

godwit_status gw_bpe_encode(gw_encoder *encoder, gw_str text, godwit_error *err) {
    return gw_pre_split(encoder->tokenizer->pre, encoder, text, encode_word, err);
}
