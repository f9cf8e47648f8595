// chat_commands.c: the /commands of `godwit chat`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chat.h"
#include "clock.h"
#include "output.h"
#include "saved.h"

// What the model has computed of the conversation in FILE.
static bool states_of(const char *path, char *out, size_t out_bytes) {
    if ((size_t)snprintf(out, out_bytes, "%s.session", path) < out_bytes) return true;
    cli_say("chat: a path is longer than %zu bytes", out_bytes - 1);
    return false;
}

// --- saving --------------------------------------------------------------------------------------

static godwit_status save_messages(const chat *c, const char *path, godwit_error *error) {
    cli_output out = {0};
    char *text = json_dumps(c->talk.messages, JSON_INDENT(1));
    if (!text) return GODWIT_OUT_OF_MEMORY;
    godwit_status status = cli_output_open(&out, "conversation", path, error);
    if (status == GODWIT_OK) {
        status = cli_output_write(&out, text, strlen(text), error);
        if (status == GODWIT_OK) status = cli_output_write(&out, "\n", 1, error);
        if (status == GODWIT_OK) {
            status = cli_output_commit(&out, error);
        } else {
            cli_output_discard(&out);
        }
    }
    free(text);
    return status;
}

static void save(chat *c, const char *path) {
    char states[4096];
    cli_output out = {0};
    godwit_error error = {0};
    if (!path[0]) {
        cli_say("chat: /save FILE");
        return;
    }
    if (!states_of(path, states, sizeof(states))) return;
    godwit_status status = save_messages(c, path, &error);
    if (status != GODWIT_OK) {
        c->code = cli_fail(status, &error);
        return;
    }
    if (godwit_session_n_past(c->session) > 0) {
        status = cli_saved_prepare(&out, states, &error);
        if (status == GODWIT_OK) {
            status = cli_saved_write(&out, states, c->session, &c->sampling, false, &error);
        }
        cli_output_discard(&out);
    }
    if (status != GODWIT_OK) cli_say("chat: %s", error.message);
    cli_say("chat: saved %zu messages as %s", json_array_size(c->talk.messages), path);
}

// --- going on ------------------------------------------------------------------------------------

static bool is_conversation(const json_t *messages) {
    if (!json_is_array(messages)) return false;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        if (!json_is_string(json_object_get(json_array_get(messages, i), "role"))) return false;
    }
    return true;
}

// The states are a help alone: without them, or where they are of another conversation or model, the
// conversation is read anew.
static void load_states(chat *c, const char *path) {
    char states[4096];
    godwit_session *session = NULL;
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session_params params = cli_session_params(c->options);
    godwit_error error = {0};
    if (!states_of(path, states, sizeof(states)) || access(states, R_OK) != 0) return;
    // Where they do not fit the options, these count.
    if (cli_saved_load(states, c->engine.model, &params, &session, &info, &error) != GODWIT_OK) {
        cli_say("chat: %s; the conversation is read anew", error.message);
        return;
    }
    bool same_kv =
        !cli_is_given(c->options, "kv") || (info.kv_k == params.kv_k && info.kv_v == params.kv_v);
    if (same_kv) {
        godwit_session_destroy(&c->session);
        c->session = session;
    } else {
        cli_say("chat: %s has another --kv; the conversation is read anew", states);
        godwit_session_destroy(&session);
    }
}

bool chat_resume(chat *c, const char *path) {
    json_error_t why;
    json_t *messages = json_load_file(path, 0, &why);
    if (!is_conversation(messages)) {
        cli_say("chat: %s: no conversation%s%s", path, messages ? "" : ": ",
                messages ? ", which is a JSON array of messages" : why.text);
        json_decref(messages);
        return false;
    }
    json_decref(c->talk.messages);
    c->talk.messages = messages;
    load_states(c, path);
    cli_say("chat: goes on behind %zu messages of %s", json_array_size(messages), path);
    return true;
}

static void resume(chat *c, const char *path) {
    if (!path[0]) {
        cli_say("chat: /resume FILE");
    } else if (!chat_resume(c, path)) {
        c->code = CLI_FAILED;
    }
}

// --- the others ----------------------------------------------------------------------------------

static const char *role_at(const chat *c, size_t i) {
    const char *role =
        json_string_value(json_object_get(json_array_get(c->talk.messages, i), "role"));
    return role ? role : "";
}

// Another seed, since the same draws give the same answer.
static void regenerate(chat *c, const char *argument) {
    (void)argument;
    size_t n = json_array_size(c->talk.messages);
    if (n > 0 && strcmp(role_at(c, n - 1), "assistant") == 0) {
        cli_talk_drop(&c->talk);
        n--;
    }
    if (n == 0 || strcmp(role_at(c, n - 1), "user") != 0) {
        cli_say("chat: there is no answer to give again");
        return;
    }
    c->sampling.seed++;
    chat_answer(c);
}

// The session stays as it is: the next turn goes back with it.
static void undo(chat *c, const char *argument) {
    (void)argument;
    size_t n = json_array_size(c->talk.messages);
    while (n > 0 && strcmp(role_at(c, n - 1), "user") != 0) n--;
    if (n == 0) {
        cli_say("chat: there is no turn to take back");
        return;
    }
    while (json_array_size(c->talk.messages) >= n) cli_talk_drop(&c->talk);
    cli_say("chat: the last turn is taken back, with its answer; %zu messages are left", n - 1);
}

static void clear(chat *c, const char *argument) {
    (void)argument;
    size_t n_kept = strcmp(role_at(c, 0), "system") == 0;
    while (json_array_size(c->talk.messages) > n_kept) cli_talk_drop(&c->talk);
    cli_say("chat: the conversation is empty%s", n_kept ? " but for the system's words" : "");
}

static void set_system(chat *c, const char *argument) {
    if (strcmp(role_at(c, 0), "system") == 0) (void)json_array_remove(c->talk.messages, 0);
    if (argument[0]) {
        cli_talk_add(&c->talk, "system", argument, strlen(argument));
        size_t last = json_array_size(c->talk.messages) - 1;
        json_t *message = json_incref(json_array_get(c->talk.messages, last));
        (void)json_array_remove(c->talk.messages, last);
        (void)json_array_insert_new(c->talk.messages, 0, message);
    }
    cli_say("chat: %s", argument[0] ? "that stands in front now" : "nothing stands in front now");
}

static void stats(chat *c, const char *argument) {
    (void)argument;
    godwit_device_info device = GODWIT_INIT(godwit_device_info);
    if (godwit_device_get_info(c->engine.device, &device, NULL) != GODWIT_OK) return;
    const size_t n_read = c->n_ids - c->n_reused;
    (void)fprintf(stderr, "device       %s\n", device.name);
    (void)fprintf(stderr, "messages     %zu, %u of %u tokens of context\n",
                  json_array_size(c->talk.messages), godwit_session_n_past(c->session),
                  godwit_session_n_ctx(c->session));
    (void)fprintf(stderr, "last turn    %zu tokens read in %.1f ms, %.1f tokens/s; %zu were there",
                  n_read, (double)c->read_ns / 1e6,
                  cli_rate((double)n_read + (double)c->n_replayed, c->read_ns), c->n_reused);
    if (c->n_replayed)
        (void)fprintf(stderr, ", %llu of them read again", (unsigned long long)c->n_replayed);
    (void)fputc('\n', stderr);
    (void)fprintf(stderr, "last answer  %u tokens in %.1f ms, %.1f tokens/s\n", c->n_answer,
                  (double)c->answer_ns / 1e6, cli_rate((double)c->n_answer, c->answer_ns));
}

static void quit(chat *c, const char *argument) {
    (void)argument;
    c->ends = true;
}

static void help(chat *c, const char *argument);

static const struct command {
    const char *name, *operand, *summary;
    void (*run)(chat *c, const char *argument);
} commands[] = {
    {"help", "", "this list", help},
    {"system", "TEXT", "what stands in front of the conversation", set_system},
    {"regenerate", "", "answer the last turn again, with other draws", regenerate},
    {"undo", "", "take back the last turn and its answer", undo},
    {"clear", "", "forget the conversation", clear},
    {"save", "FILE", "write the conversation", save},
    {"resume", "FILE", "go on with one that was written", resume},
    {"stats", "", "speed and context", stats},
    {"quit", "", "end, as Ctrl-D does", quit},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help(chat *c, const char *argument) {
    (void)c, (void)argument;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        (void)fprintf(stderr, "  /%s%s%-*s  %s\n", commands[i].name,
                      commands[i].operand[0] ? " " : "",
                      (int)(16 - strlen(commands[i].name) - (commands[i].operand[0] != 0)),
                      commands[i].operand, commands[i].summary);
    }
    (void)fprintf(stderr, "  A line that ends with \\ goes on; \"\"\" begins and ends several.\n");
}

void chat_command(chat *c, char *line) {
    const char *names[N_COMMANDS];
    char *name = line + 1, *argument = name + strcspn(name, " \t\n");
    if (*argument) *argument++ = 0;
    argument += strspn(argument, " \t\n");
    size_t n = strlen(argument);
    while (n > 0 && strchr(" \t\n", argument[n - 1])) argument[--n] = 0;
    if (strcmp(name, "exit") == 0 || strcmp(name, "bye") == 0) name = "quit";
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) != 0) continue;
        commands[i].run(c, argument);
        return;
    }
    const char *near = cli_suggest(name, names, N_COMMANDS);
    if (near) {
        cli_say("chat: no command /%s; did you mean /%s?", name, near);
    } else {
        cli_say("chat: no command /%s; see /help", name);
    }
}
