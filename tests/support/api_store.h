/* A fake of what the API asks the store: answers come at the end of the iteration, or when a test lets them. */
#ifndef NATARIS_TESTS_SUPPORT_API_STORE_H
#define NATARIS_TESTS_SUPPORT_API_STORE_H

#include "base/mem.h"
#include "net/loop.h"
#include "store/answers.h"
#include "store/devices.h"
#include "store/generations.h"
#include "store/owed.h"
#include "store/run.h"
#include "store/task.h"
#include "store/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { API_STORE_QUESTIONS_MAX = 256, API_STORE_ANSWERS_MAX = 8 };

struct api_store_question {
    enum { QUESTION_ANSWER, QUESTION_USAGE, QUESTION_JOBS, QUESTION_EARNINGS, QUESTION_OWED, QUESTION_DEVICES } kind;
    uint8_t scope_sha256[DIGEST_SHA256_SIZE];
    int64_t now_ms;
    char id[STORE_ID_MAX]; /* of one device; empty: a page */
    void (*on_devices)(void *context, const struct store_device *devices, size_t count, bool more,
                       const struct err *err);
    void (*on_answer)(void *context, const struct store_answer *answer, const struct err *err);
    void (*on_usage)(void *context, const struct store_usage *usage, const struct err *err);
    void (*on_jobs)(void *context, const struct store_generation *jobs, size_t count, bool more, const struct err *err);
    void (*on_earnings)(void *context, const struct store_earnings *earnings, const struct err *err);
    void (*on_owed)(void *context, const struct store_owed *owed, const struct err *err);
    void *context;
};

struct store {
    struct loop_deferred deferred;
    struct loop *loop;
    bool held;      /* answers wait for api_store_answer_all */
    struct err err; /* what every question fails with; ERR_NONE: none does */
    struct api_store_question questions[API_STORE_QUESTIONS_MAX];
    size_t question_count;
    int answers_asked;
    /* What is stored. */
    struct store_answer answers[API_STORE_ANSWERS_MAX]; /* their contents are owned */
    size_t answer_count;
    struct store_usage usage;
    const struct store_generation *jobs;
    size_t job_count;
    bool more;
    struct store_earnings earnings;
    struct store_owed owed;
    const struct store_device *devices;
    size_t device_count;
    /* What was asked last. */
    char account_id[STORE_ID_MAX], key_id[STORE_ID_MAX], after[STORE_ID_MAX];
    int64_t from_ms, to_ms;
    bool earned;
    unsigned limit;
};

static const struct store_answer *api_store_find(const struct store *store, const struct api_store_question *question) {
    for (size_t i = 0; i < store->answer_count; i++) {
        const struct store_answer *answer = &store->answers[i];
        if (memcmp(answer->scope_sha256, question->scope_sha256, DIGEST_SHA256_SIZE) == 0 &&
            answer->expires_ms > question->now_ms) {
            return answer;
        }
    }
    return NULL;
}

/* The one that was asked for, or all: what a page holds is the store's own test. */
static void api_store_answer_devices(const struct store *store, const struct api_store_question *question) {
    for (size_t i = 0; question->id[0] != '\0' && i < store->device_count; i++) {
        if (strcmp(store->devices[i].id, question->id) == 0) {
            question->on_devices(question->context, &store->devices[i], 1, false, NULL);
            return;
        }
    }
    bool page = question->id[0] == '\0';
    question->on_devices(question->context, store->devices, page ? store->device_count : 0, page && store->more, NULL);
}

static void api_store_answer_one(struct store *store, const struct api_store_question *question) {
    const struct err *err = store->err.code != ERR_NONE ? &store->err : NULL;
    switch (question->kind) {
    case QUESTION_ANSWER:
        question->on_answer(question->context, err == NULL ? api_store_find(store, question) : NULL, err);
        break;
    case QUESTION_USAGE:
        question->on_usage(question->context, err == NULL ? &store->usage : NULL, err);
        break;
    case QUESTION_JOBS:
        question->on_jobs(question->context, err == NULL ? store->jobs : NULL, err == NULL ? store->job_count : 0,
                          store->more, err);
        break;
    case QUESTION_DEVICES:
        if (err != NULL) {
            question->on_devices(question->context, NULL, 0, false, err);
        } else {
            api_store_answer_devices(store, question);
        }
        break;
    case QUESTION_EARNINGS:
        question->on_earnings(question->context, err == NULL ? &store->earnings : NULL, err);
        break;
    case QUESTION_OWED:
        question->on_owed(question->context, err == NULL ? &store->owed : NULL, err);
        break;
    }
}

static void api_store_answer_all(struct store *store) {
    for (size_t i = 0; i < store->question_count; i++) { /* an answer may ask the next question */
        api_store_answer_one(store, &store->questions[i]);
    }
    store->question_count = 0;
}

static void api_store_run(struct loop_deferred *deferred) {
    api_store_answer_all((struct store *)deferred);
}

static struct api_store_question *api_store_ask(struct store *store, void *context) {
    assert_true(store->question_count < API_STORE_QUESTIONS_MAX);
    struct api_store_question *question = &store->questions[store->question_count++];
    *question = (struct api_store_question){.context = context};
    if (!store->held) {
        store->deferred.run = api_store_run;
        loop_defer(store->loop, &store->deferred);
    }
    return question;
}

UNUSED void store_answer_delete(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                                void (*on_result)(void *context, bool found, const struct err *err), void *context) {
    (void)store;
    (void)scope_sha256;
    (void)now_ms;
    on_result(context, false, NULL);
}

void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], const char *account_id,
                       int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    store->answers_asked++;
    question->kind = QUESTION_ANSWER;
    memcpy(question->scope_sha256, scope_sha256, DIGEST_SHA256_SIZE);
    (void)account_id;
    question->now_ms = now_ms;
    question->on_answer = on_result;
}

void store_usage_read(struct store *store, const char *account_id, const char *key_id, int64_t from_ms, int64_t to_ms,
                      void (*on_result)(void *context, const struct store_usage *usage, const struct err *err),
                      void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    question->kind = QUESTION_USAGE;
    question->on_usage = on_result;
    (void)str_copy(store->account_id, sizeof(store->account_id), str_from(account_id));
    (void)str_copy(store->key_id, sizeof(store->key_id), str_from(key_id));
    store->from_ms = from_ms;
    store->to_ms = to_ms;
}

void store_generations_page(struct store *store, const char *account_id, bool earned, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_generation *jobs, size_t count,
                                              bool more, const struct err *err),
                            void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    question->kind = QUESTION_JOBS;
    question->on_jobs = on_result;
    (void)str_copy(store->account_id, sizeof(store->account_id), str_from(account_id));
    (void)str_copy(store->after, sizeof(store->after), str_from(after));
    store->earned = earned;
    store->limit = limit;
}

void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    question->kind = QUESTION_EARNINGS;
    question->on_earnings = on_result;
    (void)str_copy(store->account_id, sizeof(store->account_id), str_from(account_id));
    store->from_ms = from_ms;
    store->to_ms = to_ms;
}

void store_owed_read(struct store *store, const char *account_id,
                     void (*on_result)(void *context, const struct store_owed *owed, const struct err *err),
                     void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    question->kind = QUESTION_OWED;
    question->on_owed = on_result;
    (void)str_copy(store->account_id, sizeof(store->account_id), str_from(account_id));
}

uint32_t store_hold_days(const struct store *store UNUSED) {
    return 7;
}

void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    struct api_store_question *question = api_store_ask(store, context);
    question->kind = QUESTION_DEVICES;
    question->on_devices = on_result;
    (void)str_copy(question->id, sizeof(question->id), str_from(id));
    (void)str_copy(store->account_id, sizeof(store->account_id), str_from(account_id));
    (void)str_copy(store->after, sizeof(store->after), str_from(after));
    store->limit = limit;
}

/* As a settlement does: a newer answer of the same scope takes the place of the old one. */
UNUSED static void api_store_keep(struct store *store, const struct store_answer *answer) {
    size_t place = 0;
    while (place < store->answer_count &&
           memcmp(store->answers[place].scope_sha256, answer->scope_sha256, DIGEST_SHA256_SIZE) != 0) {
        place++;
    }
    if (place == store->answer_count) {
        assert_true(store->answer_count++ < API_STORE_ANSWERS_MAX);
    }
    free((void *)store->answers[place].content.data);
    store->answers[place] = *answer;
    store->answers[place].content.data = mem_strndup(answer->content.data, answer->content.len);
}

static void api_store_init(struct store *store, struct loop *loop) {
    *store = (struct store){.loop = loop};
}

static void api_store_clear(struct store *store) {
    api_store_answer_all(store); /* requests that have gone meanwhile */
    for (size_t i = 0; i < store->answer_count; i++) {
        free((void *)store->answers[i].content.data);
    }
}

/* No test of the API alone asks for what stands on tasks: tests/e2e does. */
void store_task_run(struct store *store, struct store_task *task) {
    (void)store;
    (void)task;
    fail_msg("the fake store has no tasks");
}
#endif
