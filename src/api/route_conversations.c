#include "api/route_conversations.h"

#include "api/body.h"
#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/json_values.h"
#include "call/models.h"
#include "conversation/conversation.h"
#include "conversation/stored.h"
#include "wire/field.h"

#include <string.h>

enum { MESSAGES_LIMIT_DEFAULT = 100, MESSAGES_BYTES = 2 * 1024 * 1024 };

/* --- What is written --- */

static const char *titled_by_name(enum store_titled_by titled_by) {
    switch (titled_by) {
    case STORE_TITLED_NOT:
        return NULL;
    case STORE_TITLED_BY_CLIENT:
        return "client";
    case STORE_TITLED_BY_MODEL:
        return "model";
    case STORE_TITLED_BY_WORDS:
        break;
    }
    return "first_words";
}

/* The members of the open object. */
static void write_conversation(struct json_writer *writer, const struct store_conversation *conversation) {
    json_member_cstr(writer, "id", conversation->id);
    json_member_cstr(writer, "object", "conversation");
    json_member_cstr(writer, "title", conversation->titled_by != STORE_TITLED_NOT ? conversation->title : NULL);
    json_member_cstr(writer, "titled_by", titled_by_name(conversation->titled_by));
    json_member_cstr(writer, "model_id", conversation->model[0] != '\0' ? conversation->model : NULL);
    json_member_int(writer, "message_count", conversation->message_count);
    json_member_bool(writer, "auto_title", conversation->auto_title);
    json_member_bool(writer, "auto_summary", conversation->auto_summary);
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", conversation->prompt_tokens);
    json_member_int(writer, "completion_tokens", conversation->completion_tokens);
    json_member_int(writer, "total_tokens", conversation->prompt_tokens + conversation->completion_tokens);
    json_end_object(writer);
    json_member_time(writer, "created_at", conversation->created_ms);
    json_member_time(writer, "updated_at", conversation->updated_ms);
}

static void write_message(struct json_writer *writer, const struct store_message *message) {
    json_begin_object(writer);
    json_member_int(writer, "position", message->position);
    json_member_cstr(writer, "role", gen_role_name(conversation_gen_role(message->role)));
    json_member_str(writer, "content", message->content);
    json_member_int(writer, "tokens", message->tokens);
    json_member_time(writer, "created_at", message->created_ms);
    json_end_object(writer);
}

/* --- POST /v1/conversations --- */

struct create_fields {
    struct str model_id, title, system;
    bool auto_title, auto_summary;
};

#define AT(member) .offset = offsetof(struct create_fields, member)

static const struct field_rule create_rules[] = {
    {STR("model_id"), field_read_str, AT(model_id), .max_bytes = LIMIT_MODEL_ID_BYTES},
    {STR("title"), field_read_str, AT(title), .max_bytes = STORE_TITLE_MAX - 1},
    {STR("system"), field_read_str, AT(system), .max_bytes = CONVERSATION_SYSTEM_BYTES},
    {STR("auto_title"), field_read_bool, AT(auto_title)},
    {STR("auto_summary"), field_read_bool, AT(auto_summary)},
    {STR("metadata"), field_read_ignored, .type = JSON_OBJECT},
};

static bool create_read(struct api_request *request, struct create_fields *out, struct fault *fault) {
    struct json_value body;
    struct err err;
    *out = (struct create_fields){
        .model_id = STR(""), .title = STR(""), .system = STR(""), .auto_title = true, .auto_summary = true};
    if (http_exchange_request(request->exchange)->body.len == 0) {
        return true; /* all of it is optional */
    }
    if (!body_parse_object(request, &body, fault)) {
        return false;
    }
    if (!fields_read(body, create_rules, COUNT_OF(create_rules), out, &err)) {
        fault_from_err(fault, &err);
        return false;
    }
    return true;
}

static bool create_check(const struct api_request *request, const struct create_fields *fields,
                         struct store_conversation *out, struct fault *fault) {
    struct str model = STR("");
    if (fields->model_id.len > 0 && !models_resolve(request->api->calls, fields->model_id, &model)) {
        models_set_unknown(fault, fields->model_id);
        (void)str_copy(fault->param, sizeof(fault->param), STR("model_id"));
        return false;
    }
    if (memchr(fields->title.len > 0 ? fields->title.data : "", '\0', fields->title.len) != NULL) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, "title", "title must not hold a NUL.");
        return false;
    }
    *out = (struct store_conversation){.test = request_is_test(request),
                                       .titled_by = fields->title.len > 0 ? STORE_TITLED_BY_CLIENT : STORE_TITLED_NOT,
                                       .auto_title = fields->auto_title,
                                       .auto_summary = fields->auto_summary,
                                       .system = fields->system,
                                       .summary = STR(""),
                                       .created_ms = clock_wall_ms()};
    out->updated_ms = out->created_ms;
    (void)str_copy(out->account_id, sizeof(out->account_id), str_from(request->identity.account_id));
    (void)str_copy(out->model, sizeof(out->model), model);
    (void)str_copy(out->title, sizeof(out->title), fields->title);
    id_make("conv_", out->created_ms, out->id);
    return true;
}

static void on_created(void *context, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "conversation", "");
    if (request == NULL) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    write_conversation(&writer, request->handler_data);
    respond_json_end(request, 200, &writer);
}

static void handle_create(struct api_request *request) {
    struct create_fields fields;
    struct fault fault;
    struct store_conversation *made = ARENA_NEW(http_exchange_arena(request->exchange), struct store_conversation);
    fault_set_too_large(&fault);
    if (made == NULL || !create_read(request, &fields, &fault) || !create_check(request, &fields, made, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = made;
    store_conversation_add(request->api->calls->store, made, on_created, pending_new(request, NULL));
    made->system = STR(""); /* it was the parser's */
}

/* --- GET /v1/conversations --- */

static void on_page(void *context, const struct store_conversation *conversations, size_t count, bool more,
                    const struct err *err) {
    struct api_request *request = pending_answered(context, err, "conversation", "after");
    if (request == NULL) {
        return;
    }
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&writer);
        write_conversation(&writer, &conversations[i]);
        json_end_object(&writer);
    }
    page_list_end(request, &writer, more);
}

static void handle_list(struct api_request *request) {
    struct page page;
    struct fault fault;
    if (!page_read(request, "conversation", &page, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    store_conversations_page(request->api->calls->store, request->identity.account_id, request_is_test(request),
                             page.after, page.limit, on_page, pending_new(request, NULL));
}

/* --- GET /v1/conversations/{id} --- */

static void on_one(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                   size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "conversation", "id");
    if (request == NULL) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    write_conversation(&writer, conversation);
    json_member_text(&writer, "system", conversation->system);
    json_member_text(&writer, "summary", conversation->summary);
    json_member_int(&writer, "summary_message_count", conversation->summary_until);
    json_write_key(&writer, "messages");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        write_message(&writer, &messages[i]);
    }
    json_end_array(&writer);
    json_member_bool(&writer, "has_more", more);
    respond_json_end(request, 200, &writer);
}

static bool number_read(const struct api_request *request, const char *name, uint64_t min, uint64_t max, uint64_t *out,
                        struct fault *fault) {
    struct str value;
    if (!query_find(http_exchange_request(request->exchange)->query, name, &value) ||
        (str_parse_u64(value, max, out) && *out >= min)) {
        return true;
    }
    fault_set_param(fault, FAULT_INVALID_REQUEST, name, "%s must be a number from %u to %u.", name, (unsigned)min,
                    (unsigned)max);
    return false;
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    struct fault fault;
    uint64_t limit = MESSAGES_LIMIT_DEFAULT, before = 0;
    page_path_id(request, id);
    if (!number_read(request, "limit", 1, STORE_PAGE_MAX, &limit, &fault) ||
        !number_read(request, "before", 1, INT32_MAX, &before, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    const struct store_conversation_ask ask = {.account_id = request->identity.account_id,
                                               .id = id,
                                               .test = request_is_test(request),
                                               .whole = true,
                                               .before = (int64_t)before,
                                               .limit = limit,
                                               .tokens_max = INT64_MAX,
                                               .bytes_max = MESSAGES_BYTES};
    store_conversation_read(request->api->calls->store, &ask, on_one, pending_new(request, NULL));
}

/* --- DELETE /v1/conversations/{id} --- */

static void on_deleted(void *context, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "conversation", "id");
    char id[STORE_ID_MAX];
    if (request == NULL) {
        return;
    }
    page_path_id(request, id);
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "id", id);
    json_member_cstr(&writer, "object", "conversation.deleted");
    json_member_bool(&writer, "deleted", true);
    respond_json_end(request, 200, &writer);
}

static void handle_delete(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    store_conversation_delete(request->api->calls->store, request->identity.account_id, request_is_test(request), id,
                              on_deleted, pending_new(request, NULL));
}

static const struct route routes[] = {
    {"POST", "/v1/conversations", true, handle_create, NULL},
    {"GET", "/v1/conversations", true, handle_list, NULL},
    {"GET", "/v1/conversations/{id}", true, handle_one, NULL},
    {"DELETE", "/v1/conversations/{id}", true, handle_delete, NULL},
};

const struct route_set ROUTES_CONVERSATIONS = {routes, COUNT_OF(routes)};
