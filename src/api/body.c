#include "api/body.h"

#include "base/json_repeated.h"
#include "call/models.h"

#include <stdio.h>

struct str body_text(const struct api_request *request) {
    static const struct str mark = STR("\xef\xbb\xbf");
    const struct str body = http_exchange_request(request->exchange)->body;
    return str_starts_with(body, mark) ? (struct str){body.data + mark.len, body.len - mark.len} : body;
}

/* Two readers of such a text may take different ones of the two for the right one. */
static bool refuse_repeated(struct json_value body, struct fault *fault) {
    struct str key;
    if (!json_repeated_key(body, &key)) {
        return true;
    }
    char param[ERR_FIELD_MAX];
    (void)str_copy(param, sizeof(param), key);
    fault_set_param(fault, FAULT_INVALID_REQUEST, param,
                    "The request body has the key \"%s\" twice in one object. Send each key once.", param);
    return false;
}

bool body_parse(struct api_request *request, struct json_value *body, struct fault *fault) {
    const struct http_request *http = http_exchange_request(request->exchange);
    const struct str encoding = str_trim(http_request_header(http, "content-encoding"));
    if (encoding.len > 0 && !str_equal_nocase(encoding, STR("identity"))) {
        fault_set(fault, FAULT_INVALID_REQUEST, "Content-Encoding is not supported. Send the body as it is.");
        fault->status = 415;
        return false;
    }
    const struct str text = body_text(request);
    if (text.len == 0) {
        fault_set(fault, FAULT_INVALID_REQUEST, "The request body is empty. Send a JSON object.");
        return false;
    }
    struct err err;
    if (!json_parse(request->api->calls->parser, text, body, &err)) {
        fault_from_err(fault, &err);
        snprintf(fault->message, sizeof(fault->message), "The request body cannot be read: %.200s.", err.message);
        return false;
    }
    return refuse_repeated(*body, fault);
}

bool body_parse_object(struct api_request *request, struct json_value *body, struct fault *fault) {
    if (!body_parse(request, body, fault)) {
        return false;
    }
    if (json_type_of(*body) != JSON_OBJECT) {
        fault_set(fault, FAULT_INVALID_REQUEST, "The request body must be a JSON object, not %s.",
                  json_type_name(json_type_of(*body)));
        return false;
    }
    return true;
}

bool body_read_input(struct api_request *request, const struct format *format, struct json_value body,
                     struct call_input *input, struct fault *fault) {
    struct err err;
    if (!format->read(body, http_exchange_arena(request->exchange), input, &err)) {
        fault_from_err(fault, &err);
        return false;
    }
    if (!models_find_allowed(request->api->calls, &request->identity, input->request.model, &input->request.model,
                             fault)) {
        return false;
    }
    models_set_defaults(input);
    return true;
}
