/* logit_bias as clients send it: what is taken, and what is refused. */
#include "format/sampling.h"

#include "base/buf.h"
#include "base/compiler.h"
#include "wire/limits.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct json_parser *parser;
static struct arena arena;
static struct gen_request request;
static struct err err;

static bool read_bias(struct str text) {
    struct json_value value;
    arena_clear(&arena);
    gen_request_init(&request);
    err = (struct err){0};
    assert_true(json_parse(parser, text, &value, &err));
    return sampling_read_biases(value, &arena, &request, &err);
}

static void numbers_and_biases(void **state) {
    (void)state;
    assert_true(read_bias(STR("{\"0\":-100,\"50256\":100,\"7\":0.5,\"2147483647\":1e-3}")));
    assert_int_equal(request.bias_count, 4);
    assert_int_equal(request.biases[0].token, 0);
    assert_true(request.biases[0].bias == -100 && request.biases[1].bias == 100 && request.biases[2].bias == 0.5);
    assert_int_equal(request.biases[3].token, INT32_MAX);
}

/* A request without any goes to devices that know of none. */
static void nothing_asked_for(void **state) {
    static const char *const texts[] = {"null", "{}", "{\"5\":0}", "{\"5\":0.0,\"6\":-0.0}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_true(read_bias(str_from(texts[i])));
        assert_int_equal(request.bias_count, 0);
    }
    assert_true(read_bias(STR("{\"5\":0,\"6\":1}")));
    assert_int_equal(request.bias_count, 1);
    assert_int_equal(request.biases[0].token, 6);
}

static void what_is_none(void **state) {
    static const char *const texts[] = {
        "[]",
        "5",
        "\"5\"",
        "true",
        "{\"\":1}",
        "{\"a\":1}",
        "{\"-1\":1}",
        "{\"+1\":1}",
        "{\"01\":1}",
        "{\"1.0\":1}",
        "{\" 1\":1}",
        "{\"1e3\":1}",
        "{\"5\":101}",
        "{\"5\":-100.1}",
        "{\"5\":true}",
        "{\"5\":[1]}",
        "{\"5\":\"1\"}",
        "{\"5\":null}",
        "{\"0x5\":1}",
        "{\"5\":1e300}",
        "{\"5\\u0000\":1}",
        "{\"2147483648\":1}",
        "{\"99999999999999999999\":1}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (read_bias(str_from(texts[i]))) {
            fail_msg("%s", texts[i]);
        }
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "logit_bias");
    }
}

static void as_many_as_there_may_be(void **state) {
    struct buf text;
    (void)state;
    for (int count = LIMIT_LOGIT_BIASES; count <= LIMIT_LOGIT_BIASES + 1; count++) {
        buf_init(&text, 1 << 16);
        for (int i = 0; i < count; i++) {
            buf_append_format(&text, "%c\"%d\":1", i == 0 ? '{' : ',', i);
        }
        buf_append_cstr(&text, "}");
        assert_int_equal(read_bias(buf_str(&text)), count == LIMIT_LOGIT_BIASES);
        buf_clear(&text);
    }
    assert_non_null(strstr(err.message, "at most 300 tokens"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_and_biases), cmocka_unit_test(nothing_asked_for),
                                       cmocka_unit_test(what_is_none), cmocka_unit_test(as_many_as_there_may_be)};
    parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&arena, 1 << 20);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_parser_free(parser);
    arena_clear(&arena);
    return failed;
}
