#include "api/kept_responses.h"

#include "base/clock.h"
#include "format/responses_items.h"
#include "store/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept: the object as one line, and the items before and of it as another, so that neither has to be read for
 * the other: {"input": [...], "output": [...]}. */

enum { ROOM_RETRY_MS = 60 * 1000 }; /* of an account that has no room for one more */

void kept_response_scope(const struct auth_identity *identity, struct str id, uint8_t out[DIGEST_SHA256_SIZE]) {
    struct {
        char what[16], account_id[STORE_ID_MAX], id[ID_SIZE];
    } text = {.what = "response"};
    (void)str_copy(text.account_id, sizeof(text.account_id), str_from(identity->account_id));
    (void)str_copy(text.id, sizeof(text.id), id);
    digest_sha256(&text, sizeof(text), out);
}

bool kept_response_wanted(const struct auth_identity *identity, const struct history *history) {
    return history != NULL && history->keep && identity->kind == STORE_KEY_LIVE;
}

/* --- Keeping --- */

static void write_input(const struct history *history, const char *answer_id, struct json_writer *writer) {
    char tail[ID_SIZE], id[ID_SIZE];
    id_rename("in_", answer_id, tail);
    json_write_key(writer, "input");
    json_begin_array(writer);
    for (size_t i = 0; i < history->count; i++) {
        snprintf(id, sizeof(id), "%.*si%04u", ID_SIZE - 6, tail, (unsigned)i % 10000);
        responses_write_input(writer, &history->items[i], id);
    }
    json_end_array(writer);
}

bool kept_response_make(const struct call *call, const struct history *history, struct str whole, struct str output,
                        struct buf *content, struct store_answer *out) {
    struct json_writer writer;
    buf_append_str(content, whole);
    buf_append_cstr(content, "\n");
    json_writer_init(&writer, content);
    json_begin_object(&writer);
    write_input(history, call->id, &writer);
    json_write_key(&writer, "output");
    json_begin_array(&writer);
    json_write_raw(&writer, output);
    json_end_array(&writer);
    json_end_object(&writer);
    *out = (struct store_answer){.expires_ms = clock_wall_ms() + KEPT_RESPONSE_MS,
                                 .spare = !history->keep_asked,
                                 .half = !history->keep_asked,
                                 .content = buf_str(content)};
    kept_response_scope(&call->identity, str_from(call->id), out->scope_sha256);
    return !content->overflow;
}

/* --- Reading --- */

struct wanted {
    char id[ID_SIZE];
    const struct history_item *items; /* before and of it; in the draft's arena */
    size_t count;
};

/* In the draft's arena: what a request's history is open for. */
struct reading {
    struct wanted wanted[KEPT_RESPONSES_READ_MAX];
    size_t count, read;
    bool room_known;
};

static enum draft_step refuse(struct draft *draft, const char *param, const char *words) {
    struct fault fault;
    fault_set_param(&fault, FAULT_INVALID_REQUEST, param, "%s", words);
    return draft_refuse(draft, &fault);
}

static enum draft_step refuse_large(struct draft *draft) {
    struct fault fault;
    fault_set_too_large(&fault);
    return draft_refuse(draft, &fault);
}

/* False: there are too many. */
static bool want(struct reading *reading, const char *id) {
    for (size_t i = 0; i < reading->count; i++) {
        if (strcmp(reading->wanted[i].id, id) == 0) {
            return true;
        }
    }
    if (reading->count == KEPT_RESPONSES_READ_MAX) {
        return false;
    }
    (void)str_copy(reading->wanted[reading->count++].id, ID_SIZE, str_from(id));
    return true;
}

/* An item's id has that of its answer in it. */
static bool answer_of_item(struct str item, char out[ID_SIZE]) {
    struct str prefix, tail;
    if (!str_split(item, '_', &prefix, &tail) || tail.len < ID_TAIL) {
        return false;
    }
    snprintf(out, ID_SIZE, "resp_%.*s", ID_TAIL, tail.data);
    return id_has_form(str_from(out), STR("resp_"));
}

static enum draft_step refuse_reference(struct draft *draft) {
    return refuse(draft, "input",
                  "input has an item_reference to an item that is not kept: of an answer that was not to be kept "
                  "(store), was deleted, or is of a test key. Send the item itself.");
}

static enum draft_step refuse_previous(struct draft *draft) {
    return refuse(
        draft, "previous_response_id",
        "There is no kept response with this previous_response_id. It was not to be kept (store), was deleted, "
        "is past its 30 days, or is of a test key. Send the items before this one in input.");
}

static enum draft_step want_all(struct draft *draft, const struct history *history, struct reading *reading) {
    char id[ID_SIZE];
    if (history->previous.len > 0) {
        if (!id_has_form(history->previous, STR("resp_")) || !str_copy(id, sizeof(id), history->previous)) {
            return refuse_previous(draft);
        }
        (void)want(reading, id);
    }
    for (size_t i = 0; i < history->count; i++) {
        if (!history->items[i].reference) {
            continue;
        }
        if (!answer_of_item(history->items[i].id, id)) {
            return refuse_reference(draft);
        }
        if (!want(reading, id)) {
            return refuse(draft, "input",
                          "input has references to items of too many answers. Send the items themselves.");
        }
    }
    return DRAFT_ON;
}

/* --- All is read --- */

static const struct history_item *item_find(const struct reading *reading, struct str id) {
    for (size_t i = 0; i < reading->count; i++) {
        for (size_t k = 0; k < reading->wanted[i].count; k++) {
            if (str_equal(reading->wanted[i].items[k].id, id)) {
                return &reading->wanted[i].items[k];
            }
        }
    }
    return NULL;
}

static size_t bytes_of(const struct history *history) {
    size_t bytes = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct gen_message *message = &history->items[i].message;
        bytes += message->content.len;
        for (size_t k = 0; k < message->tool_call_count; k++) {
            bytes += message->tool_calls[k].arguments.len;
        }
    }
    return bytes;
}

/* The items of the previous answer, and those of the request with what they refer to. */
static enum draft_step close_history(struct draft *draft, const struct history *open, const struct reading *reading,
                                     struct history *whole) {
    const struct wanted *before = open->previous.len > 0 ? &reading->wanted[0] : NULL;
    const size_t before_count = before != NULL ? before->count : 0;
    if (before_count + open->count > LIMIT_MESSAGES) {
        return refuse(draft, "previous_response_id", "There are too many items behind each other. Begin anew.");
    }
    struct history_item *items = ARENA_ARRAY(draft->arena, struct history_item, before_count + open->count);
    if (items == NULL) {
        return refuse_large(draft);
    }
    for (size_t i = 0; i < before_count; i++) {
        items[i] = before->items[i];
    }
    for (size_t i = 0; i < open->count; i++) {
        const struct history_item *item = &open->items[i];
        item = item->reference ? item_find(reading, item->id) : item;
        if (item == NULL) {
            return refuse_reference(draft);
        }
        items[before_count + i] = *item;
    }
    whole->items = items;
    whole->count = before_count + open->count;
    whole->previous = STR("");
    whole->references = 0;
    return DRAFT_ON;
}

static enum draft_step finish(struct draft *draft, const struct reading *reading) {
    const struct history *open = draft->input.history;
    struct history *whole = ARENA_NEW(draft->arena, struct history);
    struct err err;
    if (whole == NULL) {
        return refuse_large(draft);
    }
    *whole = *open;
    if (history_is_open(open)) {
        const enum draft_step step = close_history(draft, open, reading, whole);
        if (step != DRAFT_ON) {
            return step;
        }
        if (!history_join(whole->instructions, whole->items, whole->count, draft->arena, &draft->input.request, &err)) {
            return refuse_large(draft);
        }
    }
    if (bytes_of(whole) > KEPT_RESPONSE_ITEMS_BYTES) {
        if (whole->keep_asked) {
            return refuse(draft, "store", "store is for items of up to 1 MiB. Send store false.");
        }
        whole->keep = false;
    }
    draft->input.history = whole;
    return DRAFT_ON;
}

/* --- One after the other --- */

static bool member_read(struct json_value root, const char *member, struct arena *arena,
                        const struct history_item **items, size_t *count) {
    struct ignored ignored = {0};
    struct json_value value;
    struct err err;
    return json_get(root, member, &value) && json_type_of(value) == JSON_ARRAY &&
           responses_items_read(value, arena, &ignored, items, count, &err);
}

static bool content_read(struct draft *draft, struct str content, struct wanted *wanted) {
    const struct history_item *input = NULL, *output = NULL;
    size_t input_count = 0, output_count = 0;
    struct json_value root;
    struct str object, items;
    struct err err;
    if (!str_split(content, '\n', &object, &items) || !json_parse(draft->calls->parser, items, &root, &err) ||
        !member_read(root, "input", draft->arena, &input, &input_count) ||
        !member_read(root, "output", draft->arena, &output, &output_count)) {
        return false;
    }
    struct history_item *all = ARENA_ARRAY(draft->arena, struct history_item, input_count + output_count);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < input_count + output_count; i++) {
        all[i] = i < input_count ? input[i] : output[i - input_count];
    }
    wanted->items = all;
    wanted->count = input_count + output_count;
    return true;
}

static enum draft_step take(struct draft *draft, struct reading *reading, const struct store_answer *answer) {
    struct wanted *wanted = &reading->wanted[reading->read];
    if (answer == NULL) {
        return reading->read == 0 && draft->input.history->previous.len > 0 ? refuse_previous(draft)
                                                                            : refuse_reference(draft);
    }
    if (!content_read(draft, answer->content, wanted)) {
        return refuse_large(draft);
    }
    reading->read++;
    return DRAFT_ON;
}

static enum draft_step go_on(struct draft *draft);

static enum draft_step refuse_err(struct draft *draft, const struct err *err) {
    struct fault fault;
    if (store_quota_is_past(err)) {
        fault_set_param(&fault, FAULT_RATE_LIMIT_EXCEEDED, "store", "%s.", err->message);
        fault.retry_after_ms = ROOM_RETRY_MS;
    } else {
        fault_set(&fault, FAULT_UNAVAILABLE, "What is kept cannot be read now. Retry shortly.");
    }
    return draft_refuse(draft, &fault);
}

static void on_found(void *context, const struct store_answer *answer, const struct err *err) {
    struct draft *draft = draft_wait_end(context);
    if (draft == NULL) {
        return;
    }
    struct reading *reading = draft->stage_data;
    enum draft_step step = DRAFT_ON;
    if (err != NULL) {
        step = refuse_err(draft, err);
    } else if (reading->read < reading->count) {
        step = take(draft, reading, answer);
    } else {
        reading->room_known = true;
    }
    draft_go_on(draft, step == DRAFT_ON ? go_on(draft) : step);
}

/* Asks for the next one, and for room at last. */
static enum draft_step go_on(struct draft *draft) {
    struct reading *reading = draft->stage_data;
    const bool reads = reading->read < reading->count;
    uint8_t scope[DIGEST_SHA256_SIZE];
    if (!reads && reading->room_known) {
        return finish(draft, reading);
    }
    kept_response_scope(draft->identity, reads ? str_from(reading->wanted[reading->read].id) : STR(""), scope);
    store_answer_find(draft->calls->store, scope, reads ? NULL : draft->identity->account_id, clock_wall_ms(), on_found,
                      draft_wait_begin(draft));
    return DRAFT_WAITS;
}

enum draft_step kept_responses_enter(struct draft *draft) {
    const struct history *history = draft->input.history;
    if (history == NULL) {
        return DRAFT_ON;
    }
    struct reading *reading = ARENA_NEW(draft->arena, struct reading);
    if (reading == NULL) {
        return refuse_large(draft);
    }
    draft->stage_data = reading;
    reading->room_known = !history->keep_asked || !kept_response_wanted(draft->identity, history);
    const enum draft_step step = want_all(draft, history, reading);
    return step == DRAFT_ON ? go_on(draft) : step;
}
