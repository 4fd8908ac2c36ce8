#include "webhook/sender.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/random_source.h"
#include "net/address_class.h"
#include "webhook/loop_clock.h"
#include "webhook/pace.h"
#include "webhook/post.h"
#include "webhook/retry.h"
#include "webhook/shares.h"
#include "wire/webhook_signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum {
    SENDER_RUNNING_MAX = 256,      /* posts at once, unless the options say less */
    SENDER_LOADED_MAX = 32 * 1024, /* deliveries in memory: half of it are those of 16 accounts, all of them slow */
    SENDER_LOADED_BYTES = 32 * 1024 * 1024,
    SENDER_LOOK_AGAIN_MS = 1000,    /* after a look that failed */
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
    unsigned running, recording;
    struct webhook_pace pace;
    struct hook *prev_ready, *next_ready;
    bool ready; /* has something to send */
};

struct webhook_sender {
    struct loop *loop;
    struct store *store;
    struct http_client *http;
    struct webhook_clock clock;
    struct webhook_loop_clock loop_clock; /* not open with another */
    struct webhook_shares shares;
    uint64_t look_at_ms, purge_at_ms; /* clock.now_ms; UINT64_MAX: not due */
    unsigned post_ms;
    bool lax;
    struct random_source random;
    struct hook *hooks;       /* uthash, by number */
    struct hook *ready;       /* in the order in which they are served */
    struct sending *sendings; /* posts under way */
    unsigned running, running_max;
    size_t loaded;
    int64_t after; /* where the next look begins */
    bool looking, look_again, stale, stopped, paused;
    struct webhook_counts counts;
};

/* One post: what it is about must outlive its hook's deliveries. */
struct sending {
    struct hook *hook;
    struct webhook_post *post;
    struct store_attempt attempt;
    char *body; /* owned */
    struct sending *prev, *next;
};

static void sender_look(struct webhook_sender *sender);
static void sender_run(struct webhook_sender *sender);

/* --- Time --- */

static int64_t sender_wall_ms(const struct webhook_sender *sender) {
    return sender->clock.wall_ms(sender->clock.context);
}

static uint64_t sender_now_ms(const struct webhook_sender *sender) {
    return sender->clock.now_ms(sender->clock.context);
}

static void sender_arm(struct webhook_sender *sender) {
    const uint64_t now_ms = sender_now_ms(sender);
    const uint64_t due_ms = sender->look_at_ms < sender->purge_at_ms ? sender->look_at_ms : sender->purge_at_ms;
    if (due_ms != UINT64_MAX) {
        sender->clock.ring_after(sender->clock.context, due_ms > now_ms ? due_ms - now_ms : 0);
    }
}

/* --- Hooks --- */

static struct hook *hook_get(struct webhook_sender *sender, int64_t number) {
    struct hook *hook;
    HASH_FIND(hh, sender->hooks, &number, sizeof(number), hook);
    if (hook == NULL) {
        hook = MEM_NEW(struct hook);
        hook->number = number;
        hook->sender = sender;
        webhook_pace_init(&hook->pace);
        HASH_ADD(hh, sender->hooks, number, sizeof(hook->number), hook);
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

static void hook_free(struct hook *hook) {
    hook_drop(hook);
    HASH_DEL(hook->sender->hooks, hook);
    free(hook);
}

static void hooks_prune(struct webhook_sender *sender) {
    struct hook *hook, *next;
    const uint64_t now_ms = sender_now_ms(sender);
    HASH_ITER (hh, sender->hooks, hook, next) {
        if (!hook_is_busy(hook) && webhook_pace_is_settled(&hook->pace, now_ms)) {
            hook_free(hook);
        }
    }
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
    attempt->due_ms = sender_wall_ms(sender) + (int64_t)retry.after_ms;
    attempt->latency_ms = answer->latency_ms;
    attempt->status = answer->status;
    str_copy(attempt->note, sizeof(attempt->note), str_from(attempt_note(answer)));
    attempt->response_len = sender->paused ? 0 : answer->body_len; /* there is little room to keep it */
    memcpy(attempt->response, answer->body, attempt->response_len);
    sender_count(sender, &retry);
    sender->running--;
    webhook_shares_add(&sender->shares, hook->due.account_number, -1);
    hook->running--;
    hook->recording++;
    if (retry.slow || retry.gone) {
        webhook_pace_slower(&hook->pace, sender_now_ms(sender), answer->retry_after_ms);
        hook_drop(hook);
    } else if (retry.state == STORE_DELIVERY_DELIVERED) {
        webhook_pace_faster(&hook->pace);
    }
    store_attempt_end(sender->store, attempt, on_recorded, hook);
    sending_free(sender, sending);
    sender_run(sender);
}

/* --- Sending --- */

static void hook_send(struct hook *hook) {
    enum { SIGNATURES_SIZE = sizeof("webhook-signature:  ") + 2 * WEBHOOK_SIGNATURE_SIZE };
    struct webhook_sender *sender = hook->sender;
    const struct store_due_delivery *delivery = &hook->due.deliveries[hook->next++];
    struct sending *sending = MEM_NEW(struct sending);
    char id[STORE_ID_MAX + 16], time[48], signatures[SIGNATURES_SIZE];
    char current[WEBHOOK_SIGNATURE_SIZE], old[WEBHOOK_SIGNATURE_SIZE] = "";
    const int64_t now_ms = sender_wall_ms(sender);
    sending->hook = hook;
    sending->body = (char *)(uintptr_t)delivery->body.data;
    sending->attempt = (struct store_attempt){
        .delivery = delivery->number, .webhook = hook->number, .attempts = delivery->attempts, .tried_ms = now_ms};
    webhook_sign(hook->due.secret, delivery->event_id, now_ms / 1000, delivery->body, current);
    const bool two = hook->due.old_until_ms > now_ms;
    if (two) {
        webhook_sign(hook->due.old_secret, delivery->event_id, now_ms / 1000, delivery->body, old);
    }
    (void)snprintf(id, sizeof(id), "webhook-id: %s", delivery->event_id);
    (void)snprintf(time, sizeof(time), "webhook-timestamp: %" PRId64, now_ms / 1000);
    (void)snprintf(signatures, sizeof(signatures), "webhook-signature: %s%s%s", current, two ? " " : "", old);
    const struct webhook_message message = {.owner = (uint64_t)hook->due.account_number,
                                            .url = hook->due.url,
                                            .headers = {id, time, signatures},
                                            .body = delivery->body,
                                            .whole_ms = sender->post_ms};
    DL_APPEND(sender->sendings, sending);
    hook->running++;
    sender->running++;
    sender->loaded--;
    webhook_shares_add(&sender->shares, hook->due.account_number, 1);
    sending->post = webhook_post_start(sender->http, &message, sender->lax, on_answer, sending);
}

static bool hook_may_send(const struct hook *hook) {
    const struct webhook_sender *sender = hook->sender;
    return hook->next < hook->due.count && hook->running < hook->pace.limit && sender->running < sender->running_max &&
           webhook_shares_has_room(&sender->shares, hook->due.account_number, sender->running_max);
}

/* Each ready hook in turn, as long as there is room. */
static void sender_run(struct webhook_sender *sender) {
    struct hook *hook, *next;
    DL_FOREACH_SAFE2(sender->ready, hook, next, next_ready) {
        while (!sender->paused && hook_may_send(hook)) {
            hook_send(hook);
        }
        if (hook->next == hook->due.count) {
            hook_drop(hook);
        }
    }
    struct hook *first = sender->ready;
    if (first != NULL && sender->running == sender->running_max) { /* another one begins the next time */
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

/* The next look: when the next delivery or the first pause is due, or after a while in any case. */
static void sender_look_later(struct webhook_sender *sender, int64_t next_wall_ms) {
    const int64_t now_wall_ms = sender_wall_ms(sender);
    const uint64_t now_ms = sender_now_ms(sender);
    sender->look_at_ms = now_ms + SENDER_WAKE_MAX_MS;
    if (next_wall_ms < now_wall_ms + SENDER_WAKE_MAX_MS) {
        sender->look_at_ms = now_ms + (next_wall_ms > now_wall_ms ? (uint64_t)(next_wall_ms - now_wall_ms) : 1);
    }
    for (const struct hook *hook = sender->hooks; hook != NULL; hook = hook->hh.next) {
        if (webhook_pace_is_paused(&hook->pace, now_ms) && hook->pace.paused_until_ms < sender->look_at_ms) {
            sender->look_at_ms = hook->pace.paused_until_ms;
        }
    }
    sender_arm(sender);
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
    sender_look_later(sender, due->next_ms);
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
        sender->look_at_ms = sender_now_ms(sender) + SENDER_LOOK_AGAIN_MS;
        sender_arm(sender);
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
    if (sender->looking || sender->paused || sender->loaded >= SENDER_LOADED_MAX / 2) {
        return; /* what is loaded ends with a look */
    }
    hooks_prune(sender);
    const size_t hooks = HASH_COUNT(sender->hooks);
    const uint64_t now_ms = sender_now_ms(sender);
    int64_t *except = mem_calloc(hooks + 1, sizeof(*except));
    size_t count = 0;
    for (const struct hook *hook = sender->hooks; hook != NULL; hook = hook->hh.next) {
        if (hook_is_busy(hook) || webhook_pace_is_paused(&hook->pace, now_ms)) {
            except[count++] = hook->number;
        }
    }
    qsort(except, count, sizeof(*except), compare_numbers);
    const struct store_due_query query = {.now_ms = sender_wall_ms(sender),
                                          .after = sender->after,
                                          .except = except,
                                          .except_count = count,
                                          .limit = SENDER_LOADED_MAX - sender->loaded,
                                          .bytes = SENDER_LOADED_BYTES};
    sender->looking = true;
    store_deliveries_due(sender->store, &query, on_due, sender);
    free(except);
}

static void on_change(void *context, int64_t webhook) {
    struct webhook_sender *sender = context;
    struct hook *hook = NULL;
    if (webhook != 0) {
        HASH_FIND(hh, sender->hooks, &webhook, sizeof(webhook), hook);
        sender->stale = sender->looking;
    }
    if (hook != NULL) {
        hook_drop(hook);
        webhook_pace_go_on(&hook->pace);
    }
    sender_look(sender);
}

/* --- What is old --- */

static void on_purged(void *context, bool more, const struct err *err) {
    struct webhook_sender *sender = context;
    (void)err;
    if (!sender->stopped) {
        sender->purge_at_ms = sender_now_ms(sender) + (more ? SENDER_PURGE_NEXT_MS : SENDER_PURGE_MS);
        sender_arm(sender);
    }
}

void webhook_sender_ring(struct webhook_sender *sender) {
    const uint64_t now_ms = sender_now_ms(sender);
    if (now_ms >= sender->look_at_ms) {
        sender->look_at_ms = UINT64_MAX;
        sender_look(sender);
    }
    if (now_ms >= sender->purge_at_ms) {
        sender->purge_at_ms = UINT64_MAX;
        store_deliveries_purge(sender->store, sender_wall_ms(sender) - SENDER_KEPT_MS, on_purged, sender);
    }
    sender_arm(sender);
}

static void on_timer(void *context) {
    webhook_sender_ring(context);
}

/* --- Life --- */

/* Names are looked up by us all the same: libcurl would wait for its own look-ups when one is given up. */
static bool any_address(const struct sockaddr *address) {
    (void)address;
    return true;
}

bool webhook_sender_new(struct webhook_sender **out, const struct webhook_sender_options *options, struct err *err) {
    struct http_client *http;
    *out = NULL;
    if (!http_client_new(&http, options->loop, options->lax ? any_address : address_is_global, err)) {
        return false;
    }
    struct webhook_sender *sender = MEM_NEW(struct webhook_sender);
    sender->loop = options->loop;
    sender->store = options->store;
    sender->http = http;
    sender->post_ms = options->post_ms;
    sender->running_max = options->running_max > 0 ? options->running_max : SENDER_RUNNING_MAX;
    sender->lax = options->lax;
    random_bytes(&sender->random, sizeof(sender->random));
    if (options->clock != NULL) {
        sender->clock = *options->clock;
    } else {
        webhook_loop_clock_open(&sender->loop_clock, options->loop, on_timer, sender, &sender->clock);
    }
    sender->look_at_ms = sender_now_ms(sender);
    sender->purge_at_ms = sender->look_at_ms + SENDER_PURGE_NEXT_MS;
    sender_arm(sender);
    store_deliveries_watch(sender->store, on_change, sender);
    *out = sender;
    return true;
}

void webhook_sender_stop(struct webhook_sender *sender) {
    struct sending *sending;
    if (sender == NULL || sender->stopped) {
        return;
    }
    sender->stopped = true;
    store_deliveries_watch(sender->store, NULL, NULL);
    webhook_loop_clock_close(&sender->loop_clock);
    DL_FOREACH (sender->sendings, sending) {
        webhook_post_cancel(sending->post);
    }
    http_client_free(sender->http);
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
    webhook_shares_clear(&sender->shares);
    free(sender);
}

void webhook_sender_pause(struct webhook_sender *sender, bool paused) {
    if (sender->paused != paused) {
        sender->paused = paused;
        sender->look_at_ms = sender_now_ms(sender); /* from there all goes on */
        sender_arm(sender);
    }
}

struct webhook_counts webhook_sender_counts(const struct webhook_sender *sender) {
    struct webhook_counts counts = sender->counts;
    counts.running = sender->running;
    counts.paused = sender->paused;
    return counts;
}
