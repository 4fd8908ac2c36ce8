#include "gateway/counters.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/counter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct model_counter {
    char model[CORE_MODEL_ID_MAX + 1]; /* empty: a free place */
    struct counter *counter;
    uint64_t used_ms;
};

struct missing {
    char model[CORE_MODEL_ID_MAX + 1];
    uint64_t until_ms;
};

struct counters {
    struct loop *loop;
    counters_find *find;
    void *find_context;
    struct model_counter items[COUNTERS_MAX];
    struct missing missing[COUNTERS_MISSING_MAX];
    size_t next_missing, open; /* counters that are not closed yet, those without a place too */
    bool closing;
    struct loop_deferred deferred;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void counters_end(struct loop_deferred *deferred) {
    struct counters *counters = (struct counters *)((char *)deferred - offsetof(struct counters, deferred));
    void (*on_closed)(void *) = counters->on_closed;
    void *context = counters->closed_context;
    free(counters);
    on_closed(context);
}

struct counters *counters_new(struct loop *loop, counters_find *find, void *context) {
    struct counters *counters = MEM_NEW(struct counters);
    counters->loop = loop;
    counters->find = find;
    counters->find_context = context;
    counters->deferred.run = counters_end;
    return counters;
}

static void on_counter_closed(void *context) {
    struct counters *counters = context;
    counters->open--;
    if (counters->closing && counters->open == 0) {
        loop_defer(counters->loop, &counters->deferred);
    }
}

void counters_close(struct counters *counters, void (*on_closed)(void *context), void *context) {
    counters->closing = true;
    counters->on_closed = on_closed;
    counters->closed_context = context;
    for (size_t i = 0; i < COUNTERS_MAX; i++) {
        if (counters->items[i].counter != NULL) {
            counter_close(counters->items[i].counter, on_counter_closed, counters);
            counters->items[i] = (struct model_counter){0};
        }
    }
    if (counters->open == 0) {
        loop_defer(counters->loop, &counters->deferred);
    }
}

void counters_free(struct counters *counters) {
    assert(counters == NULL || counters->open == 0);
    free(counters);
}

static bool is_missing(const struct counters *counters, struct str model, uint64_t now_ms) {
    for (size_t i = 0; i < COUNTERS_MISSING_MAX; i++) {
        if (str_equal_cstr(model, counters->missing[i].model) && now_ms < counters->missing[i].until_ms) {
            return true;
        }
    }
    return false;
}

/* In the place of the one that was asked longest ago. NULL: it cannot be opened. */
static struct counter *counter_add(struct counters *counters, struct str model, const char *path, uint64_t now_ms) {
    struct model_counter *place = &counters->items[0];
    const struct counter_options options = {.loop = counters->loop, .model_path = path};
    struct counter *counter = NULL;
    struct err err;
    for (size_t i = 1; i < COUNTERS_MAX; i++) {
        place = counters->items[i].used_ms < place->used_ms ? &counters->items[i] : place;
    }
    if (!counter_open(&counter, &options, &err)) {
        LOG_WARN_EVENT("counter.not_opened", LOG_TEXT("error", err.message));
        return NULL;
    }
    if (place->counter != NULL) {
        counter_close(place->counter, on_counter_closed, counters);
    }
    counters->open++;
    *place = (struct model_counter){.counter = counter, .used_ms = now_ms};
    (void)str_copy(place->model, sizeof(place->model), model);
    LOG_INFO_EVENT("counter.opened", LOG_TEXT("model", place->model), LOG_TEXT("file", path));
    return counter;
}

/* NULL: there is none. */
static struct counter *counter_of(struct counters *counters, struct str model) {
    const uint64_t now_ms = loop_now_ms(counters->loop);
    char path[FILE_PATH_MAX];
    if (counters->find == NULL || counters->closing || model.len == 0 || model.len > CORE_MODEL_ID_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < COUNTERS_MAX; i++) {
        if (str_equal_cstr(model, counters->items[i].model)) {
            counters->items[i].used_ms = now_ms;
            return counters->items[i].counter;
        }
    }
    if (is_missing(counters, model, now_ms)) {
        return NULL;
    }
    if (counters->find(counters->find_context, model, path)) {
        return counter_add(counters, model, path, now_ms);
    }
    struct missing *missing = &counters->missing[counters->next_missing++ % COUNTERS_MISSING_MAX];
    (void)str_copy(missing->model, sizeof(missing->model), model);
    missing->until_ms = now_ms + COUNTERS_LOOK_MS;
    return NULL;
}

static bool is_able(void *context, struct str model) {
    const struct counter *counter = counter_of(context, model);
    return counter != NULL && counter_is_able(counter);
}

static size_t backlog(void *context, struct str model) {
    const struct counter *counter = counter_of(context, model);
    return counter != NULL ? counter_backlog(counter) : 0;
}

static void ask_texts(void *context, struct str model, const struct str *texts, size_t count, call_counted *told,
                      void *told_context) {
    (void)counter_ask_texts(counter_of(context, model), texts, count, told, told_context);
}

static void ask_chat(void *context, const struct gen_request *request, call_counted *told, void *told_context) {
    (void)counter_ask_chat(counter_of(context, request->model), request, told, told_context);
}

struct call_counter counters_of_calls(struct counters *counters) {
    return (struct call_counter){
        .context = counters, .is_able = is_able, .backlog = backlog, .texts = ask_texts, .chat = ask_chat};
}
