// Functions: those of the contract with what is known of them, for the tests that walk their
// domains on the CPU and for the one that compares a device.
#ifndef GW_TESTS_FUNCTIONS_H
#define GW_TESTS_FUNCTIONS_H

#include "base/exact_math.h"

enum {
#define ONE(id, name)     FN_##name = id,
#define TWO(id, name)     FN_##name = id,
#define WORD(id, name)    FN_##name = id,
#define INTEGER(id, name) FN_##name = id,
#include "support/functions.def"
#undef ONE
#undef TWO
#undef WORD
#undef INTEGER
    N_FUNCTIONS,
};

typedef struct contract_function {
    const char *name;
    float (*call)(float a, float b);
} contract_function;
extern const contract_function contract_functions[N_FUNCTIONS];

// Whether the function is defined at a stored value.
bool contract_function_takes(int id, float a);

#endif
