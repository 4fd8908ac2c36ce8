#include "gateway/audit_book.h"

#include "base/file.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state) {
    (void)state;
    log_set_level(LOG_ERROR);
    (void)str_copy(path, sizeof(path), STR("/tmp/nataris-audit-XXXXXX"));
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static struct audit_key key_of(const char *device, uint8_t file) {
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct audit_key key;
    memset(sha256, file, sizeof(sha256));
    audit_key_init(&key, device, sha256);
    return key;
}

static struct audit_evidence evidence_of(double far) {
    return (struct audit_evidence){.at_ms = 1796000000123,
                                   .generation_id = "chatcmpl-1",
                                   .canary = true,
                                   .near = 1,
                                   .far = far > 0 ? 5 : 0,
                                   .found = {.tokens = 40, .ratios = {-0.5, -1.25, -2, far}}};
}

static void open_book(struct audit_book *book) {
    struct err err = {0};
    if (!audit_book_open(book, path, 50, &err)) {
        fail_msg("%s", err.message);
    }
}

static void what_was_found_outlives_a_crash(void **state) {
    (void)state;
    struct audit_book book;
    const struct audit_key bad = key_of("prov_bad", 1), good = key_of("prov_good", 1), other = key_of("prov_bad", 2);
    const struct audit_evidence lie = evidence_of(50), honest = evidence_of(-1);
    open_book(&book);
    assert_int_equal(audit_book_add(&book, &bad, "a-model", &lie), CORE_AUDIT_ALERTED);
    assert_int_equal(audit_book_add(&book, &bad, "a-model", &lie), CORE_AUDIT_FAILED);
    assert_int_equal(audit_book_add(&book, &good, "a-model", &honest), CORE_AUDIT_PASSED);
    assert_int_equal(audit_book_add(&book, &other, "b-model", &honest), CORE_AUDIT_PASSED);
    /* the process dies here, in the middle of a line */
    FILE *torn = fopen(path, "ae");
    assert_non_null(torn);
    assert_true(fputs("{\"at_ms\":1796000000123,\"device_id\":\"prov_bad\",\"mod", torn) > 0);
    assert_int_equal(fclose(torn), 0);
    for (int i = 0; i < 3; i++) {
        struct audit_book again;
        open_book(&again);
        const struct audit_entry *entry = audit_book_find(&again, &bad);
        assert_non_null(entry);
        assert_true(entry->audit.failed);
        assert_int_equal(entry->audit.audits, 2);
        assert_true(entry->audit.sums[3] == 16.0);
        assert_string_equal(entry->model, "a-model");
        assert_int_equal(entry->kept_count, 2);
        assert_int_equal(entry->kept[1].verdict, CORE_AUDIT_FAILED);
        assert_true(entry->kept[1].at_ms == 1796000000123);
        assert_true(entry->kept[1].canary);
        assert_true(entry->kept[1].found.ratios[1] == -1.25);
        assert_int_equal(audit_book_find(&again, &good)->audit.passed, 1);
        audit_book_close(&again);
    }
    audit_book_close(&book);
}

static void a_dismissal_is_kept_too(void **state) {
    (void)state;
    struct audit_book book;
    const struct audit_key bad = key_of("prov_bad", 1);
    const struct audit_evidence lie = evidence_of(50);
    open_book(&book);
    (void)audit_book_add(&book, &bad, "a-model", &lie);
    (void)audit_book_add(&book, &bad, "a-model", &lie);
    audit_book_dismiss(&book, "prov_bad");
    audit_book_dismiss(&book, "prov_nobody");
    audit_book_close(&book);
    for (int i = 0; i < 2; i++) {
        open_book(&book);
        assert_false(audit_book_find(&book, &bad)->audit.failed);
        assert_true(audit_book_find(&book, &bad)->audit.sums[3] == 0.0);
        assert_int_equal(audit_book_find(&book, &bad)->audit.audits, 2);
        audit_book_close(&book);
    }
}

static void only_the_last_audits_are_shown(void **state) {
    (void)state;
    struct audit_book book;
    struct json_writer writer;
    struct buf text;
    const struct audit_key key = key_of("prov_good", 1);
    open_book(&book);
    for (int i = 0; i < AUDIT_KEPT + 5; i++) {
        const struct audit_evidence honest = evidence_of(-1);
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    audit_book_close(&book);
    open_book(&book);
    assert_true(audit_book_find(&book, &key)->kept_count >= AUDIT_KEPT);
    assert_int_equal(audit_book_find(&book, &key)->audit.audits, AUDIT_KEPT + 5);
    buf_init(&text, 64 * 1024);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    audit_book_write(&book, "prov_good", &writer);
    json_end_object(&writer);
    const char *at = buf_cstr(&text);
    size_t count = 0;
    while ((at = strstr(at, "\"verdict\":\"passed\"")) != NULL) {
        count++;
        at++;
    }
    assert_int_equal(count, AUDIT_KEPT);
    assert_non_null(strstr(buf_cstr(&text), "\"job_id\":\"chatcmpl-1\""));
    buf_reset(&text);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    audit_book_write(&book, "prov_nobody", &writer);
    json_end_object(&writer);
    assert_string_equal(buf_cstr(&text), "{\"audits\":[]}");
    buf_clear(&text);
    audit_book_close(&book);
}

static void lines_that_are_none_are_left_out(void **state) {
    (void)state;
    static const char TEXT[] = "\n{}\nnonsense\n{\"device_id\":\"a\",\"model\":\"b\",\"sha256\":\"zz\"}\n"
                               "{\"device_id\":5,\"sums\":{\"flatter\":\"x\"}}\n";
    struct audit_book book;
    assert_true(file_write_atomic(path, STR(TEXT), 0600, NULL));
    open_book(&book);
    assert_null(book.entries);
    audit_book_close(&book);
}

static void chance_decides_as_the_core_says(void **state) {
    (void)state;
    struct audit_book book = {.permille = 50};
    const struct audit_key key = key_of("prov_good", 1);
    const struct audit_evidence honest = evidence_of(-1);
    assert_true(audit_book_wants(&book, &key, 999999)); /* new: each */
    for (int i = 0; i < 40; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_true(audit_book_wants(&book, &key, 49999));
    assert_false(audit_book_wants(&book, &key, 50000));
    book.permille = 0;
    assert_false(audit_book_wants(&book, &key, 0));
    audit_book_close(&book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_found_outlives_a_crash, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_dismissal_is_kept_too, make_path, remove_path),
        cmocka_unit_test_setup_teardown(only_the_last_audits_are_shown, make_path, remove_path),
        cmocka_unit_test_setup_teardown(lines_that_are_none_are_left_out, make_path, remove_path),
        cmocka_unit_test(chance_decides_as_the_core_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
