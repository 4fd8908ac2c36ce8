#include "call/said.h"

#include "base/mem.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>

/* Names and arguments of all calls stand one behind another in `words`. */
struct said_call {
    struct str name;
    size_t from, len;
    char id[SAID_ID_SIZE];
};

struct said {
    const char *id;
    struct buf text, words;
    struct said_call *calls;
    struct gen_tool_call *told; /* the same, once all is read */
    size_t count;
};

void said_call_id(const char *id, size_t index, char out[SAID_ID_SIZE]) {
    enum { TAIL = 20 };
    char renamed[ID_SIZE];
    id_rename("call_", id, renamed);
    const struct str whole = str_from(renamed);
    const size_t skip = whole.len > sizeof("call_") - 1 + TAIL ? whole.len - TAIL : sizeof("call_") - 1;
    snprintf(out, SAID_ID_SIZE, "call_%s%03zu", renamed + skip, index);
}

static void on_text(void *context, struct str text) {
    struct said *said = context;
    buf_append_str(&said->text, text);
}

static void on_call(void *context, size_t index, struct str name) {
    struct said *said = context;
    said->calls = mem_realloc(said->calls, (index + 1) * sizeof(*said->calls));
    struct said_call *call = &said->calls[said->count++];
    *call = (struct said_call){.name = name, .from = said->words.len};
    said_call_id(said->id, index, call->id);
}

static void on_arguments(void *context, size_t index, struct str json) {
    struct said *said = context;
    buf_append_str(&said->words, json);
    said->calls[index].len = said->words.len - said->calls[index].from;
}

struct said *said_read(const struct call_tools *tools, const char *id, struct str raw) {
    struct said *said = MEM_NEW(struct said);
    const struct reply_events events = {.context = said, .text = on_text, .call = on_call, .arguments = on_arguments};
    struct reply reply;
    said->id = id;
    buf_init(&said->text, 2 * LIMIT_ANSWER_BYTES);
    buf_init(&said->words, 2 * LIMIT_ANSWER_BYTES);
    reply_init(&reply, tools->names, tools->one_call);
    reply_feed(&reply, raw, &events);
    reply_end(&reply, &events);
    reply_clear(&reply);
    said->told = mem_calloc(said->count + 1, sizeof(*said->told));
    for (size_t i = 0; i < said->count; i++) {
        const struct said_call *call = &said->calls[i];
        said->told[i] = (struct gen_tool_call){
            .id = str_from(call->id), .name = call->name, .arguments = {said->words.data + call->from, call->len}};
    }
    said->id = NULL;
    return said;
}

void said_free(struct said *said) {
    if (said != NULL) {
        buf_clear(&said->text);
        buf_clear(&said->words);
        free(said->calls);
        free(said->told);
        free(said);
    }
}

struct str said_text(const struct said *said) {
    return buf_str(&said->text);
}

const struct gen_tool_call *said_calls(const struct said *said, size_t *count) {
    *count = said->count;
    return said->told;
}
