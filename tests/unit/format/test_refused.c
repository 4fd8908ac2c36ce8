/* Fields of other servers: which are refused by name, in which spellings, and with which values they pass. */
#include "format/refused.h"

#include "base/buf.h"
#include "base/file.h"
#include "support/request_reader.h"

static bool read_member(struct request_reader *reader, struct str name, const char *value) {
    char members[256];
    snprintf(members, sizeof(members), "\"%.*s\":%s", STR_ARG(name), value);
    return reader_read_members(reader, members);
}

static void assert_read(struct request_reader *reader, struct str name, const char *value) {
    if (!read_member(reader, name, value)) {
        fail_msg("%.*s: %s: %s", STR_ARG(name), value, reader->err.message);
    }
    assert_int_equal(reader->input.ignored.len, 0);
}

static void assert_refused_by_name(struct request_reader *reader, struct str name, const char *value) {
    if (read_member(reader, name, value)) {
        fail_msg("accepted: %.*s: %s", STR_ARG(name), value);
    }
    assert_int_equal(reader->err.code, ERR_UNSUPPORTED);
    assert_true(str_equal_cstr(name, reader->err.field));
    assert_non_null(strstr(reader->err.message, "is not supported yet."));
}

/* A value that asks for something, whatever the field. */
static void test_each_is_refused_by_name(void **state) {
    for (size_t i = 0; i < REFUSED_FIELD_COUNT; i++) {
        assert_refused_by_name(*state, REFUSED_FIELDS[i].name, "12.5");
        assert_refused_by_name(*state, REFUSED_FIELDS[i].name, "\"something\"");
        assert_refused_by_name(*state, REFUSED_FIELDS[i].name, "{\"a\":[1]}");
        assert_refused_by_name(*state, REFUSED_FIELDS[i].name, "[{}]");
        assert_read(*state, REFUSED_FIELDS[i].name, "null");
    }
}

static void test_values_that_ask_for_nothing(void **state) {
    for (size_t i = 0; i < REFUSED_FIELD_COUNT; i++) {
        const struct refused_field *field = &REFUSED_FIELDS[i];
        char number[32];
        snprintf(number, sizeof(number), "%g", field->neutral);
        switch (field->nothing) {
        case REFUSED_BUT_NUMBER:
            assert_read(*state, field->name, number);
            assert_read(*state, field->name, "false");
            break;
        case REFUSED_BUT_TRUE:
            assert_read(*state, field->name, "true");
            assert_refused_by_name(*state, field->name, "false");
            break;
        case REFUSED_BUT_OFF:
            assert_read(*state, field->name, "0");
            assert_read(*state, field->name, "\"None\"");
            assert_read(*state, field->name, "{\"type\":\"disabled\",\"budget\":0,\"on\":false}");
            assert_refused_by_name(*state, field->name, "{\"type\":\"disabled\",\"budget\":1024}");
            assert_refused_by_name(*state, field->name, "\"low\"");
            break;
        case REFUSED_BUT_WORD:
            assert_refused_by_name(*state, field->name, "\"high\"");
            break;
        case REFUSED_ALWAYS:
            assert_refused_by_name(*state, field->name, "{}");
            assert_refused_by_name(*state, field->name, "-1");
            break;
        case REFUSED_BUT_EMPTY:
            assert_read(*state, field->name, "[]");
            assert_read(*state, field->name, "{}");
            assert_read(*state, field->name, "\"\"");
            assert_read(*state, field->name, "false");
            assert_refused_by_name(*state, field->name, "true");
            break;
        }
    }
    assert_read(*state, STR("verbosity"), "\"Medium\"");
    assert_read(*state, STR("response_mime_type"), "\"text/plain\"");
    assert_read(*state, STR("top_n_sigma"), "-1");
    assert_read(*state, STR("top_n_sigma"), "0");
}

static void test_other_spellings(void **state) {
    static const char *const same[][2] = {
        {"guidedJson", "1"},
        {"TYPICAL_P", "0.5"},
        {"min-tokens", "3"},
        {"logitBias", "{\"1\":2}"},
        {"maxTokens", "5"},
        {"max-tokens", "5"},
        {"topP", "0.5"},
        {"top_P", "0.5"},
        {"repetitionPenalty", "2"},
        {"responseFormat", "{}"},
        {"privacy_level", "\"verified\""},
        {"conversationId", "\"c\""},
        {"Stop", "\"x\""},
        {"toolChoice", "\"auto\""},
    };
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        assert_refused_by_name(*state, str_from(same[i][0]), same[i][1]);
        assert_read(*state, str_from(same[i][0]), "null");
    }
    struct request_reader *reader = *state;
    assert_false(read_member(reader, STR("maxTokens"), "5"));
    assert_non_null(strstr(reader->err.message, "Use max_tokens."));
    assert_true(refused_same_name(STR("__a-B_"), STR("ab")));
    assert_false(refused_same_name(STR("ab"), STR("abc")));
    assert_false(refused_same_name(STR("a.b"), STR("ab")));
}

/* docs/FIELDS.md names each. */
static void test_each_is_documented(void **state) {
    struct buf text;
    struct err err;
    (void)state;
    buf_init(&text, 1 << 20);
    assert_true(file_read(NATARIS_SOURCE_DIR "/docs/FIELDS.md", &text, &err));
    for (size_t i = 0; i < REFUSED_FIELD_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof(name), "`%.*s`", STR_ARG(REFUSED_FIELDS[i].name));
        if (strstr(buf_cstr(&text), name) == NULL) {
            fail_msg("docs/FIELDS.md does not have %s", name);
        }
    }
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_refused_by_name),
        cmocka_unit_test(test_values_that_ask_for_nothing),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_each_is_documented),
    };
    return cmocka_run_group_tests(tests, reader_setup, reader_teardown);
}
