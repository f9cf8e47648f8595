// kernels.c: `godwit kernels`: compiles every kernel variant of a device and prints what its driver
// says of each: registers, spills, code size, compile time. Runs nothing, so it also works on a
// driver without hardware (RADV_FORCE_FAMILY).
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "print.h"
#include "progress.h"

typedef struct table {
    json_t *array; // NULL: print rows
    uint64_t n_kernels, n_spilling, compile_ns;
    int64_t code_bytes;
} table;

// A field as printed: '-' where the driver does not tell.
typedef struct cell {
    char text[24];
} cell;

static cell cell_of(int64_t value) {
    cell c = {"-"};
    if (value >= 0) (void)snprintf(c.text, sizeof(c.text), "%lld", (long long)value);
    return c;
}

static json_t *json_of(int64_t value) {
    return value < 0 ? json_null() : json_integer(value);
}

static void print_row(const godwit_kernel_info *k) {
    printf("%-40s %6s %6s %6s %8s %7s %5s %9.2f\n", k->name, cell_of(k->registers_vector).text,
           cell_of(k->registers_scalar).text, cell_of(k->spilled).text, cell_of(k->code_bytes).text,
           cell_of(k->shared_bytes).text, cell_of(k->occupancy).text, (double)k->compile_ns / 1e6);
    (void)fflush(stdout); // a compile may take seconds
}

static void add_json(json_t *array, const godwit_kernel_info *k) {
    json_t *o = json_object();
    cli_json_set(o, "name", cli_json_word(k->name));
    cli_json_set(o, "registers_vector", json_of(k->registers_vector));
    cli_json_set(o, "registers_scalar", json_of(k->registers_scalar));
    cli_json_set(o, "spilled", json_of(k->spilled));
    cli_json_set(o, "code_bytes", json_of(k->code_bytes));
    cli_json_set(o, "shared_bytes", json_of(k->shared_bytes));
    cli_json_set(o, "occupancy", json_of(k->occupancy));
    cli_json_set(o, "compile_ns", json_integer((json_int_t)k->compile_ns));
    (void)json_array_append_new(array, o);
}

static void each_kernel(void *user, const godwit_kernel_info *kernel) {
    table *t = user;
    cli_progress_end();
    t->n_kernels++;
    t->n_spilling += kernel->spilled > 0;
    t->compile_ns += kernel->compile_ns;
    if (kernel->code_bytes > 0) t->code_bytes += kernel->code_bytes;
    if (t->array) {
        add_json(t->array, kernel);
    } else {
        print_row(kernel);
    }
}

static int report_json(const godwit_device_info *info, table *t) {
    json_t *all = json_object();
    cli_json_set(all, "device", cli_json_device_short(info));
    cli_json_set(all, "kernels", t->array);
    t->array = NULL;
    cli_json_set(all, "n_kernels", json_integer((json_int_t)t->n_kernels));
    cli_json_set(all, "n_spilling", json_integer((json_int_t)t->n_spilling));
    cli_json_set(all, "code_bytes", json_integer(t->code_bytes));
    cli_json_set(all, "compile_ns", json_integer((json_int_t)t->compile_ns));
    return cli_print_json(all);
}

int cli_kernels(const cli_options *options) {
    cli_engine engine = {.wants_vulkan = true};
    godwit_error error = {0};
    table t = {.array = options->json ? json_array() : NULL};
    int code = CLI_OK;
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    godwit_status status = cli_open_device(options, &engine, &error);
    if (status == GODWIT_OK) status = godwit_device_get_info(engine.device, &info, &error);
    if (status == GODWIT_OK && info.matrix_kernels_left_out) cli_say("%s", CLI_NO_MATRIX_KERNELS);
    if (status == GODWIT_OK && !options->json) {
        printf("%s, %s\n\n%-40s %6s %6s %6s %8s %7s %5s %9s\n", info.name, info.driver, "kernel",
               "vector", "scalar", "spill", "code B", "shared", "waves", "ms");
    }
    if (status == GODWIT_OK) {
        status = godwit_device_compile_all(engine.device, each_kernel, &t, &error);
    }
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (options->json) {
        code = report_json(&info, &t);
    } else {
        printf("\n%llu kernels, %llu with spills, %s of code, %.0f ms to compile\n",
               (unsigned long long)t.n_kernels, (unsigned long long)t.n_spilling,
               t.code_bytes ? cli_bytes((uint64_t)t.code_bytes).text : "unknown bytes",
               (double)t.compile_ns / 1e6);
        code = cli_flush_stdout();
    }
    json_decref(t.array);
    return cli_close_engine(&engine, code);
}
