#include "api/route_models.h"

#include "api/query.h"
#include "api/respond.h"
#include "base/json_values.h"
#include "call/models.h"
#include "call/price.h"
#include "catalog/catalog.h"

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
    json_member_usd(writer, "prompt_usd_per_million", prompt_nano * MILLION);
    json_member_usd(writer, "completion_usd_per_million", completion_nano * MILLION);
    json_end_object(writer);
}

/* What a request for it would meet. Test keys reach the sandbox, which has each model of the catalog. */
static const char *status_name(enum core_availability availability, bool sandbox) {
    switch (availability) {
    case CORE_MODEL_AVAILABLE:
        return "available";
    case CORE_MODEL_COMING:
        return sandbox ? "available" : "warming";
    case CORE_MODEL_RESTING:
    case CORE_MODEL_ABSENT:
        break;
    }
    return sandbox ? "available" : "unavailable";
}

/* `model` is NULL for one that is not in the catalog. */
static void write_model(const struct api_request *request, struct str id, const struct catalog_model *model,
                        struct json_writer *writer) {
    static const struct catalog_model uncatalogued = {.type = "llm",
                                                      .description = "Offered by a provider; not in the catalog",
                                                      .tier = "P2P",
                                                      .owned_by = "provider"};
    const struct catalog_model *facts = model != NULL ? model : &uncatalogued;
    const struct call_backend *backend = &request->api->calls->backend;
    uint32_t context_length = 0;
    const bool sandbox = request_is_test(request) && model != NULL;
    const enum core_availability availability = backend->availability(backend->context, id, &context_length);
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
    json_member_bool(writer, "available", sandbox || availability == CORE_MODEL_AVAILABLE);
    json_member_cstr(writer, "status", status_name(availability, sandbox));
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

static void handle_list(struct api_request *request) {
    const struct call_backend *backend = &request->api->calls->backend;
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "list");
    json_write_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct catalog_model *model = catalog_at(i);
        write_model(request, str_from(model->id), model, &writer);
    }
    struct str id;
    size_t listed = 0;
    for (size_t i = 0; listed < LIMIT_MODELS_LISTED && backend->model_at(backend->context, i, &id); i++) {
        if (catalog_find(id) == NULL) {
            write_model(request, id, NULL, &writer);
            listed++;
        }
    }
    json_end_array(&writer);
    respond_json_end(request, 200, &writer);
}

static void handle_one(struct api_request *request) {
    char decoded[LIMIT_MODEL_ID_BYTES];
    struct str asked = STR(""), id;
    if (!query_decode(request->parameter, decoded, sizeof(decoded), &asked) ||
        !models_resolve(request->api->calls, asked, &id)) {
        struct fault fault;
        models_set_unknown(&fault, asked);
        respond_fault(request, &fault);
        return;
    }
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    write_model(request, id, catalog_find(id), &writer);
    respond_json(request, 200, buf_str(body));
}

static const struct route routes[] = {
    {"GET", "/v1/models", true, handle_list, NULL},
    {"GET", "/v1/models/{id}", true, handle_one, NULL},
};

const struct route_set ROUTES_MODELS = {routes, COUNT_OF(routes)};
