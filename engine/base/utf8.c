// UTF-8: see utf8.h.
//
// The second byte's range depends on the first; that one rule shuts out overlong forms,
// surrogates and everything past U+10FFFF, and all later bytes are 80..BF.
#include "base/utf8.h"

// The length that a lead byte announces and the range its second byte must be in; 0: no lead byte.
static int lead(uint8_t byte, uint8_t *out_low, uint8_t *out_high) {
    *out_low = 0x80;
    *out_high = 0xBF;
    if (byte < 0x80) return 1;
    if (byte < 0xC2) return 0;
    if (byte < 0xE0) return 2;
    if (byte == 0xE0) *out_low = 0xA0;
    if (byte == 0xED) *out_high = 0x9F;
    if (byte < 0xF0) return 3;
    if (byte == 0xF0) *out_low = 0x90;
    if (byte == 0xF4) *out_high = 0x8F;
    return byte <= 0xF4 ? 4 : 0;
}

int gw_utf8_next(const char *text, size_t n, uint32_t *out_code_point) {
    const uint8_t *bytes = (const uint8_t *)text;
    uint8_t low = 0;
    uint8_t high = 0;
    int length = lead(bytes[0], &low, &high);
    if (length == 0) return -1;
    uint32_t code_point = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= n) return 0;
        if (bytes[i] < low || bytes[i] > high) return -i;
        code_point = code_point << 6 | (bytes[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *out_code_point = code_point;
    return length;
}

int gw_utf8_put(uint32_t code_point, char out[4]) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    int length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)((0xF00u >> length & 0xFF) | code_point);
    return length;
}
