// Hf tokens: what hf_tokenizer.c and the files of its kinds share of a vocabulary on its way.
#ifndef GW_CONVERT_HF_TOKENS_H
#define GW_CONVERT_HF_TOKENS_H

#include "convert/hf.h"
#include "file/name_index.h"
#include "text/tokenizer.h"

typedef struct gw_hf_merge {
    gw_str left, right;
} gw_hf_merge;

// tokenizer.ggml.model: gpt2, llama, gemma4, bert, t5.
typedef enum gw_hf_kind {
    GW_HF_BPE,
    GW_HF_SPM,     // merges of a SentencePiece vocabulary, as scores
    GW_HF_SPM_BPE, // its characters, and merges in their own order
    GW_HF_WORDPIECE,
    GW_HF_UNIGRAM,
} gw_hf_kind;

typedef struct gw_hf_tokens {
    gw_hf *hf;
    const gw_json *model;
    gw_hf_kind kind;
    uint32_t n; // vocab_size
    gw_str *texts;
    uint8_t *kinds;      // gw_token_kind; GW_TOKEN_UNDEFINED: no token has that id yet
    float *scores;       // SPM and Unigram
    gw_name_index index; // of model.vocab
    gw_hf_merge *merges;
    uint32_t n_merges;
    int64_t ends[2]; // bos, eos; -1: none
} gw_hf_tokens;

// Checks that the merges are those of a SentencePiece vocabulary, and sets scores and keys.
godwit_status gw_hf_spm(gw_hf_tokens *tokens, godwit_error *err);
// The keys of merges in their own order.
godwit_status gw_hf_spm_bpe(gw_hf_tokens *tokens, godwit_error *err);
// WordPiece: rewrites the texts, and sets keys. (hf_wordpiece.c)
godwit_status gw_hf_wordpiece(gw_hf_tokens *tokens, godwit_error *err);
// Unigram: reads model.vocab into texts, kinds and scores, and sets keys. (hf_unigram.c)
godwit_status gw_hf_unigram(gw_hf_tokens *tokens, godwit_error *err);

// A token of that text and number; an error where the number has another text.
godwit_status gw_hf_put_token(gw_hf_tokens *t, gw_str text, uint64_t id, uint8_t kind,
                              godwit_error *err);
// Tokens behind those of the vocabulary's own file: tokenizer_config.json's, by number, and
// added_tokens.json's. over: the first take the place of what the vocabulary has there.
godwit_status gw_hf_read_later(gw_hf_tokens *t, bool over, godwit_error *err);
// -1: there is none.
int64_t gw_hf_find_token(const gw_hf_tokens *t, gw_str text);
bool gw_hf_is_byte_token(gw_str text);
godwit_status gw_hf_set_bool(gw_hf *hf, const char *key, bool value, godwit_error *err);

// tokenizer.model, a message of SentencePiece (hf_sentencepiece.c), and *.tiktoken (hf_tiktoken.c): all
// of tokenizer.ggml.* where the folder has no tokenizer.json; of the first also the scores of one that has.
godwit_status gw_hf_sentencepiece(gw_hf_tokens *t, godwit_error *err);
godwit_status gw_hf_sentencepiece_scores(gw_hf_tokens *t, godwit_error *err);
godwit_status gw_hf_tiktoken(gw_hf_tokens *t, godwit_error *err);
// Bytes of base64 in the arena; *out NULL: it is none.
godwit_status gw_hf_base64(gw_arena *arena, gw_str text, gw_str *out, godwit_error *err);

#endif
