// Recognize: what people hand over by mistake is called what it is, from its bytes and from a file.
#include "file/recognize.h"

#include "base/status.h"
#include "file/file_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

// The name of a tar archive's first file is filled up, and numbers follow.
#define TAR_4  "0000"
#define TAR_48 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4 TAR_4

static const struct {
    const char *says, *begins;
    size_t n;
} beginnings[] = {
#define ROW(says, bytes)                                                                           \
    { says, bytes, sizeof(bytes) - 1 }
    ROW("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146"),
    ROW("HTML page", "<!doctype html>\n<html class=\"\">\n<head>"),
    ROW("HTML page", "\xef\xbb\xbf\r\n <HTML><body>404</body>"),
    ROW("HTML page", "<!DOCTYPE HTML PUBLIC"),
    ROW("XML text", "<?xml version=\"1.0\"?><Error><Code>AccessDenied"),
    ROW("JSON text", "{\"error\":\"Invalid username or password.\"}"),
    ROW("ZIP archive", "PK\003\004\000\000\010\010 archive/data.pkl"),
    ROW("Python pickle", "\x80\002}q\000(X\014\000\000\000"),
    ROW("Python pickle", "\x80\004\x95\000\000\000\000"),
    ROW("safetensors", "\x20\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}"),
    ROW("older than GGUF", "lmgg\001\000\000\000\000\000\000\000"),
    ROW("older than GGUF", "fmgg\001\000\000\000\000\000\000\000"),
    ROW("older than GGUF", "tjgg\003\000\000\000\000\000\000\000"),
    ROW("LoRA adapter", "algg\001\000\000\000\000\000\000\000"),
    ROW("compressed", "\x1f\x8b\x08\000\000\000"),
    ROW("compressed", "\x28\xb5\x2f\xfd\000\000\000"),
    ROW("importance matrix", "\002\000\000\000\016\000\000\000blk.0.w.weight\001\000\000\000"),
    ROW("ONNX", "\x08\x07\x12\x07pytorch\x1a\x05"),
    ROW("HDF5", "\x89HDF\r\n\x1a\n\0\0"),
    ROW("TensorFlow Lite", "\x1c\0\0\0TFL3\0\0\0\0"),
    ROW("NumPy", "\x93NUMPY\001\0"),
    ROW("program", "\177ELF\002\001\001\0"),
    ROW("llamafile", "MZqFpD='\n\n\0\020"),
    ROW("tar archive", "folder/m.gguf" TAR_48 TAR_48 TAR_48 TAR_48 TAR_48 TAR_4 "ustar"),
    ROW("server's answer", "Entry not found"),
    ROW("did not finish", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    // Known for nothing: its bytes are shown. The last three only begin like what is known.
    ROW("begins with bytes 47 47 55 47", "GGUG\001\001\001\001"),
    ROW("begins with bytes 80 02 41 42", "\x80\002ABC"),
    ROW("begins with bytes 20 00 00 00", "\x20\0\0\0\0\0\0\0{"),
    ROW("begins with bytes 01 00 00 00", "\001\000\000\000\016\000\000\000blk.0.w.wei"),
#undef ROW
};

static godwit_error err;

Test(recognize, beginnings) {
    gw_host host;
    char dir[256], path[300];
    gw_host_init(&host, NULL, NULL, NULL);
    files_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/x.gguf", dir);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        gw_gguf *gguf = NULL;
        const char *bytes = beginnings[i].begins;
        cr_expect_eq(
            gw_gguf_parse(&host, (const uint8_t *)bytes, beginnings[i].n, "x.gguf", &gguf, &err),
            GODWIT_MALFORMED);
        cr_expect(strstr(err.message, beginnings[i].says), "%d: %s", (int)i, err.message);
        FILE *file = fopen(path, "wb");
        cr_assert(file && fwrite(bytes, 1, beginnings[i].n, file) == beginnings[i].n);
        fclose(file);
        cr_expect_eq(gw_gguf_open(&host, path, &gguf, &err), GODWIT_MALFORMED);
        cr_expect(strstr(err.message, beginnings[i].says) && strstr(err.message, path), "%d: %s",
                  (int)i, err.message);
        cr_expect_null(gguf);
    }
    files_remove(dir);
}

// Cut anywhere, a beginning is read no further than it goes.
Test(recognize, cut_beginnings) {
    guarded g = guarded_make(512);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        for (size_t n = 0; n <= beginnings[i].n; n++) {
            const uint8_t *bytes = guarded_copy(&g, (const uint8_t *)beginnings[i].begins, n);
            (void)gw_recognize(bytes, n, n);
            (void)gw_recognize(bytes, n, UINT64_MAX);
        }
    }
    guarded_free(&g);
}

// A GGUF file with one key and one tensor; NULL: none.
static const struct {
    const char *key, *value, *tensor, *says;
} files[] = {
    {"general.type", "adapter", NULL, "LoRA adapter"},
    {"adapter.type", "lora", "blk.0.attn_q.weight.lora_a", "LoRA adapter"},
    {NULL, NULL, "blk.0.attn_q.weight.lora_a", "LoRA adapter"},
    {"general.type", "mmproj", "v.patch_embd.weight", "encoder (mmproj"},
    {"general.architecture", "clip", NULL, "encoder (mmproj"},
    {"general.type", "imatrix", NULL, "importance matrix"},
    {NULL, NULL, "blk.0.attn_q.weight.in_sum2", "importance matrix"},
    {"general.type", "model", "token_embd.weight", NULL},
    {"general.architecture", "llama", ".lora_a", NULL},
    {NULL, NULL, NULL, NULL},
};

Test(recognize, kinds_of_gguf) {
    static const float one = 1;
    gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gw_gguf_writer *writer = NULL;
        gw_gguf *gguf = NULL;
        bytes b = {0};
        godwit_status status = gw_gguf_writer_create(&host, &writer, &err);
        if (status == GODWIT_OK && files[i].key) {
            gw_str value = gw_str_of(files[i].value);
            status = gw_gguf_writer_set_str(writer, files[i].key, value, &err);
        }
        if (status == GODWIT_OK && files[i].tensor) {
            status = gw_gguf_writer_add_bytes(writer, files[i].tensor, 0, 1, (uint64_t[]){1}, &one,
                                              &err);
        }
        cr_assert_eq(status, GODWIT_OK, "%s", err.message);
        cr_assert_eq(gw_gguf_writer_emit(writer, bytes_out, &b, &err), GODWIT_OK);
        cr_assert_eq(gw_gguf_parse(&host, b.data, b.n, "m", &gguf, &err), GODWIT_OK, "%s",
                     err.message);
        status = gw_gguf_check_model(gguf, &err);
        cr_expect_eq(status, files[i].says ? GODWIT_UNSUPPORTED : GODWIT_OK, "%d", (int)i);
        if (files[i].says) cr_expect(strstr(err.message, files[i].says), "%s", err.message);
        gw_gguf_destroy(&gguf);
        gw_gguf_writer_destroy(&writer);
        bytes_free(&b);
    }
}
