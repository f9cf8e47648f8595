// inspect.c: `godwit inspect`: what a model file holds, whether it would run, and its graph.
//
// Opens no device. Everything printed comes from the file, so it passes through cli_print_safe.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "print.h"

enum {
    ITEMS_SHOWN = 8,   // of an array
    VALUE_SHOWN = 100, // bytes of a value in the table; JSON has all
    TYPES_MAX = 64,
};

// Tensors of one number format.
typedef struct type_total {
    const char *name;
    uint64_t n_tensors, n_bytes, n_values;
} type_total;

typedef struct totals {
    type_total rows[TYPES_MAX];
    size_t n_rows;
} totals;

static uint64_t n_values_of(const godwit_tensor_info *tensor) {
    uint64_t n = 1;
    for (uint32_t d = 0; d < tensor->n_dims && d < GODWIT_MAX_DIMS; d++) n *= tensor->dims[d];
    return n;
}

static void count(totals *t, const godwit_tensor_info *tensor) {
    size_t i = 0;
    while (i < t->n_rows && strcmp(t->rows[i].name, tensor->dtype_name) != 0) i++;
    if (i == TYPES_MAX) return; // a format more than GGUF has
    if (i == t->n_rows) t->rows[t->n_rows++] = (type_total){.name = tensor->dtype_name};
    t->rows[i].n_tensors++;
    t->rows[i].n_bytes += tensor->bytes;
    t->rows[i].n_values += n_values_of(tensor);
}

// Value of a key as text; the caller frees it.
static char *value_text(const godwit_file *file, uint64_t index, size_t *out_n) {
    *out_n = godwit_file_metadata_text(file, index, ITEMS_SHOWN, NULL, 0);
    char *text = cli_realloc(NULL, *out_n + 1);
    (void)godwit_file_metadata_text(file, index, ITEMS_SHOWN, text, *out_n + 1);
    return text;
}

// The beginning of a value on one line.
static void print_value(const char *text, size_t n) {
    size_t n_shown = n > VALUE_SHOWN ? VALUE_SHOWN : n;
    while (n_shown < n && n_shown > 0 && ((unsigned char)text[n_shown] & 0xC0) == 0x80) n_shown--;
    for (size_t i = 0; i < n_shown;) {
        size_t n_plain = strcspn(text + i, "\n\t");
        if (n_plain > n_shown - i) n_plain = n_shown - i;
        cli_print_safe(stdout, text + i, n_plain);
        i += n_plain;
        if (i < n_shown) printf("%s", text[i++] == '\n' ? "\\n" : "\\t");
    }
    if (n_shown < n) printf(" ... (%zu bytes)", n);
}

static godwit_status print_metadata(const godwit_file *file, json_t *object, godwit_error *error) {
    uint64_t n = godwit_file_n_metadata(file);
    if (!object) printf("\nmetadata: %llu keys\n", (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) {
        godwit_metadata_info info = {0};
        godwit_status status = godwit_file_metadata(file, i, &info, error);
        if (status != GODWIT_OK) return status;
        size_t n_text = 0;
        char *text = value_text(file, i, &n_text);
        if (object) {
            json_t *row = json_object();
            cli_json_set(row, "key", cli_json_word(info.key));
            cli_json_set(row, "type", cli_json_word(info.type_name));
            cli_json_set(row, "n_items", json_integer((json_int_t)info.n_items));
            cli_json_set(row, "value", cli_json_text(text, n_text));
            (void)json_array_append_new(object, row);
        } else {
            printf("    ");
            cli_print_safe(stdout, info.key, strlen(info.key));
            printf(" (%s", info.type_name);
            if (info.n_items != 1) printf(", %llu items", (unsigned long long)info.n_items);
            printf("): ");
            print_value(text, n_text);
            (void)putchar('\n');
        }
        free(text);
    }
    return GODWIT_OK;
}

static void print_tensor(const godwit_tensor_info *tensor) {
    char shape[96] = "";
    size_t n = 0;
    for (uint32_t d = 0; d < tensor->n_dims && d < GODWIT_MAX_DIMS; d++) {
        n += (size_t)snprintf(shape + n, sizeof(shape) - n, "%s%llu", d ? ", " : "",
                              (unsigned long long)tensor->dims[d]);
    }
    printf("    %-6s %12s  [%s]%*s ", tensor->dtype_name, cli_bytes(tensor->bytes).text, shape,
           n < 16 ? (int)(16 - n) : 0, "");
    cli_print_safe(stdout, tensor->name, strlen(tensor->name));
    (void)putchar('\n');
}

static json_t *json_of_tensor(const godwit_tensor_info *tensor) {
    json_t *row = json_object(), *dims = json_array();
    for (uint32_t d = 0; d < tensor->n_dims && d < GODWIT_MAX_DIMS; d++) {
        (void)json_array_append_new(dims, json_integer((json_int_t)tensor->dims[d]));
    }
    cli_json_set(row, "name", cli_json_word(tensor->name));
    cli_json_set(row, "type", cli_json_word(tensor->dtype_name));
    cli_json_set(row, "dims", dims);
    cli_json_set(row, "bytes", json_integer((json_int_t)tensor->bytes));
    cli_json_set(row, "offset", json_integer((json_int_t)tensor->offset));
    return row;
}

static godwit_status print_tensors(const godwit_file *file, totals *t, json_t *array,
                                   godwit_error *error) {
    uint64_t n = godwit_file_n_tensors(file);
    if (!array) printf("\ntensors: %llu\n", (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) {
        godwit_tensor_info tensor = {0};
        godwit_status status = godwit_file_tensor(file, i, &tensor, error);
        if (status != GODWIT_OK) return status;
        count(t, &tensor);
        if (array) {
            (void)json_array_append_new(array, json_of_tensor(&tensor));
        } else {
            print_tensor(&tensor);
        }
    }
    return GODWIT_OK;
}

static void print_totals(const totals *t, json_t *object) {
    if (!object) printf("\ntotals\n");
    for (size_t i = 0; i < t->n_rows; i++) {
        const type_total *r = &t->rows[i];
        if (object) {
            json_t *row = json_object();
            cli_json_set(row, "n_tensors", json_integer((json_int_t)r->n_tensors));
            cli_json_set(row, "n_values", json_integer((json_int_t)r->n_values));
            cli_json_set(row, "bytes", json_integer((json_int_t)r->n_bytes));
            cli_json_set(object, r->name, row);
        } else {
            printf("    %-6s %12s  %llu tensors, %llu values\n", r->name,
                   cli_bytes(r->n_bytes).text, (unsigned long long)r->n_tensors,
                   (unsigned long long)r->n_values);
        }
    }
}

static uint32_t n_tokens_of(const cli_options *options) {
    return options->n_tokens == CLI_NOT_GIVEN ? 1 : options->n_tokens;
}

// The graph; behind its passes the launches that are planned of it.
static godwit_status print_graph(const cli_options *options, const godwit_file *file,
                                 cli_text *text, godwit_error *error) {
    godwit_plan_info plan = GODWIT_INIT(godwit_plan_info);
    uint32_t n = n_tokens_of(options);
    char head[160];
    godwit_status status =
        godwit_file_print_graph(file, n, options->passes, cli_text_write, text, error);
    if (status != GODWIT_OK || !options->passes) return status;
    status = godwit_file_plan(file, n, &plan, error);
    if (status != GODWIT_OK) return status;
    int n_head =
        snprintf(head, sizeof head,
                 "# plan: %u launches, %u barriers (|); a layer: %u launches, %u barriers\n",
                 plan.n_launches, plan.n_barriers, plan.n_layer_launches, plan.n_layer_barriers);
    (void)cli_text_write(text, head, (size_t)n_head);
    return godwit_file_print_plan(file, n, cli_text_write, text, error);
}

static godwit_status add_plan(const cli_options *options, const godwit_file *file, json_t *all,
                              godwit_error *error) {
    godwit_plan_info plan = GODWIT_INIT(godwit_plan_info);
    godwit_status status = godwit_file_plan(file, n_tokens_of(options), &plan, error);
    json_t *row = json_object();
    cli_json_set(row, "n_launches", json_integer(plan.n_launches));
    cli_json_set(row, "n_barriers", json_integer(plan.n_barriers));
    cli_json_set(row, "n_layer_launches", json_integer(plan.n_layer_launches));
    cli_json_set(row, "n_layer_barriers", json_integer(plan.n_layer_barriers));
    cli_json_set(all, "plan", row);
    return status;
}

static godwit_status report_text(const cli_options *options, const godwit_file *file,
                                 godwit_error *error) {
    cli_text text = {0};
    totals t = {0};
    godwit_status status = GODWIT_OK;
    if (options->graph || options->passes) {
        status = print_graph(options, file, &text, error);
        if (status == GODWIT_OK && text.data) cli_print_safe(stdout, text.data, text.n_bytes);
    } else {
        status = godwit_file_describe(file, cli_text_write, &text, error);
        if (status == GODWIT_OK && text.data) cli_print_safe(stdout, text.data, text.n_bytes);
        if (status == GODWIT_OK) status = print_metadata(file, NULL, error);
        if (status == GODWIT_OK) status = print_tensors(file, &t, NULL, error);
        if (status == GODWIT_OK) print_totals(&t, NULL);
    }
    cli_text_free(&text);
    return status;
}

static godwit_status report_json(const cli_options *options, const godwit_file *file, json_t *all,
                                 godwit_error *error) {
    cli_text text = {0}, graph = {0};
    totals t = {0};
    json_t *metadata = json_array(), *tensors = json_array(), *sums = json_object();
    godwit_error why = {0};
    cli_json_set(all, "file", cli_json_word(options->operand));
    godwit_status status = godwit_file_check(file, &why); // what is wrong, the description says
    cli_json_set(all, "runs", json_boolean(status == GODWIT_OK));
    cli_json_set(all, "metadata", metadata);
    cli_json_set(all, "tensors", tensors);
    cli_json_set(all, "totals", sums);
    status = godwit_file_describe(file, cli_text_write, &text, error);
    if (status == GODWIT_OK) status = print_metadata(file, metadata, error);
    if (status == GODWIT_OK) status = print_tensors(file, &t, tensors, error);
    if (status == GODWIT_OK && (options->graph || options->passes)) {
        status = print_graph(options, file, &graph, error);
        if (graph.data) cli_json_set(all, "graph", cli_json_text(graph.data, graph.n_bytes));
    }
    if (status == GODWIT_OK && options->passes) status = add_plan(options, file, all, error);
    print_totals(&t, sums);
    cli_json_set(all, "description", cli_json_text(text.data ? text.data : "", text.n_bytes));
    cli_text_free(&text);
    cli_text_free(&graph);
    return status;
}

int cli_inspect(const cli_options *options) {
    cli_engine engine = {0};
    godwit_error error = {0};
    json_t *all = options->json ? json_object() : NULL;
    int code = CLI_OK;
    godwit_status status = cli_open_context(options, &engine.context, &error);
    if (status == GODWIT_OK) {
        status = godwit_file_open(engine.context, options->operand, &engine.file, &error);
    }
    if (status == GODWIT_OK) {
        status = all ? report_json(options, engine.file, all, &error)
                     : report_text(options, engine.file, &error);
    }
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (all) {
        code = cli_print_json(json_incref(all));
    } else {
        code = cli_flush_stdout();
    }
    json_decref(all);
    return cli_close_engine(&engine, code);
}
