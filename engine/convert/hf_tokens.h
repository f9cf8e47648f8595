// Hf tokens: what hf_tokenizer.c and hf_spm.c share of a tokenizer.json on its way.
#ifndef GW_CONVERT_HF_TOKENS_H
#define GW_CONVERT_HF_TOKENS_H

#include "convert/hf.h"
#include "file/name_index.h"
#include "text/tokenizer.h"

typedef struct gw_hf_merge {
    gw_str left, right;
} gw_hf_merge;

typedef struct gw_hf_tokens {
    gw_hf *hf;
    const gw_json *model;
    bool is_spm;
    uint32_t n; // vocab_size
    gw_str *texts;
    uint8_t *kinds;      // gw_token_kind; GW_TOKEN_UNDEFINED: no token has that id yet
    float *scores;       // SPM
    gw_name_index index; // of model.vocab
    gw_hf_merge *merges;
    uint32_t n_merges;
    int64_t ends[2]; // bos, eos; -1: none
} gw_hf_tokens;

// Checks that the merges are those of a SentencePiece vocabulary, and sets scores and keys.
godwit_status gw_hf_spm(gw_hf_tokens *tokens, godwit_error *err);

#endif
