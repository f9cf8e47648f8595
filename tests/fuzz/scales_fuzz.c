// Fuzzer of the reader of weights of 8 bits with scales beside them (libFuzzer): the input is a config.json,
// a byte 0 and a safetensors file. Whatever both say, every tensor that is left is read, from its middle too.
//
// Seeds: tests/fuzz/corpus/scales/, made by scales_seeds.py. Dictionary: scales.dict.
#include "convert/hf.h"
#include "fuzz/fuzz.h"

#include <string.h>

enum { MOST_BYTES = 1 << 16 };

static void read_all(const gw_safetensors *weights) {
    static uint8_t scratch[4 * MOST_BYTES];
    volatile uint8_t eaten = 0;
    for (uint64_t i = 0; i < gw_safetensors_n(weights); i++) {
        const gw_st_tensor *t = gw_safetensors_at(weights, i);
        const uint64_t size = t->type->bytes, half = t->n_elements / 2 * size;
        const uint64_t starts[2] = {0, half}, ends[2] = {t->bytes, t->bytes};
        CHECK(t->bytes <= sizeof scratch && t->bytes == t->n_elements * size, "a tensor's bytes");
        CHECK(gw_safetensors_find(weights, t->name) == t, "a name that finds another");
        for (int k = 0; k < 2; k++) {
            const uint8_t *bytes = NULL;
            const uint64_t n = ends[k] - starts[k];
            CHECK(gw_source_view(&t->source, starts[k], n, scratch, &bytes, NULL) == GODWIT_OK,
                  "a read that fails");
            for (uint64_t b = 0; b < n; b++) eaten = (uint8_t)(eaten ^ bytes[b]);
        }
    }
}

static void run(const uint8_t *config, size_t n_config, const uint8_t *file, size_t n_file,
                failing *memory) {
    const godwit_allocator allocator = {.user = memory, .realloc = failing_realloc};
    gw_host host;
    godwit_error err = {0};
    gw_host_init(&host, &allocator, NULL, NULL);
    gw_hf hf = {.host = &host, .folder = "fuzz"};
    gw_arena_init(&hf.arena, &host);
    if (gw_safetensors_parse(&host, file, n_file, "fuzz", &hf.weights, &err) == GODWIT_OK &&
        gw_json_parse(&hf.arena, config, n_config, &hf.config, &err) == GODWIT_OK) {
        const godwit_status status = gw_hf_read_scales(&hf, &err);
        CHECK(status == GODWIT_OK || err.message[0], "an error without a reason");
        if (status == GODWIT_OK) read_all(hf.weights);
    }
    gw_safetensors_destroy(&hf.weights);
    gw_arena_deinit(&hf.arena);
    CHECK(memory->live_bytes == 0, "memory that is not given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const uint8_t *zero = n > 0 && n <= MOST_BYTES ? memchr(data, 0, n) : NULL;
    if (!zero) return 0;
    const size_t n_config = (size_t)(zero - data);
    run(data, n_config, zero + 1, n - n_config - 1, &(failing){0});
    run(data, n_config, zero + 1, n - n_config - 1, &(failing){.n_left = 1 + n % 16});
    return 0;
}
