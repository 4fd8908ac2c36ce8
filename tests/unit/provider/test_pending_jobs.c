#include "provider/pending_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct gen_request request_of(const char *prompt) {
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("m");
    request.prompt = str_from(prompt);
    return request;
}

static void order_is_kept_and_the_request_is_a_copy(void **state) {
    struct pending_jobs pending = {0};
    char prompt[] = "first \"quoted\"\n";
    struct gen_request request = request_of(prompt);
    (void)state;
    request.seed_given = true;
    request.seed = INT64_MAX;
    request.temperature = 0.1;
    request.stop[0] = STR("\xe2\x82\xac");
    request.stop_count = 1;
    request.continue_text = STR("so far");
    request.scope = STR("a scope");
    assert_true(pending_jobs_add(&pending, UINT64_MAX, &request)); /* an id of ours may be any */
    memset(prompt, 'x', sizeof(prompt) - 1);
    request = request_of("second");
    assert_true(pending_jobs_add(&pending, 2, &request));
    assert_int_equal(pending.count, 2);

    struct pending_job *job = pending_jobs_take(&pending);
    assert_true(job->id == UINT64_MAX);
    const struct gen_request read = job->request;
    assert_true(str_equal(read.prompt, STR("first \"quoted\"\n")));
    assert_true(read.seed_given && read.seed == INT64_MAX && read.temperature == 0.1 && read.stop_count == 1);
    assert_true(str_equal(read.stop[0], STR("\xe2\x82\xac")));
    assert_true(str_equal(read.continue_text, STR("so far")));
    assert_true(str_equal(read.scope, STR("a scope")));
    pending_job_free(job);
    job = pending_jobs_take(&pending);
    assert_true(job->id == 2);
    pending_job_free(job);
    assert_null(pending_jobs_take(&pending));
}

static void cancelled_ones_are_taken_out_of_the_middle(void **state) {
    struct pending_jobs pending = {0};
    struct gen_request request = request_of("p");
    (void)state;
    for (uint64_t id = 1; id <= 3; id++) {
        assert_true(pending_jobs_add(&pending, id, &request));
    }
    assert_null(pending_jobs_take_cancelled(&pending));
    assert_false(pending_jobs_cancel(&pending, 4));
    assert_true(pending_jobs_cancel(&pending, 2));
    struct pending_job *job = pending_jobs_take_cancelled(&pending);
    assert_true(job->id == 2);
    pending_job_free(job);
    assert_null(pending_jobs_take_cancelled(&pending));
    assert_int_equal(pending.count, 2);
    pending_jobs_clear(&pending);
    assert_int_equal(pending.count, 0);
}

static void too_large_a_request_is_not_held(void **state) {
    static char prompt[3 * LIMIT_LINK_MESSAGE_BYTES + 1];
    struct pending_jobs pending = {0};
    struct gen_request request = request_of("");
    (void)state;
    memset(prompt, 'x', sizeof(prompt));
    request.prompt = (struct str){prompt, sizeof(prompt)};
    assert_false(pending_jobs_add(&pending, 1, &request));
    assert_int_equal(pending.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_is_kept_and_the_request_is_a_copy),
                                       cmocka_unit_test(cancelled_ones_are_taken_out_of_the_middle),
                                       cmocka_unit_test(too_large_a_request_is_not_held)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
