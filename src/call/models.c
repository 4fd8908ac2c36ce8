#include "call/models.h"

#include "api/query.h"
#include "api/respond.h"
#include "base/json_write.h"
#include "call/price.h"
#include "catalog/catalog.h"

#include <stdio.h>

bool models_resolve(const struct api *api, struct str asked, struct str *id) {
    const struct catalog_model *model = catalog_find(asked);
    if (model != NULL) {
        *id = str_from(model->id);
        return true;
    }
    uint32_t context_length;
    *id = asked;
    return api->backend.availability(api->backend.context, asked, &context_length) != CORE_MODEL_ABSENT;
}

uint32_t models_context_length(const struct api *api, struct str model) {
    uint32_t context_length = 0;
    const struct catalog_model *facts = catalog_find(model);
    (void)api->backend.availability(api->backend.context, model, &context_length);
    if (context_length > 0) {
        return context_length;
    }
    return facts != NULL && facts->context_length < MODELS_CONTEXT_DEFAULT ? facts->context_length
                                                                           : MODELS_CONTEXT_DEFAULT;
}

/* Repeated to the client only when it is plainly an id, and not some text that came astray. */
static bool looks_like_id(struct str text) {
    enum { LONGEST_REPEATED = 64 };
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"' || text.data[i] == '\\') {
            return false;
        }
    }
    return text.len > 0 && text.len <= LONGEST_REPEATED;
}

/* An entry of the list may be an alias. */
bool models_allowed(const char *models, struct str id) {
    struct str entry, rest = str_from(models);
    bool any = str_trim(rest).len > 0;
    while (rest.len > 0) {
        str_split(rest, ',', &entry, &rest);
        entry = str_trim(entry);
        const struct catalog_model *model = catalog_find(entry);
        if (str_equal(entry, id) || (model != NULL && str_equal_cstr(id, model->id))) {
            return true;
        }
    }
    return !any;
}

void models_set_unknown(struct fault *error, struct str asked) {
    if (looks_like_id(asked)) {
        fault_set(error, FAULT_MODEL_NOT_FOUND, "There is no model '%.*s'. GET /v1/models lists the models.",
                  STR_ARG(asked));
    } else {
        fault_set(error, FAULT_MODEL_NOT_FOUND, "There is no such model. GET /v1/models lists the models.");
    }
    snprintf(error->param, sizeof(error->param), "model");
}

static void write_aliases(struct json_writer *writer, const struct catalog_model *model) {
    json_write_key(writer, "aliases");
    json_begin_array(writer);
    for (size_t i = 0; model != NULL && i < CATALOG_ALIASES_MAX && model->aliases[i] != NULL; i++) {
        json_write_cstr(writer, model->aliases[i]);
    }
    json_end_array(writer);
}

static void write_pricing(struct str id, struct json_writer *writer) {
    enum { MILLION = 1000 * 1000 };
    int64_t prompt_nano, completion_nano;
    price_of_model(id, &prompt_nano, &completion_nano);
    json_write_key(writer, "pricing");
    json_begin_object(writer);
    price_write_member(writer, "prompt_usd_per_million", prompt_nano * MILLION);
    price_write_member(writer, "completion_usd_per_million", completion_nano * MILLION);
    json_end_object(writer);
}

/* `model` is NULL for one that is not in the catalog. */
static void write_model(const struct api_request *request, struct str id, const struct catalog_model *model,
                        struct json_writer *writer) {
    static const struct catalog_model uncatalogued = {.type = "llm",
                                                      .description = "Offered by a provider; not in the catalog",
                                                      .tier = "P2P",
                                                      .owned_by = "provider"};
    const struct catalog_model *facts = model != NULL ? model : &uncatalogued;
    const struct api_backend *backend = &request->api->backend;
    uint32_t context_length = 0;
    bool available = backend->availability(backend->context, id, &context_length) == CORE_MODEL_AVAILABLE;
    available = available || (request->identity.kind == STORE_KEY_TEST && model != NULL); /* in the sandbox */
    if (context_length == 0) {
        context_length = facts->context_length;
    }
    json_begin_object(writer);
    json_member_str(writer, "id", id);
    json_member_cstr(writer, "object", "model");
    json_member_int(writer, "created", facts->created);
    json_member_cstr(writer, "owned_by", facts->owned_by);
    json_member_cstr(writer, "type", facts->type);
    json_member_cstr(writer, "description", facts->description);
    json_member_bool(writer, "available", available);
    json_member_cstr(writer, "tier", facts->tier);
    json_write_key(writer, "context_length");
    if (context_length != 0) {
        json_write_int(writer, context_length);
    } else {
        json_write_null(writer);
    }
    write_pricing(id, writer);
    write_aliases(writer, model);
    json_end_object(writer);
}

void models_handle_list(struct api_request *request) {
    const struct api *api = request->api;
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "object", "list");
    json_write_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct catalog_model *model = catalog_at(i);
        write_model(request, str_from(model->id), model, &writer);
    }
    struct str id;
    size_t listed = 0;
    for (size_t i = 0; listed < LIMIT_MODELS_LISTED && api->backend.model_at(api->backend.context, i, &id); i++) {
        if (catalog_find(id) == NULL) {
            write_model(request, id, NULL, &writer);
            listed++;
        }
    }
    json_end_array(&writer);
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

void models_handle_one(struct api_request *request) {
    char decoded[LIMIT_MODEL_ID_BYTES];
    struct str asked = STR(""), id;
    if (!query_decode(request->parameter, decoded, sizeof(decoded), &asked) ||
        !models_resolve(request->api, asked, &id)) {
        struct fault error;
        models_set_unknown(&error, asked);
        respond_error(request, &error);
        return;
    }
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    write_model(request, id, catalog_find(id), &writer);
    respond_json(request, 200, buf_str(body));
}
