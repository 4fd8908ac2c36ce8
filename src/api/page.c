#include "api/page.h"

#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static bool query_of(const struct api_request *request, const char *name, struct str *value) {
    return query_find(http_exchange_request(request->exchange)->query, name, value);
}

static bool set_invalid(struct fault *error, const char *param, const char *must) {
    fault_set(error, FAULT_INVALID_REQUEST, "%s must be %s.", param, must);
    snprintf(error->param, sizeof(error->param), "%s", param);
    return false;
}

void page_set_missing(struct fault *error, const char *param) {
    fault_set(error, FAULT_NOT_FOUND, "There is no %s with this id.", strcmp(param, "key") == 0 ? "key" : "request");
    snprintf(error->param, sizeof(error->param), "%s", param);
}

void page_set_failed(struct fault *error, const struct err *err, const char *param) {
    if (err->code == ERR_NOT_FOUND) {
        page_set_missing(error, param);
    } else {
        fault_from_err(error, err);
    }
}

bool page_read_id(const struct api_request *request, const char *name, char out[STORE_ID_MAX], struct fault *error) {
    struct str value, id;
    out[0] = '\0';
    if (!query_of(request, name, &value)) {
        return true;
    }
    if (!query_decode(value, out, STORE_ID_MAX - 1, &id) || id.len == 0 || memchr(id.data, '\0', id.len) != NULL) {
        page_set_missing(error, name);
        return false;
    }
    out[id.len] = '\0';
    return true;
}

void page_path_id(const struct api_request *request, char out[STORE_ID_MAX]) {
    struct str id;
    if (!query_decode(request->parameter, out, STORE_ID_MAX - 1, &id) || memchr(id.data, '\0', id.len) != NULL) {
        id.len = 0;
    }
    out[id.len] = '\0';
}

bool page_read(const struct api_request *request, struct page *out, struct fault *error) {
    struct str value;
    uint64_t limit = PAGE_LIMIT_DEFAULT;
    if (query_of(request, "limit", &value) && (!str_parse_u64(value, PAGE_LIMIT_MAX, &limit) || limit < 1)) {
        return set_invalid(error, "limit", "a number from 1 to 100");
    }
    out->limit = (unsigned)limit;
    return page_read_id(request, "after", out->after, error);
}

bool page_read_period(const struct api_request *request, struct period *out, struct fault *error) {
    struct str value;
    if (!query_of(request, "period", &value)) {
        period_at(clock_wall_ms(), out);
        return true;
    }
    return period_parse(value, out) || set_invalid(error, "period", "a month such as 2026-01");
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

void page_write_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    if (wall_ms == 0) {
        json_member_cstr(writer, key, NULL);
        return;
    }
    clock_format_utc(wall_ms, text);
    json_member_cstr(writer, key, text);
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

void page_write_generation(struct json_writer *writer, const struct store_generation *job) {
    json_member_cstr(writer, "id", job->id);
    json_member_int(writer, "created", job->created_ms / 1000);
    json_member_cstr(writer, "model", job->model);
}
