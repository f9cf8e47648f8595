// Golden file: reading what tests/golden/quant.py wrote.
#include "quant/golden_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEAD_WORDS = 10 };

golden golden_open(const gw_format *format) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/quant/%s.bin", GODWIT_TEST_ROOT, format->name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s: cannot be read: a format needs a golden (tests/golden/quant.py)", path);
    uint32_t head[HEAD_WORDS];
    cr_assert_eq(fread(head, sizeof head, 1, file), 1, "%s: too short", path);
    cr_assert_eq(head[0], format->type, "%s: of type %u", path, head[0]);
    cr_assert_eq(head[1], format->block, "%s: blocks of %u elements", path, head[1]);
    cr_assert_eq(head[2], format->block_bytes, "%s: blocks of %u bytes", path, head[2]);
    golden g = {.n_blocks = head[3], .n_quantized = head[4], .weighted = head[5]};
    memcpy(g.halves, head + 6, sizeof g.halves);
    size_t blocks = (size_t)g.n_blocks * format->block_bytes;
    size_t hashes = (size_t)g.n_blocks * format->block / GW_UNIT * 4;
    size_t values = (size_t)g.n_quantized * format->block * sizeof(float);
    size_t quantized = (size_t)g.n_quantized * format->block_bytes;
    size_t n = blocks + hashes + (g.weighted ? 2 : 1) * (values + quantized);
    // The two runs of floats are copied to the front, where they are aligned.
    uint8_t *data = malloc(2 * values + n + 1);
    cr_assert(data);
    uint8_t *bytes = data + 2 * values;
    cr_assert_eq(fread(bytes, 1, n + 1, file), n, "%s: %zu bytes are expected", path, n);
    fclose(file);
    g.data = data;
    g.blocks = bytes;
    g.hashes = bytes + blocks;
    const uint8_t *input = g.hashes + hashes;
    g.quantized = input + values;
    memcpy(data, input, values);
    g.input = (const float *)data;
    if (!g.weighted) return g;
    memcpy(data + values, g.quantized + quantized, values);
    g.importances = (const float *)(data + values);
    g.quantized_weighted = g.quantized + quantized + values;
    return g;
}

void golden_close(golden *g) {
    free(g->data);
}

uint32_t golden_hash(const float *values) {
    const uint8_t *bytes = (const uint8_t *)values;
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < GW_UNIT * sizeof(float); i++) hash = (hash ^ bytes[i]) * 0x01000193u;
    return hash;
}
