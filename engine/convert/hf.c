// Hf: see hf.h.
#include "convert/hf_family.h"

#include "base/file.h"
#include "base/save.h"
#include "base/sort.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_TEXT_BYTES = 256 << 20 };

#define TEMPLATES "additional_chat_templates"

static godwit_status path_of(const gw_hf *hf, const char *name, char *path, size_t path_bytes,
                             godwit_error *err) {
    int n = snprintf(path, path_bytes, "%s/%s", hf->folder, name);
    if (n > 0 && (size_t)n < path_bytes) return GODWIT_OK;
    return gw_fail(err, GODWIT_INVALID_ARGUMENT, "a path of over %zu bytes", path_bytes - 1);
}

static bool is_gguf(const char *name) {
    size_t n = strlen(name);
    return n >= 5 && strcmp(name + n - 5, ".gguf") == 0;
}

godwit_status gw_hf_check_folder(const char *name, const char *out_path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hf hf = {.folder = name};
    char path[4096];
    DIR *folder = opendir(name);
    if (!folder) return gw_fail_io(err, errno, "open the folder", name);
    for (struct dirent *e; status == GODWIT_OK && (e = readdir(folder));) {
        if (is_gguf(e->d_name)) continue;
        GW_TRY(path_of(&hf, e->d_name, path, sizeof path, err));
        GW_TRY(gw_save_check_input(out_path, path, err));
    }
done:
    closedir(folder);
    return status;
}

// A whole file, copied into the arena, since what is read of it is used until the end. {NULL, 0}:
// there is none.
static godwit_status read_text(gw_hf *hf, const char *name, gw_str *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[4096];
    gw_file file = {0};
    *out = (gw_str){0};
    GW_TRY(path_of(hf, name, path, sizeof path, err));
    if (access(path, F_OK) != 0) return GODWIT_OK;
    GW_TRY(gw_file_open(path, &file, err));
    if (file.n_bytes > MAX_TEXT_BYTES) {
        GW_FAIL(err, GODWIT_MALFORMED, "%s: over %d bytes", path, MAX_TEXT_BYTES);
    }
    char *text = gw_arena_alloc(&hf->arena, (size_t)file.n_bytes + 1, 1);
    GW_CHECK_ALLOC(text, err, name);
    GW_TRY(gw_file_read(&file, 0, text, file.n_bytes, err));
    *out = (gw_str){text, (size_t)file.n_bytes};
done:
    gw_file_close(&file);
    return status;
}

// Python writes Infinity, which JSON has not; nothing here reads one, so it becomes null.
static void drop_infinities(char *text, size_t n) {
    static const char word[] = "Infinity";
    bool inside = false;
    for (size_t i = 0; i < n; i++) {
        if (inside && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            inside = !inside;
        } else if (!inside && n - i >= sizeof word - 1 &&
                   !memcmp(text + i, word, sizeof word - 1)) {
            memcpy(text + i, "null    ", sizeof word - 1);
        }
    }
}

godwit_status gw_hf_read_json(gw_hf *hf, const char *name, bool needed, const gw_json **out,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str text;
    *out = NULL;
    GW_TRY(read_text(hf, name, &text, err));
    if (!text.text && needed) {
        char merges[4096];
        GW_TRY(path_of(hf, "merges.txt", merges, sizeof merges, err));
        if (!access(merges, F_OK) && !strcmp(name, "tokenizer.json")) {
            GW_FAIL(
                err, GODWIT_UNSUPPORTED,
                "%s: vocab.json and merges.txt do not say how a text is cut; with transformers, "
                "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes "
                "tokenizer.json",
                hf->folder);
        }
        GW_FAIL(err, GODWIT_NOT_FOUND,
                "%s: no %s in it; a Hugging Face folder has config.json, tokenizer.json (or "
                "tokenizer.model, or *.tiktoken) and *.safetensors",
                hf->folder, name);
    }
    if (!text.text) return GODWIT_OK;
    if (!strcmp(name, "config.json")) {
        char *copy = gw_arena_strndup(&hf->arena, text.text, text.n);
        GW_CHECK_ALLOC(copy, err, name);
        drop_infinities(copy, text.n);
        text.text = copy;
    }
    status = gw_json_parse(&hf->arena, (const uint8_t *)text.text, text.n, out, err);
    gw_note(err, status, "%s/%s", hf->folder, name);
done:
    return status;
}

static int by_name(const void *a, const void *b, const void *user) {
    const gw_hf_template *left = a, *right = b;
    (void)user;
    return strcmp(left->name.text, right->name.text); // terminated copies
}

// *.jinja of a folder, by their names' order.
static godwit_status list_templates(gw_hf *hf, const char *path, const char *out_path,
                                    godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const char ending[] = ".jinja";
    DIR *folder = opendir(path);
    if (!folder && (errno == ENOENT || errno == ENOTDIR)) return GODWIT_OK;
    if (!folder) return gw_fail_io(err, errno, "open the folder", path);
    size_t first = hf->n_templates;
    for (struct dirent *e; (e = readdir(folder));) {
        char name[sizeof e->d_name + sizeof TEMPLATES], file[4096];
        size_t n = strlen(e->d_name);
        if (n < sizeof ending || strcmp(e->d_name + n - (sizeof ending - 1), ending) != 0) continue;
        snprintf(name, sizeof name, TEMPLATES "/%s", e->d_name);
        GW_TRY(path_of(hf, name, file, sizeof file, err));
        GW_TRY(gw_save_check_input(out_path, file, err));
        if (hf->n_templates == GW_HF_MAX_TEMPLATES) {
            GW_FAIL(err, GODWIT_UNSUPPORTED, "%s: over %d chat templates", path,
                    GW_HF_MAX_TEMPLATES);
        }
        gw_hf_template *t = &hf->templates[hf->n_templates++];
        char *copy = gw_arena_strndup(&hf->arena, e->d_name, n - (sizeof ending - 1));
        GW_CHECK_ALLOC(copy, err, "chat templates");
        t->name = (gw_str){copy, n - (sizeof ending - 1)};
        GW_TRY(read_text(hf, name, &t->text, err));
    }
    gw_sort(hf->templates + first, hf->n_templates - first, sizeof *hf->templates, by_name, NULL);
done:
    closedir(folder);
    return status;
}

// Those in files of their own: the default one, and others by their names.
static godwit_status read_templates(gw_hf *hf, const char *out_path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[4096];
    gw_hf_template *first = &hf->templates[0];
    GW_TRY(read_text(hf, "chat_template.jinja", &first->text, err));
    if (first->text.text) {
        first->name = GW_STR("default");
        hf->n_templates = 1;
    }
    GW_TRY(path_of(hf, TEMPLATES, path, sizeof path, err));
    GW_TRY(list_templates(hf, path, out_path, err));
done:
    return status;
}

// tiktoken.model, or *.tiktoken.
static godwit_status find_tiktoken(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const char end[] = ".tiktoken";
    snprintf(hf->tiktoken_name, sizeof hf->tiktoken_name, "tiktoken.model");
    GW_TRY(read_text(hf, hf->tiktoken_name, &hf->tiktoken, err));
    if (hf->tiktoken.text) return GODWIT_OK;
    DIR *folder = opendir(hf->folder);
    if (!folder) return gw_fail_io(err, errno, "open the folder", hf->folder);
    hf->tiktoken_name[0] = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        const size_t n = strlen(e->d_name);
        if (n < sizeof end || n >= sizeof hf->tiktoken_name ||
            strcmp(e->d_name + n - (sizeof end - 1), end) != 0)
            continue;
        memcpy(hf->tiktoken_name, e->d_name, n + 1);
    }
    closedir(folder);
    if (hf->tiktoken_name[0]) GW_TRY(read_text(hf, hf->tiktoken_name, &hf->tiktoken, err));
done:
    return status;
}

static godwit_status open_all(gw_hf *hf, const char *out_path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hf_read_json(hf, "config.json", true, &hf->config, err));
    GW_TRY(read_text(hf, "tokenizer.model", &hf->sentencepiece, err));
    if (!hf->sentencepiece.text)
        GW_TRY(read_text(hf, "sentencepiece.bpe.model", &hf->sentencepiece, err));
    if (!hf->sentencepiece.text) GW_TRY(read_text(hf, "spiece.model", &hf->sentencepiece, err));
    if (!hf->sentencepiece.text) GW_TRY(find_tiktoken(hf, err));
    bool others = hf->sentencepiece.text || hf->tiktoken.text;
    GW_TRY(gw_hf_read_json(hf, "tokenizer.json", !others, &hf->tokenizer, err));
    GW_TRY(gw_hf_read_json(hf, "tokenizer_config.json", false, &hf->tokenizer_config, err));
    GW_TRY(gw_hf_read_json(hf, "generation_config.json", false, &hf->generation_config, err));
    GW_TRY(gw_hf_read_json(hf, "chat_template.json", false, &hf->chat_template_json, err));
    GW_TRY(gw_hf_read_json(hf, "modules.json", false, &hf->modules, err));
    GW_TRY(read_templates(hf, out_path, err));
    GW_TRY(gw_safetensors_open(hf->host, hf->folder, &hf->weights, err));
done:
    return status;
}

// The folder's own name, without what leads to it.
static gw_str base_name(const char *folder) {
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    size_t start = n;
    while (start > 0 && folder[start - 1] != '/') start--;
    return (gw_str){folder + start, n - start};
}

static godwit_status describe(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str name = base_name(hf->folder);
    GW_TRY(gw_gguf_writer_set_str(hf->writer, "general.architecture",
                                  gw_str_of(hf->family ? hf->family->arch : "llama"), err));
    GW_TRY(gw_gguf_writer_set_str(hf->writer, "general.type", GW_STR("model"), err));
    if (name.n) GW_TRY(gw_gguf_writer_set_str(hf->writer, "general.name", name, err));
done:
    return status;
}

static bool has_file(const gw_hf *hf, const char *name) {
    char path[4096];
    return path_of(hf, name, path, sizeof path, NULL) == GODWIT_OK && access(path, F_OK) == 0;
}

// A folder of PEFT's, which may have the model's config.json, but not its weights.
static bool is_adapter(const gw_hf *hf) {
    return has_file(hf, "adapter_config.json") && !has_file(hf, "model.safetensors") &&
           !has_file(hf, "model.safetensors.index.json");
}

godwit_status gw_convert_folder(const gw_host *host, const char *folder,
                                const godwit_quantize_params *params, const char *path,
                                godwit_quantize_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hf hf = {.host = host, .folder = folder};
    gw_convert_job job;
    gw_convert_tensor *tensors = NULL;
    size_t n_tensors = 0;
    if (is_adapter(&hf)) return gw_convert_adapter(host, folder, params, path, out_result, err);
    gw_arena_init(&hf.arena, host);
    GW_TRY(gw_convert_job_init(&job, host, params, err));
    GW_TRY(gw_hf_check_folder(folder, path, err));
    GW_TRY(open_all(&hf, path, err));
    GW_TRY(gw_gguf_writer_create(host, &hf.writer, err));
    hf.family = gw_hf_family_of(&hf);
    GW_TRY(gw_note(err, gw_hf_read_scales(&hf, err), "%s", folder));
    GW_TRY(describe(&hf, err));
    GW_TRY(gw_note(err, gw_hf_read_config(&hf, err), "%s/config.json", folder));
    GW_TRY(gw_note(err, gw_hf_read_tokenizer(&hf, err), "%s/%s", folder,
                   hf.tokenizer            ? "tokenizer.json"
                   : hf.sentencepiece.text ? "tokenizer.model"
                                           : hf.tiktoken_name));
    GW_TRY(gw_hf_set_templates(&hf, err));
    GW_TRY(gw_note(err, gw_hf_list_tensors(&hf, &job, &tensors, &n_tensors, err), "%s", folder));
    GW_TRY(gw_convert_save(&job, hf.writer, tensors, n_tensors, path, err));
    *out_result = job.result;
done:
    gw_gguf_writer_destroy(&hf.writer);
    gw_hf_slab_free(&hf.slab);
    gw_safetensors_destroy(&hf.weights);
    for (size_t i = 0; i < hf.n_dense; i++) gw_safetensors_destroy(&hf.dense[i]);
    gw_arena_deinit(&hf.arena);
    gw_convert_job_deinit(&job);
    return status;
}
