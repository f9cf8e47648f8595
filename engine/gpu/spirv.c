// SPIR-V: a module's words out of the build, and what they say of rounding, put in when they are handed
// to the driver.
//
// Vulkan leaves the direction in which floats are rounded to the driver unless a module asks for
// one (RoundingModeRTE), and a module may ask only where the device lists that. So one embedded
// module serves all devices, and is copied with two instructions more for those that list it.
// Numbers are those of the SPIR-V 1.6 registry; float controls are in its core since 1.4.
#include "gpu/internal.h"

#include <string.h>
#include <zstd.h>

enum {
    HEADER_WORDS = 5,
    VERSION_1_4 = 0x00010400,
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_FLOAT = 22,
    OP_FUNCTION = 54,
    MODE_ROUND_TO_EVEN = 4462,
    MODE_ROUND_TO_ZERO = 4463,
    CAPABILITY_ROUND_TO_EVEN = 4467,
    MODE_WORDS = 4,
    CAPABILITY_WORDS = 2,
};

godwit_status gw_shader_words(const gw_host *host, const gw_shader *shader,
                              const uint32_t **out_words, uint32_t **out_copy, godwit_error *err) {
    const size_t bytes = (size_t)shader->n_words * sizeof **out_words;
    const size_t frame_bytes = (size_t)shader->frame_words * sizeof **out_words;
    godwit_status status = GODWIT_OK;
    uint32_t *frame = NULL, *copy = NULL;
    size_t n = 0;
    *out_words = shader->words;
    *out_copy = NULL;
    if (shader->words) return GODWIT_OK;
    frame = gw_alloc(host, shader->frame_words, sizeof *frame);
    copy = gw_alloc(host, shader->n_words, sizeof *copy);
    GW_CHECK_ALLOC(frame && copy, err, "module");
    n = ZSTD_decompress(frame, frame_bytes, shader->packed, shader->packed_bytes);
    // The frame is this build's own: what fails is memory.
    if (n != frame_bytes)
        GW_FAIL(err, GODWIT_OUT_OF_MEMORY, "kernel %s: its module does not unpack: %s",
                shader->name, ZSTD_isError(n) ? ZSTD_getErrorName(n) : "too short");
    memcpy(copy, frame + shader->frame_first, bytes);
    *out_words = *out_copy = copy;
    copy = NULL;
done:
    gw_free(host, copy, bytes);
    gw_free(host, frame, frame_bytes);
    return status;
}

// Where a module's sections end, and what it has.
typedef struct outline {
    uint32_t capabilities_end, entries_end, n_entries;
    bool rounds, other_floats; // says itself how 32-bit floats are rounded; has other widths
} outline;

// False for what is no module.
static bool read_outline(const uint32_t *words, uint32_t n_words, outline *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t at = HEADER_WORDS, n; at < n_words; at += n) {
        const uint32_t *op = words + at, code = op[0] & 0xffffu;
        n = op[0] >> 16;
        if (n == 0 || n > n_words - at) return false;
        if (code == OP_CAPABILITY) out->capabilities_end = at + n;
        if (code == OP_ENTRY_POINT && n > 2) {
            out->entries_end = at + n;
            out->n_entries++;
        }
        if (code == OP_EXECUTION_MODE && n == MODE_WORDS && op[3] == 32)
            out->rounds |= op[2] == MODE_ROUND_TO_EVEN || op[2] == MODE_ROUND_TO_ZERO;
        if (code == OP_TYPE_FLOAT && n > 2) out->other_floats |= op[2] != 32;
        if (code == OP_FUNCTION) break; // nothing of these comes behind
    }
    return out->capabilities_end && out->entries_end > out->capabilities_end;
}

static uint32_t *copy_to(uint32_t *to, const uint32_t *from, const uint32_t *end) {
    memcpy(to, from, (size_t)(end - from) * sizeof *from);
    return to + (end - from);
}

godwit_status gw_spirv_round_to_even(const gw_host *host, const uint32_t *words, uint32_t n_words,
                                     bool independent, uint32_t **out_words, uint32_t *out_n,
                                     godwit_error *err) {
    outline o;
    *out_words = NULL;
    *out_n = 0;
    if (n_words <= HEADER_WORDS || words[1] < VERSION_1_4 || !read_outline(words, n_words, &o))
        return GODWIT_OK;
    if (o.rounds || (o.other_floats && !independent)) return GODWIT_OK;
    const uint32_t n = n_words + CAPABILITY_WORDS + MODE_WORDS * o.n_entries;
    uint32_t *copy = gw_alloc(host, n, sizeof *copy), *to = copy;
    if (!copy) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: module");
    to = copy_to(to, words, words + o.capabilities_end);
    *to++ = CAPABILITY_WORDS << 16 | OP_CAPABILITY;
    *to++ = CAPABILITY_ROUND_TO_EVEN;
    to = copy_to(to, words + o.capabilities_end, words + o.entries_end);
    for (uint32_t at = o.capabilities_end; at < o.entries_end; at += words[at] >> 16) {
        if ((words[at] & 0xffffu) != OP_ENTRY_POINT) continue;
        const uint32_t mode[MODE_WORDS] = {MODE_WORDS << 16 | OP_EXECUTION_MODE, words[at + 2],
                                           MODE_ROUND_TO_EVEN, 32};
        to = copy_to(to, mode, mode + MODE_WORDS);
    }
    (void)copy_to(to, words + o.entries_end, words + n_words);
    *out_words = copy;
    *out_n = n;
    return GODWIT_OK;
}
