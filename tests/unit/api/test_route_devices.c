/* An owner's devices over the API: own ones only. What is live of them is the gateway's part. */
#include "support/api_calls.h"

static const struct store_device devices[] = {
    {.id = "prov_1",
     .account_id = "acct_1",
     .name = "lap \"top\"",
     .region = "de",
     .created_ms = 1767225600123,
     .verified = true},
    {.id = "prov_2",
     .account_id = "acct_1",
     .name = "phone",
     .created_ms = 5000,
     .standing = STORE_STANDING_QUARANTINED,
     .standing_reason = "odd"},
    {.id = "prov_9", .account_id = "acct_9", .name = "theirs", .created_ms = 6000},
};

#define FIRST                                                                                                          \
    "{\"id\":\"prov_1\",\"object\":\"provider.device\",\"created\":1767225600,\"name\":\"lap \\\"top\\\"\","           \
    "\"region\":\"de\",\"verified\":true,\"standing\":\"serving\",\"standing_reason\":null,\"connected\":true}"
#define SECOND                                                                                                         \
    "{\"id\":\"prov_2\",\"object\":\"provider.device\",\"created\":5,\"name\":\"phone\",\"region\":null,"              \
    "\"verified\":false,\"standing\":\"quarantined\",\"standing_reason\":\"odd\",\"connected\":false}"

static int get(struct api_fixture *fixture, const char *path, const char **body) {
    char line[512];
    snprintf(line, sizeof(line), "GET %s", path);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, "", NULL);
    return api_fixture_answer(fixture, body);
}

static void set_devices(struct api_fixture *fixture, size_t count) {
    fixture->store.devices = devices;
    fixture->store.device_count = count;
}

static void test_list(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    set_devices(fixture, 2);
    fixture->store.more = true;
    assert_int_equal(get(fixture, "/v1/provider/devices", &body), 200);
    assert_string_equal(body, "{\"object\":\"list\",\"data\":[" FIRST "," SECOND "],\"has_more\":true}");
    assert_string_equal(fixture->store.account_id, "acct_1"); /* else the store gives everybody's */
    assert_int_equal(fixture->store.limit, 20);
    assert_int_equal(get(fixture, "/v1/provider/devices?limit=7&after=prov_2", &body), 200);
    assert_string_equal(fixture->store.account_id, "acct_1");
    assert_string_equal(fixture->store.after, "prov_2");
    assert_int_equal(fixture->store.limit, 7);
    assert_int_equal(get(fixture, "/v1/provider/devices?limit=0", &body), 400);
}

static void test_one(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    set_devices(fixture, 3);
    assert_int_equal(get(fixture, "/v1/provider/devices/prov_2", &body), 200);
    assert_string_equal(body, SECOND);
    assert_int_equal(get(fixture, "/v1/provider/devices/prov%5F1", &body), 200);
    assert_string_equal(body, FIRST);
}

static void test_foreign_is_missing(void **state) {
    static const char *const forms[] = {"/v1/provider/devices/", "/v1/provider/devices?after="};
    struct api_fixture *fixture = *state;
    char path[512], missing[4096];
    const char *body;
    set_devices(fixture, 3);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        snprintf(path, sizeof(path), "%s%s", forms[i], "prov_8");
        assert_int_equal(get(fixture, path, &body), 404);
        snprintf(missing, sizeof(missing), "%s", body);
        snprintf(path, sizeof(path), "%s%s", forms[i], "prov_9");
        assert_int_equal(get(fixture, path, &body), 404);
        assert_string_equal(body, missing);
        snprintf(path, sizeof(path), "%s%s", forms[i], "prov_%00");
        assert_int_equal(get(fixture, path, &body), 404);
        assert_string_equal(body, missing);
        snprintf(path, sizeof(path), "%s%s", forms[i],
                 "0123456789012345678901234567890123456789012345678901234567890123456789");
        assert_int_equal(get(fixture, path, &body), 404);
        assert_string_equal(body, missing);
    }
}

static void test_test_key_has_none(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    set_devices(fixture, 3);
    fixture->auth.kind = STORE_KEY_TEST;
    assert_int_equal(get(fixture, "/v1/provider/devices", &body), 200);
    assert_string_equal(body, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
    assert_int_equal(get(fixture, "/v1/provider/devices/prov_1", &body), 404);
    assert_int_equal(get(fixture, "/v1/provider/devices?after=prov_1", &body), 404);
    assert_int_equal(fixture->store.question_count, 0);
    assert_string_equal(fixture->store.account_id, "");
}

static void test_store_fails(void **state) {
    static const char *const paths[] = {"/v1/provider/devices", "/v1/provider/devices/prov_1",
                                        "/v1/provider/devices?after=prov_1"};
    struct api_fixture *fixture = *state;
    const char *body;
    set_devices(fixture, 3);
    err_set(&fixture->store.err, ERR_IO, "disk I/O error");
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(get(fixture, paths[i], &body), 500);
        assert_null(strstr(body, "disk"));
    }
}

/* Whoever says that it is not there: the answer names what was asked with. */
static void test_param_of_each_404(void **state) {
    static const struct {
        const char *path, *param;
    } cases[] = {{"/v1/provider/devices?after=prov_1", "\"param\":\"after\""},
                 {"/v1/provider/devices/prov_1", "\"param\":\"id\""}};
    struct api_fixture *fixture = *state;
    const char *body;
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const size_t at = i % COUNT_OF(cases);
        if (i == COUNT_OF(cases)) {
            err_set(&fixture->store.err, ERR_NOT_FOUND, "no such row");
        }
        assert_int_equal(get(fixture, cases[at].path, &body), 404);
        assert_non_null(strstr(body, "There is no device with this id."));
        assert_non_null(strstr(body, cases[at].param));
    }
}

static int erase(struct api_fixture *fixture, const char *path, const char **body) {
    char line[512];
    snprintf(line, sizeof(line), "DELETE %s", path);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, "", NULL);
    return api_fixture_answer(fixture, body);
}

static void test_removal(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(erase(fixture, "/v1/provider/devices/prov%5F1", &body), 200);
    assert_string_equal(body, "{\"id\":\"prov_1\",\"object\":\"provider.device\",\"deleted\":true}");
    assert_string_equal(fixture->removed_account, "acct_1"); /* else it would be anybody's */
    assert_string_equal(fixture->removed_device, "prov_1");
    (void)err_set(&fixture->remove_err, ERR_CONFLICT, "it was removed");
    assert_int_equal(erase(fixture, "/v1/provider/devices/prov_1", &body), 200); /* again */
    (void)err_set(&fixture->remove_err, ERR_NOT_FOUND, "there is none");
    assert_int_equal(erase(fixture, "/v1/provider/devices/prov_9", &body), 404);
    assert_non_null(strstr(body, "\"param\":\"id\""));
    (void)err_set(&fixture->remove_err, ERR_UNAVAILABLE, "busy");
    assert_int_equal(erase(fixture, "/v1/provider/devices/prov_1", &body), 503);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_list),
        TEST(test_one),
        TEST(test_foreign_is_missing),
        TEST(test_test_key_has_none),
        TEST(test_store_fails),
        TEST(test_param_of_each_404),
        TEST(test_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
