// Adapters: which of several devices is the default, and that two of one name can be told apart.
#include "gpu/internal.h"

#include "gpu_support.h"

#include <stdio.h>

static gw_adapter device(const char *name, godwit_device_type type, uint32_t driver_id,
                         uint32_t version, uint32_t subgroup) {
    gw_adapter a = {0};
    snprintf(a.info.name, sizeof a.info.name, "%s", name);
    a.info.type = type;
    a.info.driver_id = driver_id;
    a.info.driver_version = version;
    a.info.subgroup_size = subgroup;
    a.memory.memoryTypeCount = 1;
    return a;
}

// The names in order, as "a b c ".
static const char *order_of(gw_adapter *adapters, uint32_t n) {
    static char text[256];
    size_t at = 0;
    gw_rank_adapters(adapters, n);
    for (uint32_t i = 0; i < n; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s ", adapters[i].info.name);
    }
    return text;
}

Test(adapters, wider_subgroups_of_software_come_first) {
    const godwit_device_type software = GODWIT_DEVICE_SOFTWARE;
    gw_adapter narrow_first[] = {device("four", software, 1, 9, 4),
                                 device("eight", software, 2, 1, 8),
                                 device("gpu", GODWIT_DEVICE_DISCRETE, 3, 1, 4)};
    cr_assert_str_eq(order_of(narrow_first, 3), "gpu eight four ");
    gw_adapter wide_first[] = {device("eight", software, 2, 1, 8),
                               device("four", software, 1, 9, 4)};
    cr_assert_str_eq(order_of(wide_first, 2), "eight four ");
    gw_adapter versions[] = {device("old", software, 2, 1, 8), device("new", software, 2, 2, 8)};
    cr_assert_str_eq(order_of(versions, 2), "new old ");
}

// Nothing that is known of two drivers' version numbers, or of two GPUs, says which is better.
Test(adapters, else_the_driver_s_order_stays) {
    gw_adapter others[] = {device("a", GODWIT_DEVICE_SOFTWARE, 1, 1, 8),
                           device("b", GODWIT_DEVICE_SOFTWARE, 2, 2, 8)};
    cr_assert_str_eq(order_of(others, 2), "a b ");
    gw_adapter gpus[] = {device("a", GODWIT_DEVICE_DISCRETE, 1, 1, 32),
                         device("b", GODWIT_DEVICE_DISCRETE, 1, 2, 64),
                         device("c", GODWIT_DEVICE_INTEGRATED, 1, 2, 64)};
    cr_assert_str_eq(order_of(gpus, 3), "a b c ");
}

Test(adapters, each_has_a_name_of_its_own) {
    gw_adapter all[] = {device("x", GODWIT_DEVICE_DISCRETE, 1, 1, 32),
                        device("y", GODWIT_DEVICE_DISCRETE, 1, 1, 32),
                        device("x", GODWIT_DEVICE_DISCRETE, 1, 1, 32),
                        device("x", GODWIT_DEVICE_INTEGRATED, 1, 1, 32)};
    gw_tell_adapters_apart(all, 4);
    cr_assert_str_eq(order_of(all, 4), "x y x #2 x #3 ");
    gw_adapter long_names[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) memset(long_names[i].info.name, 'n', sizeof all[0].info.name - 1);
    gw_tell_adapters_apart(long_names, 2);
    const char *name = long_names[1].info.name;
    cr_assert_eq(strlen(name), sizeof all[0].info.name - 1);
    cr_assert_str_eq(name + strlen(name) - 4, "n #2");
}
