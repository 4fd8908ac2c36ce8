#include "api/route_devices.h"

#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "store/devices.h"

#include <string.h>

static void respond_missing(struct api_request *request, const char *param) {
    struct fault fault;
    fault_set_param(&fault, FAULT_NOT_FOUND, param, "There is no device with this id.");
    respond_fault(request, &fault);
}

static void write_device(const struct api_request *request, const struct store_device *device,
                         struct json_writer *writer) {
    const struct api_backend *backend = &request->api->backend;
    json_begin_object(writer);
    json_member_cstr(writer, "id", device->id);
    json_member_cstr(writer, "object", "provider.device");
    json_member_int(writer, "created", device->created_ms / 1000);
    json_member_cstr(writer, "name", device->name);
    json_member_cstr(writer, "region", device->region[0] != '\0' ? device->region : NULL);
    json_member_bool(writer, "verified", device->verified);
    json_member_cstr(writer, "standing", store_standing_name(device->standing));
    json_member_cstr(writer, "standing_reason", device->standing_reason[0] != '\0' ? device->standing_reason : NULL);
    backend->provider_write(backend->context, device, writer);
    json_end_object(writer);
}

static void respond_list(struct api_request *request, const struct store_device *devices, size_t count, bool more) {
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        write_device(request, &devices[i], &writer);
    }
    page_list_end(request, &writer, more);
}

static void on_page(void *context, const struct store_device *devices, size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "device", "after");
    if (request != NULL) {
        respond_list(request, devices, count, more);
    }
}

static void read_page(struct api_request *request, const struct page *page) {
    store_devices_read(request->api->calls->store, "", request->identity.account_id, page->after, page->limit, on_page,
                       pending_new(request, NULL));
}

static bool is_own(const struct api_request *request, const struct store_device *devices, size_t count) {
    return count > 0 && strcmp(devices[0].account_id, request->identity.account_id) == 0;
}

/* The device that the page comes after. */
static void on_after(void *context, const struct store_device *devices, size_t count, bool more,
                     const struct err *err) {
    struct api_request *request = pending_answered(context, err, "device", "after");
    (void)more;
    if (request == NULL) {
        return;
    }
    if (is_own(request, devices, count)) {
        read_page(request, request->handler_data);
    } else {
        respond_missing(request, "after");
    }
}

static void on_one(void *context, const struct store_device *devices, size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "device", "id");
    (void)more;
    if (request == NULL) {
        return;
    }
    if (!is_own(request, devices, count)) {
        respond_missing(request, "id");
        return;
    }
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    write_device(request, &devices[0], &writer);
    respond_json(request, 200, buf_str(body));
}

static void read_one(struct api_request *request, const char *id,
                     void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                       const struct err *err)) {
    store_devices_read(request->api->calls->store, id, "", "", 1, on_result, pending_new(request, NULL));
}

static void handle_list(struct api_request *request) {
    struct page *page = ARENA_NEW(http_exchange_arena(request->exchange), struct page);
    struct fault fault;
    if (page == NULL) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = page;
    if (!page_read(request, "device", page, &fault)) {
        respond_fault(request, &fault);
    } else if (page->after[0] != '\0' && request_is_test(request)) {
        respond_missing(request, "after");
    } else if (request_is_test(request)) {
        respond_list(request, NULL, 0, false); /* no device works for the sandbox */
    } else if (page->after[0] != '\0') {
        read_one(request, page->after, on_after);
    } else {
        read_page(request, page);
    }
}

/* The id of the path; false: it can be none, and that is answered. */
static bool read_id(struct api_request *request, char out[STORE_ID_MAX]) {
    struct str id;
    if (request_is_test(request) || !query_decode(request->parameter, out, STORE_ID_MAX - 1, &id) || id.len == 0 ||
        memchr(id.data, '\0', id.len) != NULL) {
        respond_missing(request, "id");
        return false;
    }
    out[id.len] = '\0';
    return true;
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    if (read_id(request, id)) {
        read_one(request, id, on_one);
    }
}

/* A repeated DELETE is answered like the first. */
static void on_removed(void *context, const struct store_admin *result, const struct err *err) {
    const bool again = err != NULL && err->code == ERR_CONFLICT;
    struct api_request *request = pending_answered(context, again ? NULL : err, "device", "id");
    char id[STORE_ID_MAX];
    (void)result;
    if (request == NULL || !read_id(request, id)) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "id", id);
    json_member_cstr(&writer, "object", "provider.device");
    json_member_bool(&writer, "deleted", true);
    respond_json_end(request, 200, &writer);
}

static void handle_delete(struct api_request *request) {
    const struct api_backend *backend = &request->api->backend;
    char id[STORE_ID_MAX];
    if (read_id(request, id)) {
        backend->device_remove(backend->context, request->identity.account_id, id, on_removed,
                               pending_new(request, NULL));
    }
}

static const struct route routes[] = {
    {"GET", "/v1/provider/devices", true, handle_list, NULL},
    {"GET", "/v1/provider/devices/{id}", true, handle_one, NULL},
    {"DELETE", "/v1/provider/devices/{id}", true, handle_delete, NULL},
};

const struct route_set ROUTES_DEVICES = {routes, COUNT_OF(routes)};
