// Hf: a Hugging Face folder as a GGUF file.
//
// Owns the translation of names: of llama's family hyper-parameters (hf_config.c) and tensors
// (hf_tensors.c), of others tables (hf_family.h); tokenizer
// (hf_tokenizer.c, hf_pre.def), chat templates (hf_templates.c). A setting that changes results and
// that this page does not know is refused, never left out. Sources: transformers' configuration of
// the family; llama.cpp's conventions for the keys, the order of rows in Wq and Wk, and padding
// tokens. Thread rule: a folder belongs to one thread at a time.
#ifndef GW_CONVERT_HF_H
#define GW_CONVERT_HF_H

#include "convert/convert.h"
#include "file/json.h"
#include "convert/hf_view.h"
#include "file/safetensors.h"

enum { GW_HF_MAX_VECTORS = 2 };
// A vector that is computed.
typedef struct gw_hf_vector {
    const char *name;
    const float *items;
    uint64_t n;
} gw_hf_vector;

enum { GW_HF_MAX_DENSE = 2 };

enum { GW_HF_MAX_TEMPLATES = 64, GW_HF_MAX_TEMPLATE_NAME = 64 };

typedef struct gw_hf_template {
    gw_str name, text;
} gw_hf_template;

typedef struct gw_hf {
    const gw_host *host;
    gw_arena arena;
    const char *folder;
    // NULL: the folder has no such file.
    const gw_json *config, *tokenizer, *tokenizer_config, *generation_config, *chat_template_json;
    const gw_json *modules; // of sentence_transformers
    // Vocabularies of other kinds; {NULL, 0}: the folder has none.
    gw_str sentencepiece, tiktoken;
    char tiktoken_name[64];
    gw_hf_template templates[GW_HF_MAX_TEMPLATES]; // until they are read, those that are files
    size_t n_templates;
    gw_safetensors *weights;
    gw_safetensors *dense[GW_HF_MAX_DENSE]; // matrices behind the pooling, of folders in this one
    size_t n_dense;
    gw_gguf_writer *writer;
    uint64_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim, n_vocab, n_ctx;
    const struct gw_hf_family *family; // NULL: llama's own
    bool says_head_dim;
    gw_hf_vector vectors[GW_HF_MAX_VECTORS];
    size_t n_vectors;
    gw_hf_slab slab;
    bool is_mistral; // MistralForCausalLM; else LlamaForCausalLM
    bool tied, attention_bias, mlp_bias;
    const float *rope_divisors; // [head_dim / 2], or NULL
} gw_hf;

godwit_status gw_convert_folder(const gw_host *host, const char *folder,
                                const godwit_quantize_params *params, const char *path,
                                godwit_quantize_result *out_result, godwit_error *err);

// A folder of PEFT's. (hf_adapter.c)
godwit_status gw_convert_adapter(const gw_host *host, const char *folder,
                                 const godwit_quantize_params *params, const char *path,
                                 godwit_quantize_result *out_result, godwit_error *err);
// The folder is there, and what is written is none of its files; but for a *.gguf, which is read of
// no folder and may be of an earlier conversion.
godwit_status gw_hf_check_folder(const char *folder, const char *out_path, godwit_error *err);

// Parts of it, in this order: sizes and rope scaling into the writer; tokens; chat templates; the
// list of tensors (in the arena), not yet chosen formats for.
godwit_status gw_hf_read_config(gw_hf *hf, godwit_error *err);
godwit_status gw_hf_read_tokenizer(gw_hf *hf, godwit_error *err);
godwit_status gw_hf_set_templates(gw_hf *hf, godwit_error *err);
godwit_status gw_hf_list_tensors(gw_hf *hf, gw_convert_job *job, gw_convert_tensor **out_tensors,
                                 size_t *out_n, godwit_error *err);
// Weights of 8 bits as what they are with their scales, in the place of hf->weights' own. (hf_scales.c)
godwit_status gw_hf_read_scales(gw_hf *hf, godwit_error *err);
// A file of the folder. *out NULL: there is none, which is an error where it is needed.
godwit_status gw_hf_read_json(gw_hf *hf, const char *name, bool needed, const gw_json **out,
                              godwit_error *err);
// Whether an output that config.json ties to the embedding has other values than that: both are kept
// then, as transformers does.
godwit_status gw_hf_has_own_output(const gw_hf *hf, bool *out_own, godwit_error *err);
// A name of GGUF for a tokenizer.json's pre_tokenizer.
godwit_status gw_hf_pre_name(const gw_json *pre, bool ignore_merges, const char **out_name,
                             godwit_error *err);

#endif
