/* One POST to somebody else's server: libcurl on the loop, with names looked up here, every address checked before and
 * once more on the socket, no redirects, no proxy, and a bound on time and answer. */
#ifndef NATARIS_WEBHOOK_HTTP_H
#define NATARIS_WEBHOOK_HTTP_H

#include "base/compiler.h"
#include "base/err.h"
#include "net/loop.h"
#include "store/webhooks.h"

enum {
    WEBHOOK_HTTP_WHOLE_MS = 15 * 1000,   /* from the name's look-up to the answer's last byte */
    WEBHOOK_HTTP_ANSWER_MAX = 64 * 1024, /* bytes of an answer that are read; the status counts all the same */
    WEBHOOK_HTTP_HEADERS = 3,
};

struct webhook_message {
    const char *url;                           /* copied */
    const char *headers[WEBHOOK_HTTP_HEADERS]; /* "name: value"; copied */
    struct str body;                           /* borrowed until the answer */
};

struct webhook_answer {
    int status; /* 0: there was no whole answer, and note says why */
    bool timed_out;
    uint32_t latency_ms;
    int64_t retry_after_ms; /* 0: none was asked for */
    char note[STORE_DELIVERY_NOTE_MAX];
    size_t body_len;
    char body[STORE_DELIVERY_RESPONSE_MAX]; /* its beginning */
};

struct webhook_http;
/* `lax` as in net/web_url.h: also private addresses. */
MUST_CHECK bool webhook_http_new(struct webhook_http **out, struct loop *loop, bool lax, struct err *err);
/* Forgets what is under way: no answer comes any more. Not from inside an answer. The loop must turn
 * once more. NULL is fine. */
void webhook_http_free(struct webhook_http *http);
/* The answer comes later, never from inside. */
void webhook_http_post(struct webhook_http *http, const struct webhook_message *message,
                       void (*on_answer)(void *context, const struct webhook_answer *answer), void *context);

#endif
