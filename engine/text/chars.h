// Characters: what templates and tokenizers both ask of one.
#ifndef GW_TEXT_CHARS_H
#define GW_TEXT_CHARS_H

#include <stdint.h>

// The small letter of a letter, itself where it has none. U+0130 has two characters, and is itself.
uint32_t gw_char_lower(uint32_t code_point);

#endif
