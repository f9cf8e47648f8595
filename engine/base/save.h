// Save: a file that appears whole or not at all.
//
// Bytes go to a temporary file beside the target, which takes the target's name at commit. Whatever
// fails before that, the target is as it was and the temporary file is gone.
// Thread rule: a save belongs to one thread at a time; several may aim at one path, the last wins.
#ifndef GW_BASE_SAVE_H
#define GW_BASE_SAVE_H

#include "base/mem.h"

typedef struct gw_save gw_save;

// Whether path could be saved to, for callers whose work before that is long. GODWIT_IO with errno;
// GODWIT_INVALID_ARGUMENT for no path, and for one that exists and is no regular file.
godwit_status gw_save_check(const char *path, godwit_error *err);
// GODWIT_INVALID_ARGUMENT where both name one file: by whatever name, links of both kinds included.
godwit_status gw_save_check_input(const char *path, const char *input, godwit_error *err);
// Errors: those of gw_save_check. A symbolic link is written through.
godwit_status gw_save_open(const gw_host *host, const char *path, gw_save **out_save,
                           godwit_error *err);
godwit_status gw_save_write(gw_save *save, const void *bytes, size_t n_bytes, godwit_error *err);
// Flushes to the disk and renames. The save is then finished either way; destroy it.
godwit_status gw_save_commit(gw_save *save, godwit_error *err);
// Without a commit before: nothing was saved.
void gw_save_destroy(gw_save **save);

#endif
