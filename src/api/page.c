#include "api/page.h"

#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"

#include <string.h>

static bool set_invalid(struct fault *fault, const char *param, const char *must) {
    fault_set_param(fault, FAULT_INVALID_REQUEST, param, "%s must be %s.", param, must);
    return false;
}

static bool query_of(const struct api_request *request, const char *name, struct str *value) {
    return query_find(http_exchange_request(request->exchange)->query, name, value);
}

bool page_read_id(const struct api_request *request, const char *name, const char *what, char out[STORE_ID_MAX],
                  struct fault *fault) {
    struct str value, id;
    out[0] = '\0';
    if (!query_of(request, name, &value)) {
        return true;
    }
    if (!query_decode(value, out, STORE_ID_MAX - 1, &id) || id.len == 0 || memchr(id.data, '\0', id.len) != NULL) {
        fault_set_param(fault, FAULT_NOT_FOUND, name, "There is no %s with this id.", what);
        return false;
    }
    out[id.len] = '\0';
    return true;
}

void page_path_id(const struct api_request *request, char out[STORE_ID_MAX]) {
    struct str id;
    if (!query_decode(request->parameter, out, STORE_ID_MAX - 1, &id) || id.len == 0 ||
        memchr(id.data, '\0', id.len) != NULL) {
        out[0] = '-';
        id.len = 1;
    }
    out[id.len] = '\0';
}

bool page_read_forget(const struct api_request *request, bool *out, struct fault *fault) {
    struct str value;
    *out = query_of(request, "forget", &value) && str_equal_cstr(value, "true");
    if (*out || !query_of(request, "forget", &value) || str_equal_cstr(value, "false")) {
        return true;
    }
    fault_set_param(fault, FAULT_INVALID_REQUEST, "forget", "forget must be true or false.");
    return false;
}

bool page_read(const struct api_request *request, const char *what, struct page *out, struct fault *fault) {
    struct str value;
    uint64_t limit = PAGE_LIMIT_DEFAULT;
    if (query_of(request, "limit", &value) && (!str_parse_u64(value, PAGE_LIMIT_MAX, &limit) || limit < 1)) {
        return set_invalid(fault, "limit", "a number from 1 to 100");
    }
    out->limit = (unsigned)limit;
    return page_read_id(request, "after", what, out->after, fault);
}

bool page_read_period(const struct api_request *request, struct period *out, struct fault *fault) {
    struct str value;
    if (!query_of(request, "period", &value)) {
        period_at(clock_wall_ms(), out);
        return true;
    }
    return period_parse(value, out) || set_invalid(fault, "period", "a month such as 2026-01");
}

void page_list_begin(struct api_request *request, struct json_writer *writer) {
    json_writer_init(writer, respond_buffer(request->api));
    json_begin_object(writer);
    json_member_cstr(writer, "object", "list");
    json_write_key(writer, "data");
    json_begin_array(writer);
}

void page_list_end(struct api_request *request, struct json_writer *writer, bool more) {
    json_end_array(writer);
    json_member_bool(writer, "has_more", more);
    json_end_object(writer);
    respond_json(request, 200, buf_str(writer->out));
}

const char *page_outcome(enum store_outcome outcome) {
    switch (outcome) {
    case STORE_OUTCOME_COMPLETED:
        return "completed";
    case STORE_OUTCOME_FAILED:
        return "failed";
    case STORE_OUTCOME_CANCELLED:
        break;
    }
    return "cancelled";
}

void page_write_generation(struct json_writer *writer, const struct store_generation *generation) {
    json_member_cstr(writer, "id", generation->id);
    json_member_int(writer, "created", generation->created_ms / 1000);
    json_member_cstr(writer, "model", generation->model);
}
