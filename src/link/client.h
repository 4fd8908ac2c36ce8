/* The provider's side of the link: connects, proves its key, reconnects with jittered exponential back-off. */
#ifndef NATARIS_LINK_CLIENT_H
#define NATARIS_LINK_CLIENT_H

#include "link/message.h"
#include "net/loop.h"
#include "net/tls.h"

struct link_client;

struct link_client_events {
    /* Admitted (again): jobs may come. A status is due: the client calls on_status_due at once after this. */
    void (*on_ready)(void *context, const char *provider_id);
    /* Fill in the present state with link_client_send_status; called at every heartbeat. */
    void (*on_status_due)(void *context);
    void (*on_job)(void *context, uint64_t job, const struct gen_request *request); /* borrowed for the call */
    /* Likewise, an answer to be scored; may be NULL: such jobs are refused. */
    void (*on_score)(void *context, uint64_t job, const struct gen_request *request, const struct gen_answer *answer);
    void (*on_cancel)(void *context, uint64_t job);
    void (*on_want)(void *context, struct str model); /* borrowed for the call; may be NULL: nothing is fetched */
    void (*on_drain)(void *context); /* the gateway drains: it will close soon; reconnect follows by itself */
    /* The link is down, or an attempt to bring it up failed; every job given by it is void. `fatal`: the gateway
     * refused us for good (token or key denied, no common version): no reconnect follows. */
    void (*on_lost)(void *context, const char *reason, bool fatal);
};

struct link_client_config {
    const char *url;        /* "http://host:port", "https://...", "ws://..." or "wss://..."; LINK_PATH is added */
    const char *join_token; /* may be NULL: the device is enrolled already */
    uint8_t private_key[ED25519_KEY_SIZE];
    struct link_device device; /* strings borrowed for the client's life */
    struct tls_context *tls;   /* for https/wss; borrowed */
    uint32_t backoff_min_ms, backoff_max_ms;
};

/* ERR_INVALID when the URL is none. Connecting starts at once and never gives up unless fatal. */
MUST_CHECK bool link_client_new(struct link_client **out, struct loop *loop, const struct link_client_config *config,
                                const struct link_client_events *events, void *context, struct err *err);
bool link_client_connected(const struct link_client *client);
void link_client_send_status(struct link_client *client, const struct link_status *status);
void link_client_send_accept(struct link_client *client, const struct link_accept *accept);
/* On a link of version 1 nothing is sent. */
void link_client_send_progress(struct link_client *client, const struct link_progress *progress);
void link_client_send_delta(struct link_client *client, const struct link_delta *delta);
void link_client_send_done(struct link_client *client, const struct link_done *done);
void link_client_send_scored(struct link_client *client, const struct link_scored *scored);
void link_client_send_error(struct link_client *client, const struct link_error *error);
void link_client_send_word(struct link_client *client, enum link_kind kind); /* LINK_DRAIN or LINK_LEAVE */
/* Closes the link for good and frees the client; on_closed when nothing is left. No events after this call. */
void link_client_close(struct link_client *client, void (*on_closed)(void *context), void *context);

#endif
