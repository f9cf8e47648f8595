// Suspects: a kill in the trial of a variant says nothing of it the first time; it is tried once
// more before it is used (findings.c has the second time).
#include "bare_device.h"
#include "support/folder.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static gw_host host;
static bare_device bare;
static gw_device *const device = &bare.device;

static void setup(void) {
    folder_make(dir, sizeof dir);
    bare_device_init(&bare, &host, dir);
}

static void teardown(void) {
    folder_remove(dir);
}

TestSuite(suspects, .init = setup, .fini = teardown);

// The one file of that pattern, or "".
static const char *found(const char *pattern) {
    static char path[400];
    glob_t all;
    snprintf(path, sizeof path, "%s/%s", dir, pattern);
    const bool is_there = glob(path, 0, NULL, &all) == 0;
    snprintf(path, sizeof path, "%s", is_there ? all.gl_pathv[0] : "");
    if (is_there) globfree(&all);
    return path;
}

// A kill says nothing: the variant is a suspect until it was tried once more.
Test(suspects, are_who_a_process_ended_with_once) {
    (void)bare_device_try(&bare, 0);
    for (int i = 0; i < 2; i++) {
        bare_device_reopen(&bare);
        cr_assert_eq(device->findings.n, 0);
        cr_assert(gw_device_suspects(device, "matmul.dot") && gw_device_suspects(device, NULL));
        cr_assert_not(gw_device_suspects(device, "matmul.rows"));
        cr_assert(found("*.killed")[0] && !found("*.trying")[0] && !found("quirks.txt")[0]);
    }
    // Killed in another one, which says nothing of the first.
    gw_device_trial(device, "matmul.rows");
    gw_device_trial(device, NULL);
    cr_assert(gw_device_suspects(device, "matmul.dot"));
    // Tried again, and right: it counts from the beginning.
    gw_device_trial(device, "matmul.dot");
    gw_device_trial(device, NULL);
    cr_assert_not(gw_device_suspects(device, NULL));
    cr_assert(!found("*.killed")[0]);
    (void)bare_device_try(&bare, 0);
    bare_device_reopen(&bare);
    cr_assert_eq(device->findings.n, 0);
    gw_device_acquit(device);
    bare_device_reopen(&bare);
    cr_assert(!gw_device_suspects(device, NULL) && !found("*.killed")[0]);
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(suspects, that_say_nothing_are_ignored) {
    static const char *const texts[] = {"", "matmul.dot", "nonsense.x\n", "\n\n", "matmul\n"};
    (void)bare_device_try(&bare, 0);
    bare_device_reopen(&bare);
    char name[400];
    snprintf(name, sizeof name, "%s", found("*.killed"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(name, texts[i]);
        bare_device_reopen(&bare);
        cr_assert_not(gw_device_suspects(device, NULL), "%s", texts[i]);
    }
    // More than there is room for, and a pipe.
    char many[4096] = "";
    for (int i = 0; i < 300; i++) strcat(many, "matmul.dot\n");
    write_text(name, many);
    bare_device_reopen(&bare);
    cr_assert(gw_device_suspects(device, "matmul.dot"));
    unlink(name);
    cr_assert_eq(mkfifo(name, 0600), 0);
    bare_device_reopen(&bare);
    cr_assert_not(gw_device_suspects(device, NULL));
}
