// manifests.h: the Vulkan drivers of this machine, by the files that name them to Vulkan's loader.
//
// They are looked for as the loader does (its documentation, "Driver Discovery"), so that a driver
// that takes the process down, hangs, or has a broken manifest can be named, and left out.
#ifndef GODWIT_CLI_MANIFESTS_H
#define GODWIT_CLI_MANIFESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_MAX_MANIFESTS = 64, CLI_REASON_BYTES = 320 };

typedef struct cli_manifest {
    char path[1024];
    bool left_out;
    char reason[CLI_REASON_BYTES]; // why, for people
} cli_manifest;

typedef struct cli_manifests {
    cli_manifest items[CLI_MAX_MANIFESTS];
    size_t n;
    uint64_t hash; // of names, sizes, times, and of what else decides which are used
} cli_manifests;

void cli_manifests_find(cli_manifests *out);
// Whether the file says nothing that a loader could use; then reason has what is wrong with it.
bool cli_manifest_is_broken(const char *path, char reason[CLI_REASON_BYTES]);
// Makes this process, and the loader in it, use path alone; with NULL those that are not left out,
// or none at all.
void cli_manifests_use(const cli_manifests *list, const char *path);

#endif
