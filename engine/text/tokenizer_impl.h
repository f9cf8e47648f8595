// Tokenizer internals: what tokenizer*.c, spm.c and bpe.c share.
//
// The way of a text: tokenizer.c cuts it at special tokens (tokenizer_special.c); what lies between
// goes to spm.c whole, or through tokenizer_pre.c's patterns word by word to bpe.c; both hand a row
// of symbols to the one merge loop in tokenizer_merge.c. wordpiece.c (characters: bert_chars.c) and
// unigram.c (characters: charsmap.c) find tokens in a trie instead (tokenizer_trie.c). The way of an
// id: tokenizer_decode.c.
// tokenizer_load.c reads and checks the metadata (which tokens end a text: tokenizer_ends.c),
// tokenizer_index.c finds texts in it.
//
// What hostile or odd vocabularies get: a token's text of zero bytes is never encoded to and
// decodes to nothing; of tokens with the same text the lowest id is encoded to and all decode; a
// special token longer than GW_SPECIAL_MAX_BYTES is reached by its id only. Everything else is an
// error.
#ifndef GW_TEXT_TOKENIZER_IMPL_H
#define GW_TEXT_TOKENIZER_IMPL_H

#include "base/mem.h"
#include "base/status.h"
#include "text/tokenizer.h"

enum {
    // Symbol positions are 32 bits and a space may grow to three bytes.
    GW_TOKENIZER_MAX_TEXT_BYTES = 1 << 28,
    GW_TOKENIZER_MAX_REWRITTEN_BYTES = 1 << 30,
    // Bounds the work at each byte of a text to this many steps.
    GW_SPECIAL_MAX_BYTES = 256,
    // An honest table of a million texts, half full, has no chain longer than about 100.
    GW_INDEX_MAX_PROBES = 512,
};

typedef enum gw_tokenizer_model {
    GW_TOKENIZER_SPM,
    GW_TOKENIZER_BPE,
    GW_TOKENIZER_WORDPIECE,
    GW_TOKENIZER_UNIGRAM,
    GW_TOKENIZER_SPM_BPE, // characters as SPM has them, merges as BPE has them
    GW_TOKENIZER_WORDS,   // the same within words; the white space between them is dropped
} gw_tokenizer_model;

// An open-addressed table of indices; 0 is an empty slot. tag: the hash's upper half, so that
// most misses are told without looking at the text.
typedef struct gw_index_slot {
    uint32_t tag, index_plus_1;
} gw_index_slot;
typedef struct gw_index {
    gw_index_slot *slots;
    size_t n_slots; // a power of two, at least twice the items
} gw_index;

// A text that is cut out of the input before anything else.
typedef struct gw_special {
    gw_str text;
    int32_t id;
} gw_special;

// BPE: symbols left and right, adjacent, may become result; the rank is the merge's index.
typedef struct gw_merge {
    uint32_t left, right, result;
} gw_merge;

typedef struct gw_pre gw_pre; // a compiled pre-tokenizer, tokenizer_pre.c

// The texts of tokens, byte by byte. A node's children lie side by side, in order of their bytes.
typedef struct gw_trie_node {
    uint32_t first_child;
    int32_t id; // the token that ends here, -1: none
    uint16_t n_children;
    uint8_t byte;
} gw_trie_node;
typedef gw_vec(gw_trie_node) gw_trie;

// Unigram: how characters are rewritten, as SentencePiece compiles it (charsmap.c).
typedef struct gw_charsmap {
    const uint8_t *units; // of a double array, 32 bits each, in the file's bytes
    uint32_t n_units;
    gw_str texts; // what texts become, each ended by a zero
} gw_charsmap;

struct gw_tokenizer {
    const gw_host *host;
    gw_tokenizer_model model;
    gw_arena arena; // texts of symbols that are no tokens
    uint32_t n_tokens;
    uint32_t token_max_bytes;
    // Texts of the tokens, then (BPE) of symbols that exist only in merges.
    gw_vec(gw_str) texts;
    uint8_t *kinds;  // [n_tokens] gw_token_kind
    uint8_t *ends;   // [n_tokens] 1: ends a generation
    uint8_t *rstrip; // [n_tokens] 1: white space after this special token is dropped
    float *scores;   // [n_tokens], SPM and Unigram
    gw_index index;  // text -> token or symbol; no control, unknown or byte tokens in it
    gw_special *specials;
    size_t n_specials;
    size_t specials_cap;
    bool special_first[256]; // some special token begins with this byte
    int32_t bos, eos, unknown;
    bool add_bos, add_eos;
    bool pair_ends_twice;  // between the texts of a pair, as RoBERTa's kin have it
    bool words_apart;      // SPM: no token's text has a space (U+2581) behind another character
    bool add_space_prefix; // SPM
    int32_t byte_ids[256]; // the token that spells a byte, -1: none
    uint32_t byte_symbols[256]; // BPE: the symbol a byte starts as
    gw_merge *merges;
    size_t n_merges;
    gw_index merge_index;
    gw_pre *pre;
    bool ignore_merges; // BPE: a word that is a token needs no merging
    gw_trie trie;       // WordPiece and Unigram: what text may become
    gw_charsmap charsmap;
    bool remove_extra_spaces;      // Unigram
    double unknown_score;          // Unigram: of a character that no token spells
    bool lowercase, strip_accents; // WordPiece; words: lowercase alone
};

// One symbol of a text while merging: bytes [pos, pos + n). n 0: merged away.
typedef struct gw_symbol {
    int32_t prev, next;
    uint32_t pos, n;
    int32_t id; // token or symbol, -1: none
} gw_symbol;

// A merge that could be made. key: priority in the upper half, left symbol's index in the lower;
// the lowest key goes first.
typedef struct gw_bigram {
    uint64_t key;
    uint32_t n_bytes; // of both symbols, to see that neither has changed since
    int32_t id;
} gw_bigram;

// Unigram: the best way to a byte of a text: where its last token begins, and which it is.
typedef struct gw_ending {
    double score;
    uint32_t from;
    int32_t id;
} gw_ending;

// One call of encode: where ids go, and scratch that all its words reuse.
typedef struct gw_encoder {
    const gw_tokenizer *tokenizer;
    const gw_host *host;
    int32_t *out_ids;
    size_t n_max, n;
    const char *text; // what symbols' positions count from
    gw_vec(gw_symbol) symbols;
    gw_vec(gw_bigram) heap;
    char *escaped; // SPM: the text with its spaces replaced; others: the text rewritten
    size_t escaped_bytes, n_escaped;
    gw_vec(gw_ending) endings; // Unigram
    void *match_data;          // BPE: the pattern matcher's own
    void *match_context;       // BPE
} gw_encoder;

// --- tokenizer_index.c
uint64_t gw_index_hash(uint64_t seed, const char *text, size_t n);
// n_items 0 is fine. Only GODWIT_OUT_OF_MEMORY.
godwit_status gw_index_init(gw_index *index, const gw_host *host, size_t n_items,
                            godwit_error *err);
void gw_index_deinit(gw_index *index, const gw_host *host);
// The index of text among texts, -1 when it is not there.
int32_t gw_index_find_text(const gw_index *index, const gw_str *texts, gw_str text);
// Adds texts[item] unless an equal text is there; *out_item is the one that is.
godwit_status gw_index_add_text(gw_index *index, const gw_str *texts, uint32_t item,
                                uint32_t *out_item, godwit_error *err);
// The rank of the merge of left and right, -1: none.
int32_t gw_index_find_merge(const gw_index *index, const gw_merge *merges, uint32_t left,
                            uint32_t right);
godwit_status gw_index_add_merge(gw_index *index, const gw_merge *merges, uint32_t item,
                                 godwit_error *err);

// --- tokenizer_load.c, bpe.c, tokenizer_special.c: parts of create, in this order
godwit_status gw_tokenizer_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);
godwit_status gw_bpe_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);
godwit_status gw_special_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);
// *out_id -1: none. One that is out of range is warned of; fallback is what "llama" vocabularies
// have without the key.
godwit_status gw_tokenizer_load_id(const gw_tokenizer *tokenizer, const gw_gguf *gguf,
                                   const char *key, int32_t fallback, int32_t *out_id,
                                   godwit_error *err);
// The control or unknown token of a text, -1: none.
int32_t gw_tokenizer_find_control(const gw_tokenizer *tokenizer, gw_str text);
// tokenizer.ggml.<name> as an array of strings; *out_value NULL when the key is missing.
godwit_status gw_tokenizer_string_array(const gw_gguf *gguf, const char *key,
                                        const gw_gguf_value **out_value, godwit_error *err);

// --- tokenizer_ends.c: after the kinds, which it may change, and the special ids
godwit_status gw_ends_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);

// --- tokenizer_special.c
// The special token that text begins with (the longest), -1: none.
int32_t gw_special_match(const gw_tokenizer *tokenizer, gw_str text, bool parse_special);

// --- tokenizer_pre.c
typedef godwit_status (*gw_word_fn)(gw_encoder *encoder, gw_str word, godwit_error *err);
// name {NULL, 0}: the file names none.
godwit_status gw_pre_create(const gw_host *host, gw_str name, gw_pre **out_pre,
                            bool *out_ignore_merges, bool *out_add_bos, godwit_error *err);
void gw_pre_destroy(const gw_host *host, gw_pre **pre);
// Calls word for each piece of text, in order, every byte in exactly one.
godwit_status gw_pre_split(const gw_pre *pre, gw_encoder *encoder, gw_str text, gw_word_fn word,
                           godwit_error *err);
void gw_pre_release(gw_encoder *encoder); // what gw_pre_split left in the encoder

// --- tokenizer_merge.c
// Says whether the adjacent symbols left and right may become one: its priority (lowest first) and
// id.
typedef bool (*gw_pair_fn)(const gw_encoder *encoder, const gw_symbol *left, const gw_symbol *right,
                           uint32_t *out_priority, int32_t *out_id);
// Appends a symbol behind the last.
godwit_status gw_merge_push_symbol(gw_encoder *encoder, uint32_t pos, uint32_t n, int32_t id,
                                   godwit_error *err);
godwit_status gw_merge_run(gw_encoder *encoder, gw_pair_fn pair, godwit_error *err);

// --- spm.c, bpe.c: ids of a text without special tokens
godwit_status gw_spm_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
godwit_status gw_words_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
// Past the spaces (U+2581) at `at` and the other characters behind them.
size_t gw_spm_word_end(gw_str text, size_t at);
godwit_status gw_bpe_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
// Of gw_merge_run: the merge of two symbols, by its rank.
bool gw_bpe_pair(const gw_encoder *encoder, const gw_symbol *left, const gw_symbol *right,
                 uint32_t *out_priority, int32_t *out_id);
uint32_t gw_bpe_byte_char(uint8_t byte);   // the code point that stands for a byte
int gw_bpe_char_byte(uint32_t code_point); // and back; -1: stands for none

// --- tokenizer_trie.c
// Of the tokens that text may become (build_index in tokenizer_load.c).
godwit_status gw_trie_load(gw_tokenizer *tokenizer, godwit_error *err);
// The child of a node by a byte, 0: none. The root is node 0.
uint32_t gw_trie_step(const gw_trie *trie, uint32_t node, uint8_t byte);

// --- wordpiece.c, bert_chars.c
godwit_status gw_wordpiece_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);
godwit_status gw_wordpiece_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
typedef enum gw_bert_class {
    GW_BERT_PART, // of a word
    GW_BERT_DROP,
    GW_BERT_SPACE,
    GW_BERT_MARK, // left out with accents
    GW_BERT_SIGN, // a word of its own
} gw_bert_class;
enum { GW_BERT_CHAR_BYTES = 24 }; // what a character becomes, at most
gw_bert_class gw_bert_class_of(uint32_t code_point, bool strip_accents);
// What a character becomes; gives the number of bytes.
size_t gw_bert_rewrite(uint32_t code_point, bool strip_accents, bool lowercase,
                       char out[GW_BERT_CHAR_BYTES]);

// --- unigram.c, charsmap.c
godwit_status gw_unigram_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err);
godwit_status gw_unigram_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
godwit_status gw_charsmap_load(const gw_gguf *gguf, gw_charsmap *out, godwit_error *err);
// What the longest beginning of text that the map knows becomes, or its first character; *out_n: the
// bytes of text that it takes. text.n >= 1.
gw_str gw_charsmap_rewrite(const gw_charsmap *map, gw_str text, size_t *out_n);

// --- tokenizer.c
// Bytes behind those of encoder->escaped.
godwit_status gw_encoder_append(gw_encoder *encoder, const char *text, size_t n, godwit_error *err);
void gw_encoder_emit(gw_encoder *encoder, int32_t id);
// A byte, or a character (text) that no token spells: its unknown token, or an error.
godwit_status gw_encoder_emit_unknown(gw_encoder *encoder, gw_str text, godwit_error *err);

#endif
