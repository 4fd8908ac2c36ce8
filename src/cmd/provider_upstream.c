#include "cmd/provider_upstream.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/engine.h"

#include <string.h>

static bool read_key(struct provider_upstream *upstream, const char *path, struct err *err) {
    struct buf text;
    buf_init(&text, sizeof(upstream->key));
    const bool read = file_read(path, &text, err);
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r')) {
        text.len--;
    }
    (void)str_copy(upstream->key, sizeof(upstream->key), str_trim(buf_str(&text)));
    buf_clear(&text);
    return read;
}

static const char *key_of(const struct provider_upstream *upstream) {
    return upstream->key[0] != '\0' ? upstream->key : NULL;
}

bool provider_upstream_fill(struct provider_upstream *upstream, const struct provider_upstream_config *config,
                            struct provider_options *options, struct err *err) {
    struct upstream_address address;
    *upstream = (struct provider_upstream){0};
    if (strcmp(options->engine, ENGINE_UPSTREAM.name) != 0) {
        return (config->url == NULL && config->key_file == NULL) ||
               err_set(err, ERR_INVALID, "--url and --upstream-key-file are for --engine upstream");
    }
    if (config->url == NULL) {
        return err_set(err, ERR_INVALID, "--engine upstream needs --url URL, such as http://127.0.0.1:11434/v1");
    }
    if (config->key_file != NULL && !read_key(upstream, config->key_file, err)) {
        return false;
    }
    options->upstream_url = config->url;
    options->upstream_key = key_of(upstream);
    return upstream_address_init(&address, config->url, options->upstream_key, options->ca_file, err);
}

bool provider_upstream_offer_all(struct provider_upstream *upstream, struct provider_options *options,
                                 struct err *err) {
    struct upstream_address address;
    struct upstream_list *list = &upstream->list;
    if (!upstream_address_init(&address, options->upstream_url, options->upstream_key, options->ca_file, err) ||
        !upstream_list_read(list, &address, err)) {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        upstream->names[i] = list->names[i];
    }
    options->models = upstream->names;
    options->model_count = list->count;
    LOG_INFO_EVENT("upstream.offers", LOG_INT("models", list->count), LOG_INT("others", list->others));
    return list->count > 0 || err_set(err, ERR_UNAVAILABLE, "the upstream lists no models; --model ID waits for one");
}
