// verify.c: `godwit verify`: every op, number format and kernel variant of a device against the
// plain-C reference, bit for bit; then which of them are fastest; ends in one line fit for a bug
// report.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bandwidth.h"
#include "cancel.h"
#include "cli.h"
#include "print.h"
#include "progress.h"

typedef struct printer {
    const cli_options *options;
    json_t *array, *choices; // NULL: print rows
    uint32_t n_choices, n_changed;
    char op[32]; // of the row being printed
} printer;

static void add_json(json_t *array, const godwit_verdict *v) {
    json_t *o = json_object();
    cli_json_set(o, "op", cli_json_word(v->op));
    cli_json_set(o, "label", cli_json_word(v->label));
    cli_json_set(o, "variant", cli_json_word(v->variant));
    cli_json_set(o, "passed", json_boolean(v->passed));
    if (v->fast && v->passed) cli_json_set(o, "error_of_bound", json_real((double)v->error));
    if (!v->passed) {
        cli_json_set(o, "index", json_integer((json_int_t)v->index));
        cli_json_set(o, "wanted_bits", json_integer(v->wanted_bits));
        cli_json_set(o, "got_bits", json_integer(v->got_bits));
        cli_json_set(o, "message", cli_json_word(v->message));
    }
    (void)json_array_append_new(array, o);
}

static void print_row(const godwit_verdict *v) {
    printf("%-19s %-10s %s", v->variant, v->label, v->passed ? "ok" : "FAILED: ");
    if (v->passed && v->fast) printf(", off by %.0f %% of what is allowed", (double)v->error * 100);
    cli_print_safe(stdout, v->message, strlen(v->message));
    (void)putchar('\n');
}

static void show_progress(uint64_t n_done, uint64_t n_total) {
    if (n_done >= n_total) return;
    cli_progress("%llu of %llu", (unsigned long long)n_done, (unsigned long long)n_total);
}

static bool each_verdict(void *user, const godwit_verdict *v) {
    printer *p = user;
    cli_progress_end();
    if (p->array) {
        add_json(p->array, v);
    } else {
        print_row(v);
        (void)fflush(stdout);
    }
    show_progress(v->n_done, v->n_total);
    return !cli_cancelled();
}

static double times(const godwit_kernel_choice *c) {
    return c->ns ? (double)c->before_ns / (double)c->ns : 0;
}

static void add_choice_json(json_t *array, const godwit_kernel_choice *c) {
    json_t *o = json_object();
    cli_json_set(o, "label", cli_json_word(c->label));
    cli_json_set(o, "tokens", json_integer(c->n_tokens));
    cli_json_set(o, "variant", cli_json_word(c->variant));
    cli_json_set(o, "numerics", cli_json_word(c->fast ? "fast" : "exact"));
    cli_json_set(o, "ns", json_integer((json_int_t)c->ns));
    cli_json_set(o, "before_ns", json_integer((json_int_t)c->before_ns));
    (void)json_array_append_new(array, o);
}

// Rows of what is faster than before; the rest is a number at the end.
static bool each_choice(void *user, const godwit_kernel_choice *c) {
    printer *p = user;
    bool changed = c->ns < c->before_ns;
    cli_progress_end();
    if (p->choices) {
        add_choice_json(p->choices, c);
    } else if (changed) {
        if (p->n_changed == 0) printf("\n");
        printf("%-19s %-10s %.2f times as fast%s, %u tokens\n", c->variant, c->label, times(c),
               c->fast ? " as exact" : "", c->n_tokens);
        (void)fflush(stdout);
    }
    p->n_choices++;
    p->n_changed += changed;
    show_progress(c->n_done, c->n_total);
    return !cli_cancelled();
}

static int report_json(const godwit_device_info *info, printer *p,
                       const godwit_verify_report *report) {
    char digest[24];
    json_t *all = json_object();
    (void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)report->digest);
    cli_json_set(all, "device", cli_json_device_short(info));
    cli_json_set(all, "verdicts", p->array);
    cli_json_set(all, "choices", p->choices);
    p->array = p->choices = NULL;
    cli_json_set(all, "n_verdicts", json_integer(report->n_verdicts));
    cli_json_set(all, "n_failed", json_integer(report->n_failed));
    cli_json_set(all, "failing", json_boolean(report->failing));
    cli_json_set(all, "routed", cli_json_word(report->routed));
    cli_json_set(all, "build", cli_json_word(report->build));
    cli_json_set(all, "digest", cli_json_word(digest));
    cli_json_set(all, "ns", json_integer((json_int_t)report->ns));
    cli_json_set(all, "line", cli_json_word(report->line));
    return cli_print_json(all);
}

static int report_text(const printer *p, const godwit_verify_report *report) {
    printf("\n");
    if (p->n_choices > 0) {
        printf("fastest kernels: %u products measured, %u changed\n", p->n_choices, p->n_changed);
    }
    if (report->routed[0]) printf("routed around: %s\n", report->routed);
    printf("%.1f s\n", (double)report->ns / 1e9);
    cli_print_safe(stdout, report->line, strlen(report->line));
    (void)putchar('\n');
    return cli_flush_stdout();
}

int cli_verify(const cli_options *options) {
    cli_engine engine = {0};
    godwit_error error = {0};
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    godwit_verify_report report = GODWIT_INIT(godwit_verify_report);
    printer p = {.options = options,
                 .array = options->json ? json_array() : NULL,
                 .choices = options->json ? json_array() : NULL};
    int code = CLI_OK;
    godwit_verify_params params = GODWIT_INIT(godwit_verify_params);
    params.quick = options->quick;
    params.no_measure = options->no_measure;
    params.each_choice = each_choice;
    params.n_threads = options->n_threads ? options->n_threads : cli_n_cores();
    cli_cancel_watch();
    godwit_status status = cli_open_device(options, &engine, &error);
    if (status == GODWIT_OK) status = godwit_device_get_info(engine.device, &info, &error);
    if (status == GODWIT_OK) {
        status = godwit_device_verify(engine.device, &params, each_verdict, &p, &report, &error);
    }
    cli_progress_end();
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else {
        code = options->json ? report_json(&info, &p, &report) : report_text(&p, &report);
        const bool is_left = report.failing || report.routed[0];
        if (report.n_failed == 0 && is_left && code == CLI_OK) {
            cli_say("an earlier check found kernels that are not right, which this one did not "
                    "look at: `godwit verify` checks all of them again");
            code = CLI_FAILED;
        }
        if (report.n_failed > 0 && code == CLI_OK) {
            cli_say("%u of %u kernels are not right on this device", report.n_failed,
                    report.n_verdicts);
            code = CLI_FAILED;
        }
    }
    json_decref(p.array);
    json_decref(p.choices);
    return cli_close_engine(&engine, code);
}
