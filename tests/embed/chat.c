// A chat program: `chat MODEL`, a line of stdin is a turn. Compiled and run by embed.chat.
#include <godwit/godwit.h>
#include <stdio.h>
#include <string.h>

enum { MAX = 1 << 16, N_MAX = 1 << 14 };
static char messages[MAX] = "[";                    // the conversation as JSON
static char text[MAX], line[4096], answer[MAX / 8]; // text: as a model sees it
static int32_t ids[N_MAX], token;
static size_t n_ids, n;
static godwit_error e;

static bool append(void *to, const char *from, size_t n_bytes) {
    size_t at = strlen(to);
    if (n_bytes >= MAX - at) return false;
    memcpy((char *)to + at, from, n_bytes);
    ((char *)to)[at + n_bytes] = 0;
    return true;
}

static void add(const char *role, const char *said) {
    size_t at = strlen(messages);
    at += (size_t)snprintf(messages + at, MAX - at, "%s{\"role\":\"%s\",\"content\":\"",
                           at > 1 ? "," : "", role);
    for (; *said && at < MAX - 16; said++)
        at += (size_t)snprintf(messages + at, MAX - at, strchr("\"\\\n", *said) ? "\\u%04x" : "%c",
                               *said);
    append(messages, "\"}", 2);
}

int main(int argc, char **argv) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_tokenizer *tokenizer = NULL;
    godwit_model *model = NULL;
    bool ok = argc == 2 && !godwit_context_create(NULL, &context, &e) &&
              !godwit_device_open(context, "cpu", NULL, &device, &e) &&
              !godwit_file_open(context, argv[1], &file, &e) &&
              !godwit_tokenizer_create(file, &tokenizer, &e) &&
              !godwit_model_open(device, file, NULL, &model, &e);
    while (ok && fgets(line, sizeof line, stdin)) {
        godwit_chat_params chat = {.struct_size = sizeof chat, .messages = messages};
        godwit_encode_params with = {
            .struct_size = sizeof with, .no_special = true, .parse_special = true};
        godwit_session *session = NULL;
        godwit_decoder decoder = {.n_pending = 0};
        line[strcspn(line, "\n")] = text[0] = answer[0] = 0;
        add("user", line);
        ok = append(messages, "]", 1) &&
             !godwit_chat_render(context, file, &chat, append, text, &e) &&
             !godwit_tokenizer_encode(tokenizer, text, strlen(text), &with, ids, N_MAX, &n_ids,
                                      &e) &&
             n_ids <= N_MAX && !godwit_session_create(model, NULL, &session, &e) &&
             !godwit_session_feed(session, ids, n_ids, &e);
        messages[strlen(messages) - 1] = 0;
        while (ok && (ok = !godwit_session_step(session, NULL, &token, &e)) &&
               !godwit_tokenizer_is_end(tokenizer, token) && strlen(answer) + 512 < sizeof answer)
            ok = !godwit_tokenizer_decode(tokenizer, &decoder, token, answer + strlen(answer), 512,
                                          &n, &e);
        printf("%s\n", answer);
        add("assistant", answer);
        godwit_session_destroy(&session);
    }
    if (!ok) fprintf(stderr, "%s\n", e.message[0] ? e.message : "usage: chat MODEL");
    godwit_model_close(&model);
    godwit_tokenizer_destroy(&tokenizer);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    return !ok;
}
