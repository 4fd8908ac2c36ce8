/* /v1/conversations: create, list, one with its messages, delete. On a real store. */
#include "conversation/conversation.h"
#include "support/api_real.h"

#define CONVERSATIONS "/v1/conversations"

static int ask(struct api_fixture *fixture, const char *method, const char *rest, const char *body,
               const char **answer) {
    char line[512];
    snprintf(line, sizeof(line), "%s " CONVERSATIONS "%s", method, rest);
    return api_real_ask(fixture, line, body, answer);
}

static void create(struct api_fixture *fixture, const char *body, char id[STORE_ID_MAX]) {
    const char *answer;
    assert_int_equal(ask(fixture, "POST", "", body, &answer), 200);
    (void)str_copy(id, STORE_ID_MAX, str_from(api_real_member(answer, "id")));
}

static void on_durable(void *context, const struct err *err) {
    assert_null(err);
    *(bool *)context = true;
}

/* As many exchanges of two messages. */
static void talk(struct api_fixture *fixture, const char *id, int64_t from, int exchanges) {
    for (int i = 0; i < exchanges; i++, from += 2) {
        const struct store_message messages[] = {
            {.position = from, .role = STORE_ROLE_USER, .tokens = 3, .created_ms = 1000, .content = STR("question")},
            {.position = from + 1,
             .role = STORE_ROLE_ASSISTANT,
             .tokens = 4,
             .created_ms = 2000,
             .content = STR("answer")}};
        struct store_turn turn = {.kind = STORE_TURN_EXCHANGE,
                                  .now_ms = 3000,
                                  .from = from,
                                  .messages = messages,
                                  .message_count = COUNT_OF(messages),
                                  .prompt_tokens = 10,
                                  .completion_tokens = 5,
                                  .text = STR("")};
        bool durable = false;
        (void)str_copy(turn.conversation_id, sizeof(turn.conversation_id), str_from(id));
        (void)str_copy(turn.account_id, sizeof(turn.account_id), STR("acct_1"));
        store_turn_keep(fixture->files->store, &turn, on_durable, &durable);
        while (!durable) {
            api_fixture_turn(fixture);
        }
    }
}

/* --- POST --- */

static void test_create(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer;
    assert_int_equal(ask(fixture, "POST", "", NULL, &answer), 200); /* nothing of it must be given */
    assert_memory_equal(api_real_member(answer, "id"), "conv_", 5);
    assert_true(id_has_form(str_from(api_real_member(answer, "id")), STR("conv_")));
    assert_non_null(strstr(answer,
                           "\"object\":\"conversation\",\"title\":null,\"titled_by\":null,\"model_id\":null,"
                           "\"message_count\":0,\"auto_title\":true,\"auto_summary\":true,\"usage\":{"
                           "\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0},\"created_at\":\"2"));
    assert_int_equal(ask(fixture, "POST", "",
                         "{\"model_id\":\"nataris-fast\",\"title\":\"Mine\",\"system\":\"Be brief.\",\"auto_title\":"
                         "false,\"auto_summary\":false,\"metadata\":{\"a\":1},\"unknown\":2}",
                         &answer),
                     200);
    assert_non_null(strstr(answer, "\"title\":\"Mine\",\"titled_by\":\"client\","
                                   "\"model_id\":\"qwen2.5-0.5b-instruct-q6_k\",\"message_count\":0,"
                                   "\"auto_title\":false,\"auto_summary\":false"));
    assert_null(strstr(answer, "Be brief"));
}

static void test_bad_bodies(void **state) {
    static char title[STORE_TITLE_MAX + 64], system[CONVERSATION_SYSTEM_BYTES + 64];
    const struct {
        const char *body;
        int status;
        const char *param;
    } cases[] = {
        {"{", 400, "null"},
        {"[]", 400, "null"},
        {"\"text\"", 400, "null"},
        {"{\"title\":1}", 400, "\"title\""},
        {"{\"title\":\"a\\u0000b\"}", 400, "\"title\""},
        {title, 400, "\"title\""},
        {system, 400, "\"system\""},
        {"{\"system\":{}}", 400, "\"system\""},
        {"{\"auto_title\":\"yes\"}", 400, "\"auto_title\""},
        {"{\"auto_summary\":1}", 400, "\"auto_summary\""},
        {"{\"metadata\":\"x\"}", 400, "\"metadata\""},
        {"{\"model_id\":\"never\"}", 404, "\"model_id\""},
    };
    struct api_fixture *fixture = *state;
    const char *answer;
    char param[64];
    snprintf(title, sizeof(title), "{\"title\":\"%0*d\"}", STORE_TITLE_MAX, 0);
    snprintf(system, sizeof(system), "{\"system\":\"%0*d\"}", CONVERSATION_SYSTEM_BYTES + 1, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(ask(fixture, "POST", "", cases[i].body, &answer), cases[i].status);
        snprintf(param, sizeof(param), "\"param\":%s}", cases[i].param);
        assert_non_null(strstr(answer, param));
    }
    /* As long as they may be. */
    snprintf(title, sizeof(title), "{\"title\":\"%0*d\"}", STORE_TITLE_MAX - 1, 0);
    assert_int_equal(ask(fixture, "POST", "", title, &answer), 200);
    snprintf(system, sizeof(system), "{\"system\":\"%0*d\"}", CONVERSATION_SYSTEM_BYTES, 0);
    assert_int_equal(ask(fixture, "POST", "", system, &answer), 200);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST " CONVERSATIONS, "Content-Encoding: gzip\r\n", "{}");
    assert_int_equal(api_fixture_answer(fixture, &answer), 415);
    assert_int_equal(ask(fixture, "GET", "", NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"has_more\":false")); /* two, and none of those that were refused */
}

/* --- GET --- */

static void test_list(void **state) {
    struct api_fixture *fixture = *state;
    char ids[3][STORE_ID_MAX], rest[128];
    const char *answer;
    assert_int_equal(ask(fixture, "GET", "", NULL, &answer), 200);
    assert_string_equal(answer, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        create(fixture, "{\"system\":\"told to nobody\"}", ids[i]);
    }
    assert_int_equal(ask(fixture, "GET", "?limit=2", NULL, &answer), 200); /* the newest first */
    assert_non_null(strstr(answer, ids[2]));
    assert_non_null(strstr(answer, ids[1]));
    assert_true(strstr(answer, ids[2]) < strstr(answer, ids[1]));
    assert_null(strstr(answer, ids[0]));
    assert_null(strstr(answer, "told to nobody"));
    assert_non_null(strstr(answer, "\"has_more\":true"));
    snprintf(rest, sizeof(rest), "?after=%s", ids[1]);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 200);
    assert_non_null(strstr(answer, ids[0]));
    assert_null(strstr(answer, ids[1]));
    assert_non_null(strstr(answer, "\"has_more\":false"));
}

static void test_list_bounds(void **state) {
    static const struct {
        const char *rest;
        int status;
        const char *param;
    } cases[] = {{"?limit=0", 400, "limit"},          {"?limit=101", 400, "limit"},     {"?limit=", 400, "limit"},
                 {"?limit=-1", 400, "limit"},         {"?limit=2x", 400, "limit"},      {"?after=", 404, "after"},
                 {"?after=conv_never", 404, "after"}, {"?after=%00", 404, "after"},     {"?after=%", 404, "after"},
                 {"?limit=100", 200, NULL},           {"?limit=1&unknown=1", 200, NULL}};
    struct api_fixture *fixture = *state;
    const char *answer;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char param[64];
        assert_int_equal(ask(fixture, "GET", cases[i].rest, NULL, &answer), cases[i].status);
        snprintf(param, sizeof(param), "\"param\":\"%s\"", cases[i].param != NULL ? cases[i].param : "");
        assert_true(cases[i].param == NULL || strstr(answer, param) != NULL);
        assert_true(cases[i].status != 404 || strstr(answer, "There is no conversation with this id.") != NULL);
    }
}

static void test_one(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], rest[128];
    const char *answer;
    create(fixture, "{\"system\":\"Be brief.\",\"title\":\"Mine\"}", id);
    snprintf(rest, sizeof(rest), "/%s", id);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"system\":\"Be brief.\",\"summary\":null,\"summary_message_count\":0,"
                                   "\"messages\":[],\"has_more\":false}"));
    talk(fixture, id, 0, 2);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"message_count\":4"));
    assert_non_null(strstr(answer, "\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":10,\"total_tokens\":30}"));
    assert_non_null(strstr(answer, "\"messages\":[{\"position\":0,\"role\":\"user\",\"content\":\"question\","
                                   "\"tokens\":3,\"created_at\":\"1970-01-01T00:00:01.000Z\"},{\"position\":1,\"role\":"
                                   "\"assistant\",\"content\":\"answer\",\"tokens\":4,"));
    /* In any spelling of its path. */
    snprintf(rest, sizeof(rest), "/%%63%s", id + 1);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 200);
    assert_string_equal(api_real_member(answer, "id"), id);
}

static void test_pages_of_messages(void **state) {
    static const struct {
        const char *query;
        int status;
        const char *first, *last, *param; /* positions; `first` NULL: no message */
        bool more;
    } cases[] = {
        {"", 200, "0", "5", NULL, false},
        {"?limit=2", 200, "4", "5", NULL, true},
        {"?limit=2&before=4", 200, "2", "3", NULL, true},
        {"?limit=2&before=2", 200, "0", "1", NULL, false},
        {"?before=1", 200, "0", "0", NULL, false},
        {"?before=2147483647", 200, "0", "5", NULL, false},
        {"?limit=0", 400, NULL, NULL, "limit", false},
        {"?limit=x", 400, NULL, NULL, "limit", false},
        {"?before=0", 400, NULL, NULL, "before", false},
        {"?before=2147483648", 400, NULL, NULL, "before", false},
        {"?before=", 400, NULL, NULL, "before", false},
        {"?before=-1", 400, NULL, NULL, "before", false},
    };
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], rest[128], words[64];
    const char *answer;
    create(fixture, NULL, id);
    talk(fixture, id, 0, 3);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(rest, sizeof(rest), "/%s%s", id, cases[i].query);
        assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), cases[i].status);
        if (cases[i].param != NULL) {
            snprintf(words, sizeof(words), "\"param\":\"%s\"", cases[i].param);
            assert_non_null(strstr(answer, words));
            continue;
        }
        snprintf(words, sizeof(words), "\"messages\":[{\"position\":%s,", cases[i].first);
        assert_non_null(strstr(answer, words));
        const char *last = NULL;
        for (const char *at = answer; (at = strstr(at, "\"position\":")) != NULL; at++) {
            last = at;
        }
        snprintf(words, sizeof(words), "\"position\":%s,", cases[i].last);
        assert_memory_equal(last, words, strlen(words));
        assert_int_equal(strstr(answer, "\"has_more\":true}") != NULL, cases[i].more);
    }
    snprintf(rest, sizeof(rest), "/%s?limit=%d", id, STORE_PAGE_MAX + 1);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 400);
}

/* --- Foreign, gone, malformed --- */

static void test_missing(void **state) {
    struct api_fixture *fixture = *state;
    char theirs[STORE_ID_MAX], gone[STORE_ID_MAX], rest[256], missing[1024] = "";
    const char *answer;
    create(fixture, NULL, theirs);
    fixture->auth.account = "acct_2";
    create(fixture, NULL, gone);
    snprintf(rest, sizeof(rest), "/%s", gone);
    assert_int_equal(ask(fixture, "DELETE", rest, NULL, &answer), 200);
    const char *const ids[] = {
        theirs, gone,      "conv_never", "%00",
        "%zz",  "conv_%2", "x",          "0123456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        static const char *const methods[] = {"GET", "DELETE"};
        for (size_t j = 0; j < COUNT_OF(methods); j++) {
            snprintf(rest, sizeof(rest), "/%s", ids[i]);
            assert_int_equal(ask(fixture, methods[j], rest, NULL, &answer), 404);
            if (missing[0] == '\0') {
                snprintf(missing, sizeof(missing), "%s", answer);
                assert_non_null(strstr(answer, "There is no conversation with this id."));
                assert_non_null(strstr(answer, "\"param\":\"id\""));
            }
            assert_string_equal(answer, missing); /* nobody learns which of them it is */
        }
    }
    assert_int_equal(ask(fixture, "GET", "", NULL, &answer), 200);
    assert_null(strstr(answer, theirs));
    snprintf(rest, sizeof(rest), "?after=%s", theirs);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 404);
}

/* What was made with a test key is seen with test keys only, and the other way round. */
static void test_the_sandbox_is_apart(void **state) {
    struct api_fixture *fixture = *state;
    char live[STORE_ID_MAX], test[STORE_ID_MAX], rest[128];
    const char *answer;
    create(fixture, NULL, live);
    fixture->auth.kind = STORE_KEY_TEST;
    create(fixture, NULL, test);
    assert_int_equal(ask(fixture, "GET", "", NULL, &answer), 200);
    assert_non_null(strstr(answer, test));
    assert_null(strstr(answer, live));
    snprintf(rest, sizeof(rest), "/%s", live);
    assert_int_equal(ask(fixture, "DELETE", rest, NULL, &answer), 404);
    fixture->auth.kind = STORE_KEY_LIVE;
    snprintf(rest, sizeof(rest), "/%s", test);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 404);
}

static void test_delete(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], rest[128], expected[128];
    const char *answer;
    create(fixture, NULL, id);
    talk(fixture, id, 0, 1);
    snprintf(rest, sizeof(rest), "/%%63%s", id + 1); /* in any spelling of its path */
    assert_int_equal(ask(fixture, "DELETE", rest, NULL, &answer), 200);
    snprintf(expected, sizeof(expected), "{\"id\":\"%s\",\"object\":\"conversation.deleted\",\"deleted\":true}", id);
    assert_string_equal(answer, expected);
    assert_int_equal(ask(fixture, "DELETE", rest, NULL, &answer), 404);
    assert_int_equal(ask(fixture, "GET", rest, NULL, &answer), 404);
}

static void test_a_client_that_goes(void **state) {
    static const char *const lines[] = {"POST " CONVERSATIONS, "GET " CONVERSATIONS, "GET " CONVERSATIONS "/conv_1",
                                        "DELETE " CONVERSATIONS "/conv_1"};
    struct api_fixture *fixture = *state;
    const char *answer;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        api_fixture_request(fixture, lines[i], "", i == 0 ? "{}" : NULL);
        api_fixture_disconnect(fixture);
        api_fixture_connect(fixture);
    }
    assert_int_equal(ask(fixture, "GET", "", NULL, &answer), 200);
    assert_int_equal(calls_count(fixture->calls), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_create), TEST(test_bad_bodies),         TEST(test_list),    TEST(test_list_bounds),
        TEST(test_one),    TEST(test_pages_of_messages),  TEST(test_missing), TEST(test_the_sandbox_is_apart),
        TEST(test_delete), TEST(test_a_client_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
