// first_difference: a prompt and one more token of a model on a device and on `cpu`, and what each launch of
// both left in memory, bit by bit: the first values that differ name the operator whose kernel is wrong.
//
//   first_difference MODEL.gguf [--device PART_OF_NAME] [--mask NAME,NAME...] [-p TOKENS] [--ctx TOKENS] [--all] [--whole]
//
// 511 tokens and a context of 4104 where nothing else is said. Every value has memory of its own meanwhile, so
// that what was made first is there at the end; sums across workgroups that end a launch (matmul's tails) are
// launches of their own then. --all: differences behind the first one, too, which are its consequences mostly.
// --whole: no launch is cut into pieces (engine/run/program.c), as the longest are in a device's first run.
// Exit status: 0 all alike, 1 something differs, 2 something failed. A tool of bench/gpu; it reads the engine's
// own structures.
#include "api/handles.h"
#include "session/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIFFERENCES = 20 };

typedef struct options {
    const char *model, *device, *mask;
    uint32_t n_tokens, n_ctx;
    bool all, whole;
} options;

typedef struct side {
    const char *name;
    godwit_device *device;
    godwit_model *model;
    godwit_session *session;
} side;

static void stop(const char *what, const godwit_error *error) {
    fprintf(stderr, "first_difference: %s: %s\n", what, error->message);
    exit(2);
}

static void open_side(godwit_context *context, const godwit_file *file, const options *o,
                      const char *which, const char *mask, side *out) {
    godwit_error error = {0};
    const godwit_device_params device = {.struct_size = sizeof device, .mask = mask};
    // guard keeps every value; it checks nothing itself so rarely
    const godwit_session_params session = {.struct_size = sizeof session,
                                           .n_ctx = o->n_ctx,
                                           .n_batch = o->n_tokens,
                                           .guard = INT32_MAX};
    if (godwit_device_open(context, which, &device, &out->device, &error) != GODWIT_OK)
        stop("device", &error);
    if (o->whole && out->device->backend.device)
        gw_device_inject_pace(out->device->backend.device, 1);
    if (godwit_model_open(out->device, file, NULL, &out->model, &error) != GODWIT_OK)
        stop("model", &error);
    if (godwit_session_create(out->model, &session, &out->session, &error) != GODWIT_OK)
        stop("session", &error);
}

static const gw_program *last_program(const side *s) {
    const gw_batch *b = s->session->session->batch;
    return b->steps.n ? b->steps.items[b->steps.n - 1].program : NULL;
}

// Launch i's written values that are of the arena and not all of it, as the bits that they left.
static uint8_t *value_of(const side *s, const gw_launch *launch, uint32_t slice) {
    const gw_program *program = last_program(s);
    const gw_slice *at = &launch->slices[slice];
    godwit_error error = {0};
    uint8_t *bytes = malloc(at->bytes);
    if (!bytes || gw_store_read(gw_program_table(program)->stores[GW_STORE_ARENA], at->offset,
                                bytes, at->bytes, &error) != GODWIT_OK)
        stop("reading a value", &error);
    return bytes;
}

static bool is_value(const gw_plan *plan, const gw_launch *launch, uint32_t slice) {
    const gw_slice *at = &launch->slices[slice];
    return (launch->writes >> slice & 1u) && at->buffer == GW_STORE_ARENA && at->bytes &&
           at->bytes < plan->arena_bytes;
}

// The cores' launch that made the same value: of the same node, the last that writes as many bytes at the same
// place among the node's values; NULL: they make it in another way.
static const gw_launch *partner(const gw_plan *plan, const gw_launch *of, uint64_t bytes,
                                uint32_t nth, uint32_t *out_slice) {
    for (size_t i = plan->launches.n; i-- > 0;) {
        const gw_launch *launch = &plan->launches.items[i];
        uint32_t n = 0;
        if (strcmp(launch->node, of->node) != 0 || launch->op != of->op) continue;
        for (uint32_t k = 0; k < launch->n_slices; k++) {
            if (!is_value(plan, launch, k) || n++ != nth || launch->slices[k].bytes != bytes)
                continue;
            *out_slice = k;
            return launch;
        }
    }
    return NULL;
}

static bool tell(const side *s, const gw_launch *launch, const uint8_t *got, const uint8_t *want,
                 uint64_t bytes) {
    uint64_t n = 0, first = 0, n_words = bytes / 4;
    uint32_t a = 0, b = 0;
    for (uint64_t i = n_words; i-- > 0;) {
        uint32_t x, y;
        memcpy(&x, got + 4 * i, 4);
        memcpy(&y, want + 4 * i, 4);
        if (x == y) continue;
        n++, first = i, a = x, b = y;
    }
    if (!n) return false;
    float fa, fb;
    memcpy(&fa, &a, 4);
    memcpy(&fb, &b, 4);
    printf("%s %s (%s, %u x %u x %u workgroups of %u): %llu of %llu words differ, the first is "
           "word %llu: "
           "%08x (%g) on %s, %08x (%g) on cpu\n",
           launch->op->name, launch->node, launch->shader, launch->groups[0], launch->groups[1],
           launch->groups[2], launch->n_spec ? launch->spec[0] : 0, (unsigned long long)n,
           (unsigned long long)n_words, (unsigned long long)first, a, (double)fa, s->name, b,
           (double)fb);
    return true;
}

// How many values differ of what the last step of both left.
static uint32_t compare(const side *device, const side *cpu, bool all) {
    const gw_plan *plan = gw_program_plan(last_program(device)),
                  *other = gw_program_plan(last_program(cpu));
    uint32_t n_values = 0, n_left = 0, n_different = 0;
    for (size_t i = 0; i < plan->launches.n; i++) {
        const gw_launch *launch = &plan->launches.items[i];
        uint32_t nth = 0;
        for (uint32_t k = 0; k < launch->n_slices; k++) {
            uint32_t slice = 0;
            if (!is_value(plan, launch, k)) continue;
            const uint64_t bytes = launch->slices[k].bytes;
            const gw_launch *twin = partner(other, launch, bytes, nth++, &slice);
            if (!twin) {
                n_left++;
                continue;
            }
            n_values++;
            uint8_t *got = value_of(device, launch, k), *want = value_of(cpu, twin, slice);
            if ((all || !n_different) && n_different < MOST_DIFFERENCES)
                n_different += tell(device, launch, got, want, bytes);
            free(got);
            free(want);
        }
    }
    printf("%u values of %zu launches compared, %u left out (made in another way by cpu)%s\n",
           n_values, plan->launches.n, n_left, n_different ? "" : ": all alike");
    return n_different;
}

static bool read_options(int argc, char **argv, options *o) {
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (!strcmp(argv[i], "--all"))
            o->all = true;
        else if (!strcmp(argv[i], "--whole"))
            o->whole = true;
        else if (!strcmp(argv[i], "--device") && more)
            o->device = argv[++i];
        else if (!strcmp(argv[i], "--mask") && more)
            o->mask = argv[++i];
        else if (!strcmp(argv[i], "-p") && more)
            o->n_tokens = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--ctx") && more)
            o->n_ctx = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (argv[i][0] != '-' && !o->model)
            o->model = argv[i];
        else
            return false;
    }
    return o->model && o->n_tokens > 0 && o->n_tokens <= GW_BATCH_MAX && o->n_ctx > o->n_tokens;
}

int main(int argc, char **argv) {
    options o = {.n_tokens = 511, .n_ctx = 4104};
    godwit_error error = {0};
    godwit_context *context = NULL;
    godwit_file *file = NULL;
    side device = {0}, cpu = {.name = "cpu"};
    uint32_t n_different = 0;
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "usage: see the head of bench/gpu_tools/first_difference.c\n");
        return 2;
    }
    const godwit_context_params params = {.struct_size = sizeof params};
    if (godwit_context_create(&params, &context, &error) != GODWIT_OK) stop("context", &error);
    if (godwit_file_open(context, o.model, &file, &error) != GODWIT_OK) stop(o.model, &error);
    open_side(context, file, &o, o.device, o.mask, &device);
    open_side(context, file, &o, "cpu", NULL, &cpu);
    device.name = "the device";
    int32_t ids[GW_BATCH_MAX];
    godwit_model_info info = {.struct_size = sizeof info};
    if (godwit_model_get_info(cpu.model, &info, &error) != GODWIT_OK) stop("model", &error);
    for (uint32_t i = 0; i < o.n_tokens; i++) ids[i] = (int32_t)(gw_philox(1, 2, i) % info.n_vocab);
    const uint32_t runs[] = {o.n_tokens, 1};
    for (int i = 0; i < 2; i++) {
        printf("%u token%s: ", runs[i], runs[i] == 1 ? " more" : "s");
        fflush(stdout);
        if (godwit_session_feed(device.session, ids, runs[i], &error) != GODWIT_OK)
            stop("feed", &error);
        if (godwit_session_feed(cpu.session, ids, runs[i], &error) != GODWIT_OK)
            stop("feed on cpu", &error);
        n_different += compare(&device, &cpu, o.all);
    }
    const side *both[] = {&device, &cpu};
    for (int i = 0; i < 2; i++) {
        side s = *both[i];
        godwit_session_destroy(&s.session);
        godwit_model_close(&s.model);
        godwit_device_close(&s.device);
    }
    godwit_file_close(&file);
    godwit_context_destroy(&context);
    return n_different ? 1 : 0;
}
