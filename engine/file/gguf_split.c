// GGUF split: the several files of a model as one.
//
// Files above 50 GB are handed out in parts, as llama.cpp's gguf-split makes them: the first has
// the metadata, each has split.no (from 0), split.count and split.tensors.count (of all parts), and
// names count from 1: NAME-00002-of-00003.gguf. A part is a GGUF file of its own, checked as one.
#include "base/status.h"
#include "file/gguf_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define KEY_NUMBER  "split.no"
#define KEY_COUNT   "split.count"
#define KEY_TENSORS "split.tensors.count"

enum { SUFFIX_BYTES = 32, PATH_BYTES = 4096 };

godwit_status gw_gguf_split_of(const gw_gguf *gguf, uint32_t *out_n, uint32_t *out_number,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_gguf_get_u32(gguf, KEY_COUNT, 0, UINT16_MAX, 1, out_n, err));
    GW_TRY(gw_gguf_get_u32(gguf, KEY_NUMBER, 0, UINT16_MAX, 0, out_number, err));
    if (*out_n > 1 && *out_number >= *out_n) {
        GW_FAIL(err, GODWIT_MALFORMED, KEY_NUMBER ": file %" PRIu32 " of %" PRIu32, *out_number + 1,
                *out_n);
    }
done:
    return status;
}

static void suffix_of(uint32_t number, uint32_t n_files, char suffix[SUFFIX_BYTES]) {
    snprintf(suffix, SUFFIX_BYTES, "-%05" PRIu32 "-of-%05" PRIu32 ".gguf", number + 1, n_files);
}

// The path of part `number`, by that of part `own`; false where own's does not end as it should.
static bool path_of(const char *path, uint32_t own, uint32_t number, uint32_t n_files,
                    char out[PATH_BYTES]) {
    char suffix[SUFFIX_BYTES];
    suffix_of(own, n_files, suffix);
    size_t n = strlen(path), n_suffix = strlen(suffix);
    if (n < n_suffix || strcmp(path + n - n_suffix, suffix) != 0 || n >= PATH_BYTES) return false;
    memcpy(out, path, n - n_suffix);
    suffix_of(number, n_files, suffix);
    memcpy(out + n - n_suffix, suffix, n_suffix + 1); // both are as long
    return true;
}

static godwit_status refuse_part(const gw_gguf *gguf, uint32_t n_files, uint32_t number,
                                 godwit_error *err) {
    char first[PATH_BYTES];
    const char *unknown = "";
    if (!path_of(gguf->name, number, 0, n_files, first)) {
        unknown = "NAME";
        suffix_of(0, n_files, first);
    }
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "%s: file %" PRIu32 " of %" PRIu32
                   " of a split model; name the first, %s%s, which opens all of them",
                   gguf->name, number + 1, n_files, unknown, first);
}

static godwit_status check_part(const gw_gguf *first, const gw_gguf *part, uint32_t n_files,
                                uint32_t number, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const char key[] = "general.architecture";
    uint32_t n = 0, own = 0;
    gw_str has = {0}, wants = {0};
    GW_TRY(gw_gguf_split_of(part, &n, &own, err));
    if (n != n_files || own != number) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "it says that it is file %" PRIu32 " of %" PRIu32 ", its name says %" PRIu32
                " of %" PRIu32,
                own + 1, n, number + 1, n_files);
    }
    GW_TRY(gw_gguf_get_str(first, key, &wants, err));
    GW_TRY(gw_gguf_get_str(part, key, &has, err));
    if (has.text && !gw_str_eq(has, wants)) {
        GW_FAIL(err, GODWIT_MALFORMED, "%s is '%.*s', in the first file '%.*s': another model's",
                key, GW_STR_ARG(has), GW_STR_ARG(wants));
    }
done:
    return gw_note(err, status, "%s", part->name);
}

static godwit_status open_parts(gw_gguf *gguf, uint32_t n_files, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char path[PATH_BYTES];
    gguf->parts = gw_arena_alloc(&gguf->arena, n_files, sizeof *gguf->parts);
    GW_CHECK_ALLOC(gguf->parts, err, "parts of a split model");
    for (uint32_t i = 1; i < n_files; i++) {
        if (!path_of(gguf->name, 0, i, n_files, path)) {
            suffix_of(0, n_files, path);
            GW_FAIL(err, GODWIT_UNSUPPORTED,
                    "%s: the first of %" PRIu32
                    " files of a split model, whose others are found by its name, which does not "
                    "end in %s",
                    gguf->name, n_files, path);
        }
        status = gw_gguf_open_one(gguf->host, path, &gguf->parts[i - 1], err);
        GW_TRY(gw_note(err, status, "file %" PRIu32 " of %" PRIu32, i + 1, n_files));
        gguf->n_parts = i;
        GW_TRY(check_part(gguf, gguf->parts[i - 1], n_files, i, err));
    }
done:
    return status;
}

static godwit_status count_tensors(const gw_gguf *gguf, uint64_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t wants = 0;
    uint64_t n = gguf->n_tensors;
    for (uint32_t i = 0; i < gguf->n_parts; i++) n += gguf->parts[i]->n_tensors;
    if (n > GW_GGUF_MAX_TENSORS) {
        GW_FAIL(err, GODWIT_MALFORMED, "%" PRIu64 " tensors, the most is %d", n,
                GW_GGUF_MAX_TENSORS);
    }
    GW_TRY(gw_gguf_get_u32(gguf, KEY_TENSORS, 0, GW_GGUF_MAX_TENSORS, (uint32_t)n, &wants, err));
    if (wants != n) {
        GW_FAIL(err, GODWIT_MALFORMED,
                KEY_TENSORS " is %" PRIu32 ", the %" PRIu32 " files have %" PRIu64 " tensors",
                wants, gguf->n_parts + 1, n);
    }
    *out_n = n;
done:
    return status;
}

// One list of all tensors, and its index, which refuses names that come twice.
static godwit_status join_tensors(gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n = 0, n_done = 0;
    GW_TRY(count_tensors(gguf, &n, err));
    gw_gguf_tensor *all = gw_arena_alloc(&gguf->arena, (size_t)n + 1, sizeof *all);
    GW_CHECK_ALLOC(all, err, "tensor descriptors");
    GW_TRY(gw_name_index_init(&gguf->tensor_index, &gguf->arena, n, err));
    for (uint32_t f = 0; f <= gguf->n_parts; f++) {
        const gw_gguf *from = f ? gguf->parts[f - 1] : gguf;
        for (uint64_t i = 0; i < from->n_tensors; i++, n_done++) {
            all[n_done] = from->tensors[i];
            gw_str name = gw_str_of(all[n_done].name);
            status = gw_name_index_add(&gguf->tensor_index, name, (uint32_t)n_done, err);
            GW_TRY(gw_note(err, status, "%s", from->name));
        }
    }
    gguf->tensors = all;
    gguf->n_tensors = n;
done:
    return status;
}

godwit_status gw_gguf_join(gw_gguf *gguf, uint32_t n_files, uint32_t number, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (number > 0) return refuse_part(gguf, n_files, number, err);
    if (n_files > GW_GGUF_MAX_FILES) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "%s: " KEY_COUNT ": %" PRIu32 " files, the most is %d",
                gguf->name, n_files, GW_GGUF_MAX_FILES);
    }
    GW_TRY(open_parts(gguf, n_files, err));
    GW_TRY(gw_note(err, join_tensors(gguf, err), "%s", gguf->name));
done:
    return status;
}
