/* The operator's pages of accounts, keys and the audit log. */
#include "base/mem.h"
#include "store/admin.h"
#include "support/store_fixture.h"

struct page {
    int calls;
    enum err_code code;
    size_t count;
    bool more;
    char first[STORE_ID_MAX], last[STORE_ID_MAX];
    int64_t balance_nano, first_number;
};

static void keep(struct page *page, size_t count, bool more, const struct err *err) {
    page->calls++;
    page->count = count;
    page->more = more;
    page->code = err != NULL ? err->code : ERR_NONE;
}

static void on_accounts(void *context, const struct store_account *accounts, size_t count, bool more,
                        const struct err *err) {
    struct page *page = context;
    keep(page, count, more, err);
    if (count > 0) {
        str_copy(page->first, sizeof(page->first), str_from(accounts[0].id));
        str_copy(page->last, sizeof(page->last), str_from(accounts[count - 1].id));
        page->balance_nano = accounts[0].balance_nano;
    }
}

static void on_keys(void *context, const struct store_key *keys, size_t count, bool more, const struct err *err) {
    struct page *page = context;
    keep(page, count, more, err);
    if (count > 0) {
        str_copy(page->first, sizeof(page->first), str_from(keys[0].id));
        str_copy(page->last, sizeof(page->last), str_from(keys[count - 1].id));
    }
}

static void on_audit(void *context, const struct store_audit *lines, size_t count, bool more, const struct err *err) {
    struct page *page = context;
    keep(page, count, more, err);
    if (count > 0) {
        str_copy(page->first, sizeof(page->first), str_from(lines[0].subject));
        str_copy(page->last, sizeof(page->last), str_from(lines[count - 1].subject));
        page->first_number = lines[0].number;
    }
}

/* acct_0 to acct_4, each with two keys: acct_0's are key_0a and key_0b. */
static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = *state;
    for (int i = 0; i < 5; i++) {
        struct store_admin action = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                     .actor = "test",
                                     .key_count = 2,
                                     .amount_nano = 1000 + i,
                                     .now_ms = STORE_FIXTURE_NOW_MS};
        struct store_admin result;
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "acct_%d", i);
        action.account = store_fixture_account(id, i == 0);
        for (size_t k = 0; k < 2; k++) {
            char key[STORE_ID_MAX];
            snprintf(key, sizeof(key), "key_%d%c", i, k == 0 ? 'a' : 'b');
            action.keys[k] = store_fixture_key(key, id, STORE_KEY_LIVE);
            action.keys[k].cap_nano = -1;
        }
        if (!store_admin_now(fixture->store, &action, &result, &fixture->err)) {
            fail_msg("%s", fixture->err.message);
        }
    }
    store_fixture_start(fixture);
    return 0;
}

static struct page accounts(struct store_fixture *fixture, const char *id, const char *after, unsigned limit) {
    struct page page = {0};
    store_accounts_read(fixture->store, id, after, limit, on_accounts, &page);
    assert_int_equal(page.calls, 0);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(page.calls, 1);
    assert_int_equal(page.code, ERR_NONE);
    return page;
}

static void assert_page(struct page page, size_t count, bool more, const char *first, const char *last) {
    assert_int_equal(page.count, count);
    assert_int_equal(page.more, more);
    assert_string_equal(page.first, first);
    assert_string_equal(page.last, last);
}

static void test_accounts(void **state) {
    struct store_fixture *fixture = *state;
    assert_page(accounts(fixture, "", "", 100), 5, false, "acct_0", "acct_4");
    assert_page(accounts(fixture, "", "", 5), 5, false, "acct_0", "acct_4");
    assert_page(accounts(fixture, "", "", 2), 2, true, "acct_0", "acct_1");
    assert_page(accounts(fixture, "", "acct_1", 2), 2, true, "acct_2", "acct_3");
    assert_page(accounts(fixture, "", "acct_3", 2), 1, false, "acct_4", "acct_4");
    assert_page(accounts(fixture, "", "acct_4", 2), 0, false, "", "");
    assert_page(accounts(fixture, "", "acct_none", 2), 0, false, "", "");
    struct page one = accounts(fixture, "acct_3", "", 1);
    assert_page(one, 1, false, "acct_3", "acct_3");
    assert_int_equal(one.balance_nano, 1003);
    assert_page(accounts(fixture, "acct_none", "", 1), 0, false, "", "");
}

static struct page keys(struct store_fixture *fixture, const char *account_id, const char *after, unsigned limit) {
    struct page page = {0};
    store_keys_read(fixture->store, account_id, after, limit, on_keys, &page);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(page.calls, 1);
    assert_int_equal(page.code, ERR_NONE);
    return page;
}

static void test_keys(void **state) {
    struct store_fixture *fixture = *state;
    assert_page(keys(fixture, "acct_1", "", 100), 2, false, "key_1a", "key_1b");
    assert_page(keys(fixture, "acct_1", "", 1), 1, true, "key_1a", "key_1a");
    assert_page(keys(fixture, "acct_1", "key_1a", 1), 1, false, "key_1b", "key_1b");
    assert_page(keys(fixture, "acct_none", "", 100), 0, false, "", "");
}

static struct page audit(struct store_fixture *fixture, int64_t before, unsigned limit) {
    struct page page = {0};
    store_audit_read(fixture->store, before, limit, on_audit, &page);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(page.calls, 1);
    assert_int_equal(page.code, ERR_NONE);
    return page;
}

static void test_audit_is_newest_first(void **state) {
    struct store_fixture *fixture = *state;
    assert_page(audit(fixture, 0, 100), 5, false, "acct_4", "acct_0");
    struct page page = audit(fixture, 0, 2);
    assert_page(page, 2, true, "acct_4", "acct_3");
    assert_page(audit(fixture, page.first_number - 1, 2), 2, true, "acct_2", "acct_1");
    assert_page(audit(fixture, 1, 2), 0, false, "", "");
}

static void test_a_closed_store_answers(void **state) {
    struct store_fixture *fixture = *state;
    struct page page = {0};
    store_accounts_read(fixture->store, "", "", 10, on_accounts, &page);
    store_fixture_close(fixture);
    assert_int_equal(page.calls, 1);
    assert_true(page.code == ERR_NONE || page.code == ERR_CLOSED);
}

#define READS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        READS_TEST(test_accounts),
        READS_TEST(test_keys),
        READS_TEST(test_audit_is_newest_first),
        READS_TEST(test_a_closed_store_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
