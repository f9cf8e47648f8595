// Findings: what verification found of this machine's devices.
#include "gpu/internal.h"

#include <string.h>
#include <xxhash.h>

uint64_t gw_shader_digest(void) {
    uint32_t n = 0;
    const gw_shader *table = gw_shader_table(&n);
    XXH64_hash_t hash = 0;
    for (uint32_t i = 0; i < n; i++) {
        hash = XXH64(table[i].name, strlen(table[i].name), hash);
        hash = XXH64(table[i].words, (size_t)table[i].n_words * sizeof *table[i].words, hash);
    }
    return hash;
}
