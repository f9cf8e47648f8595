// UTF-8: one validated step, forwards, over bytes that nobody vouches for.
//
// Owns the definition of a well-formed character (Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing past U+10FFFF) and of what a broken one is. Tokenizers, names and JSON all
// walk bytes with gw_utf8_next, so there is one place that can be wrong.
#ifndef GW_BASE_UTF8_H
#define GW_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define GW_UTF8_REPLACEMENT "\xEF\xBF\xBD" // U+FFFD

// n >= 1 bytes at text. Gives the length (1..4) of a well-formed character and its code point; 0
// when the n bytes are the proper beginning of one; -k when the first k bytes (1..3) are a maximal
// ill-formed part, which no continuation could mend.
int gw_utf8_next(const char *text, size_t n, uint32_t *out_code_point);
// Writes code_point (<= U+10FFFF) into out[4]; gives the length.
int gw_utf8_put(uint32_t code_point, char out[4]);

#endif
