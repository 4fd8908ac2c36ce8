/* The routes that need no key: is the process alive, can it serve, what does it understand; and where providers join.
 */
#include "api/respond.h"
#include "base/json_write.h"
#include "embedded_api.h"

static void respond_status(struct api_request *request, const char *status) {
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "status", status);
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

void health_handle_live(struct api_request *request) {
    respond_status(request, "ok");
}

void health_handle_ready(struct api_request *request) {
    const struct api_backend *backend = &request->api->backend;
    if (backend->ready(backend->context)) {
        respond_status(request, "ready");
        return;
    }
    struct fault error;
    fault_set(&error, FAULT_UNAVAILABLE, "No model can serve yet, or the gateway is shutting down.");
    respond_error(request, &error);
}

void openapi_handle(struct api_request *request) {
    respond_json(request, 200, (struct str){.data = (const char *)api_json_openapi, .len = api_json_openapi_len});
}

void link_handle(struct api_request *request) {
    const struct http_request *http = http_exchange_request(request->exchange);
    if (str_equal_nocase(str_trim(http_request_header(http, "upgrade")), STR("websocket")) &&
        str_equal(http->method, STR("GET"))) {
        const struct api_backend *backend = &request->api->backend;
        backend->link(backend->context, request->exchange);
        return;
    }
    struct fault error;
    fault_set(&error, FAULT_INVALID_REQUEST, "Providers connect here by WebSocket: send \"Upgrade: websocket\".");
    error.status = 426;
    respond_error_header(request, &error, "Upgrade", STR("websocket"));
}
