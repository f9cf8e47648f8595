// Recognize: see recognize.h.
#include "file/recognize.h"

#include "base/status.h"
#include "file/reader.h"

#include <stdio.h>
#include <sys/stat.h>

// --- by the first bytes --------------------------------------------------------------------------

typedef struct magic {
    const char *bytes;
    uint32_t n;
    const char *what;
} magic;

#define OLD_GGML                                                                                   \
    "a model in a format older than GGUF, which llama.cpp gave up in 2023: get a GGUF file of "    \
    "it, "                                                                                         \
    "or convert the original"
#define COMPRESSED "a compressed file: unpack it"
#define PROGRAM    "a program, not a model; of a llamafile the GGUF file itself is wanted"

// Numbers of the older formats are little-endian, so that their letters stand the other way round.
static const magic magics[] = {
    {"version https://git-lfs", 23,
     "a Git LFS pointer, not the model itself, which was not downloaded: `git lfs pull` gets it"},
    {"PK\003\004", 4,
     "a ZIP archive, as PyTorch's checkpoints (.bin, .pt, .pth) are: `godwit convert` makes a GGUF "
     "file of a folder with *.safetensors"},
    {"lmgg", 4, OLD_GGML},
    {"fmgg", 4, OLD_GGML},
    {"tjgg", 4, OLD_GGML},
    {"algg", 4, "a LoRA adapter in a format older than GGUF: it changes a model and is none"},
    {"\037\213", 2, COMPRESSED},
    {"\x28\xb5\x2f\xfd", 4, COMPRESSED},
    {"\xfd"
     "7zXZ",
     5, COMPRESSED},
    {"BZh", 3, COMPRESSED},
    {"7z\xbc\xaf\x27\x1c", 6, COMPRESSED},
    {"\177ELF", 4, PROGRAM},
    {"MZ", 2, PROGRAM},
    {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file, as Keras writes models: a GGUF file is wanted"},
    {"\x93NUMPY", 6, "a NumPy array: no model"},
};

static bool begins(const uint8_t *bytes, uint64_t n_bytes, const char *with) {
    size_t n = strlen(with);
    if (n > n_bytes) return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] + ('a' - 'A') : bytes[i];
        if (c != (uint8_t)with[i]) return false;
    }
    return true;
}

static const char *recognize_text(const uint8_t *bytes, uint64_t n_bytes) {
    uint64_t at = n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < n_bytes && memchr(" \t\r\n", bytes[at], 4)) at++;
    bytes += at;
    n_bytes -= at;
    if (begins(bytes, n_bytes, "<!doctype html") || begins(bytes, n_bytes, "<html") ||
        begins(bytes, n_bytes, "<head")) {
        return "an HTML page, not the model: what was downloaded is a page about it, or an error; "
               "download the file itself";
    }
    if (begins(bytes, n_bytes, "<?xml")) {
        return "an XML text, often a server's error: download the file again";
    }
    if (n_bytes > 0 && (bytes[0] == '{' || bytes[0] == '[')) {
        return "a JSON text, a server's error or a model's settings: the model itself is another "
               "file";
    }
    return NULL;
}

// A server's word in the place of a file: short, and all of it text.
static bool is_short_text(const uint8_t *bytes, uint64_t n_bytes, uint64_t n_file) {
    enum { LONG = 1024, SHORT = 5 };
    if (n_file > LONG || n_bytes < n_file || n_bytes < SHORT) return false;
    for (uint64_t i = 0; i < n_bytes; i++) {
        if ((bytes[i] < ' ' || bytes[i] > '~') && !memchr("\t\r\n", bytes[i], 3)) return false;
    }
    return true;
}

// A protocol buffer of ONNX: the version of its form, then who made it, or the next field.
static bool is_onnx(const uint8_t *bytes, uint64_t n_bytes) {
    return n_bytes >= 4 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] <= 0x20 &&
           (bytes[2] == 0x12 || bytes[2] == 0x3a) && bytes[3] > 0;
}

static bool is_at(const uint8_t *bytes, uint64_t n_bytes, uint64_t at, const char *text) {
    const size_t n = strlen(text);
    return n_bytes >= at + n && memcmp(bytes + at, text, n) == 0;
}

// A header's length, then JSON.
static bool is_safetensors(const uint8_t *bytes, uint64_t n_bytes, uint64_t n_file) {
    if (n_bytes < 9 || n_file < 9) return false;
    uint64_t n_header = gw_le64(bytes);
    return n_header >= 2 && n_header <= n_file - 8 && bytes[8] == '{';
}

// The older container of importance matrices: entries, then the first one's name.
static bool is_old_imatrix(const uint8_t *bytes, uint64_t n_bytes) {
    if (n_bytes < 8) return false;
    uint32_t n_entries = gw_le32(bytes), n_name = gw_le32(bytes + 4);
    if (n_entries == 0 || n_entries > 1 << 16 || n_name < 8 || n_name > 256) return false;
    if (n_name > n_bytes - 8) return false;
    gw_str name = {(const char *)bytes + 8, n_name};
    return gw_reader_name_ok(name) && memcmp(name.text + n_name - 7, ".weight", 7) == 0;
}

// A pickle of protocol 2 to 5, which begins with an object, a class or a number, not with text.
static bool is_pickle(const uint8_t *bytes, uint64_t n_bytes) {
    return n_bytes >= 3 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5 &&
           memchr("}](c\x8a\x95K", bytes[2], 7);
}

static bool all_zero(const uint8_t *bytes, uint64_t n_bytes) {
    for (uint64_t i = 0; i < n_bytes; i++) {
        if (bytes[i]) return false;
    }
    return n_bytes > 0;
}

const char *gw_recognize(const uint8_t *bytes, uint64_t n_bytes, uint64_t n_file) {
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];
        if (n_bytes >= m->n && memcmp(bytes, m->bytes, m->n) == 0) return m->what;
    }
    if (is_safetensors(bytes, n_bytes, n_file)) {
        return "a safetensors file: `godwit convert` makes a GGUF file of the folder that it is in";
    }
    if (is_pickle(bytes, n_bytes)) {
        return "a Python pickle, as older PyTorch checkpoints are: `godwit convert` makes a GGUF "
               "file of a folder with *.safetensors";
    }
    if (is_old_imatrix(bytes, n_bytes)) {
        return "an importance matrix, which `godwit quantize --imatrix` reads: no model";
    }
    if (is_onnx(bytes, n_bytes)) return "an ONNX model: a GGUF file is wanted";
    if (is_at(bytes, n_bytes, 4, "TFL3")) return "a TensorFlow Lite model: a GGUF file is wanted";
    if (is_at(bytes, n_bytes, 257, "ustar")) return "a tar archive: unpack it";
    if (all_zero(bytes, n_bytes)) return "zeros at its beginning: a download that did not finish";
    const char *text = recognize_text(bytes, n_bytes);
    if (text || !is_short_text(bytes, n_bytes, n_file)) return text;
    return "a short text, often a server's answer to a download: look into it";
}

// --- folders --------------------------------------------------------------------------------------

static bool has_file(const char *folder, const char *name) {
    char path[4096];
    struct stat st;
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0;
}

const char *gw_recognize_folder(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return NULL;
    if (has_file(path, "adapter_config.json"))
        return "a folder with a LoRA adapter as PEFT writes it: `godwit convert` makes a GGUF file "
               "of it, which --lora takes";
    if (has_file(path, "config.json"))
        return "a folder in Hugging Face's layout: `godwit convert` makes a GGUF file of it";
    return "a folder: name the GGUF file in it";
}

// --- by the metadata -----------------------------------------------------------------------------

static bool text_is(const gw_gguf *gguf, const char *key, const char *text) {
    gw_str value = {NULL, 0};
    return gw_gguf_get_str(gguf, key, &value, NULL) == GODWIT_OK && value.text &&
           gw_str_eq(value, gw_str_of(text));
}

// Whether the first tensor, so any of a kind of file whose tensors are all alike, ends so.
static bool first_ends(const gw_gguf *gguf, const char *suffix) {
    const gw_gguf_tensor *tensor = gw_gguf_tensor_at(gguf, 0);
    size_t n = tensor ? strlen(tensor->name) : 0, n_suffix = strlen(suffix);
    return n > n_suffix && strcmp(tensor->name + n - n_suffix, suffix) == 0;
}

bool gw_gguf_is_imatrix(const gw_gguf *gguf) {
    return text_is(gguf, "general.type", "imatrix") || first_ends(gguf, ".in_sum2");
}

const char *gw_recognize_gguf(const gw_gguf *gguf) {
    if (gw_gguf_is_imatrix(gguf)) {
        return "an importance matrix, which `godwit quantize --imatrix` reads: no model";
    }
    if (text_is(gguf, "general.type", "adapter") || gw_gguf_find(gguf, "adapter.type") ||
        first_ends(gguf, ".lora_a")) {
        return "a LoRA adapter (general.type is adapter): it changes a model and is none; `--lora "
               "FILE` "
               "beside a model applies it";
    }
    if (text_is(gguf, "general.type", "mmproj") || text_is(gguf, "general.architecture", "clip")) {
        return "an image or audio encoder (mmproj, architecture clip), which goes with a language "
               "model and is none";
    }
    return NULL;
}

godwit_status gw_gguf_check_model(const gw_gguf *gguf, godwit_error *err) {
    const char *what = gw_recognize_gguf(gguf);
    return what ? gw_fail(err, GODWIT_UNSUPPORTED, "%s", what) : GODWIT_OK;
}
