#include "convert/convert_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const gw_host *plain_host(void) {
    static gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    return &host;
}

void hear(void *user, godwit_log_level level, const char *line) {
    heard *h = user;
    if (level != GODWIT_LOG_WARN) return;
    h->n++;
    snprintf(h->line, sizeof h->line, "%s", line);
}

contents read_file(const char *path) {
    contents file = {0};
    godwit_error err = {0};
    cr_assert_eq(gw_file_load(plain_host(), path, UINT64_MAX, &file.bytes, &file.n, &err),
                 GODWIT_OK, "%s", err.message);
    return file;
}

void drop_file(contents *file) {
    gw_free(plain_host(), file->bytes, (size_t)file->n);
    *file = (contents){0};
}

opened open_gguf(const char *path) {
    opened file = {.file = read_file(path)};
    godwit_error err = {0};
    cr_assert_eq(gw_gguf_parse(plain_host(), file.file.bytes, file.file.n, path, &file.gguf, &err),
                 GODWIT_OK, "%s", err.message);
    return file;
}

void close_gguf(opened *file) {
    gw_gguf_destroy(&file->gguf);
    drop_file(&file->file);
}

void write_f32(const char *path, const shape *shapes, size_t n_shapes, const float *values) {
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_str(writer, "general.name", GW_STR("small"), &err), GODWIT_OK);
    for (size_t i = 0; i < n_shapes; i++) {
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, shapes[i].name, GODWIT_F32, shapes[i].n_dims,
                                              shapes[i].dims, values, &err),
                     GODWIT_OK, "%s", err.message);
    }
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

char *read_text(const char *path) {
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

void write_text(const char *dir, const char *name, const char *text, size_t n) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(text, 1, n, f), n);
    fclose(f);
}

void copy_folder(const char *dir, const char *from, const char *but) {
    static const char *const names[] = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "model.safetensors",
        "model.safetensors.index.json",
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
    };
    char source[1024], link[1024];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(source, sizeof source, "%s/%s", from, names[i]);
        snprintf(link, sizeof link, "%s/%s", dir, names[i]);
        unlink(link);
        if (strcmp(names[i], but) == 0 || access(source, R_OK) != 0) continue;
        cr_assert_eq(symlink(source, link), 0);
    }
}
