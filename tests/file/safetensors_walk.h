// Reads every tensor of a safetensors file: what is wrong, or NULL. For tests and the fuzzer.
#ifndef GW_TESTS_SAFETENSORS_WALK_H
#define GW_TESTS_SAFETENSORS_WALK_H

#include "file/safetensors.h"

static inline const char *safetensors_walk(const gw_safetensors *file, const uint8_t *bytes,
                                           uint64_t n_bytes) {
    uint64_t sum = 0;
    volatile uint8_t eaten = 0;
    for (uint64_t i = 0; i < gw_safetensors_n(file); i++) {
        const gw_st_tensor *t = gw_safetensors_at(file, i);
        uint64_t n = 1;
        if (t->n_dims > GW_ST_MAX_DIMS) return "too many dimensions";
        for (uint32_t d = 0; d < t->n_dims; d++) n *= t->dims[d];
        if (n != t->n_elements || n * t->type->bytes != t->bytes) return "a shape of other bytes";
        if (t->offset > n_bytes || t->bytes > n_bytes - t->offset) return "bytes past the end";
        if (t->source.bytes != bytes + t->offset) return "data that is not at its offset";
        if (gw_safetensors_find(file, t->name) != t) return "a name that finds another";
        for (uint64_t k = 0; k < t->bytes; k++) eaten = (uint8_t)(eaten ^ t->source.bytes[k]);
        sum += t->bytes;
    }
    if (sum > n_bytes) return "tensors that overlap";
    if (gw_safetensors_at(file, gw_safetensors_n(file))) return "a tensor past the last";
    return NULL;
}

#endif
