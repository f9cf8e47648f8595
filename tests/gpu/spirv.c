// SPIR-V: a module's copy that asks for rounding to even has two instructions more where they
// belong and nothing else changed; what the driver is given on devices that list it.
#include "gpu/internal.h"

#include "gpu_support.h"

#include <stdlib.h>

enum { VERSION = 0x00010500, CAPABILITY = 17, ENTRY = 15, MODE = 16, FLOAT = 22 };
static gw_host host;
static godwit_error err;

// A module of the parts that matter: two entry points, then a mode of the first one.
static const uint32_t plain[] = {0x07230203,
                                 VERSION,
                                 0,
                                 9,
                                 0,
                                 2u << 16 | CAPABILITY,
                                 1,
                                 2u << 16 | CAPABILITY,
                                 61,
                                 3u << 16 | 14,
                                 0,
                                 1,
                                 4u << 16 | ENTRY,
                                 5,
                                 3,
                                 0x6e69616d,
                                 4u << 16 | ENTRY,
                                 5,
                                 4,
                                 0x6e69616d,
                                 6u << 16 | MODE,
                                 3,
                                 17,
                                 1,
                                 1,
                                 1,
                                 3u << 16 | FLOAT,
                                 7,
                                 32};
static const uint32_t wanted[] = {0x07230203,
                                  VERSION,
                                  0,
                                  9,
                                  0,
                                  2u << 16 | CAPABILITY,
                                  1,
                                  2u << 16 | CAPABILITY,
                                  61,
                                  2u << 16 | CAPABILITY,
                                  4467,
                                  3u << 16 | 14,
                                  0,
                                  1,
                                  4u << 16 | ENTRY,
                                  5,
                                  3,
                                  0x6e69616d,
                                  4u << 16 | ENTRY,
                                  5,
                                  4,
                                  0x6e69616d,
                                  4u << 16 | MODE,
                                  3,
                                  4462,
                                  32,
                                  4u << 16 | MODE,
                                  4,
                                  4462,
                                  32,
                                  6u << 16 | MODE,
                                  3,
                                  17,
                                  1,
                                  1,
                                  1,
                                  3u << 16 | FLOAT,
                                  7,
                                  32};
enum { N_PLAIN = sizeof plain / 4, N_WANTED = sizeof wanted / 4 };

static uint32_t *rounded(const uint32_t *words, uint32_t n, bool independent, uint32_t *out_n) {
    uint32_t *out = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert_eq(gw_spirv_round_to_even(&host, words, n, independent, &out, out_n, &err),
                 GODWIT_OK);
    return out;
}

static void is_left_alone(const uint32_t *words, uint32_t n, bool independent) {
    uint32_t n_out = 1;
    cr_assert_null(rounded(words, n, independent, &n_out));
    cr_assert_eq(n_out, 0);
}

Test(spirv, has_two_instructions_more) {
    uint32_t n = 0;
    uint32_t *out = rounded(plain, N_PLAIN, false, &n);
    cr_assert_not_null(out);
    cr_assert_eq(n, N_WANTED);
    cr_assert_eq(memcmp(out, wanted, sizeof wanted), 0);
    is_left_alone(out, n, true); // it asks already
    free(out);
}

Test(spirv, is_left_alone_where_it_must_be) {
    uint32_t words[N_PLAIN];
    memcpy(words, plain, sizeof plain);
    words[1] = 0x00010300; // float controls are an extension there
    is_left_alone(words, N_PLAIN, true);
    memcpy(words, plain, sizeof plain);
    words[N_PLAIN - 1] = 16; // halves, which the device wants to treat like 32-bit floats
    is_left_alone(words, N_PLAIN, false);
    uint32_t n = 0, *out = rounded(words, N_PLAIN, true, &n);
    cr_assert_eq(n, N_WANTED);
    free(out);
    for (uint32_t i = 0; i < 16; i++) is_left_alone(plain, i, true); // cut before an entry's end
    memcpy(words, plain, sizeof plain);
    words[5] = 0xffffu << 16 | CAPABILITY; // longer than the module
    is_left_alone(words, N_PLAIN, true);
}

Test(spirv, of_every_module_grows_by_six_words) {
    uint32_t n_modules = 0, n = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    const gw_shader *table = gw_shader_table(&n_modules);
    for (uint32_t i = 0; i < n_modules; i++) {
        const uint32_t *words;
        uint32_t *copy;
        cr_assert_eq(gw_shader_words(&host, &table[i], &words, &copy, NULL), GODWIT_OK);
        uint32_t *out = rounded(words, table[i].n_words, true, &n);
        cr_assert_not_null(out, "%s", table[i].name);
        cr_assert_eq(n, table[i].n_words + 6, "%s", table[i].name);
        free(out);
        gw_free(&host, copy, (size_t)table[i].n_words * 4);
    }
}

static PFN_vkCreateShaderModule create;
static uint32_t n_asking, n_made;

static VkResult VKAPI_CALL look_at(VkDevice device, const VkShaderModuleCreateInfo *info,
                                   const VkAllocationCallbacks *allocator, VkShaderModule *out) {
    n_made++;
    for (size_t i = 5; i + 3 < info->codeSize / 4; i++)
        n_asking += info->pCode[i] == (4u << 16 | MODE) && info->pCode[i + 2] == 4462 &&
                    info->pCode[i + 3] == 32;
    return create(device, info, allocator, out);
}

// Validation listens, as in all of these tests.
Test(spirv, is_what_the_driver_gets_where_it_lists_rounding) {
    rig r;
    for (int lists = 0; lists < 2; lists++) {
        gpu_open(&r, NULL, NULL);
        gw_adapter *adapter = (gw_adapter *)r.device->adapter;
        const bool wants = lists && adapter->round_to_even_32;
        if (!lists) adapter->round_to_even_32 = false;
        create = r.device->vk.CreateShaderModule;
        r.device->vk.CreateShaderModule = look_at;
        n_made = n_asking = 0;
        (void)selftest_kernel(&r, 64, 1);
        cr_assert_eq(n_made, 1);
        cr_assert_eq(n_asking, wants);
        gpu_close(&r);
    }
}
