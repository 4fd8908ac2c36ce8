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
#include <sys/stat.h>
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

static size_t failed_of(const struct audit_book *book, const struct audit_key *key) {
    const struct audit_entry *entry = audit_book_find(book, key);
    size_t count = 0;
    assert_true(entry->kept_count <= AUDIT_KEPT);
    for (size_t i = 0; i < entry->kept_count; i++) {
        count += entry->kept[i].verdict == CORE_AUDIT_FAILED;
    }
    return count;
}

/* A device that passes again for long has its operator find what it was quarantined for all the same. */
static void what_led_to_a_finding_stays_until_it_is_decided(void **state) {
    (void)state;
    struct audit_book book;
    const struct audit_key key = key_of("prov_bad", 1);
    const struct audit_evidence lie = evidence_of(50), honest = evidence_of(-1);
    open_book(&book);
    for (int i = 0; i < 20; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    while (audit_book_add(&book, &key, "a-model", &lie) != CORE_AUDIT_FAILED) {
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) {
            (void)audit_book_add(&book, &key, "a-model", &honest);
        }
        assert_int_equal(failed_of(&book, &key), 1);
        assert_int_equal(audit_book_find(&book, &key)->kept_count, AUDIT_KEPT);
        audit_book_close(&book);
        open_book(&book);
        assert_int_equal(failed_of(&book, &key), 1);
    }
    audit_book_dismiss(&book, "prov_bad");
    audit_book_close(&book);
    open_book(&book); /* that it was decided is known then, too */
    for (int i = 0; i < AUDIT_KEPT; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_int_equal(failed_of(&book, &key), 0);
    audit_book_close(&book);
}

static const char *finding_of(const struct audit_book *book, const char *device, struct buf *text) {
    struct json_writer writer;
    buf_reset(text);
    json_writer_init(&writer, text);
    json_begin_object(&writer);
    audit_book_write_finding(book, device, &writer);
    json_end_object(&writer);
    return buf_cstr(text);
}

/* A line of the review list has the file that looks worst, and the audit that led to it, whatever came later. */
static void a_finding_is_told_with_its_ratios(void **state) {
    (void)state;
    struct audit_book book;
    struct buf text;
    const struct audit_key bad = key_of("prov_bad", 1), good = key_of("prov_bad", 2);
    const struct audit_evidence lie = evidence_of(50), honest = evidence_of(-1);
    open_book(&book);
    buf_init(&text, 1 << 16);
    assert_string_equal(finding_of(&book, "prov_bad", &text), "{\"audit\":null}");
    (void)audit_book_add(&book, &good, "b-model", &honest);
    assert_non_null(strstr(finding_of(&book, "prov_bad", &text), "\"model\":\"b-model\""));
    while (audit_book_add(&book, &bad, "a-model", &lie) != CORE_AUDIT_FAILED) {
    }
    for (int i = 0; i < 12; i++) {
        (void)audit_book_add(&book, &bad, "a-model", &honest);
        (void)audit_book_add(&book, &good, "b-model", &honest);
    }
    assert_non_null(strstr(finding_of(&book, "prov_bad", &text), "\"model\":\"a-model\""));
    assert_non_null(strstr(buf_cstr(&text), "\"sums\":{\"flatter\":"));
    assert_non_null(strstr(buf_cstr(&text), "\"far_tokens\":5"));
    assert_non_null(strstr(buf_cstr(&text), "\"far\":50"));
    assert_non_null(strstr(buf_cstr(&text), "\"verdict\":\"failed\""));
    buf_clear(&text);
    audit_book_close(&book);
}

static size_t journal_size(void) {
    struct buf text;
    struct err err;
    buf_init(&text, SIZE_MAX);
    assert_true(file_read(path, &text, &err));
    const size_t size = text.len;
    buf_clear(&text);
    return size;
}

/* While the disk is nearly full nothing is written; then the journal has all of it. */
static void a_pause_writes_nothing_and_loses_nothing(void **state) {
    (void)state;
    struct audit_book book;
    const struct audit_key key = key_of("prov_good", 1);
    const struct audit_evidence honest = evidence_of(-1);
    open_book(&book);
    (void)audit_book_add(&book, &key, "a-model", &honest);
    const size_t before = journal_size();
    audit_book_pause(&book, true);
    for (int i = 0; i < 5; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_int_equal(journal_size(), before);
    assert_int_equal(book.skipped, 5);
    assert_true(book.behind);
    audit_book_pause(&book, false);
    assert_false(book.behind);
    assert_true(journal_size() > before);
    (void)audit_book_add(&book, &key, "a-model", &honest);
    assert_int_equal(book.skipped, 5);
    struct audit_book again;
    open_book(&again);
    assert_int_equal(audit_book_find(&again, &key)->audit.audits, 7);
    assert_int_equal(audit_book_find(&again, &key)->kept_count, 7);
    audit_book_close(&again);
    audit_book_close(&book);
}

/* A folder that lets nothing be made anew: the book goes on in memory, and says so. */
static void a_journal_that_cannot_be_written_is_made_anew_later(void **state) {
    (void)state;
    struct audit_book book;
    char fresh[128];
    const struct audit_key key = key_of("prov_good", 1);
    const struct audit_evidence honest = evidence_of(-1);
    log_set_level(LOG_ERROR + 1);
    open_book(&book);
    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    assert_int_equal(mkdir(fresh, 0700), 0); /* nothing can be written there */
    audit_book_pause(&book, true);
    (void)audit_book_add(&book, &key, "a-model", &honest);
    audit_book_pause(&book, false);
    assert_true(book.behind);
    for (int i = 0; i < 1000; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_true(book.behind);
    assert_int_equal(rmdir(fresh), 0);
    for (int i = 0; i < 1000; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_false(book.behind);
    audit_book_close(&book);
    open_book(&book);
    assert_int_equal(audit_book_find(&book, &key)->audit.audits, 2001);
    audit_book_close(&book);
    log_set_level(LOG_ERROR);
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
    assert_true(audit_book_wants(&book, &key, 100, 999999)); /* new: each */
    for (int i = 0; i < 40; i++) {
        (void)audit_book_add(&book, &key, "a-model", &honest);
    }
    assert_true(audit_book_wants(&book, &key, 100, 49999));
    assert_false(audit_book_wants(&book, &key, 100, 50000));
    book.permille = 0;
    assert_false(audit_book_wants(&book, &key, 100, 0));
    audit_book_close(&book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_found_outlives_a_crash, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_dismissal_is_kept_too, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_finding_is_told_with_its_ratios, make_path, remove_path),
        cmocka_unit_test_setup_teardown(what_led_to_a_finding_stays_until_it_is_decided, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_pause_writes_nothing_and_loses_nothing, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_journal_that_cannot_be_written_is_made_anew_later, make_path, remove_path),
        cmocka_unit_test_setup_teardown(only_the_last_audits_are_shown, make_path, remove_path),
        cmocka_unit_test_setup_teardown(lines_that_are_none_are_left_out, make_path, remove_path),
        cmocka_unit_test(chance_decides_as_the_core_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
