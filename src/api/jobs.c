#include "api/jobs.h"

#include "api/call.h"
#include "api/respond.h"
#include "api/run.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum {
    BODY_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES,
    RESULT_BYTES = 6 * LIMIT_ANSWER_BYTES + 64 * 1024, /* every byte escaped */
    RETRY_MIN_MS = 250,
    RETRY_MAX_MS = 60 * 1000,
};

enum entry_state {
    ENTRY_WAITING, /* in its account's list */
    ENTRY_READING, /* its request comes from the store */
    ENTRY_RUNNING,
    ENTRY_ENDING, /* its end is on the way to the store */
};

struct job_account_key {
    char id[STORE_ID_MAX];
    bool test;
};

struct job_account {
    struct job_account_key key; /* zeroed behind its strings */
    UT_hash_handle hh;
    struct job_entry *waiting;
    size_t open;            /* entries, and places reserved */
    size_t reading, active; /* entries not waiting, of these those that are read */
    uint64_t try_at_ms;     /* loop clock: it was refused and does not try before */
};

struct job_entry {
    UT_hash_handle hh;
    struct jobs *jobs;
    struct job_account *account;
    enum entry_state state;
    struct store_async job; /* without texts */
    struct run *run;        /* while RUNNING */
    bool cancelled;         /* while READING */
    bool again;             /* it may have run before */
    uint32_t tries;
    uint64_t not_before_ms; /* loop clock */
    uint64_t warm_by_ms;    /* nor before then, as long as no device has the model */
    struct job_entry *prev, *next;
};

struct jobs {
    struct api *api;
    struct job_account *accounts; /* uthash */
    struct job_entry *entries;    /* uthash, by id */
    size_t total, waiting;
    struct loop_timer *tick, *purge;
    bool ticking;
};

/* --- Accounts and entries --- */

static struct job_account *account_get(struct jobs *jobs, const char *id, bool test) {
    struct job_account *account;
    struct job_account_key key;
    memset(&key, 0, sizeof(key));
    str_copy(key.id, sizeof(key.id), str_from(id));
    key.test = test;
    HASH_FIND(hh, jobs->accounts, &key, sizeof(key), account);
    if (account == NULL) {
        account = MEM_NEW(struct job_account);
        memcpy(&account->key, &key, sizeof(key));
        HASH_ADD(hh, jobs->accounts, key, sizeof(key), account);
    }
    return account;
}

static void account_put(struct jobs *jobs, struct job_account *account) {
    account->open--;
    jobs->total--;
    if (account->open == 0) {
        HASH_DEL(jobs->accounts, account);
        free(account);
    }
}

bool jobs_reserve(struct jobs *jobs, const struct auth_identity *identity, struct api_error *error) {
    if (jobs->total >= JOBS_TOTAL_MAX) {
        respond_error_set(error, API_UNAVAILABLE, "Too many jobs wait. Retry later.");
        error->retry_after_ms = RETRY_MAX_MS;
        return false;
    }
    struct job_account *account = account_get(jobs, identity->account_id, identity->kind == STORE_KEY_TEST);
    if (account->open >= JOBS_OPEN_MAX) {
        respond_error_set(error, API_RATE_LIMIT_EXCEEDED,
                          "%d jobs of this account have not ended yet. Retry when some have.", JOBS_OPEN_MAX);
        error->retry_after_ms = RETRY_MAX_MS;
        return false;
    }
    account->open++;
    jobs->total++;
    return true;
}

void jobs_release(struct jobs *jobs, const char *account_id, bool test) {
    account_put(jobs, account_get(jobs, account_id, test));
}

static void entry_wait(struct job_entry *entry) {
    struct jobs *jobs = entry->jobs;
    entry->state = ENTRY_WAITING;
    DL_APPEND(entry->account->waiting, entry);
    jobs->waiting++;
    if (!jobs->ticking) {
        jobs->ticking = true;
        loop_timer_start(jobs->tick, 0, JOBS_TICK_MS);
    }
}

static void entry_unwait(struct job_entry *entry) {
    DL_DELETE(entry->account->waiting, entry);
    entry->jobs->waiting--;
}

static void entry_remove(struct job_entry *entry) {
    struct jobs *jobs = entry->jobs;
    HASH_DEL(jobs->entries, entry);
    account_put(jobs, entry->account);
    free(entry);
}

static struct job_entry *entry_find(struct jobs *jobs, const char *id) {
    struct job_entry *entry;
    HASH_FIND_STR(jobs->entries, id, entry);
    return entry;
}

static struct job_entry *entry_add(struct jobs *jobs, const struct store_async *job) {
    struct job_entry *entry = MEM_NEW(struct job_entry);
    entry->jobs = jobs;
    entry->job = *job;
    entry->job.body = entry->job.result = STR("");
    entry->account = account_get(jobs, job->account_id, job->test);
    entry->account->open++;
    jobs->total++;
    HASH_ADD_KEYPTR(hh, jobs->entries, entry->job.id, strlen(entry->job.id), entry);
    entry_wait(entry);
    return entry;
}

void jobs_add(struct jobs *jobs, const struct store_async *job) {
    if (entry_find(jobs, job->id) == NULL && job->state < STORE_ASYNC_COMPLETED) {
        (void)entry_add(jobs, job);
    }
}

/* --- The end --- */

static void on_ended(void *context, const struct store_async *job, bool changed, const struct err *err) {
    struct job_entry *entry = context;
    (void)job;
    (void)changed;
    entry->account->active--;
    if (err != NULL && err->code == ERR_UNAVAILABLE) { /* not written: once more, by its stored answer */
        entry->again = true;
        entry->not_before_ms = loop_now_ms(entry->jobs->api->loop) + RETRY_MIN_MS;
        entry_wait(entry);
        return;
    }
    if (err != NULL) {
        LOG_WARN_EVENT("job.end_not_stored", LOG_TEXT("job_id", entry->job.id), LOG_TEXT("error", err->message));
    }
    entry_remove(entry);
}

/* `result` is the JSON of the answer or the error. */
static void entry_end(struct job_entry *entry, enum store_async_state state, struct buf *result) {
    struct store_async *job = &entry->job;
    uint8_t scope[DIGEST_SHA256_SIZE];
    struct json_writer writer;
    struct buf event;
    entry->state = ENTRY_ENDING;
    entry->run = NULL;
    job->state = state;
    job->ended_ms = clock_wall_ms();
    job->result = state == STORE_ASYNC_FAILED ? buf_str(result) : STR("");
    buf_init(&event, 16 * 1024);
    json_writer_init(&writer, &event);
    job_write(&writer, job, false);
    job->result = STR("");
    run_scope(job->id, scope);
    struct store_async_end end = {.state = state,
                                  .ended_ms = job->ended_ms,
                                  .prompt_tokens = job->prompt_tokens,
                                  .completion_tokens = job->completion_tokens,
                                  .charge_nano = job->charge_nano,
                                  .result = buf_str(result),
                                  .scope_sha256 = job->test ? NULL : scope,
                                  .event = job->test || event.overflow ? STR("") : buf_str(&event)};
    str_copy(end.id, sizeof(end.id), str_from(job->id));
    store_async_end(entry->jobs->api->store, &end, on_ended, entry);
    buf_clear(&event);
}

static void entry_fail(struct job_entry *entry, const struct api_error *error) {
    struct json_writer writer;
    struct buf text;
    buf_init(&text, 8 * 1024);
    json_writer_init(&writer, &text);
    respond_error_write_object(&writer, error);
    entry_end(entry, STORE_ASYNC_FAILED, &text);
    buf_clear(&text);
}

/* --- The run --- */

static void on_begun(void *context) {
    struct job_entry *entry = context;
    entry->job.state = STORE_ASYNC_RUNNING;
    entry->job.started_ms = clock_wall_ms();
    store_async_move(entry->jobs->api->store, entry->job.id, STORE_ASYNC_RUNNING, entry->job.started_ms);
}

static void on_end(void *context, const struct run_answer *answer) {
    struct job_entry *entry = context;
    struct buf result;
    buf_init(&result, RESULT_BYTES);
    run_answer_write(answer, &result);
    entry->job.prompt_tokens = answer->result.usage.prompt_tokens;
    entry->job.completion_tokens = answer->result.usage.completion_tokens;
    entry->job.charge_nano = answer->result.cost_nano;
    entry_end(entry, STORE_ASYNC_COMPLETED, &result);
    buf_clear(&result);
}

static uint64_t wait_of(const struct api_error *error, uint64_t least_ms) {
    const uint64_t wait = error->retry_after_ms > least_ms ? error->retry_after_ms : least_ms;
    return wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
}

/* Whether it goes back to wait, and until when. */
static bool waits_for(struct job_entry *entry, const struct api_error *error) {
    const uint64_t now = loop_now_ms(entry->jobs->api->loop);
    const bool patient = clock_wall_ms() < entry->job.created_ms + JOBS_WAIT_MAX_MS;
    if (entry->jobs->api->draining) {
        return error->code == API_UNAVAILABLE; /* the next gateway goes on with it */
    }
    if (error->code == API_RATE_LIMIT_EXCEEDED) {
        entry->account->try_at_ms = now + wait_of(error, RETRY_MIN_MS);
        return patient;
    }
    if (error->code == API_MODEL_WARMING) {
        entry->not_before_ms = now + 4 * RETRY_MIN_MS;
        entry->warm_by_ms = now + wait_of(error, 4 * RETRY_MIN_MS);
        return patient;
    }
    if (error->code == API_REQUEST_TIMEOUT || error->code == API_UNAVAILABLE) {
        entry->not_before_ms = now + wait_of(error, (uint64_t)RETRY_MIN_MS << (2 * entry->tries));
        return ++entry->tries < JOBS_TRIES_MAX;
    }
    return false;
}

static void on_failed(void *context, const struct api_error *error) {
    struct job_entry *entry = context;
    entry->run = NULL;
    if (!waits_for(entry, error)) {
        entry_fail(entry, error);
        return;
    }
    entry->again = true;
    entry->account->active--;
    if (entry->job.state == STORE_ASYNC_RUNNING) {
        entry->job.state = STORE_ASYNC_QUEUED;
        entry->job.started_ms = 0;
        store_async_move(entry->jobs->api->store, entry->job.id, STORE_ASYNC_QUEUED, 0);
    }
    entry_wait(entry);
}

static const struct run_events run_events = {.on_begun = on_begun, .on_end = on_end, .on_failed = on_failed};

static bool input_read(struct job_entry *entry, struct str body, struct arena *arena, struct generation_input *input,
                       struct api_error *error) {
    struct json_value root;
    struct err err;
    if (!json_parse(entry->jobs->api->parser, body, &root, &err) ||
        !(entry->job.kind == API_CALL_CHAT ? chat_request_read(root, arena, input, &err)
                                           : inference_request_read(root, arena, input, &err))) {
        respond_error_from_err(error, &err);
        return false;
    }
    input->request.model = str_from(entry->job.model); /* as it was resolved when the job came */
    return true;
}

static void entry_run(struct job_entry *entry, struct str body) {
    struct api *api = entry->jobs->api;
    const struct auth_identity *identity;
    struct generation_input input;
    struct api_error error;
    struct arena arena;
    struct err err;
    arena_init(&arena, BODY_ARENA_BYTES);
    if (!auth_find_key(api->auth, entry->job.key_id, &identity, &err)) {
        respond_error_from_err(&error, &err);
        entry_fail(entry, &error);
    } else if (!input_read(entry, body, &arena, &input, &error)) {
        entry_fail(entry, &error);
    } else {
        const struct run_request asked = {.id = entry->job.id,
                                          .identity = identity,
                                          .kind = (enum api_call_kind)entry->job.kind,
                                          .generation = &input.request,
                                          .label = input.label,
                                          .region = input.region,
                                          .verified = input.verified,
                                          .keep = true,
                                          .again = entry->again,
                                          .cost_max_nano = -1};
        entry->state = ENTRY_RUNNING;
        entry->run = run_start(api, &asked, &run_events, entry);
    }
    arena_clear(&arena);
}

static void on_read(void *context, const struct store_async *job, bool changed, const struct err *err) {
    struct job_entry *entry = context;
    (void)changed;
    entry->account->reading--;
    if (entry->cancelled || (err != NULL && err->code == ERR_NOT_FOUND) ||
        (err == NULL && job->state >= STORE_ASYNC_COMPLETED)) {
        entry->account->active--;
        entry_remove(entry);
    } else if (err != NULL) {
        entry->account->active--;
        entry->not_before_ms = loop_now_ms(entry->jobs->api->loop) + RETRY_MIN_MS;
        entry_wait(entry);
    } else {
        entry_run(entry, job->body);
    }
}

/* --- The queue --- */

static bool account_has_room(const struct jobs *jobs, const struct job_account *account) {
    const struct api *api = jobs->api;
    const struct auth_identity *identity;
    struct core_account_view view;
    struct err err;
    if (api->draining || account->active >= JOBS_ACTIVE_MAX || loop_now_ms(api->loop) < account->try_at_ms) {
        return false;
    }
    return account->key.test || !auth_find_key(api->auth, account->waiting->job.key_id, &identity, &err) ||
           !api->backend.account_view(api->backend.context, identity, &view) || view.concurrent == 0 ||
           view.active + account->reading < view.concurrent;
}

static bool entry_is_due(const struct job_entry *entry, uint64_t now_ms) {
    const struct api_backend *backend = &entry->jobs->api->backend;
    uint32_t context_length;
    return now_ms >= entry->not_before_ms &&
           (now_ms >= entry->warm_by_ms || backend->availability(backend->context, str_from(entry->job.model),
                                                                 &context_length) == CORE_MODEL_AVAILABLE);
}

static void account_start(struct jobs *jobs, struct job_account *account) {
    const uint64_t now = loop_now_ms(jobs->api->loop);
    struct job_entry *entry = account->waiting, *next;
    for (; entry != NULL && account_has_room(jobs, account); entry = next) {
        next = entry->next;
        if (!entry_is_due(entry, now)) {
            continue;
        }
        entry_unwait(entry);
        entry->state = ENTRY_READING;
        account->active++;
        account->reading++;
        store_async_find(jobs->api->store, account->key.id, account->key.test, entry->job.id, on_read, entry);
    }
}

static void tick_due(void *context) {
    struct jobs *jobs = context;
    struct job_account *account, *next;
    HASH_ITER (hh, jobs->accounts, account, next) {
        account_start(jobs, account);
    }
    if (jobs->waiting == 0) {
        jobs->ticking = false;
        loop_timer_stop(jobs->tick);
    }
}

void jobs_cancel(struct jobs *jobs, const char *id) {
    struct job_entry *entry = entry_find(jobs, id);
    if (entry == NULL) {
        return;
    }
    switch (entry->state) {
    case ENTRY_WAITING:
        entry_unwait(entry);
        entry_remove(entry);
        break;
    case ENTRY_READING:
        entry->cancelled = true;
        break;
    case ENTRY_RUNNING:
        run_cancel(entry->run);
        entry->account->active--;
        entry_remove(entry);
        break;
    case ENTRY_ENDING: /* the store has decided already */
        break;
    }
}

/* --- Life --- */

static void on_purged(void *context, bool more) {
    const struct jobs *jobs = context;
    loop_timer_start(jobs->purge, more ? RETRY_MIN_MS : JOBS_PURGE_MS, 0);
}

static void purge_due(void *context) {
    struct jobs *jobs = context;
    store_async_purge(jobs->api->store, clock_wall_ms() - STORE_ASYNC_KEPT_MS, on_purged, jobs);
}

struct jobs *jobs_new(struct api *api) {
    struct jobs *jobs = MEM_NEW(struct jobs);
    jobs->api = api;
    jobs->tick = loop_timer_new(api->loop, tick_due, jobs);
    jobs->purge = loop_timer_new(api->loop, purge_due, jobs);
    return jobs;
}

void jobs_free(struct jobs *jobs) {
    if (jobs == NULL) {
        return;
    }
    struct job_entry *entry = jobs->entries, *next_entry;
    HASH_CLEAR(hh, jobs->entries); /* the elements stay linked */
    for (; entry != NULL; entry = next_entry) {
        next_entry = entry->hh.next;
        free(entry);
    }
    struct job_account *account = jobs->accounts, *next_account;
    HASH_CLEAR(hh, jobs->accounts);
    for (; account != NULL; account = next_account) {
        next_account = account->hh.next;
        free(account);
    }
    loop_timer_free(jobs->tick);
    loop_timer_free(jobs->purge);
    free(jobs);
}

static void on_open(void *context, const struct store_async *list, size_t count, bool more, const struct err *err) {
    struct jobs *jobs = context;
    if (err != NULL) {
        LOG_ERROR_EVENT("jobs.not_read", LOG_TEXT("error", err->message));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_async job = list[i];
        if (entry_find(jobs, job.id) != NULL) { /* it came in this moment */
            continue;
        }
        if (job.state == STORE_ASYNC_RUNNING) {
            job.state = STORE_ASYNC_QUEUED;
            job.started_ms = 0;
            store_async_move(jobs->api->store, job.id, STORE_ASYNC_QUEUED, 0);
        }
        entry_add(jobs, &job)->again = true;
    }
    LOG_INFO_EVENT("jobs.open", LOG_INT("jobs", count), LOG_INT("more", more));
}

void jobs_open(struct jobs *jobs) {
    const struct store_async_query query = {.state = -1, .limit = JOBS_TOTAL_MAX};
    store_async_list(jobs->api->store, &query, on_open, jobs);
    purge_due(jobs);
}
