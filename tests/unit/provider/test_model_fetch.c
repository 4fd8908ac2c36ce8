#include "provider/model_fetch.h"

#include "base/log.h"
#include "unit/provider/fetch_fixture.h"

#include <fcntl.h>
#include <sys/file.h>

static void whole_file_and_then_the_kept_one(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_true(kept(fixture, "m.gguf.verified"));
    assert_true(fetch(fixture));
    assert_int_equal(fixture->requests, 1);
}

static void cut_connection_is_resumed(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/cut");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
    assert_int_equal(fixture->ranges, 1);
}

static void part_of_an_earlier_run_is_resumed(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, 1000);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->ranges, 1);
}

static void complete_part_needs_no_request(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, BODY_BYTES);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 0);
}

static void damaged_part_is_fetched_anew(void **state) {
    struct fixture *fixture = *state;
    fixture->body[5] ^= 1;
    write_part(fixture, 1000);
    fixture->body[5] ^= 1;
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
}

static void server_without_ranges_sends_all_again(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, 1000);
    add_url(fixture, 0, "/no-ranges");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

/* Such as the page of a network that wants a password first. */
static void what_came_is_not_given_up_for_another_file(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, 1000);
    add_url(fixture, 0, "/page");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "the file there has 16 bytes instead of 300000"));
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->ranges, 1);
}

static void part_longer_than_the_file_there(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = 0; /* not known */
    write_part(fixture, BODY_BYTES);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture)); /* 416, then from the start */
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
}

static void wrong_hash_is_refused_and_nothing_kept(void **state) {
    struct fixture *fixture = *state;
    fixture->hash[0] = fixture->hash[0] == '0' ? '1' : '0';
    add_url(fixture, 0, "/whole");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "model m cannot be had"));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void longer_file_is_refused(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/long");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "longer than the expected 300000 bytes"));
    assert_false(kept(fixture, "m.gguf"));
}

static void damaged_kept_file_is_replaced(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "cache/models/m.gguf", "GGUF rubbish");
    add_url(fixture, 0, "/missing");
    assert_false(fetch(fixture));
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void redirect_to_http_is_refused(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 3, "/whole"); /* where it leads to; no source, as the one before it is the end */
    add_url(fixture, 0, "/redirect");
    assert_false(fetch(fixture));
    assert_int_equal(fixture->requests, 1);
}

static void http_is_for_this_machine_only(void **state) {
    static const char *const URLS[] = {"http://127.0.0.1.example.invalid/m", "http://example.invalid/m",
                                       "http://127.0.0.1:1@example.invalid/m", "file:///etc/hostname"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        fixture->model.sources[0] = (struct catalog_source){.kind = CATALOG_SOURCE_URL, .location = URLS[i]};
        assert_false(fetch(fixture));
        assert_non_null(strstr(fixture->err.message, "disabled"));
    }
}

static void next_source_after_a_failed_one(void **state) {
    struct fixture *fixture = *state;
    fixture->model.sources[0] = (struct catalog_source){.kind = CATALOG_SOURCE_BUILT_IN, .location = "not-there.gguf"};
    add_url(fixture, 1, "/missing");
    add_url(fixture, 2, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void all_reasons_are_told(void **state) {
    struct fixture *fixture = *state;
    fixture->model.sources[0] = (struct catalog_source){.kind = CATALOG_SOURCE_BUILT_IN, .location = "not-there.gguf"};
    add_url(fixture, 1, "/missing");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "not-there.gguf is not installed"));
    assert_non_null(strstr(fixture->err.message, "404"));
}

static void cancelled_in_mid_transfer(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/cut");
    add_url(fixture, 1, "/whole");
    fixture->cancel_when_transferring = true;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_int_equal(fixture->requests, 1);
    assert_true(kept(fixture, "m.gguf.part")); /* the next run goes on from here */
    fixture->cancel_when_transferring = false;
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->ranges, 1);
}

static void held_fetch_transfers_nothing_but_finds_what_is_here(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/whole");
    fixture->hold_ticks = 50;
    assert_true(fetch(fixture)); /* once it is let go; until then the timer checks that nothing is asked for */
    assert_int_equal(fixture->hold_ticks, 0);
    assert_int_equal(fixture->requests, 1);
    fixture->hold_ticks = UINT32_MAX; /* never let go, and not needed */
    fixture->requests = 0;
    assert_true(fetch(fixture));
    assert_int_equal(fixture->requests, 0);
}

static void full_disk_is_told_before_anything_is_sent(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = UINT64_C(1) << 60;
    add_url(fixture, 0, "/whole");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "the disk is full"));
    assert_int_equal(fixture->requests, 0);
}

struct other_process {
    struct fixture *fixture;
    struct loop_timer *timer;
    int fd;
};

/* What another process does that had the lock: it finishes, and the one that waited finds the file. */
static void other_finishes(void *context) {
    struct other_process *other = context;
    char path[FILE_PATH_MAX];
    char part[FILE_PATH_MAX];
    assert_true(file_join(path, other->fixture->folder, "m.gguf", NULL));
    assert_true(file_join(part, other->fixture->folder, "m.gguf.part", NULL));
    assert_int_equal(rename(part, path), 0);
    close(other->fd);
}

static void waits_for_another_process(void **state) {
    struct fixture *fixture = *state;
    struct other_process other = {.fixture = fixture};
    write_part(fixture, BODY_BYTES);
    other.fd = open(temp_tree_path(&fixture->tree, "cache/models/m.gguf.part"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(other.fd, LOCK_EX), 0);
    other.timer = loop_timer_new(fixture->loop, other_finishes, &other);
    loop_timer_start(other.timer, 20, 0);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    loop_timer_free(other.timer);
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 0);
}

static void damaged_kept_file_is_moved_aside(void **state) {
    struct fixture *fixture = *state;
    fixture->body[5] ^= 1;
    temp_tree_write_bytes(&fixture->tree, "cache/models/m.gguf", (struct str){fixture->body, BODY_BYTES}, 0600);
    fixture->body[5] ^= 1;
    add_url(fixture, 0, "/missing");
    assert_false(fetch(fixture));
    assert_false(kept(fixture, "m.gguf"));
    assert_true(kept(fixture, "m.gguf.damaged"));
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_true(fixture->came);
    assert_model_is_whole(fixture);
    assert_false(kept(fixture, "m.gguf.damaged"));
    assert_true(fetch(fixture));
    assert_false(fixture->came);
}

static void size_is_learned_from_the_server(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = 0;
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void file_without_an_end_is_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = 0;
    add_url(fixture, 0, "/endless");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "does not say how long"));
    assert_int_equal(fixture->requests, 1);
}

static void server_that_always_breaks_is_given_up(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/broken");
    add_url(fixture, 1, "/whole");
    assert_true(fetch(fixture)); /* from the next source */
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 6 + 1);
}

static void quota_refuses_before_anything_is_written(void **state) {
    static const struct model_store_room ROOM = {.quota_bytes = BODY_BYTES - 1, .may_remove = true};
    struct fixture *fixture = *state;
    fixture->room = &ROOM;
    add_url(fixture, 0, "/whole");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "quota"));
    assert_int_equal(fixture->requests, 0);
    fixture->model.file_bytes = 0;
    assert_false(fetch(fixture)); /* now only the server knows */
    assert_non_null(strstr(fixture->err.message, "quota"));
    assert_int_equal(fixture->requests, 1);
    assert_false(kept(fixture, "m.gguf.part"));
}

static void quota_just_large_enough(void **state) {
    static const struct model_store_room ROOM = {.quota_bytes = BODY_BYTES};
    struct fixture *fixture = *state;
    fixture->room = &ROOM;
    write_part(fixture, 1000); /* counted once */
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(whole_file_and_then_the_kept_one),
                                       TEST(cut_connection_is_resumed),
                                       TEST(part_of_an_earlier_run_is_resumed),
                                       TEST(complete_part_needs_no_request),
                                       TEST(damaged_part_is_fetched_anew),
                                       TEST(server_without_ranges_sends_all_again),
                                       TEST(what_came_is_not_given_up_for_another_file),
                                       TEST(part_longer_than_the_file_there),
                                       TEST(wrong_hash_is_refused_and_nothing_kept),
                                       TEST(longer_file_is_refused),
                                       TEST(damaged_kept_file_is_replaced),
                                       TEST(redirect_to_http_is_refused),
                                       TEST(http_is_for_this_machine_only),
                                       TEST(next_source_after_a_failed_one),
                                       TEST(all_reasons_are_told),
                                       TEST(cancelled_in_mid_transfer),
                                       TEST(held_fetch_transfers_nothing_but_finds_what_is_here),
                                       TEST(full_disk_is_told_before_anything_is_sent),
                                       TEST(waits_for_another_process),
                                       TEST(damaged_kept_file_is_moved_aside),
                                       TEST(size_is_learned_from_the_server),
                                       TEST(file_without_an_end_is_refused),
                                       TEST(server_that_always_breaks_is_given_up),
                                       TEST(quota_refuses_before_anything_is_written),
                                       TEST(quota_just_large_enough)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
