// Case data: the numbers that sample cases hold; see case_data.h.
#include "run/case_data.h"

#include "base/exact.h"

static const uint32_t key[2] = {0x676f6477u, 0x6974u};

static uint32_t next_random(gw_case *c) {
    return gw_philox(key[0], key[1], c->seed++);
}

// 2^low .. 2^(low + n - 1), by v.
static float power(int low, uint32_t n, uint32_t v) {
    return gw_from_bits((uint32_t)(127 + low + (int)(v % n)) << 23);
}

static float draw(gw_case *c, uint32_t fill) {
    uint32_t u = next_random(c), v = next_random(c);
    float unit = (float)(int32_t)u * 0x1p-30f; // -2 .. 2
    switch (fill) {
    case MIXED:
        if (v % 7 == 0) return v & 8 ? 0.0f : -0.0f;
        if (v % 7 == 1) return power(-30, 40, v / 7);
        return unit * power(-38, 58, v / 7);
    case HUGE:
        return unit * (v & 3 ? 0x1p39f : 1.0f);
    case TINY:
        return unit * (v & 1 ? 0x1p-39f : v & 2 ? 0x1p-60f : 0x1p-30f);
    case ZEROS:
        return u & 1 ? 0.0f : -0.0f;
    default:
        return unit;
    }
}

static float next_float(gw_case *c, uint32_t fill) {
    float x = draw(c, fill);
    return c->data == GW_CASE_MAGNITUDES ? gw_from_bits(gw_bits(x) & 0x7fffffffu) : x;
}

float *gw_case_floats(gw_case *c, uint64_t n_rows, uint64_t n_cols) {
    float *data = gw_arena_alloc(&c->graph.arena, n_rows * n_cols, sizeof *data);
    uint32_t fill = 1u << (N_FILLS - 1);
    for (uint64_t r = 0; data && r < n_rows; r++) {
        do fill = fill == 1u << (N_FILLS - 1) ? 1 : fill << 1;
        while (!(c->fills & fill));
        for (uint64_t i = 0; i < n_cols; i++) data[r * n_cols + i] = gw_flush(next_float(c, fill));
    }
    return data;
}

void gw_case_random_block(const gw_format *format, const uint32_t key[2], uint32_t *counter,
                          float limit, uint8_t *block) {
    enum { MAX_ATTEMPTS = 100000 };
    float values[GW_BLOCK_MAX];
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        for (uint32_t i = 0; i < format->block_bytes; i++) {
            block[i] = (uint8_t)gw_philox(key[0], key[1], (*counter)++);
        }
        gw_format_dequantize(format, block, format->block, values);
        bool fine = true;
        for (uint32_t i = 0; i < format->block; i++) {
            fine &= values[i] > -limit && values[i] < limit;
        }
        if (fine) return;
    }
    memset(block, 0, format->block_bytes);
}

// Large matrices are measured, and it hardly matters what they hold.
enum { N_DRAWN_ROWS = 64 };

void gw_case_fill_blocks(gw_case *c, const gw_weight *w, uint8_t *blocks) {
    uint64_t per_row = w->n_cols / w->format->block, bytes = per_row * w->format->block_bytes;
    float values[GW_BLOCK_MAX];
    for (uint64_t r = 0; r < w->n_rows; r++) {
        if (r >= N_DRAWN_ROWS) {
            memcpy(blocks + r * bytes, blocks + (r - N_DRAWN_ROWS) * bytes, bytes);
            continue;
        }
        bool ordinary = gw_format_is_float(w->format) && w->format->quantize &&
                        (r % 2 == 0 || c->data != GW_CASE_AWKWARD);
        for (uint64_t b = 0; b < per_row; b++) {
            uint8_t *block = blocks + r * bytes + b * w->format->block_bytes;
            if (!ordinary) {
                gw_case_random_block(w->format, key, &c->seed, 0x1p20f, block);
                continue;
            }
            for (uint32_t i = 0; i < w->format->block; i++) values[i] = next_float(c, NORMAL);
            w->format->quantize(values, NULL, w->format->block, block);
        }
    }
}
