#include "api/route_responses.h"

#include "api/kept_responses.h"
#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- Finding one --- */

struct finding {
    struct pending *pending;
    void (*found)(struct api_request *request, struct str object, struct str items);
};

static void refuse_missing(struct api_request *request) {
    struct fault fault;
    fault_set_param(&fault, FAULT_NOT_FOUND, "id",
                    "There is no kept response with this id. A response is kept for 30 days, unless it was asked with "
                    "store false or a test key.");
    respond_fault(request, &fault);
}

static void on_found(void *context, const struct store_answer *answer, const struct err *err) {
    const struct finding finding = *(struct finding *)context;
    struct str object, items;
    free(context);
    struct api_request *request = pending_answered(finding.pending, err, "response", "id");
    if (request == NULL) {
        return;
    }
    if (answer == NULL || !str_split(answer->content, '\n', &object, &items)) {
        refuse_missing(request);
    } else {
        finding.found(request, object, items);
    }
}

static void find(struct api_request *request,
                 void (*found)(struct api_request *request, struct str object, struct str items)) {
    struct finding *finding = MEM_NEW(struct finding);
    uint8_t scope[DIGEST_SHA256_SIZE];
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    kept_response_scope(&request->identity, str_from(id), scope);
    *finding = (struct finding){.pending = pending_new(request, NULL), .found = found};
    store_answer_find(request->api->calls->store, scope, NULL, clock_wall_ms(), on_found, finding);
}

/* --- GET --- */

static void respond_object(struct api_request *request, struct str object, struct str items) {
    (void)items;
    respond_json(request, 200, object);
}

static void handle_one(struct api_request *request) {
    struct str value;
    if (query_find(http_exchange_request(request->exchange)->query, "stream", &value) &&
        !str_equal(value, STR("false"))) {
        struct fault fault;
        fault_set_param(&fault, FAULT_INVALID_REQUEST, "stream",
                        "stream is not supported yet for a response that has ended. Ask without it.");
        respond_fault(request, &fault);
        return;
    }
    find(request, respond_object);
}

/* --- DELETE --- */

static void on_deleted(void *context, bool found, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "response", "id");
    char id[STORE_ID_MAX];
    if (request == NULL) {
        return;
    }
    if (!found) {
        refuse_missing(request);
        return;
    }
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    page_path_id(request, id);
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", id);
    json_member_cstr(&writer, "object", "response");
    json_member_bool(&writer, "deleted", true);
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

static void handle_delete(struct api_request *request) {
    uint8_t scope[DIGEST_SHA256_SIZE];
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    kept_response_scope(&request->identity, str_from(id), scope);
    store_answer_delete(request->api->calls->store, scope, clock_wall_ms(), on_deleted, pending_new(request, NULL));
}

/* --- POST cancel --- */

static void refuse_cancel(struct api_request *request, struct str object, struct str items) {
    struct fault fault;
    (void)object;
    (void)items;
    fault_set_param(&fault, FAULT_INVALID_REQUEST, "id",
                    "This response has ended. One that is under way ends when its connection is closed.");
    respond_fault(request, &fault);
}

static void handle_cancel(struct api_request *request) {
    find(request, refuse_cancel);
}

/* --- GET input_items --- */

enum { ITEMS_LIMIT_DEFAULT = 20, ITEMS_LIMIT_MAX = 100 };

struct items_query {
    uint64_t limit;
    bool oldest_first;
    struct str after;
};

static bool items_query_read(const struct api_request *request, struct items_query *out, struct fault *fault) {
    const struct str query = http_exchange_request(request->exchange)->query;
    struct str value;
    *out = (struct items_query){.limit = ITEMS_LIMIT_DEFAULT};
    if (query_find(query, "limit", &value) &&
        (!str_parse_u64(value, ITEMS_LIMIT_MAX, &out->limit) || out->limit == 0)) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, "limit", "limit must be a whole number between 1 and %d.",
                        ITEMS_LIMIT_MAX);
        return false;
    }
    if (query_find(query, "order", &value)) {
        out->oldest_first = str_equal(value, STR("asc"));
        if (!out->oldest_first && !str_equal(value, STR("desc"))) {
            fault_set_param(fault, FAULT_INVALID_REQUEST, "order", "order must be \"asc\" or \"desc\".");
            return false;
        }
    }
    if (!query_find(query, "after", &out->after)) {
        out->after = STR("");
    }
    return true;
}

/* The items of an array in the order that was asked for; their count. */
static size_t items_in_order(struct json_value array, bool oldest_first, struct json_value *out, size_t count) {
    struct json_iterator iterator;
    struct json_value item;
    size_t i = 0;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item) && i < count; i++) {
        out[oldest_first ? i : count - 1 - i] = item;
    }
    return i;
}

static struct str id_of(struct json_value item) {
    struct json_value value;
    struct str id = STR("");
    return json_get(item, "id", &value) && json_as_str(value, &id) ? id : STR("");
}

/* null behind the last. */
static void write_id(struct json_writer *writer, const struct json_value *items, size_t index, size_t count) {
    if (index < count) {
        json_write_str(writer, id_of(items[index]));
    } else {
        json_write_null(writer);
    }
}

static void write_items(struct api_request *request, const struct items_query *query, const struct json_value *items,
                        size_t count) {
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    size_t first = 0;
    for (size_t i = 0; query->after.len > 0 && i < count && first == 0; i++) {
        first = str_equal(id_of(items[i]), query->after) ? i + 1 : 0;
    }
    const size_t left = count - first;
    const size_t shown = left < query->limit ? left : (size_t)query->limit;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "object", "list");
    json_write_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = first; i < first + shown; i++) {
        json_write_raw(&writer, STR("")); /* only its comma */
        json_serialize(items[i], body);
        writer.need_comma = true;
    }
    json_end_array(&writer);
    json_write_key(&writer, "first_id");
    write_id(&writer, items, shown > 0 ? first : count, count);
    json_write_key(&writer, "last_id");
    write_id(&writer, items, shown > 0 ? first + shown - 1 : count, count);
    json_member_bool(&writer, "has_more", shown < left);
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

static void respond_items(struct api_request *request, struct str object, struct str text) {
    const struct items_query *query = request->handler_data;
    struct json_value root, array;
    struct fault fault;
    struct err err;
    (void)object;
    if (!json_parse(request->api->calls->parser, text, &root, &err) || !json_get(root, "input", &array)) {
        fault_set(&fault, FAULT_INTERNAL, "The kept items cannot be read.");
        respond_fault(request, &fault);
        return;
    }
    const size_t count = json_count(array);
    struct json_value *items = ARENA_ARRAY(http_exchange_arena(request->exchange), struct json_value, count + 1);
    if (items == NULL) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    write_items(request, query, items, items_in_order(array, query->oldest_first, items, count));
}

static void handle_items(struct api_request *request) {
    struct items_query *query = ARENA_NEW(http_exchange_arena(request->exchange), struct items_query);
    struct fault fault;
    if (query == NULL) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    if (!items_query_read(request, query, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = query;
    find(request, respond_items);
}

static const struct route routes[] = {
    {"GET", "/v1/responses/{id}", true, handle_one, NULL},
    {"DELETE", "/v1/responses/{id}", true, handle_delete, NULL},
    {"POST", "/v1/responses/{id}/cancel", true, handle_cancel, NULL},
    {"GET", "/v1/responses/{id}/input_items", true, handle_items, NULL},
};

const struct route_set ROUTES_RESPONSES = {routes, COUNT_OF(routes)};
