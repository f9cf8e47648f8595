// Safetensors: see safetensors.h.
#include "file/safetensors.h"

#include "base/sort.h"
#include "base/status.h"
#include "file/json.h"
#include "file/name_index.h"
#include "file/reader.h"
#include "file/recognize.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_NAME_BYTES = 256 };

struct gw_safetensors {
    const gw_host *host;
    gw_arena arena;
    const char *name;
    gw_st_tensor *tensors; // [n]
    uint64_t n;
    gw_name_index index;
    // Of a folder: its files, whose tensors those above are.
    gw_safetensors **files;
    size_t n_opened;
    gw_file source; // of a single file that was opened
};

static const gw_st_type types[] = {
    {"F32", 4, GODWIT_F32}, {"F16", 2, GODWIT_F16}, {"BF16", 2, GODWIT_BF16}, {"F64", 8, -1},
    {"I64", 8, -1},         {"I32", 4, -1},         {"I16", 2, -1},           {"I8", 1, -1},
    {"U64", 8, -1},         {"U32", 4, -1},         {"U16", 2, -1},           {"U8", 1, -1},
    {"BOOL", 1, -1},        {"F8_E4M3", 1, -1},     {"F8_E5M2", 1, -1},       {"F8_E8M0", 1, -1},
    {"F8_E4M3FNUZ", 1, -1}, {"F8_E5M2FNUZ", 1, -1}, {"C64", 8, -1},
};

static godwit_status create(const gw_host *host, const char *name, gw_safetensors **out_file,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_safetensors *file = gw_alloc(host, 1, sizeof *file);
    *out_file = NULL;
    GW_CHECK_ALLOC(file, err, "safetensors");
    file->host = host;
    gw_arena_init(&file->arena, host);
    file->name = gw_arena_strndup(&file->arena, name, strlen(name));
    *out_file = file;
    GW_CHECK_ALLOC(file->name, err, "safetensors");
done:
    return status;
}

void gw_safetensors_destroy(gw_safetensors **file) {
    if (!file || !*file) return;
    gw_safetensors *f = *file;
    const gw_host *host = f->host;
    for (size_t i = 0; i < f->n_opened; i++) gw_safetensors_destroy(&f->files[i]);
    gw_file_close(&f->source);
    gw_arena_deinit(&f->arena);
    gw_free(host, f, sizeof *f);
    *file = NULL;
}

// --- one file ------------------------------------------------------------------------------------

static godwit_status read_type(const gw_json *node, gw_st_tensor *tensor, godwit_error *err) {
    gw_str text;
    if (!gw_json_str(node, &text)) return gw_fail(err, GODWIT_MALFORMED, "dtype: no text");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!gw_str_eq(text, gw_str_of(types[i].name))) continue;
        tensor->type = &types[i];
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_UNSUPPORTED, "dtype: '%.*s' is not known", GW_STR_ARG(text));
}

static godwit_status read_shape(const gw_json *node, gw_st_tensor *tensor, godwit_error *err) {
    if (!node || node->type != GW_JSON_ARRAY) {
        return gw_fail(err, GODWIT_MALFORMED, "shape: no array");
    }
    if (node->n > GW_ST_MAX_DIMS) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "shape: %u dimensions, at most %d", node->n,
                       GW_ST_MAX_DIMS);
    }
    tensor->n_elements = 1;
    for (const gw_json *item = node->first; item; item = item->next) {
        uint64_t dim = 0;
        if (!gw_json_u64(item, &dim) ||
            __builtin_mul_overflow(tensor->n_elements, dim, &tensor->n_elements)) {
            return gw_fail(err, GODWIT_MALFORMED,
                           "shape: dimension %u is no whole number, or too "
                           "large",
                           tensor->n_dims);
        }
        tensor->dims[tensor->n_dims++] = dim;
    }
    if (__builtin_mul_overflow(tensor->n_elements, (uint64_t)tensor->type->bytes, &tensor->bytes)) {
        return gw_fail(err, GODWIT_MALFORMED, "shape: over 2^64 bytes");
    }
    return GODWIT_OK;
}

static godwit_status read_offsets(const gw_json *node, uint64_t data_bytes, gw_st_tensor *tensor,
                                  godwit_error *err) {
    uint64_t begin = 0, end = 0;
    if (!node || node->type != GW_JSON_ARRAY || node->n != 2 || !gw_json_u64(node->first, &begin) ||
        !gw_json_u64(node->first->next, &end)) {
        return gw_fail(err, GODWIT_MALFORMED, "data_offsets: no two whole numbers");
    }
    if (begin > end || end > data_bytes) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "data_offsets: from %llu to %llu, but there are %llu bytes of data",
                       (unsigned long long)begin, (unsigned long long)end,
                       (unsigned long long)data_bytes);
    }
    if (end - begin != tensor->bytes) {
        return gw_fail(err, GODWIT_MALFORMED, "data_offsets: %llu bytes, its shape takes %llu",
                       (unsigned long long)(end - begin), (unsigned long long)tensor->bytes);
    }
    tensor->offset = begin;
    return GODWIT_OK;
}

static godwit_status read_tensor(gw_safetensors *file, const gw_json *node, uint64_t data_bytes,
                                 gw_st_tensor *tensor, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!gw_reader_name_ok(node->key) || node->key.n > MAX_NAME_BYTES) {
        GW_FAIL(err, GODWIT_MALFORMED, "a tensor's name of %zu bytes is not 1 to %d of text",
                node->key.n, MAX_NAME_BYTES);
    }
    tensor->name = gw_arena_strndup(&file->arena, node->key.text, node->key.n);
    GW_CHECK_ALLOC(tensor->name, err, "tensor name");
    tensor->file = file->name;
    if (node->type != GW_JSON_OBJECT || node->n != 3) {
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: not dtype, shape and data_offsets, each once",
                tensor->name);
    }
    status = read_type(gw_json_get(node, "dtype"), tensor, err);
    if (status == GODWIT_OK) status = read_shape(gw_json_get(node, "shape"), tensor, err);
    if (status == GODWIT_OK) {
        status = read_offsets(gw_json_get(node, "data_offsets"), data_bytes, tensor, err);
    }
    gw_note(err, status, "tensor %s", tensor->name);
done:
    return status;
}

static int by_offset(const void *a, const void *b, const void *user) {
    const gw_st_tensor *s = *(const gw_st_tensor *const *)a, *t = *(const gw_st_tensor *const *)b;
    (void)user;
    if (s->offset != t->offset) return s->offset < t->offset ? -1 : 1;
    if (s->bytes != t->bytes) return s->bytes < t->bytes ? -1 : 1; // the empty ones first
    return s < t ? -1 : s > t; // as the file has them, so that messages name the later one
}

// Whether the tensors, put in a row by their offsets, are the data.
static godwit_status check_filled(gw_safetensors *file, uint64_t data_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor **sorted = NULL;
    uint64_t end = 0;
    if (file->n > 0) {
        sorted = gw_alloc(file->host, (size_t)file->n, sizeof *sorted);
        GW_CHECK_ALLOC(sorted, err, "tensors");
    }
    for (uint64_t i = 0; i < file->n; i++) sorted[i] = &file->tensors[i];
    gw_sort(sorted, (size_t)file->n, sizeof *sorted, by_offset, NULL);
    for (uint64_t i = 0; i < file->n; i++) {
        const gw_st_tensor *t = sorted[i];
        if (t->offset != end) {
            GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: begins at byte %llu of the data, %s %llu",
                    t->name, (unsigned long long)t->offset,
                    t->offset < end ? "inside of another that ends at" : "with a hole behind",
                    (unsigned long long)end);
        }
        end += t->bytes;
    }
    if (end != data_bytes) {
        GW_FAIL(err, GODWIT_MALFORMED, "%llu bytes behind the last tensor",
                (unsigned long long)(data_bytes - end));
    }
done:
    gw_free(file->host, sorted, (size_t)file->n * sizeof *sorted);
    return status;
}

static godwit_status check_metadata(const gw_json *node, godwit_error *err) {
    bool good = node->type == GW_JSON_OBJECT;
    for (const gw_json *item = node->first; good && item; item = item->next) {
        good = item->type == GW_JSON_STRING;
    }
    if (good) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "__metadata__: not an object of texts");
}

// data: where the tensors begin in memory; NULL: they stay in file->source.
static godwit_status read_header(gw_safetensors *file, const gw_json *root, const uint8_t *data,
                                 uint64_t data_offset, uint64_t data_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool metadata = false;
    if (root->type != GW_JSON_OBJECT) GW_FAIL(err, GODWIT_MALFORMED, "the header is no object");
    if (root->n > GW_ST_MAX_TENSORS) {
        GW_FAIL(err, GODWIT_MALFORMED, "%u tensors, at most %d", root->n, GW_ST_MAX_TENSORS);
    }
    file->tensors = gw_arena_alloc(&file->arena, root->n, sizeof *file->tensors);
    GW_CHECK_ALLOC(file->tensors, err, "tensors");
    GW_TRY(gw_name_index_init(&file->index, &file->arena, root->n, err));
    for (const gw_json *node = root->first; node; node = node->next) {
        if (gw_str_eq(node->key, GW_STR("__metadata__"))) {
            if (metadata) GW_FAIL(err, GODWIT_MALFORMED, "__metadata__: is there twice");
            metadata = true;
            GW_TRY(check_metadata(node, err));
            continue;
        }
        gw_st_tensor *tensor = &file->tensors[file->n];
        GW_TRY(read_tensor(file, node, data_bytes, tensor, err));
        if (data) tensor->source.bytes = data + tensor->offset;
        GW_TRY(gw_name_index_add(&file->index, gw_str_of(tensor->name), (uint32_t)file->n, err));
        file->n++;
    }
    GW_TRY(check_filled(file, data_bytes, err));
    for (uint64_t i = 0; i < file->n; i++) {
        gw_st_tensor *tensor = &file->tensors[i];
        tensor->offset += data_offset;
        tensor->source.file = data ? NULL : &file->source;
        tensor->source.offset = tensor->offset;
    }
done:
    return status;
}

// The header's length, at the reader, which holds as much of the file as there is.
static godwit_status read_length(gw_reader *reader, uint64_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_reader_u64(reader, "length of the header", out_n, err));
    if (*out_n > GW_ST_MAX_HEADER_BYTES) {
        GW_FAIL(err, GODWIT_MALFORMED, "a header of %llu bytes, at most %d: is this safetensors?",
                (unsigned long long)*out_n, GW_ST_MAX_HEADER_BYTES);
    }
done:
    return status;
}

// in_memory: the reader's bytes are the whole file, and outlive it.
static godwit_status parse(gw_safetensors *file, gw_reader reader, bool in_memory,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_arena tree;
    const gw_json *root = NULL;
    const uint8_t *header = NULL;
    uint64_t n = 0;
    gw_arena_init(&tree, file->host);
    GW_TRY(read_length(&reader, &n, err));
    GW_TRY(gw_reader_take(&reader, n, "header", &header, err));
    GW_TRY(gw_json_parse(&tree, header, n, &root, err));
    GW_TRY(read_header(file, root, in_memory ? reader.bytes + reader.pos : NULL, reader.pos,
                       gw_reader_left(&reader), err));
done:
    gw_arena_deinit(&tree);
    return status;
}

// Reads length and header of file->source, which then are parsed.
static godwit_status parse_source(gw_safetensors *file, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint8_t length[8] = {0}, *head = NULL;
    uint64_t n_bytes = file->source.n_bytes, n = 0, n_head = 0;
    GW_TRY(gw_file_read(&file->source, 0, length, n_bytes < 8 ? n_bytes : 8, err));
    GW_TRY(read_length(&(gw_reader){.bytes = length, .n_bytes = n_bytes}, &n, err));
    n_head = 8 + n < n_bytes ? 8 + n : n_bytes;
    head = gw_alloc(file->host, (size_t)n_head, 1);
    GW_CHECK_ALLOC(head, err, "safetensors header");
    GW_TRY(gw_file_read(&file->source, 0, head, n_head, err));
    GW_TRY(parse(file, (gw_reader){.bytes = head, .n_bytes = n_bytes}, false, err));
done:
    gw_free(file->host, head, (size_t)n_head);
    return status;
}

godwit_status gw_safetensors_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                                   const char *name, gw_safetensors **out_file, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(create(host, name, out_file, err));
    status = parse(*out_file, (gw_reader){.bytes = bytes, .n_bytes = n_bytes}, true, err);
    gw_note(err, status, "%s", name);
done:
    if (status != GODWIT_OK) gw_safetensors_destroy(out_file);
    return status;
}

// --- a folder ------------------------------------------------------------------------------------

// Of a file that is none of these: what it is by its first bytes, where they tell.
static void say_what_it_is(const gw_file *file, godwit_error *err) {
    uint8_t first[512];
    const uint64_t n = file->n_bytes < sizeof first ? file->n_bytes : sizeof first;
    if (gw_file_read(file, 0, first, n, NULL) != GODWIT_OK) return;
    const char *what = gw_recognize(first, n, file->n_bytes);
    if (what && !strstr(what, "safetensors file"))
        gw_fail(err, GODWIT_MALFORMED, "this is %s", what);
}

static godwit_status add_file(gw_safetensors *set, const char *path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_safetensors *file = NULL;
    GW_TRY(create(set->host, path, &file, err));
    GW_TRY(gw_file_open(file->name, &file->source, err));
    status = parse_source(file, err);
    if (status == GODWIT_MALFORMED) say_what_it_is(&file->source, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", path); // a failed read names it itself
    if (status != GODWIT_OK) goto done;
    set->files[set->n_opened++] = file;
    file = NULL;
done:
    gw_safetensors_destroy(&file);
    return status;
}

static godwit_status make_room(gw_safetensors *set, uint64_t n_files, uint64_t n_tensors,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    set->files = gw_arena_alloc(&set->arena, (size_t)n_files, sizeof *set->files);
    set->tensors = gw_arena_alloc(&set->arena, (size_t)n_tensors, sizeof *set->tensors);
    GW_CHECK_ALLOC(set->files && set->tensors, err, "tensors");
    GW_TRY(gw_name_index_init(&set->index, &set->arena, n_tensors, err));
done:
    return status;
}

static godwit_status add_tensor(gw_safetensors *set, const gw_st_tensor *tensor,
                                godwit_error *err) {
    set->tensors[set->n] = *tensor;
    return gw_name_index_add(&set->index, gw_str_of(tensor->name), (uint32_t)set->n++, err);
}

static godwit_status open_single(gw_safetensors *set, const char *path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(make_room(set, 1, 1, err));
    GW_TRY(add_file(set, path, err));
    const gw_safetensors *file = set->files[0];
    set->tensors = file->tensors;
    set->n = file->n;
    set->index = file->index;
done:
    return status;
}

// The number of the file of that name among those opened; opens it where it is new. A name with a
// slash would lead out of the folder.
static godwit_status shard(gw_safetensors *set, gw_name_index *names, const char *folder,
                           gw_str name, uint32_t *out_number, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[4096];
    *out_number = gw_name_index_find(names, name);
    if (*out_number != GW_NAME_NONE) return GODWIT_OK;
    if (!gw_reader_name_ok(name) || memchr(name.text, '/', name.n) || name.text[0] == '.') {
        GW_FAIL(err, GODWIT_MALFORMED, "'%.*s' is no name of a file in the folder",
                GW_STR_ARG(name));
    }
    if (set->n_opened >= GW_ST_MAX_FILES) {
        GW_FAIL(err, GODWIT_MALFORMED, "over %d files", GW_ST_MAX_FILES);
    }
    int n = snprintf(path, sizeof path, "%s/%.*s", folder, GW_STR_ARG(name));
    if (n < 0 || (size_t)n >= sizeof path || name.n > 256) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "a path of over %zu bytes", sizeof path - 1);
    }
    *out_number = (uint32_t)set->n_opened;
    GW_TRY(add_file(set, path, err));
    GW_TRY(gw_name_index_add(names, name, *out_number, err));
done:
    return status;
}

static godwit_status read_index(gw_safetensors *set, const char *folder, const gw_json *root,
                                gw_arena *scratch, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *weights = gw_json_get(root, "weight_map");
    gw_name_index names;
    if (!weights || weights->type != GW_JSON_OBJECT || weights->n > GW_ST_MAX_TENSORS) {
        GW_FAIL(err, GODWIT_MALFORMED, "weight_map: no object of at most %d tensors",
                GW_ST_MAX_TENSORS);
    }
    GW_TRY(make_room(set, GW_ST_MAX_FILES, weights->n, err));
    GW_TRY(gw_name_index_init(&names, scratch, GW_ST_MAX_FILES, err));
    for (const gw_json *item = weights->first; item; item = item->next) {
        uint32_t number = 0;
        gw_str file_name = {0};
        if (!gw_json_str(item, &file_name) || !gw_reader_name_ok(item->key)) {
            GW_FAIL(err, GODWIT_MALFORMED, "weight_map: '%.*s': no file name",
                    GW_STR_ARG(item->key));
        }
        GW_TRY(shard(set, &names, folder, file_name, &number, err));
        const gw_safetensors *file = set->files[number];
        uint32_t at = gw_name_index_find(&file->index, item->key);
        if (at == GW_NAME_NONE) {
            GW_FAIL(err, GODWIT_MALFORMED, "weight_map: tensor %.*s is not in %s",
                    GW_STR_ARG(item->key), file->name);
        }
        GW_TRY(add_tensor(set, &file->tensors[at], err));
    }
done:
    return status;
}

static godwit_status open_shards(gw_safetensors *set, const char *folder, const char *path,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint8_t *text = NULL;
    uint64_t n = 0;
    gw_arena tree;
    const gw_json *root = NULL;
    gw_arena_init(&tree, set->host);
    GW_TRY(gw_file_load(set->host, path, GW_ST_MAX_HEADER_BYTES, &text, &n, err));
    status = gw_json_parse(&tree, text, n, &root, err);
    if (status == GODWIT_OK) status = read_index(set, folder, root, &tree, err);
    gw_note(err, status, "%s", path);
done:
    gw_free(set->host, text, (size_t)n);
    gw_arena_deinit(&tree);
    return status;
}

// model-00001-of-00003.safetensors and the others, where no index names them.
static godwit_status open_numbered(gw_safetensors *set, const char *folder, uint32_t n_files,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[4096];
    uint64_t n = 0, at = 0;
    set->files = gw_arena_alloc(&set->arena, n_files, sizeof *set->files);
    GW_CHECK_ALLOC(set->files, err, "files");
    for (uint32_t i = 0; i < n_files; i++) {
        snprintf(path, sizeof path, "%s/model-%05u-of-%05u.safetensors", folder, i + 1, n_files);
        GW_TRY(add_file(set, path, err));
        n += set->files[i]->n;
    }
    if (n > GW_ST_MAX_TENSORS)
        GW_FAIL(err, GODWIT_MALFORMED, "%s: over %d tensors", folder, GW_ST_MAX_TENSORS);
    set->tensors = gw_arena_alloc(&set->arena, (size_t)n, sizeof *set->tensors);
    GW_CHECK_ALLOC(set->tensors, err, "tensors");
    GW_TRY(gw_name_index_init(&set->index, &set->arena, n, err));
    for (uint32_t i = 0; i < n_files; i++) {
        for (at = 0; at < set->files[i]->n && status == GODWIT_OK; at++)
            status = add_tensor(set, &set->files[i]->tensors[at], err);
        GW_TRY(gw_note(err, status, "%s", set->files[i]->name));
    }
done:
    return status;
}

// How many files the first of numbered ones says that there are; 0: there is none.
static uint32_t count_numbered(const char *folder) {
    static const char front[] = "model-";
    char end[40];
    uint32_t found = 0;
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    for (struct dirent *e; (e = readdir(dir));) {
        unsigned number = 0, n = 0;
        if (strncmp(e->d_name, front, sizeof front - 1) != 0 ||
            sscanf(e->d_name, "model-%5u-of-%5u", &number, &n) != 2 || n > GW_ST_MAX_FILES)
            continue;
        snprintf(end, sizeof end, "model-%05u-of-%05u.safetensors", number, n);
        if (!strcmp(e->d_name, end) && n > found) found = n;
    }
    closedir(dir);
    return found;
}

static bool is_there(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

godwit_status gw_safetensors_open_file(const gw_host *host, const char *path,
                                       gw_safetensors **out_file, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(create(host, path, out_file, err));
    GW_TRY(open_single(*out_file, path, err));
done:
    if (status != GODWIT_OK) gw_safetensors_destroy(out_file);
    return status;
}

godwit_status gw_safetensors_open(const gw_host *host, const char *folder,
                                  gw_safetensors **out_file, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[4096];
    GW_TRY(create(host, folder, out_file, err));
    if (strlen(folder) > sizeof path - 64) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "a path of over %zu bytes", sizeof path - 64);
    }
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    if (access(path, F_OK) == 0) {
        status = open_single(*out_file, path, err);
        goto done;
    }
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    if (access(path, F_OK) == 0) {
        status = open_shards(*out_file, folder, path, err);
        goto done;
    }
    const uint32_t n_files = count_numbered(folder);
    if (n_files) {
        status = open_numbered(*out_file, folder, n_files, err);
        goto done;
    }
    if (is_there(folder, "pytorch_model.bin") || is_there(folder, "pytorch_model.bin.index.json")) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "%s: its weights are in pytorch_model.bin, a pickle, which could run any program "
                "and is not read; transformers' save_pretrained writes *.safetensors",
                folder);
    }
    status = gw_fail(err, GODWIT_NOT_FOUND,
                     "%s: no model.safetensors and no model.safetensors.index.json in it", folder);
done:
    if (status != GODWIT_OK) gw_safetensors_destroy(out_file);
    return status;
}

uint64_t gw_safetensors_n(const gw_safetensors *file) {
    return file->n;
}

const gw_st_tensor *gw_safetensors_at(const gw_safetensors *file, uint64_t index) {
    return index < file->n ? &file->tensors[index] : NULL;
}

const gw_st_type *gw_st_type_find(const char *name) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!strcmp(types[i].name, name)) return &types[i];
    }
    return NULL;
}

godwit_status gw_safetensors_replace(gw_safetensors *file, gw_st_tensor *tensors, uint64_t n,
                                     godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_name_index index;
    GW_TRY(gw_name_index_init(&index, &file->arena, n, err));
    for (uint64_t i = 0; i < n; i++)
        GW_TRY(gw_name_index_add(&index, gw_str_of(tensors[i].name), (uint32_t)i, err));
    file->tensors = tensors;
    file->n = n;
    file->index = index;
done:
    return status;
}

const gw_st_tensor *gw_safetensors_find(const gw_safetensors *file, const char *name) {
    uint32_t number = gw_name_index_find(&file->index, gw_str_of(name));
    return number == GW_NAME_NONE ? NULL : &file->tensors[number];
}
