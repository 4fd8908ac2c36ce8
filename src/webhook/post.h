/* One POST to somebody else's server: no redirects, no proxy, and a bound on time and answer. Which addresses it may
 * reach is for the http_client to say (webhook/sender.c). */
#ifndef NATARIS_WEBHOOK_POST_H
#define NATARIS_WEBHOOK_POST_H

#include "net/http_client.h"
#include "store/webhooks.h"

enum {
    WEBHOOK_POST_MS = 15 * 1000,         /* from the name's look-up to the answer's last byte */
    WEBHOOK_POST_ANSWER_MAX = 64 * 1024, /* bytes of an answer that are read; the status counts all the same */
    WEBHOOK_POST_HEADERS = 3,
};

struct webhook_message {
    const char *url;                           /* copied */
    const char *headers[WEBHOOK_POST_HEADERS]; /* "name: value"; copied */
    struct str body;                           /* borrowed until the answer */
    uint64_t owner;                            /* the account: its names are looked up in turn with others' */
    unsigned whole_ms;                         /* 0: WEBHOOK_POST_MS */
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

struct webhook_post;
/* `lax` as in net/web_url.h: also http. The answer comes later, never from inside; the post is gone by then. */
struct webhook_post *webhook_post_start(struct http_client *client, const struct webhook_message *message, bool lax,
                                        void (*on_answer)(void *context, const struct webhook_answer *answer),
                                        void *context);
/* No answer comes any more. The body must live until the loop has turned once more. */
void webhook_post_cancel(struct webhook_post *post);

#endif
