// Recognize: what a file is that is no model, by its first bytes or its metadata.
//
// People hand over what a download left them: a web page, a Git LFS pointer, a part of a
// checkpoint. "Not GGUF" helps none of them; what it is, and what to do, does.
#ifndef GW_FILE_RECOGNIZE_H
#define GW_FILE_RECOGNIZE_H

#include "file/gguf.h"

// What bytes that are no GGUF begin, as a phrase: "an HTML page, ...". n_bytes of n_file are there.
// NULL: nothing known.
const char *gw_recognize(const uint8_t *bytes, uint64_t n_bytes, uint64_t n_file);
// What a folder is, as such a phrase; NULL for what is none, or not known.
const char *gw_recognize_folder(const char *path);
// What a GGUF file that is no language model is; NULL: nothing speaks against a model.
const char *gw_recognize_gguf(const gw_gguf *gguf);
// GODWIT_UNSUPPORTED with that phrase.
godwit_status gw_gguf_check_model(const gw_gguf *gguf, godwit_error *err);
bool gw_gguf_is_imatrix(const gw_gguf *gguf);

#endif
