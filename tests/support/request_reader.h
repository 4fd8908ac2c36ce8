/* Reads request bodies as the API does, and checks refusals by the table. */
#ifndef NATARIS_TESTS_SUPPORT_REQUEST_READER_H
#define NATARIS_TESTS_SUPPORT_REQUEST_READER_H

#include "base/buf.h"
#include "format/chat.h"
#include "format/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { READER_ARENA_BYTES = 8 << 20 };

struct request_reader {
    struct json_parser *parser;
    struct arena arena;
    struct call_input input;
    struct err err;
};

UNUSED static int reader_setup(void **state) {
    struct request_reader *reader = calloc(1, sizeof(*reader));
    reader->parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&reader->arena, READER_ARENA_BYTES);
    *state = reader;
    return 0;
}

UNUSED static int reader_teardown(void **state) {
    struct request_reader *reader = *state;
    json_parser_free(reader->parser);
    arena_clear(&reader->arena);
    free(reader);
    return 0;
}

UNUSED static bool reader_read(struct request_reader *reader, struct str text) {
    struct json_value body;
    arena_clear(&reader->arena);
    err_clear(&reader->err);
    assert_true(json_parse(reader->parser, text, &body, &reader->err));
    return chat_read(body, &reader->arena, &reader->input, &reader->err);
}

/* A good request but for `members`, which are added to it. */
UNUSED static bool reader_read_members(struct request_reader *reader, const char *members) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s%s}",
                      members[0] != '\0' ? "," : "", members);
    bool read = reader_read(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

UNUSED static bool reader_read_messages(struct request_reader *reader, const char *messages) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_format(&text, "{\"model\":\"m\",\"messages\":%s}", messages);
    bool read = reader_read(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

UNUSED static void assert_str_equal(struct str actual, const char *expected) {
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

struct refusal {
    const char *text, *param, *words; /* words: part of the message, or NULL */
};

UNUSED static void assert_refused(struct request_reader *reader, bool read, const struct refusal *refusal) {
    if (read) {
        fail_msg("accepted: %s", refusal->text);
    }
    if (strcmp(reader->err.field, refusal->param) != 0) {
        fail_msg("%s: param %s, expected %s", refusal->text, reader->err.field, refusal->param);
    }
    bool unsupported = strstr(reader->err.message, "not supported yet") != NULL;
    assert_int_equal(reader->err.code, unsupported ? ERR_UNSUPPORTED : ERR_INVALID);
    if (refusal->words != NULL && strstr(reader->err.message, refusal->words) == NULL) {
        fail_msg("%s: %s", refusal->text, reader->err.message);
    }
}

#endif
