/* Links without sockets: what the gateway does to a link is noted in it. One file of tests includes it; it takes the
 * place of the link server. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_FAKE_LINK_H
#define NATARIS_TESTS_UNIT_GATEWAY_FAKE_LINK_H

#include "base/compiler.h"
#include "link/peer.h"
#include "link/server.h"

#include <stdio.h>

/* A link as a test knows it. The fixture's teardown closes it, so it is static in its test. */
struct link_peer {
    void *user;
    uint64_t generation; /* of the latest sent */
    unsigned generations, cancels, wants;
    char question[128];
    uint32_t max_tokens;     /* of the latest generation, likewise */
    char continue_text[128]; /* likewise */
    char want[128];          /* the latest model */
    char admitted[64];       /* the id that it was admitted with */
    char denied[128];        /* the reason, for good */
    char closed[128];        /* the reason, for now */
    bool watched;
    bool old;        /* it does not know scopes; set by the test */
    char scope[80];  /* of the latest generation, likewise */
    bool seed_given; /* likewise */
    char salt[40];   /* likewise; of what is to be signed */
    uint32_t attempt;
    /* The latest answer that it was given to score. */
    uint64_t score_job;
    unsigned scores;
    char score_text[128], score_scope[64];
    uint32_t score_ids[16];
    size_t score_count;
};

void link_peer_admit(struct link_peer *peer, const char *provider_id) {
    (void)str_copy(peer->admitted, sizeof(peer->admitted), str_from(provider_id));
}
void link_peer_deny(struct link_peer *peer, const char *reason) {
    (void)str_copy(peer->denied, sizeof(peer->denied), str_from(reason));
}
void link_peer_close(struct link_peer *peer, const char *reason) {
    (void)str_copy(peer->closed, sizeof(peer->closed), str_from(reason));
}
void link_peer_watch(struct link_peer *peer, bool watched) {
    peer->watched = watched;
}
void link_peer_send_job(struct link_peer *peer, uint64_t job, const struct gen_request *request) {
    peer->generation = job;
    peer->generations++;
    peer->max_tokens = request->max_tokens;
    peer->seed_given = request->seed_given;
    (void)str_copy(peer->salt, sizeof(peer->salt), request->signing.salt);
    peer->attempt = request->signing.attempt;
    (void)str_copy(peer->scope, sizeof(peer->scope), request->scope);
    (void)str_copy(peer->question, sizeof(peer->question), request->messages[0].content);
    (void)str_copy(peer->continue_text, sizeof(peer->continue_text), request->continue_text);
}
bool link_peer_has_scopes(const struct link_peer *peer) {
    return !peer->old;
}
bool link_peer_send_score(struct link_peer *peer, uint64_t job, const struct gen_request *request,
                          const struct gen_answer *answer) {
    peer->score_job = job;
    peer->scores++;
    peer->score_count = answer->count;
    (void)str_copy(peer->score_text, sizeof(peer->score_text), answer->text);
    (void)str_copy(peer->score_scope, sizeof(peer->score_scope), request->scope);
    for (size_t i = 0; i < answer->count && i < sizeof(peer->score_ids) / sizeof(peer->score_ids[0]); i++) {
        peer->score_ids[i] = answer->ids[i];
    }
    return true;
}
void link_peer_send_cancel(struct link_peer *peer, uint64_t job) {
    (void)job;
    peer->cancels++;
}
void link_peer_send_want(struct link_peer *peer, struct str model) {
    peer->wants++;
    (void)str_copy(peer->want, sizeof(peer->want), model);
}
void link_peer_set_user(struct link_peer *peer, void *user) {
    peer->user = user;
}
void *link_peer_user(const struct link_peer *peer) {
    return peer->user;
}
const char *link_peer_address(const struct link_peer *peer) {
    (void)peer;
    return "127.0.0.1";
}

#endif
