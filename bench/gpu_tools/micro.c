// micro: what a Vulkan device can do, measured without Godwit: its limits as JSON ("caps"), or its
// rates as a line of JSON each ("rates"): reading, launches, barriers, submits, arithmetic,
// matrices.
//
//   micro caps|rates [--device PART_OF_NAME] [--small]
//   micro time FILE.spv [--device PART_OF_NAME] [-c ID=VALUE]... [-w SUBGROUP] [-g X,Y,Z] [-p
//   WORD]...
//         [-b BYTES[+STEP]]... [-n LAUNCHES]
//
// "time" is for trying kernels: microseconds a launch, of LAUNCHES with barriers between. -b: the
// next binding, of so many bytes; with STEP each launch binds that many bytes further on in a
// buffer large enough that no cache helps. Buffers hold the word 0x2c2d2e2f: small finite halves,
// small codes.
// --small: sizes for a driver on the host's cores. Times are the device's timestamps, the least of
// a few runs, unless a row says "wall". A tool of bench/gpu; it shares nothing with the engine, so
// that a slow engine and a slow device can be told apart.
#include "micro.h"

int main(int argc, char **argv) {
    static gpu g;
    const char *name = NULL;
    bool wants_caps = argc > 1 && strcmp(argv[1], "caps") == 0;
    bool wants_time = argc > 1 && strcmp(argv[1], "time") == 0;
    trial t;
    if (argc < 2 || (!wants_caps && !wants_time && strcmp(argv[1], "rates") != 0) ||
        (wants_time && !read_trial(&t, argc, argv))) {
        fprintf(stderr,
                "micro caps|rates|time FILE.spv; see the head of bench/gpu_tools/micro.c\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--small") == 0)
            g.small = true;
        else if (strcmp(argv[i], "--device") == 0 && i + 1 < argc)
            name = argv[++i];
    }
    open_instance(&g);
    choose_device(&g, name);
    if (wants_caps) return caps(&g);
    open_device(&g);
    if (wants_time) return time_kernel(&g, &t);
    return rates(&g);
}
