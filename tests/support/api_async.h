/* A fake of the store's jobs that nobody waits for: a few, in memory; answers come at the end of the turn. */
#ifndef NATARIS_TESTS_SUPPORT_API_ASYNC_H
#define NATARIS_TESTS_SUPPORT_API_ASYNC_H

#include "store/store_async.h"
#include "support/api_store.h"

enum { API_ASYNC_MAX = 16 };

static struct {
    struct store_async jobs[API_ASYNC_MAX]; /* bodies and results are owned */
    size_t count;
    uint8_t scopes[API_ASYNC_MAX][DIGEST_SHA256_SIZE];
    struct str event; /* of the last end; owned */
    struct err err;   /* what the next end fails with, once */
} api_async;

UNUSED static void api_async_clear(void) {
    for (size_t i = 0; i < api_async.count; i++) {
        free((void *)(uintptr_t)api_async.jobs[i].body.data);
        free((void *)(uintptr_t)api_async.jobs[i].result.data);
    }
    free((void *)(uintptr_t)api_async.event.data);
    memset(&api_async, 0, sizeof(api_async));
}

static struct store_async *api_async_find(const char *id) {
    for (size_t i = 0; i < api_async.count; i++) {
        if (strcmp(api_async.jobs[i].id, id) == 0) {
            return &api_async.jobs[i];
        }
    }
    return NULL;
}

static struct str api_async_copy(struct str text) {
    return (struct str){.data = mem_strndup(text.len > 0 ? text.data : "", text.len), .len = text.len};
}

struct api_async_answer {
    struct loop_deferred deferred;
    store_async_told *told;
    void (*listed)(void *context, const struct store_async *jobs, size_t count, bool more, const struct err *err);
    void *context;
    const struct store_async *job;
    bool changed;
    struct err err;
};

static void api_async_tell(struct loop_deferred *deferred) {
    struct api_async_answer *answer = (struct api_async_answer *)deferred;
    const struct err *err = answer->err.code != ERR_NONE ? &answer->err : NULL;
    if (answer->listed != NULL) {
        answer->listed(answer->context, api_async.jobs, api_async.count, false, NULL);
    } else {
        answer->told(answer->context, err == NULL ? answer->job : NULL, answer->changed, err);
    }
    free(answer);
}

static struct api_async_answer *api_async_later(struct store *store, store_async_told *told, void *context) {
    struct api_async_answer *answer = MEM_NEW(struct api_async_answer);
    answer->deferred.run = api_async_tell;
    answer->told = told;
    answer->context = context;
    loop_defer(store->loop, &answer->deferred);
    return answer;
}

void store_async_add(struct store *store, const struct store_async_new *asked, store_async_told *told, void *context) {
    struct api_async_answer *answer = api_async_later(store, told, context);
    for (size_t i = 0; asked->scope_sha256 != NULL && i < api_async.count; i++) {
        if (memcmp(api_async.scopes[i], asked->scope_sha256, DIGEST_SHA256_SIZE) == 0 && !asked->replaces) {
            answer->job = &api_async.jobs[i];
            return;
        }
    }
    assert_true(api_async.count < API_ASYNC_MAX);
    struct store_async *job = &api_async.jobs[api_async.count++];
    *job = asked->job;
    job->body = api_async_copy(asked->job.body);
    job->result = api_async_copy(STR(""));
    if (asked->scope_sha256 != NULL) {
        memcpy(api_async.scopes[api_async.count - 1], asked->scope_sha256, DIGEST_SHA256_SIZE);
    }
    answer->job = job;
    answer->changed = true;
}

static void api_async_missing(struct api_async_answer *answer) {
    err_set_field(&answer->err, ERR_NOT_FOUND, "id", "There is no such job");
}

void store_async_find(struct store *store, const char *account_id, bool test, const char *id, store_async_told *told,
                      void *context) {
    struct api_async_answer *answer = api_async_later(store, told, context);
    answer->job = api_async_find(id);
    if (answer->job == NULL || strcmp(answer->job->account_id, account_id) != 0 || answer->job->test != test) {
        api_async_missing(answer);
    }
}

void store_async_move(struct store *store, const char *id, enum store_async_state state, int64_t now_ms) {
    struct store_async *job = api_async_find(id);
    (void)store;
    if (job->state < STORE_ASYNC_COMPLETED) {
        job->state = state;
        job->started_ms = now_ms;
    }
}

void store_async_end(struct store *store, const struct store_async_end *end, store_async_told *told, void *context) {
    struct api_async_answer *answer = api_async_later(store, told, context);
    struct store_async *job = api_async_find(end->id);
    if (api_async.err.code != ERR_NONE) {
        answer->err = api_async.err;
        api_async.err = (struct err){0};
        return;
    }
    if (job == NULL ||
        (end->account_id[0] != '\0' && (strcmp(job->account_id, end->account_id) != 0 || job->test != end->test))) {
        api_async_missing(answer);
        return;
    }
    answer->job = job;
    answer->changed = job->state < STORE_ASYNC_COMPLETED;
    if (answer->changed) {
        job->state = end->state;
        job->ended_ms = end->ended_ms;
        job->prompt_tokens = end->prompt_tokens;
        job->completion_tokens = end->completion_tokens;
        job->charge_nano = end->charge_nano;
        free((void *)(uintptr_t)job->result.data);
        job->result = api_async_copy(end->result);
        free((void *)(uintptr_t)api_async.event.data);
        api_async.event = api_async_copy(end->event);
    }
}

void store_async_list(struct store *store, const struct store_async_query *query,
                      void (*told)(void *context, const struct store_async *jobs, size_t count, bool more,
                                   const struct err *err),
                      void *context) {
    (void)query;
    api_async_later(store, NULL, context)->listed = told;
}

void store_async_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more), void *context) {
    (void)store;
    (void)before_ms;
    (void)told;
    (void)context;
}

#endif
