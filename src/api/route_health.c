#include "api/route_health.h"

#include "api/gate.h"
#include "api/respond.h"
#include "base/json_write.h"
#include "embedded_api.h"

static void respond_status(struct api_request *request, const char *status) {
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "status", status);
    respond_json_end(request, 200, &writer);
}

static void handle_live(struct api_request *request) {
    respond_status(request, "ok");
}

static void handle_ready(struct api_request *request) {
    const struct api_backend *backend = &request->api->backend;
    if (backend->ready(backend->context) && !calls_disk_is_low(request->api->calls)) {
        respond_status(request, "ready");
        return;
    }
    struct fault fault;
    if (calls_disk_is_low(request->api->calls)) {
        gate_disk_low(&fault);
        respond_fault(request, &fault);
        return;
    }
    fault_set(&fault, FAULT_UNAVAILABLE, "No model can serve yet, or the gateway is shutting down.");
    respond_fault(request, &fault);
}

static void openapi_handle(struct api_request *request) {
    respond_json(request, 200, (struct str){.data = (const char *)api_json_openapi, .len = api_json_openapi_len});
}

static void link_handle(struct api_request *request) {
    const struct http_request *http = http_exchange_request(request->exchange);
    if (str_equal_nocase(str_trim(http_request_header(http, "upgrade")), STR("websocket")) &&
        str_equal(http->method, STR("GET"))) {
        const struct api_backend *backend = &request->api->backend;
        backend->link(backend->context, request->exchange);
        return;
    }
    struct fault fault;
    fault_set(&fault, FAULT_INVALID_REQUEST, "Providers connect here by WebSocket: send \"Upgrade: websocket\".");
    fault.status = 426;
    respond_fault_header(request, &fault, "Upgrade", STR("websocket"));
}

static const struct route routes[] = {
    {"GET", "/healthz", false, handle_live, NULL}, {"GET", "/health", false, handle_live, NULL},
    {"GET", "/readyz", false, handle_ready, NULL}, {"GET", "/openapi.json", false, openapi_handle, NULL},
    {"GET", "/link", false, link_handle, NULL},
};

const struct route_set ROUTES_HEALTH = {routes, COUNT_OF(routes)};
