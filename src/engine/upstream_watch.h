/* Whether an upstream answers and has the model: asked again and again, with growing pauses while it has not. */
#ifndef NATARIS_ENGINE_UPSTREAM_WATCH_H
#define NATARIS_ENGINE_UPSTREAM_WATCH_H

#include "engine/upstream_server.h"
#include "net/http_client.h"
#include "net/loop.h"

enum {
    UPSTREAM_WATCH_MS = 10 * 1000, /* between two questions to an upstream that has the model */
    UPSTREAM_AWAY_MIN_MS = 250,    /* to one that has not: twice as long each time ... */
    UPSTREAM_AWAY_MAX_MS = 15 * 1000,
    UPSTREAM_CONNECT_MS = 5 * 1000,
    UPSTREAM_LOOK_MS = 20 * 1000, /* for an answer */
};

/* What an upstream is asked with; strings are borrowed. */
struct upstream_address {
    const char *url;                 /* without a slash at its end */
    const char *ca_file;             /* NULL: the system's */
    char authorization[4096 + 32];   /* a header line; empty: none */
    const char *headers[3];          /* for struct http_transfer_options */
    const char *question_headers[2]; /* likewise, without a body */
    bool tls;
};

enum upstream_state {
    UPSTREAM_AWAY,    /* it does not answer, or has not the model (any more) */
    UPSTREAM_THERE,   /* it has it */
    UPSTREAM_REFUSES, /* it does not know the key */
};

struct upstream_watch;
struct upstream_watch_options { /* borrowed for the watch's life */
    struct loop *loop;
    struct http_client *client;
    const struct upstream_address *address;
    const char *model; /* its name there */
    /* The state changed (it begins as AWAY); `server` is known when it is THERE, `why` else. */
    void (*on_change)(void *context, enum upstream_state state, const struct upstream_server *server, const char *why);
    void *context;
};

/* ERR_INVALID with a sentence for who typed the URL, or the key, which may be NULL. */
MUST_CHECK bool upstream_address_init(struct upstream_address *address, const char *url, const char *key,
                                      const char *ca_file, struct err *err);
/* Asks at once. */
struct upstream_watch *upstream_watch_new(const struct upstream_watch_options *options);
/* While its client is there. */
void upstream_watch_free(struct upstream_watch *watch);
/* A job has found that it may be away: it is asked at once. */
void upstream_watch_look(struct upstream_watch *watch);

#endif
