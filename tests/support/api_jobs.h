/* A fake of the store's jobs that nobody waits for: a few, in memory; answers come at the end of the iteration. */
#ifndef NATARIS_TESTS_SUPPORT_API_JOBS_H
#define NATARIS_TESTS_SUPPORT_API_JOBS_H

#include "store/jobs.h"
#include "support/api_store.h"

enum { API_JOBS_MAX = 16 };

static struct {
    struct store_job jobs[API_JOBS_MAX]; /* bodies and results are owned */
    size_t count;
    uint8_t scopes[API_JOBS_MAX][DIGEST_SHA256_SIZE];
    struct str event;  /* of the last end; owned */
    struct err err;    /* what the next end fails with, once */
    unsigned in_doubt; /* so many additions and ends are done, but nobody can tell */
} api_jobs;

UNUSED static void api_jobs_clear(void) {
    for (size_t i = 0; i < api_jobs.count; i++) {
        free((void *)(uintptr_t)api_jobs.jobs[i].body.data);
        free((void *)(uintptr_t)api_jobs.jobs[i].result.data);
    }
    free((void *)(uintptr_t)api_jobs.event.data);
    memset(&api_jobs, 0, sizeof(api_jobs));
}

static struct store_job *api_jobs_find(const char *id) {
    for (size_t i = 0; i < api_jobs.count; i++) {
        if (strcmp(api_jobs.jobs[i].id, id) == 0) {
            return &api_jobs.jobs[i];
        }
    }
    return NULL;
}

static struct str api_jobs_copy(struct str text) {
    return (struct str){.data = mem_strndup(text.len > 0 ? text.data : "", text.len), .len = text.len};
}

struct api_jobs_answer {
    struct loop_deferred deferred;
    store_job_told *told;
    void (*listed)(void *context, const struct store_job *jobs, size_t count, bool more, const struct err *err);
    void *context;
    const struct store_job *job;
    bool changed;
    struct err err;
};

static void api_jobs_tell(struct loop_deferred *deferred) {
    struct api_jobs_answer *answer = (struct api_jobs_answer *)deferred;
    const struct err *err = answer->err.code != ERR_NONE ? &answer->err : NULL;
    if (answer->listed != NULL) {
        answer->listed(answer->context, api_jobs.jobs, api_jobs.count, false, NULL);
    } else {
        answer->told(answer->context, err == NULL ? answer->job : NULL, answer->changed, err);
    }
    free(answer);
}

static struct api_jobs_answer *api_jobs_later(struct store *store, store_job_told *told, void *context) {
    struct api_jobs_answer *answer = MEM_NEW(struct api_jobs_answer);
    answer->deferred.run = api_jobs_tell;
    answer->told = told;
    answer->context = context;
    loop_defer(store->loop, &answer->deferred);
    return answer;
}

/* What was asked is done. */
static void api_jobs_done(struct api_jobs_answer *answer) {
    if (api_jobs.in_doubt > 0) {
        api_jobs.in_doubt--;
        err_set(&answer->err, ERR_IN_DOUBT, "nobody knows");
    }
}

void store_job_add(struct store *store, const struct store_job_new *asked, store_job_told *told, void *context) {
    struct api_jobs_answer *answer = api_jobs_later(store, told, context);
    for (size_t i = 0; asked->scope_sha256 != NULL && i < api_jobs.count; i++) {
        if (memcmp(api_jobs.scopes[i], asked->scope_sha256, DIGEST_SHA256_SIZE) == 0 && !asked->replaces) {
            answer->job = &api_jobs.jobs[i];
            return;
        }
    }
    assert_true(api_jobs.count < API_JOBS_MAX);
    struct store_job *job = &api_jobs.jobs[api_jobs.count++];
    *job = asked->job;
    job->body = api_jobs_copy(asked->job.body);
    job->result = api_jobs_copy(STR(""));
    if (asked->scope_sha256 != NULL) {
        memcpy(api_jobs.scopes[api_jobs.count - 1], asked->scope_sha256, DIGEST_SHA256_SIZE);
    }
    answer->job = job;
    answer->changed = true;
    api_jobs_done(answer);
}

static void api_jobs_missing(struct api_jobs_answer *answer) {
    err_set_field(&answer->err, ERR_NOT_FOUND, "id", "There is no such job");
}

void store_job_find(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                    void *context) {
    struct api_jobs_answer *answer = api_jobs_later(store, told, context);
    answer->job = api_jobs_find(id);
    if (answer->job == NULL || strcmp(answer->job->account_id, account_id) != 0 || answer->job->test != test) {
        api_jobs_missing(answer);
    }
}

void store_job_move(struct store *store, const char *id, enum store_job_state state, int64_t now_ms) {
    struct store_job *job = api_jobs_find(id);
    (void)store;
    if (job->state < STORE_JOB_COMPLETED) {
        job->state = state;
        job->started_ms = now_ms;
    }
}

void store_job_end(struct store *store, const struct store_job_end *end, store_job_told *told, void *context) {
    struct api_jobs_answer *answer = api_jobs_later(store, told, context);
    struct store_job *job = api_jobs_find(end->id);
    if (api_jobs.err.code != ERR_NONE) {
        answer->err = api_jobs.err;
        api_jobs.err = (struct err){0};
        return;
    }
    if (job == NULL ||
        (end->account_id[0] != '\0' && (strcmp(job->account_id, end->account_id) != 0 || job->test != end->test))) {
        api_jobs_missing(answer);
        return;
    }
    answer->job = job;
    answer->changed = job->state < STORE_JOB_COMPLETED;
    if (answer->changed) {
        job->state = end->state;
        job->ended_ms = end->ended_ms;
        job->prompt_tokens = end->prompt_tokens;
        job->completion_tokens = end->completion_tokens;
        job->charge_nano = end->charge_nano;
        free((void *)(uintptr_t)job->result.data);
        job->result = api_jobs_copy(end->result);
        free((void *)(uintptr_t)api_jobs.event.data);
        api_jobs.event = api_jobs_copy(end->event);
    }
    api_jobs_done(answer);
}

/* One that is forgotten is nobody's any more. */
void store_job_forget(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                      void *context) {
    struct api_jobs_answer *answer = api_jobs_later(store, told, context);
    struct store_job *job = api_jobs_find(id);
    if (job == NULL || strcmp(job->account_id, account_id) != 0 || job->test != test) {
        api_jobs_missing(answer);
    } else if (job->state < STORE_JOB_COMPLETED) {
        err_set(&answer->err, ERR_CONFLICT, "This job has not ended");
    } else {
        job->account_id[0] = '\0';
        answer->job = job;
        answer->changed = true;
    }
}

void store_job_list(struct store *store, const struct store_job_query *query,
                    void (*told)(void *context, const struct store_job *jobs, size_t count, bool more,
                                 const struct err *err),
                    void *context) {
    (void)query;
    api_jobs_later(store, NULL, context)->listed = told;
}

void store_job_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more), void *context) {
    (void)store;
    (void)before_ms;
    (void)told;
    (void)context;
}

#endif
