/* What is known of an upstream: an OpenAI-compatible server that has a model. */
#ifndef NATARIS_ENGINE_UPSTREAM_SERVER_H
#define NATARIS_ENGINE_UPSTREAM_SERVER_H

#include "base/json_read.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Who speaks more than OpenAI's API. */
enum upstream_kind {
    UPSTREAM_PLAIN,
    UPSTREAM_LLAMA_SERVER, /* it has /props, which no other server has */
    UPSTREAM_VLLM,         /* it says so where it lists the model */
};
const char *upstream_kind_name(enum upstream_kind kind); /* "plain", "llama-server", "vllm" */

struct upstream_server {
    enum upstream_kind kind;
    uint32_t slots;          /* 0: it does not say */
    uint32_t context_length; /* tokens; 0: it does not say */
};

/* Whether what a server calls `id` is what is asked of it as `name`: Ollama's "NAME:latest" is "NAME", too. */
bool upstream_server_is_named(struct str id, struct str name);
/* Whether the server can serve what it lists: a Nataris gateway says `available`. */
bool upstream_server_is_available(struct json_value model);
/* Whether the answer to GET /models lists the model as one that it can serve; if so, what it says of it. */
bool upstream_server_read_models(struct json_value root, struct str name, struct upstream_server *out);
/* The answer to GET /props, whose path stands beside /v1 and not below it; false: it is none of llama-server's. */
bool upstream_server_read_props(struct json_value root, struct upstream_server *out);
/* Whether it keeps an answer to a grammar that it is told. */
bool upstream_server_keeps_grammars(const struct upstream_server *server);
/* Whether it goes on with an answer that is a chat's last message. */
bool upstream_server_continues_chats(const struct upstream_server *server);

#endif
