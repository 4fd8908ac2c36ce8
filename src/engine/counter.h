/* Counts tokens with a model's own vocabulary, in a child process of its own (nataris-llama --count): a model's file
 * and the texts of strangers are hostile input, and tokenizing can take long. The child is started with the first
 * question and again after its death, with growing pauses; it ends when it was not needed for a while.
 *
 * Nothing of it blocks the loop, and no callback comes from inside a call. Every question has exactly one answer, or
 * none after counter_forget: the counts, or that there are none, within COUNTER_WAIT_MS. A child that does not answer
 * by then is killed. */
#ifndef NATARIS_ENGINE_COUNTER_H
#define NATARIS_ENGINE_COUNTER_H

#include "base/err.h"
#include "net/loop.h"
#include "wire/generation.h"

enum {
    COUNTER_TEXTS_MAX = 4096,             /* of a question */
    COUNTER_BYTES_MAX = 1024 * 1024,      /* of a question's texts together */
    COUNTER_WAITING_MAX = 64,             /* questions without an answer; what is more has none */
    COUNTER_WAIT_MS = 2000,               /* for an answer */
    COUNTER_IDLE_MS = 5 * 60 * 1000,      /* without a question the child ends */
    COUNTER_PAUSE_MIN_MS = 1000,          /* after its death, twice as long each time ... */
    COUNTER_PAUSE_MAX_MS = 5 * 60 * 1000, /* ... up to this */
};

struct counter;

struct counter_options { /* copied */
    struct loop *loop;
    const char *model_path;
    const char *child_path;     /* NULL: nataris-llama beside this program */
    uint32_t wait_ms, pause_ms; /* 0: COUNTER_WAIT_MS, COUNTER_PAUSE_MIN_MS */
};

/* Tokens of each text, in their order, or of the chat with its template; `tokens` NULL: they were not counted. */
typedef void counter_told(void *context, const uint32_t *tokens, size_t count);

/* False: there is no nataris-llama. */
MUST_CHECK bool counter_open(struct counter **out, const struct counter_options *options, struct err *err);
/* Whoever waits is told that nothing was counted. `on_closed` comes when no process is left. */
void counter_close(struct counter *counter, void (*on_closed)(void *context), void *context);
/* Whether it is worth asking: false while it waits for its child to be started again, and when its model's file was
 * refused. */
bool counter_is_able(const struct counter *counter);
/* Bytes of all questions that have no answer yet: how long one more would wait. */
size_t counter_backlog(const struct counter *counter);
/* Texts as they are, without a template. Returns a number for counter_forget. */
uint64_t counter_ask_texts(struct counter *counter, const struct str *texts, size_t count, counter_told *told,
                           void *context);
/* A request's prompt as the model's template makes it. */
uint64_t counter_ask_chat(struct counter *counter, const struct gen_request *request, counter_told *told,
                          void *context);
/* Who asked is gone; 0 and numbers that have been answered are fine. */
void counter_forget(struct counter *counter, uint64_t number);

#endif
