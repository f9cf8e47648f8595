// Tokenizer internals: what tokenizer*.c, spm.c and bpe.c share.
//
// The way of a text: tokenizer.c cuts it at special tokens (tokenizer_special.c); what lies between
// goes to spm.c whole, or through tokenizer_pre.c's patterns word by word to bpe.c; both hand a row
// of symbols to the one merge loop in tokenizer_merge.c. The way of an id: tokenizer_decode.c.
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
    // Bounds the work at each byte of a text to this many steps.
    GW_SPECIAL_MAX_BYTES = 256,
    // An honest table of a million texts, half full, has no chain longer than about 100.
    GW_INDEX_MAX_PROBES = 512,
};

typedef enum gw_tokenizer_model { GW_TOKENIZER_SPM, GW_TOKENIZER_BPE } gw_tokenizer_model;

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
    float *scores;   // [n_tokens], SPM only
    gw_index index;  // text -> token or symbol; no control, unknown or byte tokens in it
    gw_special *specials;
    size_t n_specials;
    size_t specials_cap;
    bool special_first[256]; // some special token begins with this byte
    int32_t bos, eos, unknown;
    bool add_bos, add_eos;
    bool words_apart;      // SPM: no token's text has a space (U+2581) behind another character
    bool add_space_prefix; // SPM
    int32_t byte_ids[256]; // the token that spells a byte, -1: none
    uint32_t byte_symbols[256]; // BPE: the symbol a byte starts as
    gw_merge *merges;
    size_t n_merges;
    gw_index merge_index;
    gw_pre *pre;
    bool ignore_merges; // BPE: a word that is a token needs no merging
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

// One call of encode: where ids go, and scratch that all its words reuse.
typedef struct gw_encoder {
    const gw_tokenizer *tokenizer;
    const gw_host *host;
    int32_t *out_ids;
    size_t n_max, n;
    const char *text; // what symbols' positions count from
    gw_vec(gw_symbol) symbols;
    gw_vec(gw_bigram) heap;
    char *escaped; // SPM: the text with its spaces replaced
    size_t escaped_bytes;
    void *match_data;    // BPE: the pattern matcher's own
    void *match_context; // BPE
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
// Past the spaces (U+2581) at `at` and the other characters behind them.
size_t gw_spm_word_end(gw_str text, size_t at);
godwit_status gw_bpe_encode(gw_encoder *encoder, gw_str text, godwit_error *err);
uint32_t gw_bpe_byte_char(uint8_t byte);   // the code point that stands for a byte
int gw_bpe_char_byte(uint32_t code_point); // and back; -1: stands for none

// --- tokenizer.c
void gw_encoder_emit(gw_encoder *encoder, int32_t id);
// A byte, or a character (text) that no token spells: its unknown token, or an error.
godwit_status gw_encoder_emit_unknown(gw_encoder *encoder, gw_str text, godwit_error *err);

#endif
