/* A request in the words of OpenAI's API, for an upstream. */
#ifndef NATARIS_ENGINE_UPSTREAM_BODY_H
#define NATARIS_ENGINE_UPSTREAM_BODY_H

#include "base/buf.h"
#include "base/compiler.h"
#include "engine/upstream_server.h"
#include "wire/generation.h"

#include <stdbool.h>

enum { UPSTREAM_BODY_MAX = 2 * LIMIT_LINK_MESSAGE_BYTES };

struct upstream_ask {
    const struct gen_request *request;
    struct str model; /* its name there */
    const struct upstream_server *server;
    /* What it has refused before. */
    bool no_sampling; /* fields of sampling that OpenAI does not have: top_k, min_p, repeat_penalty */
    bool no_options;  /* stream_options: it counts of its own accord, or not at all */
    bool no_maximum;  /* the default of max_tokens does not fit its context: as much as does */
};

/* Where it is sent, below /v1. */
const char *upstream_body_path(const struct gen_request *request); /* "/chat/completions" or "/completions" */
/* Whether this server can do it: keep to a grammar, go on with a text that was begun elsewhere. */
bool upstream_body_is_possible(const struct gen_request *request, const struct upstream_server *server);
/* Calls and results of tools are texts, in the words in which the system text tells of them (call/tools.h): a template
 * that knows no tools says them all the same. False: it is longer than `out` may be. */
MUST_CHECK bool upstream_body_write(struct buf *out, const struct upstream_ask *ask);

#endif
