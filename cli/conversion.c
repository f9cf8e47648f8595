// conversion.c: see conversion.h.
#include "conversion.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bandwidth.h"
#include "cancel.h"
#include "clock.h"
#include "output.h"
#include "print.h"
#include "progress.h"

enum { N_DTYPES = 64, BAR = 24 };

static bool same_word(const char *a, const char *b) {
    for (; *a && toupper((unsigned char)*a) == toupper((unsigned char)*b); a++, b++) continue;
    return *a == *b;
}

// A number format by its name, in any case.
static bool parse_dtype(const char *command, const char *text, godwit_dtype *out) {
    const char *names[N_DTYPES];
    size_t n = 0;
    char upper[16] = "";
    for (int i = 0; i < N_DTYPES; i++) {
        const char *name = godwit_dtype_name((godwit_dtype)i);
        if (!name) continue;
        if (same_word(text, name)) {
            *out = (godwit_dtype)i;
            return true;
        }
        names[n++] = name;
    }
    for (size_t i = 0; text[i] && i + 1 < sizeof(upper); i++) {
        upper[i] = (char)toupper((unsigned char)text[i]);
    }
    const char *near = cli_suggest(upper, names, n);
    cli_say("%s: no number format %s%s%s%s", command, text, near ? "; did you mean " : "",
            near ? near : "", near ? "?" : "");
    return false;
}

// "PATTERN=TYPE"
static bool parse_rule(cli_conversion *c, const char *command, const char *text) {
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text) {
        cli_say("%s: --tensor %s: not PATTERN=TYPE", command, text);
        return false;
    }
    size_t n = (size_t)(equals - text);
    size_t at = c->params.n_rules++;
    c->patterns[at] = cli_realloc(NULL, n + 1);
    memcpy(c->patterns[at], text, n);
    c->patterns[at][n] = 0;
    c->rules[at].pattern = c->patterns[at];
    return parse_dtype(command, equals + 1, &c->rules[at].dtype);
}

// --- while it runs -------------------------------------------------------------------------------

// Without the bar where it would take the place of what says more.
static void show_bar(const char *what, double share, double t_s) {
    char bar[BAR + 4] = "";
    if (cli_columns(STDERR_FILENO) >= 3 * BAR) {
        for (int i = 0; i < BAR; i++) bar[i + 1] = i < (int)(share * BAR) ? '#' : '.';
        bar[0] = '[';
        (void)snprintf(bar + BAR + 1, 3, "] ");
    }
    cli_progress("%s%3.0f%%  %.0f s left  %s", bar, share * 100, share > 0 ? t_s / share - t_s : 0,
                 what);
}

// A line that is written over on a terminal; elsewhere, of work that takes long, a line now and
// then.
static bool progress(void *user, const char *what, uint64_t done, uint64_t total) {
    cli_conversion *c = user;
    if (cli_cancelled()) return false;
    uint64_t now_ns = cli_now_ns();
    double share = total ? (double)done / (double)total : 1;
    double t_s = (double)(now_ns - c->start_ns) / 1e9;
    if (cli_shows_progress()) {
        if (done >= total) {
            cli_progress_end();
        } else {
            show_bar(what, share, t_s);
        }
    } else if (now_ns - c->shown_ns >= 5000000000u && share * 100 >= c->shown_percent + 10) {
        c->shown_ns = now_ns;
        c->shown_percent = (uint32_t)(share * 100);
        cli_say("%u%%, %.0f s left", c->shown_percent, t_s / share - t_s);
    }
    return true;
}

static void shape_text(const godwit_converted_tensor *t, char *text, size_t text_bytes) {
    size_t n = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < t->n_dims && n < text_bytes; i++) {
        n += (size_t)snprintf(text + n, text_bytes - n, "%s%llu", i ? ", " : "[",
                              (unsigned long long)t->dims[i]);
    }
    if (n + 1 < text_bytes) (void)snprintf(text + n, text_bytes - n, t->n_dims ? "]" : "[]");
}

static void print_tensor(const godwit_converted_tensor *t) {
    char shape[100];
    shape_text(t, shape, sizeof(shape));
    printf("%-6s -> %-6s %12s  rmse %.3e  %-18s ", t->from_name, t->to_name,
           cli_bytes(t->to_bytes).text, sqrt(t->mean_squared_error), shape);
    cli_print_safe(stdout, t->name, strlen(t->name));
    if (t->why[0]) printf("  (%s)", t->why);
    (void)putchar('\n');
}

static void add_json(json_t *array, const godwit_converted_tensor *t) {
    json_t *o = json_object();
    json_t *dims = json_array();
    for (uint32_t i = 0; i < t->n_dims; i++) {
        (void)json_array_append_new(dims, json_integer((json_int_t)t->dims[i]));
    }
    cli_json_set(o, "name", cli_json_word(t->name));
    cli_json_set(o, "shape", dims);
    cli_json_set(o, "from", cli_json_word(t->from_name));
    cli_json_set(o, "to", cli_json_word(t->to_name));
    cli_json_set(o, "from_bytes", json_integer((json_int_t)t->from_bytes));
    cli_json_set(o, "bytes", json_integer((json_int_t)t->to_bytes));
    cli_json_set(o, "rmse", cli_json_real(sqrt(t->mean_squared_error)));
    cli_json_set(o, "importance", json_boolean(t->has_importance));
    cli_json_set(o, "why", t->why[0] ? cli_json_word(t->why) : json_null());
    (void)json_array_append_new(array, o);
}

static void count_fallback(cli_conversion *c, const godwit_converted_tensor *t) {
    size_t i = 0;
    while (i < c->n_fallbacks && (strcmp(c->fallbacks[i].to, t->to_name) != 0 ||
                                  strcmp(c->fallbacks[i].why, t->why) != 0)) {
        i++;
    }
    if (i == CLI_MAX_FALLBACKS) {
        c->n_more_fallbacks++;
        return;
    }
    cli_fallback *f = &c->fallbacks[i];
    if (i == c->n_fallbacks) {
        c->n_fallbacks++;
        (void)snprintf(f->to, sizeof(f->to), "%s", t->to_name);
        (void)snprintf(f->why, sizeof(f->why), "%s", t->why);
    }
    f->n++;
}

// What -v and --json tell of each tensor, in as many lines as there are reasons.
static void say_fallbacks(const cli_conversion *c) {
    const char *hint = c->tensors || c->options->verbose ? "" : "; -v names them";
    for (size_t i = 0; i < c->n_fallbacks; i++) {
        const cli_fallback *f = &c->fallbacks[i];
        cli_say("%llu %s %s: %s%s", (unsigned long long)f->n,
                f->n == 1 ? "matrix is" : "matrices are", f->to, f->why, hint);
    }
    if (c->n_more_fallbacks) {
        cli_say("%llu more matrices got another format%s", (unsigned long long)c->n_more_fallbacks,
                hint);
    }
}

static void each_tensor(void *user, const godwit_converted_tensor *t) {
    cli_conversion *c = user;
    double n = 1;
    for (uint32_t i = 0; i < t->n_dims; i++) n *= (double)t->dims[i];
    if (t->n_dims >= 2) {
        c->squared_error += t->mean_squared_error * n;
        c->squares += t->mean_square * n;
        c->n_elements += n;
    }
    if (c->tensors) {
        add_json(c->tensors, t);
    } else if (c->options->verbose) {
        cli_progress_end();
        print_tensor(t);
    }
    // Vectors are F32 in every file; of matrices one wants to know.
    if (t->why[0] && t->n_dims >= 2) count_fallback(c, t);
}

// --- from options to a report --------------------------------------------------------------------

bool cli_conversion_init(cli_conversion *c, const cli_options *options, const char *command,
                         const char *type) {
    *c = (cli_conversion){.options = options, .params = GODWIT_INIT(godwit_quantize_params)};
    c->start_ns = c->shown_ns = cli_now_ns();
    c->result.struct_size = sizeof(c->result);
    c->params.rules = c->rules;
    c->params.imatrix_path = options->imatrix;
    c->params.base = options->base;
    c->params.n_threads = options->n_threads ? options->n_threads : cli_n_cores();
    c->params.progress = progress;
    c->params.progress_user = c;
    c->params.each = each_tensor;
    c->params.each_user = c;
    if (!cli_output_is_name(command, "OUT", options->operands[1])) return false;
    if (!parse_dtype(command, type, &c->params.dtype)) return false;
    for (size_t i = 0; i < options->tensors.n; i++) {
        if (!parse_rule(c, command, options->tensors.items[i])) return false;
    }
    if (options->json) c->tensors = json_array();
    return true;
}

void cli_conversion_free(cli_conversion *c) {
    for (size_t i = 0; i < c->params.n_rules; i++) free(c->patterns[i]);
    json_decref(c->tensors);
    c->tensors = NULL;
}

static double rmse_of(const cli_conversion *c) {
    return c->n_elements > 0 ? sqrt(c->squared_error / c->n_elements) : 0;
}

// By the root mean square of the weights themselves: what an error means depends on their size.
static double relative(double squared_error, double squares) {
    return squares > 0 ? sqrt(squared_error / squares) : 0;
}

static int report_json(cli_conversion *c, const char *in, const char *out, double t_s) {
    json_t *all = json_object();
    const godwit_quantize_result *r = &c->result;
    cli_json_set(all, "in", cli_json_word(in));
    cli_json_set(all, "out", cli_json_word(out));
    cli_json_set(all, "type", cli_json_word(godwit_dtype_name(c->params.dtype)));
    cli_json_set(all, "tensors", c->tensors);
    c->tensors = NULL;
    cli_json_set(all, "n_tensors", json_integer((json_int_t)r->n_tensors));
    cli_json_set(all, "n_elements", json_integer((json_int_t)r->n_elements));
    cli_json_set(all, "n_other", json_integer((json_int_t)r->n_other));
    cli_json_set(all, "n_matrices", json_integer((json_int_t)r->n_matrices));
    cli_json_set(all, "n_important", json_integer((json_int_t)r->n_important));
    cli_json_set(all, "from_bytes", json_integer((json_int_t)r->from_bytes));
    cli_json_set(all, "bytes", json_integer((json_int_t)r->to_bytes));
    cli_json_set(all, "rmse", cli_json_real(rmse_of(c)));
    cli_json_set(all, "relative_rmse", cli_json_real(relative(c->squared_error, c->squares)));
    cli_json_set(all, "n_threads", json_integer(c->params.n_threads));
    cli_json_set(all, "seconds", cli_json_real(t_s));
    return cli_print_json(all);
}

int cli_conversion_report(cli_conversion *c, const char *in, const char *out) {
    const godwit_quantize_result *r = &c->result;
    double t_s = (double)(cli_now_ns() - c->start_ns) / 1e9;
    cli_progress_end();
    say_fallbacks(c);
    if (c->tensors) return report_json(c, in, out, t_s);
    printf("%llu tensors, %s to %s, %.2f bits a weight, matrices' rmse %.3e (%.2g%% of "
           "their rms), %.1f s: ",
           (unsigned long long)r->n_tensors, cli_bytes(r->from_bytes).text,
           cli_bytes(r->to_bytes).text,
           r->n_elements ? (double)r->to_bytes * 8 / (double)r->n_elements : 0, rmse_of(c),
           relative(c->squared_error, c->squares) * 100, t_s);
    cli_print_safe(stdout, out, strlen(out));
    if (c->params.imatrix_path) {
        printf(" (importances for %llu of %llu matrices)", (unsigned long long)r->n_important,
               (unsigned long long)r->n_matrices);
    }
    (void)putchar('\n');
    return cli_flush_stdout();
}
