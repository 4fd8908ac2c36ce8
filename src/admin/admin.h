/* The admin API: HTTP on a listener of its own (a Unix socket in the data folder), no keys: who can open the socket is
 * the operator. Each action is one transaction with its line in the audit log (store/admin.h), then known to core and
 * auth before it is answered, so that a revocation holds at once. admin/routes.h answers requests, admin/http.h brings
 * them.
 *
 *   POST   /admin/accounts                {name, tier?}: with a live and a test key and the welcome credit
 *   GET    /admin/accounts                ?limit=&after=ID
 *   GET    /admin/accounts/{id}
 *   PATCH  /admin/accounts/{id}           {tier}, {suspended} or {audits}: false: no prompt of it is shown to a scorer
 *   POST   /admin/accounts/{id}/keys      {kind, name?, expires_in_days?, cap_usd?, models?}
 *   GET    /admin/accounts/{id}/keys      ?limit=&after=ID
 *   DELETE /admin/keys/{id}
 *   POST   /admin/accounts/{id}/credits   {type: "grant" or "refund", amount_usd, note?, given?}: given: nobody has
 *                                         paid for it, and what it earns is never paid out
 *   POST   /admin/accounts/{id}/payouts   {amount_usd, note?}
 *   GET    /admin/accounts/{id}/earnings
 *   GET    /admin/providers               ?limit=&after=ID: state, models, record of each
 *   GET    /admin/providers/{id}
 *   PATCH  /admin/providers/{id}          {verified}, or {quarantined, reason?}
 *   DELETE /admin/providers/{id}          {reason?}, or no body: for good
 *   POST   /admin/providers/{id}/key      {hours?}: a join token that gives the device another key
 *   POST   /admin/providers/{id}/reviews  {action: "accept", remove?, escrow?: "return" or "forfeit", note?}, or
 *                                         {action: "dismiss", note?}: what becomes of the device and its escrow
 *   DELETE /admin/providers/{id}/reviews
 *   GET    /admin/join-tokens             ?limit=&after=ID, newest first
 *   DELETE /admin/join-tokens/{id}
 *   POST   /admin/providers/{id}/escrow   {action: "release", "return" or "forfeit", note?}
 *   GET    /admin/escrow                  ?limit=&after=PROVIDER: what waits for such a word
 *   GET    /admin/reviews                 ?limit=&before=NUMBER, newest first
 *   GET    /admin/jobs/{id}               what happened to it; live ones and the last that ended
 *   GET    /admin/audit                   ?limit=&before=NUMBER, newest first
 *   GET    /admin/status                  what the gateway does, and what it leaves out because the disk is nearly full
 *   GET    /metrics
 *
 * Errors come in the envelope of the API. Dollars are decimal numbers, exact to the nano-dollar both ways. In a request
 * they may also be strings: a JSON number is taken by its shortest decimal form, which is what was written up to 15
 * digits; amounts with more need a string. */
#ifndef NATARIS_ADMIN_ADMIN_H
#define NATARIS_ADMIN_ADMIN_H

#include "base/buf.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "core/core.h"
#include "net/loop.h"
#include "store/admin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void admin_done(void *context, const struct store_admin *result, const struct err *err);

struct admin_backend {
    void *context;
    /* Carries it out in the store, then tells core and auth; then `done`. */
    void (*execute)(void *context, const struct store_admin *action, admin_done *done, void *done_context);
    /* Live figures of an account. NULL or false: none, no request is under way. */
    bool (*account_view)(void *context, uint64_t account_number, struct core_account_view *view);
    /* Whether some provider offers this model now. NULL: no gateway runs, so nobody does. */
    bool (*model_offered)(void *context, struct str model);
    /* Members of what is known of a device at this moment, into an open object. NULL: no gateway runs. */
    void (*provider_write)(void *context, const struct store_device *device, struct json_writer *writer);
    /* The object of GET /admin/jobs/{id}: what happened to a generation. False, and nothing written, when it is not
     * known (any more). NULL likewise. */
    bool (*generation_write)(void *context, const char *id, struct json_writer *writer);
    /* Members of what is known of a line of the review list, into an open object. NULL: no gateway runs. */
    void (*review_write)(void *context, const struct store_review *review, struct json_writer *writer);
    /* Prometheus text of GET /metrics or (`status`) the object of GET /admin/status, appended. NULL: neither route is
     * there. */
    void (*metrics)(void *context, bool status, struct buf *out);
};

struct admin {
    struct loop *loop;   /* borrowed, like the store */
    struct store *store; /* lives until store_close, which comes before admin_free: it answers what waits */
    struct admin_backend backend;
    struct json_parser *parser;
    struct buf text;   /* the answer being written; good until the next */
    size_t operations; /* asked and not answered */
};

struct admin *admin_new(struct loop *loop, struct store *store, const struct admin_backend *backend);
void admin_free(struct admin *admin); /* no operation may be under way; NULL is fine */
/* An empty buffer for an answer. */
struct buf *admin_text(struct admin *admin);

#endif
