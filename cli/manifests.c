// manifests.c: see manifests.h.
#include "manifests.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cache_dir.h"
#include "cli.h"

// VK_DRIVER_FILES counts before VK_ICD_FILENAMES, its name for loaders before 1.3.207.
static const char *const selectors[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"};
// They decide which of the manifests are used.
static const char *const filters[] = {"VK_LOADER_DRIVERS_SELECT", "VK_LOADER_DRIVERS_DISABLE"};

static void mix(uint64_t *hash, const void *data, size_t n) { // FNV-1a
    for (size_t i = 0; i < n; i++) {
        *hash = (*hash ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    }
}

static const char *value_of(const char *name) {
    const char *value = cli_getenv(name);
    return value && value[0] ? value : NULL;
}

static void add_file(cli_manifests *list, const char *path, const struct stat *st) {
    if (list->n == CLI_MAX_MANIFESTS) return;
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].path, path) == 0) return;
    }
    cli_manifest *m = &list->items[list->n++];
    memset(m, 0, sizeof(*m));
    (void)snprintf(m->path, sizeof(m->path), "%s", path);
    mix(&list->hash, m->path, strlen(m->path) + 1);
    if (!st) return;
    mix(&list->hash, &st->st_size, sizeof(st->st_size));
    mix(&list->hash, &st->st_mtim.tv_sec, sizeof(st->st_mtim.tv_sec));
    mix(&list->hash, &st->st_mtim.tv_nsec, sizeof(st->st_mtim.tv_nsec));
}

static int is_manifest(const struct dirent *entry) {
    size_t n = strlen(entry->d_name);
    return n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static void add_folder(cli_manifests *list, const char *folder) {
    struct dirent **entries = NULL;
    struct stat st;
    char path[1024];
    int n = scandir(folder, &entries, is_manifest, alphasort);
    for (int i = 0; i < n; i++) {
        int bytes = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (bytes > 0 && (size_t)bytes < sizeof(path) && stat(path, &st) == 0) {
            add_file(list, path, &st);
        }
        free(entries[i]);
    }
    free(entries);
}

// Of "a:b" each, with suffix behind it: files, and folders with files.
static void add_list(cli_manifests *list, const char *value, const char *suffix) {
    char path[1024];
    struct stat st;
    while (value && *value) {
        size_t n = strcspn(value, ":");
        int bytes = snprintf(path, sizeof(path), "%.*s%s", (int)n, value, suffix);
        if (n > 0 && bytes > 0 && (size_t)bytes < sizeof(path)) {
            bool there = stat(path, &st) == 0;
            if (there && S_ISDIR(st.st_mode)) {
                add_folder(list, path);
            } else if (!suffix[0]) {
                add_file(list, path, there ? &st : NULL);
            }
        }
        value += n + (value[n] == ':');
    }
}

static void add_home(cli_manifests *list, const char *name, const char *below_home) {
    char path[1024];
    const char *value = value_of(name), *home = value_of("HOME");
    if (value) {
        add_list(list, value, "/vulkan/icd.d");
    } else if (home &&
               (size_t)snprintf(path, sizeof(path), "%s%s", home, below_home) < sizeof(path)) {
        add_list(list, path, "/vulkan/icd.d");
    }
}

static void add_standard_places(cli_manifests *list) {
    const char *config = value_of("XDG_CONFIG_DIRS"), *data = value_of("XDG_DATA_DIRS");
    add_home(list, "XDG_CONFIG_HOME", "/.config");
    add_list(list, config ? config : "/etc/xdg", "/vulkan/icd.d");
    add_list(list, "/usr/local/etc:/etc", "/vulkan/icd.d");
    add_home(list, "XDG_DATA_HOME", "/.local/share");
    add_list(list, data ? data : "/usr/local/share:/usr/share", "/vulkan/icd.d");
}

void cli_manifests_find(cli_manifests *out) {
    const char *selected = value_of(selectors[0]);
    out->n = 0;
    out->hash = UINT64_C(0xcbf29ce484222325);
    if (!selected) selected = value_of(selectors[1]);
    if (selected) {
        add_list(out, selected, "");
    } else {
        add_list(out, value_of("VK_ADD_DRIVER_FILES"), "");
        add_standard_places(out);
    }
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        const char *value = value_of(filters[i]);
        if (value) mix(&out->hash, value, strlen(value) + 1);
    }
}

bool cli_manifest_is_broken(const char *path, char reason[CLI_REASON_BYTES]) {
    json_error_t error;
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)snprintf(reason, CLI_REASON_BYTES, "its manifest cannot be read: %s",
                       errno ? strerror(errno) : "it is no regular file");
        return true;
    }
    json_t *root = json_load_file(path, JSON_DISABLE_EOF_CHECK, &error);
    json_t *library = json_object_get(json_object_get(root, "ICD"), "library_path");
    bool broken = !json_is_string(library);
    if (!root) {
        (void)snprintf(reason, CLI_REASON_BYTES, "its manifest is broken: line %d: %s", error.line,
                       error.text);
    } else if (broken) {
        (void)snprintf(reason, CLI_REASON_BYTES,
                       "its manifest is broken: it has no \"ICD\" with a \"library_path\"");
    }
    json_decref(root);
    return broken;
}

void cli_manifests_use(const cli_manifests *list, const char *path) {
    // A name that is not there: with an empty list the loader would look for drivers itself.
    static const char none[] = "/nonexistent/vulkan-driver.json";
    size_t n = 0, room = sizeof(none);
    for (size_t i = 0; !path && i < list->n; i++) room += strlen(list->items[i].path) + 1;
    char *value = cli_realloc(NULL, room);
    value[0] = 0;
    for (size_t i = 0; !path && i < list->n; i++) {
        if (list->items[i].left_out) continue;
        n += (size_t)snprintf(value + n, room - n, "%s%s", n ? ":" : "", list->items[i].path);
    }
    if (!path) path = n ? value : none;
    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        (void)setenv(selectors[i], path, 1);
    }
    free(value);
}
