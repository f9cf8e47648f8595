// threads: the device "cpu" on threads of the caller's own, and sessions of several threads on one
// device that join batches and are cancelled: always the tokens and the bits of one thread alone.
// A program by itself, since Criterion does not run under ThreadSanitizer, for which this is made.
#include <godwit/godwit.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { N_PROMPT = 24, N_STEPS = 20, N_TOKENS = N_PROMPT + N_STEPS, N_VOCAB_MAX = 4096 };
enum { N_CALLERS = 8, N_ROUNDS = 12, N_SESSIONS = 2 };

static godwit_context *context;
static godwit_file *file;
static uint32_t n_vocab;
static atomic_int n_wrong;

static void wrong(const char *what, const char *message) {
    fprintf(stderr, "FAILED: %s: %s\n", what, message);
    atomic_fetch_add(&n_wrong, 1);
}

// --- a few tokens

typedef struct text {
    int32_t ids[N_TOKENS];
    float logits[N_VOCAB_MAX]; // of the last one
} text;

static text expected[2]; // of two prompts

static void make_prompt(uint32_t which, int32_t out[N_PROMPT]) {
    for (uint32_t i = 0; i < N_PROMPT; i++) out[i] = (int32_t)((i * 37 + which * 11 + 5) % n_vocab);
}

// Goes on until all tokens are there, however often it is cancelled.
static bool tell(godwit_session *session, uint32_t which, text *out) {
    int32_t prompt[N_PROMPT], token;
    godwit_error error = {0};
    make_prompt(which, prompt);
    for (uint32_t n; (n = godwit_session_n_past(session)) < N_TOKENS;) {
        godwit_status status = n < N_PROMPT
                                   ? godwit_session_feed(session, prompt + n, N_PROMPT - n, &error)
                                   : godwit_session_step(session, NULL, &token, &error);
        if (status != GODWIT_OK && status != GODWIT_CANCELLED) {
            wrong("a session", error.message);
            return false;
        }
    }
    (void)godwit_session_tokens(session, out->ids, N_TOKENS);
    if (godwit_session_logits(session, out->logits, n_vocab, &error) == GODWIT_OK) return true;
    wrong("logits", error.message);
    return false;
}

static void compare(const text *got, uint32_t which, const char *what) {
    if (memcmp(got->ids, expected[which].ids, sizeof got->ids) != 0) wrong(what, "other tokens");
    if (memcmp(got->logits, expected[which].logits, n_vocab * sizeof(float)) != 0)
        wrong(what, "other logits");
}

static godwit_model *open_model(const godwit_device_params *params, godwit_device **out_device) {
    godwit_error error = {0};
    godwit_model *model = NULL;
    if (godwit_device_open(context, "cpu", params, out_device, &error) != GODWIT_OK ||
        godwit_model_open(*out_device, file, NULL, &model, &error) != GODWIT_OK)
        wrong("opening", error.message);
    return model;
}

static void tell_on(const godwit_device_params *params, uint32_t which, text *out) {
    godwit_device *device = NULL;
    godwit_session *session = NULL;
    godwit_error error = {0};
    godwit_model *model = open_model(params, &device);
    if (model && godwit_session_create(model, NULL, &session, &error) != GODWIT_OK)
        wrong("a session", error.message);
    if (session) (void)tell(session, which, out);
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_device_close(&device);
}

// --- ways to run tasks

typedef void (*task_fn)(void *arg, uint32_t i);

static void in_turn(void *user, uint32_t n, task_fn task, void *arg) {
    ++*(uint64_t *)user;
    for (uint32_t i = 0; i < n; i++) task(arg, i);
}

static void backwards(void *user, uint32_t n, task_fn task, void *arg) {
    ++*(uint64_t *)user;
    while (n-- > 0) task(arg, n);
}

// A pool, as simple as can be.
typedef struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    task_fn task;
    void *arg;
    uint32_t n, next, n_done;
    uint64_t n_calls;
    bool ends;
} pool;

static void take_tasks(pool *p) {
    while (p->next < p->n) {
        const uint32_t i = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->task(p->arg, i);
        pthread_mutex_lock(&p->lock);
        if (++p->n_done == p->n) pthread_cond_broadcast(&p->changed);
    }
}

static void *work(void *user) {
    pool *p = user;
    pthread_mutex_lock(&p->lock);
    while (!p->ends) {
        take_tasks(p);
        if (!p->ends) pthread_cond_wait(&p->changed, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void pooled(void *user, uint32_t n, task_fn task, void *arg) {
    pool *p = user;
    pthread_mutex_lock(&p->lock);
    if (p->n_done < p->n) wrong("parallel", "two calls at once");
    p->task = task;
    p->arg = arg;
    p->next = p->n_done = 0;
    p->n = n;
    p->n_calls++;
    pthread_cond_broadcast(&p->changed);
    take_tasks(p);
    while (p->n_done < p->n) pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

// --- tests

static void with_threads_of_the_caller(void) {
    enum { N_THREADS = 3 };
    static const godwit_parallel_fn ways[] = {in_turn, backwards};
    pthread_t threads[N_THREADS];
    pool p = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    text got;
    for (int i = 0; i < 2; i++) {
        uint64_t n_calls = 0;
        params = (godwit_device_params){.struct_size = sizeof params, .n_threads = 5};
        params.parallel = ways[i];
        params.parallel_user = &n_calls;
        tell_on(&params, 0, &got);
        compare(&got, 0, i ? "backwards" : "in turn");
        if (n_calls == 0) wrong("parallel", "never called");
    }
    for (int i = 0; i < N_THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &p) != 0) wrong("a pool", "no thread");
    params.n_threads = 4;
    params.parallel = pooled;
    params.parallel_user = &p;
    tell_on(&params, 1, &got);
    compare(&got, 1, "a pool");
    if (p.n_calls == 0) wrong("a pool", "never called");
    pthread_mutex_lock(&p.lock);
    p.ends = true;
    pthread_cond_broadcast(&p.changed);
    pthread_mutex_unlock(&p.lock);
    for (int i = 0; i < N_THREADS; i++) pthread_join(threads[i], NULL);
}

// Whose sessions others may cancel, while they are there.
typedef struct caller {
    pthread_t thread;
    uint32_t i;
    godwit_model *model;
    pthread_mutex_t lock;
    godwit_session *session; // NULL: none
} caller;

static void show(caller *c, godwit_session *session) {
    pthread_mutex_lock(&c->lock);
    c->session = session;
    pthread_mutex_unlock(&c->lock);
}

// Both sessions of a batch by steps of it, as far as they come.
static void step_together(caller *c, godwit_batch *batch, godwit_session *const sessions[2]) {
    godwit_error error = {0};
    int32_t tokens[N_SESSIONS];
    text got;
    for (int i = 0; i < N_SESSIONS; i++) {
        int32_t prompt[N_PROMPT];
        make_prompt((uint32_t)i, prompt);
        show(c, sessions[i]);
        for (uint32_t n; (n = godwit_session_n_past(sessions[i])) < N_PROMPT;) {
            godwit_status status =
                godwit_session_feed(sessions[i], prompt + n, N_PROMPT - n, &error);
            if (status != GODWIT_OK && status != GODWIT_CANCELLED) break;
        }
    }
    for (;;) {
        godwit_session *left[N_SESSIONS];
        size_t n = 0;
        for (int i = 0; i < N_SESSIONS; i++)
            if (godwit_session_n_past(sessions[i]) < N_TOKENS) left[n++] = sessions[i];
        if (n == 0) break;
        godwit_status status = godwit_batch_step(batch, left, NULL, n, tokens, &error);
        if (status == GODWIT_OK || status == GODWIT_CANCELLED) continue;
        wrong("a batch", error.message);
        break;
    }
    for (uint32_t i = 0; i < N_SESSIONS; i++)
        if (tell(sessions[i], i, &got)) compare(&got, i, "a session of a batch");
}

static void *call(void *user) {
    caller *c = user;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_error error = {0};
    text got;
    params.n_seq = N_SESSIONS;
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        const uint32_t which = (c->i + round) % 2;
        godwit_session *alone = NULL, *joined[N_SESSIONS] = {NULL};
        godwit_batch *batch = NULL;
        bool ok = godwit_session_create(c->model, &params, &alone, &error) == GODWIT_OK &&
                  godwit_batch_create(c->model, &params, &batch, &error) == GODWIT_OK;
        for (int i = 0; ok && i < N_SESSIONS; i++)
            ok = godwit_batch_join(batch, &joined[i], &error) == GODWIT_OK;
        if (!ok) wrong("joining", error.message);
        show(c, alone);
        if (ok && tell(alone, which, &got)) compare(&got, which, "a session among others");
        if (ok) step_together(c, batch, joined);
        show(c, NULL);
        godwit_batch_destroy(&batch);
        for (int i = 0; i < N_SESSIONS; i++) godwit_session_destroy(&joined[i]);
        godwit_session_destroy(&alone);
    }
    return NULL;
}

static void callers_join_and_cancel(const godwit_device_params *params) {
    static caller callers[N_CALLERS];
    godwit_device *device = NULL;
    godwit_model *model = open_model(params, &device);
    uint64_t n_cancels = 0;
    for (uint32_t i = 0; model && i < N_CALLERS; i++) {
        callers[i] = (caller){.i = i, .model = model};
        pthread_mutex_init(&callers[i].lock, NULL);
        if (pthread_create(&callers[i].thread, NULL, call, &callers[i]) != 0)
            wrong("callers", "no thread");
    }
    // Not for ever, or nobody would come to an end.
    for (uint32_t k = 0; model && k < 400; k++) {
        const struct timespec a_while = {.tv_nsec = 200000};
        caller *c = &callers[k * 5 % N_CALLERS];
        nanosleep(&a_while, NULL);
        pthread_mutex_lock(&c->lock);
        if (c->session) godwit_session_cancel(c->session);
        n_cancels += c->session != NULL;
        pthread_mutex_unlock(&c->lock);
    }
    for (uint32_t i = 0; model && i < N_CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        pthread_mutex_destroy(&callers[i].lock);
    }
    if (n_cancels == 0) wrong("callers", "nothing was cancelled");
    godwit_model_close(&model);
    godwit_device_close(&device);
}

int main(int argc, char **argv) {
    godwit_error error = {0};
    if (argc != 2 || godwit_context_create(NULL, &context, &error) != GODWIT_OK ||
        godwit_file_open(context, argv[1], &file, &error) != GODWIT_OK) {
        fprintf(stderr, "threads MODEL: %s\n", error.message);
        return 2;
    }
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    godwit_device *device = NULL;
    godwit_model *model = open_model(&params, &device);
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    if (model && godwit_model_get_info(model, &info, &error) == GODWIT_OK) n_vocab = info.n_vocab;
    godwit_model_close(&model);
    godwit_device_close(&device);
    if (n_vocab == 0 || n_vocab > N_VOCAB_MAX) return 2;
    params.n_threads = 1;
    for (uint32_t i = 0; i < 2; i++) tell_on(&params, i, &expected[i]);
    with_threads_of_the_caller();
    params.n_threads = 3;
    callers_join_and_cancel(&params);
    godwit_file_close(&file);
    godwit_context_destroy(&context);
    printf("%s\n", atomic_load(&n_wrong) ? "wrong" : "all the same");
    return atomic_load(&n_wrong) ? 1 : 0;
}
