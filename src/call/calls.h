/* What all calls of a gateway share: the loop, the keys, the store, the network behind them, and the list of those that
 * are alive. One thread, the loop's. */
#ifndef NATARIS_CALL_CALLS_H
#define NATARIS_CALL_CALLS_H

#include "auth/auth.h"
#include "call/prefix.h"
#include "core/core.h"
#include "net/loop.h"
#include "store/store.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct call;           /* call/call.h */
struct claims;         /* call/claim.h */
struct executor;       /* call/call.h */
struct json_parser;    /* base/json_read.h */
struct run;            /* call/run.h */
struct tokens_learned; /* tokens/learned.h */

/* Tokens of each text, or of the one chat; NULL: they were not counted. */
typedef void call_counted(void *context, const uint32_t *tokens, size_t count);

/* Who counts with a model's own vocabulary (call/counting.h). NULL functions: nobody does. Each answer comes once,
 * soon, and never from inside the question. texts and chat only of a model for which is_able says so. */
struct call_counter {
    bool fixed; /* rates stay those of the models' families: counts of devices teach nothing */
    void *context;
    bool (*is_able)(void *context, struct str model);
    size_t (*backlog)(void *context, struct str model); /* bytes that are to be counted before the next question */
    void (*texts)(void *context, struct str model, const struct str *texts, size_t count, call_counted *told,
                  void *told_context);
    void (*chat)(void *context, const struct gen_request *request, call_counted *told, void *told_context);
};

/* The network as calls see it. */
struct call_backend {
    void *context;
    const struct executor *devices; /* answer the calls of live keys */
    const struct executor *sandbox; /* answers those of test keys */
    enum core_availability (*availability)(void *context, struct str model, uint32_t *context_length);
    /* How soon the model can serve: 0 now, UINT64_MAX unknown; `percent` of what is under way. NULL: never known. */
    uint64_t (*ready_in_ms)(void *context, struct str model, uint32_t *percent);
    /* Every model some provider offers, catalogued or not; false past the end. */
    bool (*model_at)(void *context, size_t index, struct str *model);
    /* Money and limits of an account now; false: nothing to tell. */
    bool (*account_view)(void *context, const struct auth_identity *identity, struct core_account_view *view);
    struct call_counter counter;
    /* Whether there is so little room on the disk that nothing more may be begun. NULL: never. */
    bool (*disk_low)(void *context);
};

struct calls {
    struct loop *loop; /* borrowed, like the next two */
    struct auth *auth;
    struct store *store;
    struct call_backend backend;
    struct json_parser *parser; /* of anything up to LIMIT_HTTP_BODY_BYTES; a document lives until the next one */
    struct prefix_key prefix_key;
    bool draining;                  /* no run begins any more */
    struct call *list;              /* alive */
    size_t count, pending;          /* of the list; requests that wait for the store before they are calls */
    struct claims *claims;          /* owned */
    struct tokens_learned *learned; /* owned; asked and told through call/counting.h */
    struct run *starting;           /* runs that wait for the next iteration of the loop; call/run.c has these two */
    struct loop_timer *starter;     /* fires in it */
};

/* `auth` and `store` are borrowed, the backend is copied. */
struct calls *calls_new(struct loop *loop, struct auth *auth, struct store *store, const struct call_backend *backend);
void calls_free(struct calls *calls); /* no call may be alive, nor runs open (call/run.h); NULL is fine */

/* Calls alive, and requests that wait for the store: what a drain waits for. */
size_t calls_count(const struct calls *calls);
/* Who answers the calls of this key when nothing else is asked for. */
const struct executor *calls_executor(const struct calls *calls, const struct auth_identity *identity);
/* Whether there is so little room on the disk of the database that nothing may begin that would be stored: what runs is
 * finished, what waits goes on waiting. */
bool calls_disk_is_low(const struct calls *calls);
/* Whether a device can serve the model now. */
bool calls_model_is_warm(const struct calls *calls, struct str model);

#endif
