// Map: a whole file mapped read-only.
//
// A file that shrinks after it was mapped would fault on access; gw_map_check_size tells before a
// long read whether that happened.
#ifndef GW_BASE_MAP_H
#define GW_BASE_MAP_H

#include "base/mem.h"

typedef struct gw_map {
    const uint8_t *bytes;
    uint64_t n_bytes;
    int fd;
} gw_map;

// Errors: GODWIT_IO with errno; an empty file or a directory is GODWIT_MALFORMED.
godwit_status gw_map_open(const char *path, gw_map *out_map, godwit_error *err);
void gw_map_close(gw_map *map);
// GODWIT_IO when the file is now shorter than when it was mapped. The caller names it (gw_note).
godwit_status gw_map_check_size(const gw_map *map, godwit_error *err);

// What every failed call on a file says: "cannot <what>: <path>: <the system's reason>", GODWIT_IO
// with code, an errno.
godwit_status gw_fail_io(godwit_error *err, int code, const char *what, const char *path);

#endif
