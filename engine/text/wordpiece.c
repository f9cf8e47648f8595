// WordPiece: the encoder of BERT's vocabularies (tokenizer.ggml.model "bert").
//
// Characters are rewritten (bert_chars.c) and words cut out: at white space, around each sign. A word
// is read from its beginning: the longest token that it begins with, then the longest of what is left,
// to its end; one that cannot be read so, or is too long, is one unknown token. GGUF writes a space
// (U+2581) in front of tokens that begin words and drops the "##" of those that go on.
// Source: Devlin et al., "BERT", 2019, and its published tokenization.py.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

enum { MAX_WORD_CHARS = 100 }; // the original's

#define PREFIX "tokenizer.ggml."

// What a sequence begins and ends with. Ids as in all of BERT's first vocabularies where no key says.
static godwit_status load_ids(gw_tokenizer *t, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t cls = -1, sep = -1;
    GW_TRY(gw_tokenizer_load_id(t, gguf, PREFIX "cls_token_id", -1, &cls, err));
    GW_TRY(gw_tokenizer_load_id(t, gguf, PREFIX "seperator_token_id", -1, &sep, err));
    if (cls < 0) cls = t->bos;
    if (sep < 0) sep = t->eos;
    if (cls < 0) cls = gw_tokenizer_find_control(t, GW_STR("[CLS]"));
    if (sep < 0) sep = gw_tokenizer_find_control(t, GW_STR("[SEP]"));
    if (t->unknown < 0) t->unknown = gw_tokenizer_find_control(t, GW_STR("[UNK]"));
    t->bos = cls;
    t->eos = sep;
    if (sep >= 0) t->ends[sep] = 1;
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "add_bos_token", cls >= 0, &t->add_bos, err));
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "add_eos_token", sep >= 0, &t->add_eos, err));
    t->add_bos &= cls >= 0;
    t->add_eos &= sep >= 0;
done:
    return status;
}

godwit_status gw_wordpiece_load(gw_tokenizer *t, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(load_ids(t, gguf, err));
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "normalizer.lowercase", true, &t->lowercase, err));
    GW_TRY(gw_gguf_get_bool(gguf, PREFIX "normalizer.strip_accents", t->lowercase,
                            &t->strip_accents, err));
    t->add_space_prefix = true; // as its texts decode
    GW_TRY(gw_trie_load(t, err));
done:
    return status;
}

// The longest token that text begins with, -1: none. Behind a word's beginning a text's own U+2581 is
// by itself: tokens that begin with one and have more are those that begin words.
static int32_t longest(const gw_trie *trie, gw_str text, bool is_beginning, size_t *out_n) {
    const size_t n_space = strlen(GW_TOKEN_SPACE);
    int32_t id = -1;
    uint32_t node = 0;
    if (!is_beginning && text.n > n_space && !memcmp(text.text, GW_TOKEN_SPACE, n_space))
        text.n = n_space;
    for (size_t i = 0; i < text.n; i++) {
        node = gw_trie_step(trie, node, (uint8_t)text.text[i]);
        if (node == 0) break;
        if (trie->items[node].id < 0) continue;
        id = trie->items[node].id;
        *out_n = i + 1;
    }
    return id;
}

// encoder->escaped: a space and the word.
static godwit_status end_word(gw_encoder *encoder, size_t n_chars, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size_t n_before = encoder->n;
    gw_str rest = {encoder->escaped, encoder->n_escaped};
    if (n_chars == 0) goto done;
    while (rest.n > 0 && n_chars <= MAX_WORD_CHARS) {
        size_t n = 0;
        const int32_t id =
            longest(&encoder->tokenizer->trie, rest, rest.text == encoder->escaped, &n);
        if (id < 0 || (rest.text == encoder->escaped && n <= strlen(GW_TOKEN_SPACE))) break;
        gw_encoder_emit(encoder, id);
        rest.text += n;
        rest.n -= n;
    }
    if (rest.n > 0) {
        const size_t n_space = strlen(GW_TOKEN_SPACE);
        encoder->n = n_before;
        GW_TRY(gw_encoder_emit_unknown(
            encoder, (gw_str){encoder->escaped + n_space, encoder->n_escaped - n_space}, err));
    }
done:
    encoder->n_escaped = 0;
    return status;
}

// *n_chars: of the word; those of one that is too long are counted, not kept.
static godwit_status append_char(gw_encoder *encoder, uint32_t code_point, size_t *n_chars,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_tokenizer *t = encoder->tokenizer;
    char text[GW_BERT_CHAR_BYTES];
    const size_t n = gw_bert_rewrite(code_point, t->strip_accents, t->lowercase, text);
    for (size_t i = 0; i < n; i++) *n_chars += ((uint8_t)text[i] & 0xC0) != 0x80;
    if (*n_chars > MAX_WORD_CHARS) goto done;
    if (encoder->n_escaped == 0) GW_TRY(gw_encoder_append(encoder, GW_TOKEN_SPACE, 3, err));
    GW_TRY(gw_encoder_append(encoder, text, n, err));
done:
    return status;
}

godwit_status gw_wordpiece_encode(gw_encoder *encoder, gw_str text, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool strip = encoder->tokenizer->strip_accents;
    size_t n_chars = 0; // of the word under way
    encoder->n_escaped = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t code_point = 0;
        const int n = gw_utf8_next(text.text + i, text.n - i, &code_point);
        i += n > 0 ? (size_t)n : n < 0 ? (size_t)-n : text.n - i;
        const gw_bert_class class = n > 0 ? gw_bert_class_of(code_point, strip) : GW_BERT_DROP;
        if (class == GW_BERT_DROP || (class == GW_BERT_MARK && strip)) continue;
        if (class == GW_BERT_SPACE || class == GW_BERT_SIGN) {
            GW_TRY(end_word(encoder, n_chars, err));
            n_chars = 0;
        }
        if (class == GW_BERT_SPACE) continue;
        GW_TRY(append_char(encoder, code_point, &n_chars, err));
        if (class != GW_BERT_SIGN) continue;
        GW_TRY(end_word(encoder, n_chars, err));
        n_chars = 0;
    }
    GW_TRY(end_word(encoder, n_chars, err));
done:
    return status;
}
