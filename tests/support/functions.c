// The table of functions.h.
#include "support/functions.h"

#define ONE(id, name)                                                                              \
    static float call_##name(float a, float b) {                                                   \
        (void)b;                                                                                   \
        return gw_##name(a);                                                                       \
    }
#define TWO(id, name)                                                                              \
    static float call_##name(float a, float b) {                                                   \
        return gw_##name(a, b);                                                                    \
    }
#define WORD(id, name)                                                                             \
    static float call_##name(float a, float b) {                                                   \
        (void)b;                                                                                   \
        return gw_##name((int32_t)gw_bits(a));                                                     \
    }
#define INTEGER(id, name)                                                                          \
    static float call_##name(float a, float b) {                                                   \
        (void)b;                                                                                   \
        return (float)gw_##name(a);                                                                \
    }
#include "support/functions.def"
#undef ONE
#undef TWO
#undef WORD
#undef INTEGER

#define ONE(id, name)     [id] = {#name, call_##name},
#define TWO(id, name)     [id] = {#name, call_##name},
#define WORD(id, name)    [id] = {#name, call_##name},
#define INTEGER(id, name) [id] = {#name, call_##name},
const contract_function contract_functions[N_FUNCTIONS] = {
#include "support/functions.def"
};

bool contract_function_takes(int id, float a) {
    float size = gw_abs(a);
    switch (id) {
    case FN_rcp:
        return size >= 0x1p-100f && size <= 0x1p100f;
    case FN_rsqrt:
        return a >= 0x1p-100f && a <= 0x1p100f;
    case FN_exp2_part:
        return size <= 0.5f;
    case FN_round:
        return size < 0x1p22f;
    default:
        return true;
    }
}
