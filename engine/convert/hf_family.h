// Hf family: what a folder's class is among GGUF's architectures, as rows of tables.
//
// Owns the families beside llama's own (hf_config.c), their keys (hf_keys.def) and the names of their
// tensors (hf_names.def). A setting is looked for in text_config, then beside it, as folders of models for
// pictures and text have it; then among the defaults of its class (hf_family.def). Sources: transformers'
// configurations; llama.cpp's conventions for keys, names and the order of rows.
#ifndef GW_CONVERT_HF_FAMILY_H
#define GW_CONVERT_HF_FAMILY_H

#include "convert/hf.h"

typedef enum gw_hf_id {
#define X(id, arch, acts, flags) GW_HF_##id,
#include "convert/hf_family.def"
#undef X
    GW_HF_N_FAMILIES,
    GW_HF_NOT, // in front of a set: all that are not in it
} gw_hf_id;

// What tells families apart, besides names.
enum {
    GW_HF_PLUS_ONE = 1 << 0, // 1 is added to norms
    GW_HF_TURNS = 1 << 1,    // rows of q and k are halves of heads, and GGUF has neighbours
    GW_HF_WINDOW = 1 << 2,   // sliding_window means something
    GW_HF_PATTERN = 1 << 3,  // which layers have it is written for each
    GW_HF_TIED = 1 << 4,     // has no output of its own
    GW_HF_PART = 1 << 5,     // part of a head turns: rope.dimension_count is written
    GW_HF_ENCODER = 1 << 6,
};

struct gw_hf_family {
    gw_hf_id id;
    const char *arch, *acts; // acts: names of hidden_act, "" where there is no such setting
    uint32_t flags;
};
typedef struct gw_hf_family gw_hf_family;

// Several families: their ids, as many as there are. Groups of them are names of lists ("A, B").
typedef const gw_hf_id *gw_hf_set;
#define GW_HF_OF(...)  ((const gw_hf_id[]){__VA_ARGS__, GW_HF_N_FAMILIES})
#define GW_HF_BUT(...) GW_HF_OF(GW_HF_NOT, __VA_ARGS__)
#define GW_HF_ANY      GW_HF_OF(GW_HF_NOT)
#define GW_HF_ONE(id)  GW_HF_OF(GW_HF_##id)

// NULL: the class of config.json is none of these.
const gw_hf_family *gw_hf_family_of(const gw_hf *hf);
// The rows that llama's own classes have, which their folders do without; NULL: another class.
const gw_hf_family *gw_hf_family_of_llama(const gw_hf *hf);
bool gw_hf_in(const gw_hf *hf, gw_hf_set families);

// names: alternatives, "a|b". NULL where there is none, or it is null.
const gw_json *gw_hf_setting(const gw_hf *hf, const char *names);
// The same with the class's default. *out untouched where there is neither.
bool gw_hf_number(const gw_hf *hf, const char *names, double *out);
// The same of a whole number in [min, max]; fallback where there is none (UINT64_MAX: an error).
godwit_status gw_hf_size(const gw_hf *hf, const char *names, uint64_t fallback, uint64_t min,
                         uint64_t max, uint64_t *out, godwit_error *err);
// The i-th of layer_types, {NULL, 0}: none is named.
gw_str gw_hf_layer_type(const gw_hf *hf, uint64_t layer);

// Keys of <arch>.*, sizes of hf. (hf_keys.c, hf_ropes.c)
godwit_status gw_hf_family_config(gw_hf *hf, godwit_error *err);
godwit_status gw_hf_family_rope(gw_hf *hf, godwit_error *err);
// Keys with a family's own arithmetic (hf_layers.c): those of a number a layer, and of mixers.
godwit_status gw_hf_family_layers(gw_hf *hf, godwit_error *err);
// Of MPT, T5, ChatGLM, Apertus, Llama 4 and others, whose settings have names of their own. (hf_words.c)
godwit_status gw_hf_family_words(gw_hf *hf, godwit_error *err);
// Of Laguna, Step 3.5, MiMo V2 and Kimi Linear. (hf_heads.c)
godwit_status gw_hf_family_heads(gw_hf *hf, godwit_error *err);
// Of Mamba 1 and 2. (hf_mamba.c)
bool gw_hf_has_heads(const gw_hf *hf);  // some layer has attention
bool gw_hf_has_no_end(const gw_hf *hf); // of a context
godwit_status gw_hf_family_mamba(gw_hf *hf, godwit_error *err);
godwit_status gw_hf_family_mamba1(gw_hf *hf, godwit_error *err);
#define GW_HF_GRANITEHYBS GW_HF_GRANITEHYB, GW_HF_GRANITEHYBMOE
#define GW_HF_NEMOTRONHS  GW_HF_NEMOTRONH, GW_HF_NEMOTRONHMOE
#define GW_HF_DEEPSEEKS   GW_HF_DEEPSEEK2, GW_HF_DEEPSEEK3, GW_HF_MISTRAL4
#define GW_HF_MAMBAS1     GW_HF_MAMBA, GW_HF_FALCONMAMBA
#define GW_HF_T5S         GW_HF_T5, GW_HF_T5ENCODER
#define GW_HF_MAMBAS      GW_HF_GRANITEHYBS, GW_HF_NEMOTRONHS, GW_HF_MAMBA2, GW_HF_FALCONH1
// Of an encoder, and how a folder's embeddings are made of its tokens' (hf_encoders.c).
godwit_status gw_hf_family_encoder(gw_hf *hf, godwit_error *err);
// RoBERTa's positions begin behind the number that stands for padding.
uint64_t gw_hf_position_offset(const gw_hf *hf);
godwit_status gw_hf_set_u32(gw_hf *hf, const char *key, uint64_t number, godwit_error *err);
godwit_status gw_hf_set_f32(gw_hf *hf, const char *key, double number, godwit_error *err);
// "<arch>.<key>" in a buffer.
enum { GW_HF_KEY_BYTES = 96 };
const char *gw_hf_key(const gw_hf *hf, const char *key, char out[GW_HF_KEY_BYTES]);

// The list of tensors, as gw_hf_list_tensors. (hf_map.c)
godwit_status gw_hf_map_tensors(gw_hf *hf, gw_convert_job *job, gw_convert_tensor **out_tensors,
                                size_t *out_n, godwit_error *err);

#endif
