#include "engine/upstream_server.h"

#include "wire/limits.h"

#include <string.h>

const char *upstream_kind_name(enum upstream_kind kind) {
    switch (kind) {
    case UPSTREAM_PLAIN:
        break;
    case UPSTREAM_LLAMA_SERVER:
        return "llama-server";
    case UPSTREAM_VLLM:
        return "vllm";
    }
    return "plain";
}

/* 0 when it is absent, or no number that makes sense. */
static uint32_t read_count(struct json_value object, const char *key) {
    struct json_value value;
    int64_t number;
    return json_get(object, key, &value) && json_as_int64(value, &number) && number > 0 && number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

bool upstream_server_is_named(struct str id, struct str name) {
    const struct str latest = STR(":latest");
    return str_equal(id, name) || (id.len == name.len + latest.len && memcmp(id.data, name.data, name.len) == 0 &&
                                   memcmp(id.data + name.len, latest.data, latest.len) == 0);
}

bool upstream_server_is_available(struct json_value model) {
    struct json_value value;
    bool available = true;
    return !json_get(model, "available", &value) || !json_as_bool(value, &available) || available;
}

bool upstream_server_read_models(struct json_value root, struct str name, struct upstream_server *out) {
    struct json_value data, model, value;
    struct json_iterator iterator;
    struct str id, owner;
    if (!json_get(root, "data", &data) || json_type_of(data) != JSON_ARRAY) {
        return false;
    }
    for (json_iterate(data, &iterator); json_next(&iterator, NULL, &model);) {
        if (!json_get(model, "id", &value) || !json_as_str(value, &id) || !upstream_server_is_named(id, name) ||
            !upstream_server_is_available(model)) {
            continue;
        }
        const bool vllm =
            json_get(model, "owned_by", &value) && json_as_str(value, &owner) && str_equal_cstr(owner, "vllm");
        *out = (struct upstream_server){.kind = vllm ? UPSTREAM_VLLM : UPSTREAM_PLAIN,
                                        .context_length = read_count(model, "max_model_len")};
        if (out->context_length == 0) {
            out->context_length = read_count(model, "context_length");
        }
        return true;
    }
    return false;
}

bool upstream_server_read_props(struct json_value root, struct upstream_server *out) {
    struct json_value settings;
    if (!json_get(root, "default_generation_settings", &settings) || json_type_of(settings) != JSON_OBJECT) {
        return false;
    }
    const uint32_t slots = read_count(root, "total_slots");
    out->kind = UPSTREAM_LLAMA_SERVER;
    out->slots = slots < LIMIT_PROVIDER_SLOTS ? slots : LIMIT_PROVIDER_SLOTS;
    out->context_length = read_count(settings, "n_ctx");
    return true;
}

bool upstream_server_keeps_grammars(const struct upstream_server *server) {
    return server->kind == UPSTREAM_LLAMA_SERVER;
}

bool upstream_server_continues_chats(const struct upstream_server *server) {
    return server->kind != UPSTREAM_PLAIN;
}
