// Tokenizer: text <-> token ids, from a GGUF's tokenizer.ggml.* metadata.
//
// Owns the vocabulary's index and the choice of algorithm: SentencePiece-style (llama:
// highest-score pair merges, byte fallback), byte-level BPE (gpt2: pre-tokenizer pattern, ranked
// merges), WordPiece (bert: longest match) and Unigram (t5: the likeliest pieces). Pieces point into the GGUF's bytes, which must outlive the tokenizer. Thread rule:
// immutable after create.
#ifndef GW_TEXT_TOKENIZER_H
#define GW_TEXT_TOKENIZER_H

#include "file/gguf.h"

// --- what vocabularies have in common

// tokenizer.ggml.token_type, the numbers of the GGUF specification.
typedef enum gw_token_kind {
    GW_TOKEN_UNDEFINED, // read as normal
    GW_TOKEN_NORMAL,
    GW_TOKEN_UNKNOWN,
    GW_TOKEN_CONTROL,
    GW_TOKEN_USER_DEFINED,
    GW_TOKEN_UNUSED, // read as normal
    GW_TOKEN_BYTE,
    GW_TOKEN_N_KINDS,
} gw_token_kind;

#define GW_TOKEN_SPACE "\xE2\x96\x81" // U+2581: a space, in SentencePiece-style vocabularies
// The byte that "<0xNN>" spells, -1: another text.
int gw_token_byte(gw_str text);

// The place of a text that ends a generation by itself in tokenizer_ends.def, -1: it does not.
int gw_end_text(gw_str text);
bool gw_is_turn_end(gw_str text); // and is a control token, whatever a file says

// --- a vocabulary

typedef struct gw_tokenizer gw_tokenizer;

// Errors: GODWIT_UNSUPPORTED names a model or pre-tokenizer that this build does not have;
// GODWIT_MALFORMED names the key that is missing, too short, or has an id out of range.
godwit_status gw_tokenizer_create(const gw_host *host, const gw_gguf *gguf,
                                  gw_tokenizer **out_tokenizer, godwit_error *err);
void gw_tokenizer_destroy(gw_tokenizer **tokenizer);
uint32_t gw_tokenizer_n_tokens(const gw_tokenizer *tokenizer);
int32_t gw_tokenizer_bos(const gw_tokenizer *tokenizer); // -1: none
int32_t gw_tokenizer_eos(const gw_tokenizer *tokenizer);
bool gw_tokenizer_is_end(const gw_tokenizer *tokenizer, int32_t token);
// Semantics: godwit_tokenizer_encode / godwit_tokenizer_decode in godwit.h.
godwit_status gw_tokenizer_encode(const gw_tokenizer *tokenizer, const char *text, size_t n_bytes,
                                  const godwit_encode_params *params, int32_t *out_ids,
                                  size_t n_max, size_t *out_n, godwit_error *err);
godwit_status gw_tokenizer_decode(const gw_tokenizer *tokenizer, godwit_decoder *decoder,
                                  int32_t token, char *text, size_t text_bytes, size_t *out_bytes,
                                  godwit_error *err);

#endif
