#include "api/route_ollama.h"

#include "api/body.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/json_values.h"
#include "call/models.h"
#include "catalog/catalog.h"
#include "wire/field.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* The version of Ollama whose API this is: clients look whether what they need is there. */
#define OLLAMA_VERSION "0.6.4"

enum { PARAMETER_SIZE = 16, QUANTIZATION_SIZE = 16, EXPIRES_MS = 5 * 60 * 1000 };

static void handle_version(struct api_request *request) {
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "version", OLLAMA_VERSION);
    respond_json_end(request, 200, &writer);
}

/* "1.2B", "494M"; empty: not known. */
static void size_text(uint64_t parameters, char out[PARAMETER_SIZE]) {
    enum { MILLION = 1000 * 1000, TENTH = 100 * MILLION };
    out[0] = '\0';
    if (parameters >= UINT64_C(10) * TENTH) {
        const uint64_t tenths = (parameters + TENTH / 2) / TENTH;
        (void)snprintf(out, PARAMETER_SIZE, "%" PRIu64 ".%" PRIu64 "B", tenths / 10, tenths % 10);
    } else if (parameters > 0) {
        (void)snprintf(out, PARAMETER_SIZE, "%" PRIu64 "M", (parameters + MILLION / 2) / MILLION);
    }
}

/* "Q4_K_M" of "llama-3.2-1b-instruct-q4_k_m"; empty: its id does not say. */
static void quantization_text(struct str id, char out[QUANTIZATION_SIZE]) {
    size_t start = id.len;
    out[0] = '\0';
    while (start > 0 && id.data[start - 1] != '-') {
        start--;
    }
    const struct str last = {id.data + start, id.len - start};
    if (start > 0 && last.len >= 2 && (last.data[0] == 'q' || last.data[0] == 'f') && isdigit((uint8_t)last.data[1]) &&
        str_copy(out, QUANTIZATION_SIZE, last)) {
        for (char *at = out; *at != '\0'; at++) {
            *at = (char)toupper((uint8_t)*at);
        }
    }
}

static void write_details(struct str id, const struct catalog_model *model, struct json_writer *writer) {
    char size[PARAMETER_SIZE], quantization[QUANTIZATION_SIZE];
    struct str family, rest;
    (void)str_split(id, '-', &family, &rest);
    size_text(model != NULL ? model->parameters : 0, size);
    quantization_text(id, quantization);
    json_write_key(writer, "details");
    json_begin_object(writer);
    json_member_cstr(writer, "parent_model", "");
    json_member_cstr(writer, "format", "gguf");
    json_member_str(writer, "family", family);
    json_write_key(writer, "families");
    json_begin_array(writer);
    json_write_str(writer, family);
    json_end_array(writer);
    json_member_cstr(writer, "parameter_size", size);
    json_member_cstr(writer, "quantization_level", quantization);
    json_end_object(writer);
}

/* `running`: as GET /api/ps has it, where a device serves it now. */
static void write_model(struct str id, bool running, struct json_writer *writer) {
    enum { MS_OF_S = 1000 };
    const struct catalog_model *model = catalog_find(id);
    const int64_t bytes = model != NULL ? (int64_t)model->file_bytes : 0;
    json_begin_object(writer);
    json_member_str(writer, "name", id);
    json_member_str(writer, "model", id);
    if (running) {
        json_member_time(writer, "expires_at", clock_wall_ms() + EXPIRES_MS);
        json_member_int(writer, "size_vram", 0);
    } else {
        json_member_time(writer, "modified_at", model != NULL ? model->created * MS_OF_S : 0);
    }
    json_member_int(writer, "size", bytes);
    json_member_cstr(writer, "digest", model != NULL && model->sha256 != NULL ? model->sha256 : "");
    write_details(id, model, writer);
    json_end_object(writer);
}

/* Whether this key would be answered by the model now, and not only when some device comes. */
static bool is_there(const struct api_request *request, struct str id, bool running) {
    const struct call_backend *backend = &request->api->calls->backend;
    uint32_t context_length = 0;
    if (!models_allowed(request->identity.models, id)) {
        return false;
    }
    if (request_is_test(request) && catalog_find(id) != NULL) {
        return true;
    }
    const enum core_availability availability = backend->availability(backend->context, id, &context_length);
    return availability == CORE_MODEL_AVAILABLE || (!running && availability == CORE_MODEL_COMING);
}

static void list(struct api_request *request, bool running) {
    const struct call_backend *backend = &request->api->calls->backend;
    struct json_writer writer = respond_json_begin(request);
    struct str id;
    size_t listed = 0;
    json_write_key(&writer, "models");
    json_begin_array(&writer);
    for (size_t i = 0; i < catalog_count(); i++) {
        id = str_from(catalog_at(i)->id);
        if (is_there(request, id, running)) {
            write_model(id, running, &writer);
        }
    }
    for (size_t i = 0; listed < LIMIT_MODELS_LISTED && backend->model_at(backend->context, i, &id); i++) {
        if (catalog_find(id) == NULL && is_there(request, id, running)) {
            write_model(id, running, &writer);
            listed++;
        }
    }
    json_end_array(&writer);
    respond_json_end(request, 200, &writer);
}

static void handle_tags(struct api_request *request) {
    list(request, false);
}

static void handle_ps(struct api_request *request) {
    list(request, true);
}

/* "model", or "name" as older clients call it. */
static bool show_read(struct api_request *request, struct str *id, struct fault *fault) {
    struct json_value body, value;
    struct str name, bare, tag;
    if (!body_parse_object(request, &body, fault)) {
        return false;
    }
    if ((!json_get_given(body, "model", &value) && !json_get_given(body, "name", &value)) ||
        !json_as_str(value, &name) || name.len == 0 || name.len > LIMIT_MODEL_ID_BYTES) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, "model", "model is required: the id of one of GET /api/tags.");
        return false;
    }
    if (str_split(name, ':', &bare, &tag) && str_equal(tag, STR("latest"))) {
        name = bare;
    }
    return models_find_allowed(request->api->calls, &request->identity, name, id, fault);
}

static void handle_show(struct api_request *request) {
    struct fault fault;
    struct str id, family, rest;
    if (!show_read(request, &id, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    const struct catalog_model *model = catalog_find(id);
    char key[LIMIT_MODEL_ID_BYTES + sizeof(".context_length")];
    (void)str_split(id, '-', &family, &rest);
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "license", model != NULL ? model->license : "");
    json_member_cstr(&writer, "modelfile", "");
    json_member_cstr(&writer, "parameters", "");
    json_member_cstr(&writer, "template", "");
    write_details(id, model, &writer);
    json_write_key(&writer, "model_info");
    json_begin_object(&writer);
    json_member_str(&writer, "general.architecture", family);
    if (model != NULL && model->parameters > 0) {
        json_member_int(&writer, "general.parameter_count", (int64_t)model->parameters);
    }
    (void)snprintf(key, sizeof(key), "%.*s.context_length", (int)family.len, family.data);
    json_write_key_str(&writer, str_from(key));
    json_write_int(&writer, models_context_length(request->api->calls, id));
    json_end_object(&writer);
    json_write_key(&writer, "capabilities");
    json_begin_array(&writer);
    json_write_cstr(&writer, "completion");
    json_write_cstr(&writer, "tools");
    json_end_array(&writer);
    respond_json_end(request, 200, &writer);
}

static const struct route routes[] = {
    {"GET", "/api/version", false, handle_version, NULL},
    {"GET", "/api/tags", true, handle_tags, NULL},
    {"GET", "/api/ps", true, handle_ps, NULL},
    {"POST", "/api/show", true, handle_show, NULL},
};

const struct route_set ROUTES_OLLAMA = {routes, COUNT_OF(routes)};
