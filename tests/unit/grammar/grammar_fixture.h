/* Schemas and the texts that keep to them, or do not. */
#ifndef NATARIS_TESTS_UNIT_GRAMMAR_GRAMMAR_FIXTURE_H
#define NATARIS_TESTS_UNIT_GRAMMAR_GRAMMAR_FIXTURE_H

#include "base/compiler.h"
#include "grammar/matcher.h"
#include "grammar/network.h"
#include "grammar/schema.h"
#include "support/gbnf_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { GRAMMAR_TEXTS_MAX = 16 };

/* Whether a text keeps to a grammar; the reader that devices have and the tests' own one must agree. */
UNUSED static bool grammar_allows(struct str grammar, struct str text) {
    struct err err;
    struct matcher *whole = matcher_new(grammar, NETWORK_STEPS_MAX, &err),
                   *bytewise = matcher_new(grammar, NETWORK_STEPS_MAX, &err);
    assert_non_null(whole);
    assert_non_null(bytewise);
    matcher_set_budget(whole, 1 << 20);
    matcher_set_budget(bytewise, 1 << 20);
    const bool expected = gbnf_matches(grammar, text);
    bool good = true;
    for (size_t i = 0; good && i < text.len; i++) {
        const struct str byte = {text.data + i, 1};
        good = matcher_allows(bytewise, byte);
        assert_int_equal(good, matcher_accept(bytewise, byte));
    }
    assert_int_equal(matcher_allows(whole, text), good);
    assert_int_equal(matcher_accept(whole, text), good);
    assert_false(matcher_is_spent(whole));
    if (expected != (good && matcher_may_end(whole)) || expected != (good && matcher_may_end(bytewise))) {
        fail_msg("the two readers of grammars disagree about %.*s\n%.*s", (int)text.len, text.data, (int)grammar.len,
                 grammar.data);
    }
    matcher_free(whole);
    matcher_free(bytewise);
    return expected;
}

struct schema_case {
    const char *schema;
    const char *good[GRAMMAR_TEXTS_MAX], *bad[GRAMMAR_TEXTS_MAX]; /* up to NULL */
};

/* The grammar of a schema; false with err. */
UNUSED static bool grammar_make(const char *schema, bool strict, struct gbnf *gbnf, struct err *err) {
    struct json_parser *parser = json_parser_new(1 << 20, 64);
    struct json_value root;
    struct buf body;
    *err = (struct err){0};
    if (!json_parse(parser, str_from(schema), &root, err)) {
        fail_msg("%s: %s", schema, err->message);
    }
    gbnf_init(gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    const struct schema_source source = {.schema = root, .field = "schema", .strict = strict};
    const bool good = schema_append(&source, gbnf, &body, err);
    if (good) {
        assert_true(gbnf_finish(gbnf, &body));
    }
    buf_clear(&body);
    json_parser_free(parser);
    return good;
}

UNUSED static void assert_schema(const struct schema_case *one, bool strict) {
    struct gbnf gbnf;
    struct err err;
    if (!grammar_make(one->schema, strict, &gbnf, &err)) {
        fail_msg("%s: %s", one->schema, err.message);
    }
    for (size_t i = 0; one->good[i] != NULL; i++) {
        if (!grammar_allows(buf_str(&gbnf.text), str_from(one->good[i]))) {
            fail_msg("%s\n  does not allow %s\n%s", one->schema, one->good[i], buf_cstr(&gbnf.text));
        }
    }
    for (size_t i = 0; one->bad[i] != NULL; i++) {
        if (grammar_allows(buf_str(&gbnf.text), str_from(one->bad[i]))) {
            fail_msg("%s\n  allows %s\n%s", one->schema, one->bad[i], buf_cstr(&gbnf.text));
        }
    }
    gbnf_clear(&gbnf);
}

/* Where a schema is refused, and with what code. */
UNUSED static void assert_schema_refused(const char *schema, bool strict, const char *field, enum err_code code) {
    struct gbnf gbnf;
    struct err err;
    if (grammar_make(schema, strict, &gbnf, &err)) {
        fail_msg("accepted: %s", schema);
    }
    if (strcmp(err.field, field) != 0 || err.code != code) {
        fail_msg("%s: %d %s, not %d %s (%s)", schema, (int)err.code, err.field, (int)code, field, err.message);
    }
    gbnf_clear(&gbnf);
}

#endif
