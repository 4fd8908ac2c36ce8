#include "webhook/sender.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/random_source.h"
#include "wire/webhook_signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum {
    SENDER_RUNNING_MAX = 256, /* posts at once */
    SENDER_LOADED_MAX = 2048, /* deliveries in memory */
    SENDER_LOADED_BYTES = 32 * 1024 * 1024,
    HOOK_RUNNING_START = 2, /* posts at once to one webhook: one more with each that is taken, ... */
    HOOK_RUNNING_MAX = 16,
    HOOK_PAUSE_MIN_MS = 1000, /* ... half as many, and a pause, when it is slow */
    HOOK_PAUSE_MAX_MS = 10 * 60 * 1000,
    HOOK_RETRY_AFTER_MAX_MS = 60 * 60 * 1000,
    SENDER_WAKE_MAX_MS = 60 * 1000, /* a look at least so often: the wall clock may jump */
    SENDER_PURGE_MS = 60 * 60 * 1000,
    SENDER_PURGE_NEXT_MS = 1000,
};
#define SENDER_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

/* A webhook with something loaded or under way, or one that is to be asked less. */
struct hook {
    UT_hash_handle hh;
    int64_t number;
    struct webhook_sender *sender;
    struct store_due_webhook due; /* its deliveries are owned; those from `next` on are not sent yet */
    size_t next;
    unsigned running, recording, limit;
    uint64_t pause_ms, paused_until_ms; /* loop clock */
    struct hook *prev_ready, *next_ready;
    bool ready; /* has something to send */
};

struct webhook_sender {
    struct loop *loop;
    struct store *store;
    struct webhook_http *http;
    struct loop_timer *timer, *purge_timer;
    struct random_source random;
    struct hook *hooks;       /* uthash, by number */
    struct hook *ready;       /* in the order in which they are served */
    struct sending *sendings; /* posts under way */
    unsigned running;
    size_t loaded;
    int64_t after; /* where the next look begins */
    bool looking, look_again, stale, stopped;
    struct webhook_counts counts;
};

/* One post: what it is about must outlive its hook's deliveries. */
struct sending {
    struct hook *hook;
    struct store_attempt attempt;
    char *body; /* owned */
    struct sending *prev, *next;
};

static void sender_look(struct webhook_sender *sender);
static void sender_run(struct webhook_sender *sender);

/* --- Hooks --- */

static struct hook *hook_get(struct webhook_sender *sender, int64_t number) {
    struct hook *hook;
    HASH_FIND(hh, sender->hooks, &number, sizeof number, hook);
    if (hook == NULL) {
        hook = MEM_NEW(struct hook);
        hook->number = number;
        hook->sender = sender;
        hook->limit = HOOK_RUNNING_START;
        HASH_ADD(hh, sender->hooks, number, sizeof hook->number, hook);
    }
    return hook;
}

/* Forgets what is loaded and not sent: it is found again when it may be. */
static void hook_drop(struct hook *hook) {
    struct webhook_sender *sender = hook->sender;
    for (size_t i = hook->next; i < hook->due.count; i++) {
        free((void *)(uintptr_t)hook->due.deliveries[i].body.data);
    }
    sender->loaded -= hook->due.count - hook->next;
    free(hook->due.deliveries);
    hook->due.deliveries = NULL;
    hook->due.count = hook->next = 0;
    if (hook->ready) {
        DL_DELETE2(sender->ready, hook, prev_ready, next_ready);
        hook->ready = false;
    }
}

static bool hook_is_busy(const struct hook *hook) {
    return hook->ready || hook->running > 0 || hook->recording > 0;
}

static bool hook_is_paused(const struct hook *hook) {
    return hook->paused_until_ms > loop_now_ms(hook->sender->loop);
}

static void hook_free(struct hook *hook) {
    hook_drop(hook);
    HASH_DEL(hook->sender->hooks, hook);
    free(hook);
}

/* One that was slow is remembered for as long again as it was paused. */
static void hooks_prune(struct webhook_sender *sender) {
    struct hook *hook, *next;
    const uint64_t now_ms = loop_now_ms(sender->loop);
    HASH_ITER (hh, sender->hooks, hook, next) {
        if (!hook_is_busy(hook) && hook->paused_until_ms + hook->pause_ms <= now_ms) {
            hook_free(hook);
        }
    }
}

static void hook_slow_down(struct hook *hook, int64_t retry_after_ms) {
    uint64_t asked_ms = retry_after_ms > 0 ? (uint64_t)retry_after_ms : 0;
    asked_ms = asked_ms < HOOK_RETRY_AFTER_MAX_MS ? asked_ms : HOOK_RETRY_AFTER_MAX_MS;
    hook->pause_ms = hook->pause_ms == 0 ? HOOK_PAUSE_MIN_MS : 2 * hook->pause_ms;
    hook->pause_ms = hook->pause_ms < HOOK_PAUSE_MAX_MS ? hook->pause_ms : HOOK_PAUSE_MAX_MS;
    hook->limit = hook->limit > 1 ? hook->limit / 2 : 1;
    const uint64_t until_ms = loop_now_ms(hook->sender->loop) + (asked_ms > hook->pause_ms ? asked_ms : hook->pause_ms);
    hook->paused_until_ms = until_ms > hook->paused_until_ms ? until_ms : hook->paused_until_ms;
    hook_drop(hook);
}

/* --- An attempt's end --- */

static void on_recorded(void *context, const struct err *err) {
    struct hook *hook = context;
    (void)err; /* a store that is broken stops the gateway; otherwise it is sent again */
    hook->recording--;
    if (!hook->sender->stopped && !hook_is_busy(hook)) {
        sender_look(hook->sender);
    }
}

static const char *attempt_note(const struct webhook_answer *answer) {
    if (answer->status == 0) {
        return answer->note;
    }
    if (answer->status >= 300 && answer->status <= 399) {
        return "redirects are not followed";
    }
    return "";
}

static void sender_count(struct webhook_sender *sender, const struct webhook_retry *retry) {
    switch (retry->state) {
    case STORE_DELIVERY_DELIVERED:
        sender->counts.delivered++;
        return;
    case STORE_DELIVERY_FAILED:
        sender->counts.failed++;
        return;
    case STORE_DELIVERY_WAITING:
        sender->counts.retried++;
        return;
    }
}

static void sending_free(struct webhook_sender *sender, struct sending *sending) {
    DL_DELETE(sender->sendings, sending);
    free(sending->body);
    free(sending);
}

static void on_answer(void *context, const struct webhook_answer *answer) {
    struct sending *sending = context;
    struct hook *hook = sending->hook;
    struct webhook_sender *sender = hook->sender;
    struct store_attempt *attempt = &sending->attempt;
    const int jitter = (int)random_below(&sender->random, 201) - 100;
    const struct webhook_retry retry = webhook_retry_after(answer, ++attempt->attempts, jitter);
    attempt->state = retry.state;
    attempt->gone = retry.gone;
    attempt->due_ms = clock_wall_ms() + (int64_t)retry.after_ms;
    attempt->latency_ms = answer->latency_ms;
    attempt->status = answer->status;
    str_copy(attempt->note, sizeof attempt->note, str_from(attempt_note(answer)));
    attempt->response_len = answer->body_len;
    memcpy(attempt->response, answer->body, answer->body_len);
    sender_count(sender, &retry);
    sender->running--;
    hook->running--;
    hook->recording++;
    if (retry.slow || retry.gone) {
        hook_slow_down(hook, answer->retry_after_ms);
    } else if (retry.state == STORE_DELIVERY_DELIVERED) {
        hook->pause_ms = 0;
        hook->limit += hook->limit < HOOK_RUNNING_MAX;
    }
    store_attempt_end(sender->store, attempt, on_recorded, hook);
    sending_free(sender, sending);
    sender_run(sender);
}

/* --- Sending --- */

static void hook_send(struct hook *hook) {
    enum { SIGNATURES_SIZE = sizeof("webhook-signature:  ") + 2 * WEBHOOK_SIGNATURE_SIZE };
    struct store_due_delivery *delivery = &hook->due.deliveries[hook->next++];
    struct sending *sending = MEM_NEW(struct sending);
    char id[STORE_ID_MAX + 16], time[48], signatures[SIGNATURES_SIZE];
    char current[WEBHOOK_SIGNATURE_SIZE], old[WEBHOOK_SIGNATURE_SIZE] = "";
    const int64_t now_ms = clock_wall_ms();
    sending->hook = hook;
    sending->body = (char *)(uintptr_t)delivery->body.data;
    sending->attempt = (struct store_attempt){
        .delivery = delivery->number, .webhook = hook->number, .attempts = delivery->attempts, .tried_ms = now_ms};
    webhook_sign(hook->due.secret, delivery->event_id, now_ms / 1000, delivery->body, current);
    const bool two = hook->due.old_until_ms > now_ms;
    if (two) {
        webhook_sign(hook->due.old_secret, delivery->event_id, now_ms / 1000, delivery->body, old);
    }
    (void)snprintf(id, sizeof id, "webhook-id: %s", delivery->event_id);
    (void)snprintf(time, sizeof time, "webhook-timestamp: %" PRId64, now_ms / 1000);
    (void)snprintf(signatures, sizeof signatures, "webhook-signature: %s%s%s", current, two ? " " : "", old);
    const struct webhook_message message = {
        .url = hook->due.url, .headers = {id, time, signatures}, .body = delivery->body};
    DL_APPEND(hook->sender->sendings, sending);
    hook->running++;
    hook->sender->running++;
    hook->sender->loaded--;
    webhook_http_post(hook->sender->http, &message, on_answer, sending);
}

/* Each ready hook in turn, as long as there is room. */
static void sender_run(struct webhook_sender *sender) {
    struct hook *hook, *next;
    DL_FOREACH_SAFE2(sender->ready, hook, next, next_ready) {
        while (hook->next < hook->due.count && hook->running < hook->limit && sender->running < SENDER_RUNNING_MAX) {
            hook_send(hook);
        }
        if (hook->next == hook->due.count) {
            hook_drop(hook);
        }
    }
    struct hook *first = sender->ready;
    if (first != NULL && sender->running == SENDER_RUNNING_MAX) { /* another one begins the next time */
        DL_DELETE2(sender->ready, first, prev_ready, next_ready);
        DL_APPEND2(sender->ready, first, prev_ready, next_ready);
    }
}

/* --- What is due --- */

static void hook_take(struct webhook_sender *sender, struct store_due_webhook *due) {
    struct hook *hook = hook_get(sender, due->number);
    hook->due = *due;
    hook->next = 0;
    due->deliveries = NULL; /* they are the hook's now */
    sender->loaded += due->count;
    due->count = 0;
    hook->ready = true;
    DL_APPEND2(sender->ready, hook, prev_ready, next_ready);
}

static void sender_set_timer(struct webhook_sender *sender, int64_t next_ms) {
    const int64_t now_wall_ms = clock_wall_ms();
    const uint64_t now_ms = loop_now_ms(sender->loop);
    uint64_t wait_ms = SENDER_WAKE_MAX_MS;
    if (next_ms < now_wall_ms + SENDER_WAKE_MAX_MS) {
        wait_ms = next_ms > now_wall_ms ? (uint64_t)(next_ms - now_wall_ms) : 1;
    }
    for (const struct hook *hook = sender->hooks; hook != NULL; hook = hook->hh.next) {
        if (hook->paused_until_ms > now_ms && hook->paused_until_ms - now_ms < wait_ms) {
            wait_ms = hook->paused_until_ms - now_ms;
        }
    }
    loop_timer_start(sender->timer, wait_ms, 0);
}

static void due_take(struct webhook_sender *sender, struct store_due *due) {
    const bool from_start = sender->after == 0;
    for (size_t i = 0; i < due->count; i++) {
        if (due->webhooks[i].count > 0) {
            hook_take(sender, &due->webhooks[i]);
        }
    }
    sender->after = due->resume;
    sender->look_again = sender->look_again || !from_start;
    sender_set_timer(sender, due->next_ms);
}

static void on_due(void *context, struct store_due *due, const struct err *err) {
    struct webhook_sender *sender = context;
    sender->looking = false;
    if (sender->stopped) {
        store_due_free(due);
        return;
    }
    if (due == NULL) {
        LOG_WARN_EVENT("webhooks.look_failed", LOG_TEXT("error", err->message));
        loop_timer_start(sender->timer, HOOK_PAUSE_MIN_MS, 0);
    } else if (sender->stale) {
        sender->look_again = true;
    } else {
        due_take(sender, due);
    }
    sender->stale = false;
    store_due_free(due);
    sender_run(sender);
    if (sender->look_again) {
        sender_look(sender);
    }
}

static int compare_numbers(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Asks the store for all that is due and not in memory. */
static void sender_look(struct webhook_sender *sender) {
    sender->look_again = sender->looking;
    if (sender->looking || sender->loaded >= SENDER_LOADED_MAX / 2) {
        return; /* what is loaded ends with a look */
    }
    hooks_prune(sender);
    const size_t hooks = HASH_COUNT(sender->hooks);
    int64_t *except = (int64_t *)mem_calloc(hooks + 1, sizeof *except);
    size_t count = 0;
    for (const struct hook *hook = sender->hooks; hook != NULL; hook = hook->hh.next) {
        if (hook_is_busy(hook) || hook_is_paused(hook)) {
            except[count++] = hook->number;
        }
    }
    qsort(except, count, sizeof *except, compare_numbers);
    const struct store_due_query query = {.now_ms = clock_wall_ms(),
                                          .after = sender->after,
                                          .except = except,
                                          .except_count = count,
                                          .limit = SENDER_LOADED_MAX - sender->loaded,
                                          .bytes = SENDER_LOADED_BYTES};
    sender->looking = true;
    store_deliveries_due(sender->store, &query, on_due, sender);
    free(except);
}

static void on_timer(void *context) {
    sender_look(context);
}

static void on_change(void *context, int64_t webhook) {
    struct webhook_sender *sender = context;
    struct hook *hook = NULL;
    if (webhook != 0) {
        HASH_FIND(hh, sender->hooks, &webhook, sizeof webhook, hook);
        sender->stale = sender->looking;
    }
    if (hook != NULL) {
        hook_drop(hook);
        hook->paused_until_ms = 0;
    }
    sender_look(sender);
}

/* --- What is old --- */

static void on_purged(void *context, bool more, const struct err *err) {
    struct webhook_sender *sender = context;
    (void)err;
    if (!sender->stopped) {
        loop_timer_start(sender->purge_timer, more ? SENDER_PURGE_NEXT_MS : SENDER_PURGE_MS, 0);
    }
}

static void on_purge_timer(void *context) {
    struct webhook_sender *sender = context;
    store_deliveries_purge(sender->store, clock_wall_ms() - SENDER_KEPT_MS, on_purged, sender);
}

/* --- Life --- */

bool webhook_sender_new(struct webhook_sender **out, struct loop *loop, struct store *store, bool lax,
                        struct err *err) {
    struct webhook_http *http;
    *out = NULL;
    if (!webhook_http_new(&http, loop, lax, err)) {
        return false;
    }
    struct webhook_sender *sender = MEM_NEW(struct webhook_sender);
    sender->loop = loop;
    sender->store = store;
    sender->http = http;
    random_bytes(&sender->random, sizeof sender->random);
    sender->timer = loop_timer_new(loop, on_timer, sender);
    sender->purge_timer = loop_timer_new(loop, on_purge_timer, sender);
    loop_timer_start(sender->timer, 0, 0);
    loop_timer_start(sender->purge_timer, SENDER_PURGE_NEXT_MS, 0);
    store_deliveries_watch(store, on_change, sender);
    *out = sender;
    return true;
}

void webhook_sender_stop(struct webhook_sender *sender) {
    if (sender == NULL || sender->stopped) {
        return;
    }
    sender->stopped = true;
    store_deliveries_watch(sender->store, NULL, NULL);
    loop_timer_free(sender->timer);
    loop_timer_free(sender->purge_timer);
    webhook_http_free(sender->http);
}

void webhook_sender_free(struct webhook_sender *sender) {
    struct hook *hook, *next;
    if (sender == NULL) {
        return;
    }
    while (sender->sendings != NULL) {
        sending_free(sender, sender->sendings);
    }
    HASH_ITER (hh, sender->hooks, hook, next) {
        hook_free(hook);
    }
    free(sender);
}

struct webhook_counts webhook_sender_counts(const struct webhook_sender *sender) {
    struct webhook_counts counts = sender->counts;
    counts.running = sender->running;
    return counts;
}
