// Unigram: the encoder of T5's and XLM-RoBERTa's vocabularies (tokenizer.ggml.model "t5").
//
// Characters are rewritten (charsmap.c), spaces become U+2581, several of them one, one stands in
// front. Of all ways to read the text as tokens the one with the highest sum of scores is taken, by
// dynamic programming over its bytes: the best way to a byte is the best way to where some token
// begins, and that token. A character that no token spells counts as the unknown token, ten below the
// lowest score; neighbouring ones are one, or their bytes where the vocabulary has such tokens. Sums
// are of doubles; of equal ones the first found stands, as in Hugging Face's tokenizers.
// Source: Kudo, "Subword Regularization", 2018; Kudo and Richardson, "SentencePiece", 2018.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <float.h>

#define PREFIX          "tokenizer.ggml."
#define UNKNOWN_PENALTY 10.0

static godwit_status load_flag(const gw_gguf *gguf, const char *key, bool fallback, int32_t id,
                               bool *out, godwit_error *err) {
    godwit_status status = gw_gguf_get_bool(gguf, key, fallback, out, err);
    *out &= id >= 0;
    return status;
}

godwit_status gw_unigram_load(gw_tokenizer *t, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (t->eos < 0) t->eos = gw_tokenizer_find_control(t, GW_STR("</s>"));
    if (t->unknown < 0) t->unknown = gw_tokenizer_find_control(t, GW_STR("<unk>"));
    if (t->eos >= 0) t->ends[t->eos] = 1;
    GW_TRY(load_flag(gguf, PREFIX "add_bos_token", false, t->bos, &t->add_bos, err));
    GW_TRY(load_flag(gguf, PREFIX "add_eos_token", true, t->eos, &t->add_eos, err));
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "add_space_prefix", true, &t->add_space_prefix, err));
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "remove_extra_whitespaces", true, &t->remove_extra_spaces,
                            err));
    GW_TRY(gw_charsmap_load(gguf, &t->charsmap, err));
    GW_TRY(gw_trie_load(t, err));
    double lowest = DBL_MAX;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        if (t->kinds[i] == GW_TOKEN_NORMAL && (double)t->scores[i] < lowest)
            lowest = (double)t->scores[i];
    }
    t->unknown_score = (lowest < DBL_MAX ? lowest : 0.0) - UNKNOWN_PENALTY;
done:
    return status;
}

// --- rewriting

static bool starts_with_space(gw_str text) {
    return text.n > 0 && text.text[0] == ' ';
}

static godwit_status append(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < text.n; i++) {
        const bool space = text.text[i] == ' ';
        GW_TRY(
            gw_encoder_append(encoder, space ? GW_TOKEN_SPACE : text.text + i, space ? 3 : 1, err));
    }
done:
    return status;
}

// Into encoder->escaped.
static godwit_status rewrite(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_tokenizer *t = encoder->tokenizer;
    const bool merge = t->remove_extra_spaces;
    bool behind_space = merge, first = true;
    encoder->n_escaped = 0;
    for (size_t i = 0, n = 0; i < text.n; i += n) {
        gw_str piece = gw_charsmap_rewrite(&t->charsmap, (gw_str){text.text + i, text.n - i}, &n);
        // Spaces in front are none: what they are rewritten to has nothing else.
        if (first && merge && piece.n == 1 && starts_with_space(piece)) continue;
        if (first && t->add_space_prefix) GW_TRY(append(encoder, GW_STR(" "), err));
        first = false;
        while (behind_space && starts_with_space(piece))
            piece = (gw_str){piece.text + 1, piece.n - 1};
        GW_TRY(append(encoder, piece, err));
        if (piece.n) behind_space = merge && piece.text[piece.n - 1] == ' ';
    }
    while (merge && encoder->n_escaped >= 3 &&
           !memcmp(encoder->escaped + encoder->n_escaped - 3, GW_TOKEN_SPACE, 3))
        encoder->n_escaped -= 3;
done:
    return status;
}

// --- the best way

// A way to byte `to` of the stretch.
static void offer(gw_ending *ending, double score, size_t from, int32_t id) {
    if (ending->score < score) *ending = (gw_ending){score, (uint32_t)from, id};
}

static size_t char_bytes(gw_str text) {
    uint32_t code_point = 0;
    const int n = gw_utf8_next(text.text, text.n, &code_point);
    return n > 0 ? (size_t)n : 1;
}

// Tokens that the rest of a stretch begins with lead from byte at to where they end.
static void go_on(const gw_tokenizer *t, gw_ending *endings, gw_str text, size_t at) {
    const double score = endings[at].score;
    const size_t n_char = char_bytes((gw_str){text.text + at, text.n - at});
    bool spelled = false;
    uint32_t node = 0;
    for (size_t i = at; i < text.n; i++) {
        node = gw_trie_step(&t->trie, node, (uint8_t)text.text[i]);
        if (node == 0) break;
        const int32_t id = t->trie.items[node].id;
        if (id < 0) continue;
        offer(&endings[i + 1], score + (double)t->scores[id], at, id);
        spelled |= i + 1 - at == n_char;
    }
    if (!spelled) offer(&endings[at + n_char], score + t->unknown_score, at, -1);
}

static godwit_status emit_unknown(gw_encoder *encoder, gw_str text, godwit_error *err) {
    const int32_t *byte_ids = encoder->tokenizer->byte_ids;
    for (size_t i = 0; i < text.n; i++) {
        if (byte_ids[(uint8_t)text.text[i]] < 0) return gw_encoder_emit_unknown(encoder, text, err);
    }
    for (size_t i = 0; i < text.n; i++) gw_encoder_emit(encoder, byte_ids[(uint8_t)text.text[i]]);
    return GODWIT_OK;
}

static godwit_status encode_stretch(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_tokenizer *t = encoder->tokenizer;
    encoder->endings.n = 0;
    for (size_t i = 0; i <= text.n; i++) {
        gw_ending *ending = gw_vec_push(&encoder->endings, encoder->host);
        GW_CHECK_ALLOC(ending, err, "a text to tokenize");
        ending->score = i == 0 ? 0.0 : -DBL_MAX;
    }
    gw_ending *endings = encoder->endings.items;
    for (size_t i = 0; i < text.n; i++) {
        if (endings[i].score > -DBL_MAX) go_on(t, endings, text, i);
    }
    // Back from the end, turning the way round: from is then where the next token ends.
    size_t next = text.n;
    for (size_t at = text.n; at > 0;) {
        const size_t from = endings[at].from;
        const int32_t id = endings[at].id;
        endings[at].from = (uint32_t)next;
        endings[at].id = id;
        next = at;
        at = from;
    }
    for (size_t at = 0; at < text.n;) {
        const size_t from = at;
        at = next;
        const int32_t id = endings[at].id;
        next = endings[at].from;
        while (id < 0 && at < text.n && endings[next].id < 0) { // neighbours are one
            at = next;
            next = endings[at].from;
        }
        if (id >= 0) gw_encoder_emit(encoder, id);
        if (id < 0) GW_TRY(emit_unknown(encoder, (gw_str){text.text + from, at - from}, err));
    }
done:
    return status;
}

// Words one by one, where no token reaches from one into the next: the same ids in less memory.
godwit_status gw_unigram_encode(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(rewrite(encoder, text, err));
    const gw_str all = {encoder->escaped, encoder->n_escaped};
    for (size_t at = 0; at < all.n;) {
        const size_t end = encoder->tokenizer->words_apart ? gw_spm_word_end(all, at) : all.n;
        GW_TRY(encode_stretch(encoder, (gw_str){all.text + at, end - at}, err));
        at = end;
    }
done:
    return status;
}
