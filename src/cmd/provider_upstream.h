/* What `nataris provider` and its doctor are told of an upstream. */
#ifndef NATARIS_CMD_PROVIDER_UPSTREAM_H
#define NATARIS_CMD_PROVIDER_UPSTREAM_H

#include "cmd/options.h"
#include "engine/upstream_list.h"
#include "provider/provider_options.h"

enum { PROVIDER_UPSTREAM_KEY_MAX = 4096 };

struct provider_upstream_config {
    const char *url, *key_file;
};

/* For an option table of a config that has such a member, called `upstream`. */
#define UPSTREAM_OPTIONS(config)                                                                                       \
    {"url",                                                                                                            \
     OPTION_TEXT,                                                                                                      \
     "URL",                                                                                                            \
     NULL,                                                                                                             \
     "upstream engine: an OpenAI-compatible server, such as http://127.0.0.1:11434/v1",                                \
     offsetof(config, upstream.url)},                                                                                  \
    {                                                                                                                  \
        "upstream-key-file", OPTION_TEXT, "FILE", NULL, "upstream engine: file with the key that the server wants",    \
            offsetof(config, upstream.key_file)                                                                        \
    }

/* What is kept for the options' life. */
struct provider_upstream {
    char key[PROVIDER_UPSTREAM_KEY_MAX + 1];
    struct upstream_list list;
    const char *names[LIMIT_LINK_MODELS];
};

/* Fills options->upstream_url and its key; options->engine and ca_file must be there. ERR_INVALID names the option that
 * is missing, or has no place with this engine. */
MUST_CHECK bool provider_upstream_fill(struct provider_upstream *upstream,
                                       const struct provider_upstream_config *config, struct provider_options *options,
                                       struct err *err);
/* Offers what the upstream lists, for a command that was told no model: blocks as upstream_list_read. */
MUST_CHECK bool provider_upstream_offer_all(struct provider_upstream *upstream, struct provider_options *options,
                                            struct err *err);

#endif
