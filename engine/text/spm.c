// SPM: the encoder of SentencePiece-style vocabularies (tokenizer.ggml.model "llama"), and of those that
// name their merges in order ("gemma4", "whitespace"), where these are made in place of pairs by score.
//
// A space goes in front of a text's beginning and of what follows a special token (unless the file
// says no). Spaces become U+2581; each character starts as a symbol; of all adjacent pairs whose
// joined text is a token the one of the highest score is merged, the leftmost among equals, until
// none is left. A symbol that is no token is spelled in byte tokens. Control, unknown and byte
// tokens are never merged into: text cannot forge them. Source: llama.cpp's SPM tokenizer; Kudo and
// Richardson, "SentencePiece", 2018.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <string.h>

// A score as an integer that sorts the other way round: the highest first. Scores are finite.
static uint32_t descending(float score) {
    uint32_t bits = 0;
    score += 0.0f; // -0 and +0 are equal scores
    memcpy(&bits, &score, sizeof bits);
    uint32_t ascending = bits >> 31 ? ~bits : bits | 0x80000000u;
    return ~ascending;
}

static int32_t find(const gw_encoder *encoder, uint32_t pos, uint32_t n) {
    const gw_tokenizer *tokenizer = encoder->tokenizer;
    if (n > tokenizer->token_max_bytes) return -1;
    return gw_index_find_text(&tokenizer->index, tokenizer->texts.items,
                              (gw_str){encoder->text + pos, n});
}

static bool pair(const gw_encoder *encoder, const gw_symbol *left, const gw_symbol *right,
                 uint32_t *out_priority, int32_t *out_id) {
    *out_id = find(encoder, left->pos, left->n + right->n);
    if (*out_id < 0) return false;
    *out_priority = descending(encoder->tokenizer->scores[*out_id]);
    return true;
}

static size_t append(char *out, size_t n, const char *text, size_t n_text) {
    memcpy(out + n, text, n_text);
    return n + n_text;
}

// Text with its spaces replaced, into encoder->text; *out_n is its length. Bytes that are not UTF-8
// become U+FFFD where the vocabulary cannot spell them.
static godwit_status escape(gw_encoder *encoder, gw_str text, size_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t need = 3 * text.n + 3; // text.n <= GW_TOKENIZER_MAX_TEXT_BYTES
    if (need > encoder->escaped_bytes) {
        gw_free(encoder->host, encoder->escaped, encoder->escaped_bytes);
        encoder->escaped_bytes = 0;
        encoder->escaped = gw_alloc(encoder->host, need, 1);
        GW_CHECK_ALLOC(encoder->escaped, err, "a text to tokenize");
        encoder->escaped_bytes = need;
    }
    size_t n =
        encoder->tokenizer->add_space_prefix ? append(encoder->escaped, 0, GW_TOKEN_SPACE, 3) : 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text.text + i, text.n - i, &code_point);
        if (length == 1 && text.text[i] == ' ') {
            n = append(encoder->escaped, n, GW_TOKEN_SPACE, 3);
        } else if (length > 0 || encoder->tokenizer->byte_ids[(uint8_t)text.text[i]] >= 0) {
            n = append(encoder->escaped, n, text.text + i, length > 0 ? (size_t)length : 1);
        } else {
            n = append(encoder->escaped, n, GW_UTF8_REPLACEMENT, 3);
        }
        i += length > 0 ? (size_t)length : 1;
    }
    encoder->text = encoder->escaped;
    *out_n = n;
done:
    return status;
}

static godwit_status emit(gw_encoder *encoder, const gw_symbol *symbol, godwit_error *err) {
    // Merges have texts that are no tokens.
    if (symbol->id >= 0 && (uint32_t)symbol->id < encoder->tokenizer->n_tokens) {
        gw_encoder_emit(encoder, symbol->id);
        return GODWIT_OK;
    }
    gw_str text = {encoder->text + symbol->pos, symbol->n};
    const int32_t *byte_ids = encoder->tokenizer->byte_ids;
    for (size_t i = 0; i < text.n; i++) {
        if (byte_ids[(uint8_t)text.text[i]] < 0) return gw_encoder_emit_unknown(encoder, text, err);
    }
    for (size_t i = 0; i < text.n; i++) gw_encoder_emit(encoder, byte_ids[(uint8_t)text.text[i]]);
    return GODWIT_OK;
}

// Bytes [from, to) of the escaped text: a stretch that no merge leaves.
static godwit_status encode_stretch(gw_encoder *encoder, size_t from, size_t to,
                                    godwit_error *err) {
    godwit_status status = GODWIT_OK;
    encoder->symbols.n = 0;
    for (size_t i = from; i < to;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(encoder->text + i, to - i, &code_point);
        uint32_t n_bytes = length > 0 ? (uint32_t)length : 1;
        int32_t id = find(encoder, (uint32_t)i, n_bytes);
        GW_TRY(gw_merge_push_symbol(encoder, (uint32_t)i, n_bytes, id, err));
        i += n_bytes;
    }
    const bool ranks = encoder->tokenizer->model != GW_TOKENIZER_SPM;
    GW_TRY(gw_merge_run(encoder, ranks ? gw_bpe_pair : pair, err));
    for (size_t i = 0; i < encoder->symbols.n; i++) {
        if (encoder->symbols.items[i].n == 0) continue;
        GW_TRY(emit(encoder, &encoder->symbols.items[i], err));
    }
done:
    return status;
}

static bool is_space(gw_str text, size_t at) {
    return text.n - at >= 3 && memcmp(text.text + at, GW_TOKEN_SPACE, 3) == 0;
}

size_t gw_spm_word_end(gw_str text, size_t at) {
    while (at < text.n && is_space(text, at)) at += 3;
    while (at < text.n && !is_space(text, at)) at++;
    return at;
}

// Where no token has a space behind another character, no merge can reach across the beginning of
// a word, and words are encoded one by one: the same ids, out of the nearest cache.
godwit_status gw_spm_encode(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t n = 0;
    GW_TRY(escape(encoder, text, &n, err));
    for (size_t at = 0; at < n;) {
        size_t end = n;
        if (encoder->tokenizer->words_apart) {
            end = gw_spm_word_end((gw_str){encoder->text, n}, at);
        }
        GW_TRY(encode_stretch(encoder, at, end, err));
        at = end;
    }
done:
    return status;
}

// --- words

// White space (PRE_SPACES in tokenizer_pre.def) is what the pattern of "whitespace" leaves between words.
static bool is_gap(gw_str word) {
    uint32_t c = 0;
    if (gw_utf8_next(word.text, word.n, &c) <= 0) return false;
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static godwit_status encode_word(gw_encoder *encoder, gw_str word, godwit_error *err) {
    const size_t from = (size_t)(word.text - encoder->text);
    return is_gap(word) ? GODWIT_OK : encode_stretch(encoder, from, from + word.n, err);
}

// Text in small letters; bytes that are not UTF-8 stay.
static godwit_status lower(gw_encoder *encoder, gw_str *text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    encoder->n_escaped = 0;
    for (size_t i = 0; i < text->n;) {
        char small[GW_BERT_CHAR_BYTES];
        uint32_t code_point = 0;
        const int length = gw_utf8_next(text->text + i, text->n - i, &code_point);
        const size_t n = length > 0 ? gw_bert_rewrite(code_point, false, true, small) : 1;
        GW_TRY(gw_encoder_append(encoder, length > 0 ? small : text->text + i, n, err));
        i += length > 0 ? (size_t)length : 1;
    }
    *text = (gw_str){encoder->escaped, encoder->n_escaped};
done:
    return status;
}

godwit_status gw_words_encode(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (encoder->tokenizer->lowercase) GW_TRY(lower(encoder, &text, err));
    encoder->text = text.text;
    GW_TRY(gw_pre_split(encoder->tokenizer->pre, encoder, text, encode_word, err));
done:
    return status;
}
