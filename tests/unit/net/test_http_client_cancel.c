/* Transfers that are held back, stopped, cancelled or lose their client, in every state. */
#include "net/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/net/client_fixture.h"

/* --- Holding back --- */

static void nothing_comes_while_it_is_held_back(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.verdict = HTTP_BODY_PAUSE};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    fetched_start(fixture, &fetched, &options);
    NET_UNTIL(fixture->net, fetched.pieces > 0);
    client_settle(fixture);
    assert_int_equal(fetched.pieces, 1);
    assert_int_equal(fetched.ends, 0);
    fetched.verdict = HTTP_BODY_TAKEN;
    http_transfer_resume(fetched.transfer);
    assert_int_equal(fetched.pieces, 1);    /* not from inside */
    http_transfer_resume(fetched.transfer); /* once is enough */
    fetched_end(&fetched);
    fetched_check_big(&fetched);
    assert_int_equal(fetched.result.body_bytes, BIG_BYTES);
    fetched_clear(&fetched);
}

static void alternate(struct fetched *fetched) {
    fetched->verdict = fetched->verdict == HTTP_BODY_TAKEN ? HTTP_BODY_PAUSE : HTTP_BODY_TAKEN;
}

static void every_piece_may_be_held_back(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.verdict = HTTP_BODY_PAUSE, .then = alternate};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    unsigned pauses = 0;
    fetched_start(fixture, &fetched, &options);
    while (fetched.ends == 0) {
        const unsigned before = fetched.pieces;
        NET_UNTIL(fixture->net, fetched.pieces > before || fetched.ends > 0);
        if (fetched.transfer != NULL && fetched.verdict == HTTP_BODY_TAKEN) { /* that of the next one */
            http_transfer_resume(fetched.transfer);
            pauses++;
        }
    }
    assert_true(pauses > 1);
    fetched_check_big(&fetched);
    fetched_clear(&fetched);
}

static void resuming_what_is_not_held_back_changes_nothing(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    fetched_start(fixture, &fetched, &options);
    http_transfer_resume(fetched.transfer);
    fetched_end(&fetched);
    fetched_check_big(&fetched);
    fetched_clear(&fetched);
}

/* --- Stopping --- */

static void no_more_of_it(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.verdict = HTTP_BODY_STOP};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_STOPPED);
    assert_int_equal(fetched.pieces, 1);
    assert_int_equal(fetched.result.answer.status, 200);
    assert_int_equal(fetched.result.body_bytes, 0);
    fetched_clear(&fetched);
}

static void no_more_of_it_after_it_was_held_back(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.verdict = HTTP_BODY_PAUSE};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    fetched_start(fixture, &fetched, &options);
    NET_UNTIL(fixture->net, fetched.pieces > 0);
    fetched.verdict = HTTP_BODY_STOP;
    http_transfer_resume(fetched.transfer);
    fetched_end(&fetched);
    assert_int_equal(fetched.result.failure, HTTP_FAILURE_STOPPED);
    assert_int_equal(fetched.pieces, 2);
    fetched_clear(&fetched);
}

/* --- Cancelling --- */

static void cancel(struct fetched *fetched) {
    if (fetched->transfer != NULL) {
        http_transfer_cancel(fetched->transfer);
        fetched->transfer = NULL;
    }
}

static void check_silent(struct client_fixture *fixture, struct fetched *fetched) {
    const unsigned pieces = fetched->pieces;
    client_settle(fixture);
    assert_int_equal(fetched->ends, 0);
    assert_int_equal(fetched->pieces, pieces);
    fetched_clear(fetched);
}

static void cancelled_before_it_began(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/plain")};
    fetched_start(fixture, &fetched, &options);
    cancel(&fetched);
    check_silent(fixture, &fetched);
    assert_int_equal(fixture->http->requests, 0);
}

static bool every_address(const struct sockaddr *address) {
    return address->sa_family == AF_INET;
}

static void cancelled_while_its_name_is_looked_up(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    client_open(fixture, every_address);
    const struct http_transfer_options options = {.url = client_url(fixture, "server.test", "/plain")};
    fetched_start(fixture, &fetched, &options);
    uv_run(loop_uv(fixture->net->loop), UV_RUN_NOWAIT); /* its turn has come */
    cancel(&fetched);
    check_silent(fixture, &fetched);
    assert_int_equal(fixture->http->requests, 0);
}

static void cancelled_while_it_waits_for_the_answer(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/hold")};
    fetched_start(fixture, &fetched, &options);
    NET_UNTIL(fixture->net, fixture->http->held_count == 1);
    cancel(&fetched);
    NET_UNTIL(fixture->net, fixture->http->gone == 1); /* the server sees it at once */
    check_silent(fixture, &fetched);
}

static void cancelled_while_it_is_held_back(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.verdict = HTTP_BODY_PAUSE};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    fetched_start(fixture, &fetched, &options);
    NET_UNTIL(fixture->net, fetched.pieces > 0);
    http_transfer_resume(fetched.transfer); /* the cancel wins */
    cancel(&fetched);
    check_silent(fixture, &fetched);
}

static void cancelled_from_inside(void **state) {
    static const enum http_verdict VERDICTS[] = {HTTP_BODY_TAKEN, HTTP_BODY_PAUSE, HTTP_BODY_STOP};
    struct client_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(VERDICTS); i++) {
        struct fetched fetched = {.verdict = VERDICTS[i], .then = cancel};
        const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
        fetched_start(fixture, &fetched, &options);
        NET_UNTIL(fixture->net, fetched.pieces > 0);
        check_silent(fixture, &fetched);
        assert_int_equal(fetched.pieces, 1);
    }
}

static struct fetched *other; /* of the one whose callback runs */

static void cancel_other(struct fetched *fetched) {
    (void)fetched;
    cancel(other);
}

static void cancelled_from_another_ones_piece(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {.then = cancel_other}, held = {0};
    other = &held;
    struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/hold")};
    fetched_start(fixture, &held, &options);
    NET_UNTIL(fixture->net, fixture->http->held_count == 1);
    options.url = client_url(fixture, "127.0.0.1", "/big");
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    fetched_check_big(&fetched);
    NET_UNTIL(fixture->net, fixture->http->gone == 1);
    fetched_clear(&fetched);
    check_silent(fixture, &held);
}

static void cancelled_when_its_end_was_due(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched first = {.then = cancel_other}, second = {0};
    other = &second;
    client_open(fixture, every_address);
    const struct http_transfer_options options = {.url = "nonsense"}; /* both end in the turn in which they begin */
    fetched_start(fixture, &first, &options);
    fetched_start(fixture, &second, &options);
    fetched_end(&first);
    assert_int_equal(first.result.failure, HTTP_FAILURE_REQUEST);
    fetched_clear(&first);
    check_silent(fixture, &second);
}

/* --- More from inside --- */

static const struct http_transfer_options *again;

static void start_other(struct fetched *fetched) {
    if (other->transfer == NULL && other->ends == 0) {
        fetched_start(fetched->fixture, other, again);
    }
}

static void started_from_inside(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched first = {.then = start_other}, second = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big")};
    other = &second;
    again = &options;
    fetch(fixture, &first, &options, HTTP_FAILURE_NONE);
    fetched_end(&second);
    fetched_check_big(&first);
    fetched_check_big(&second);
    fetched_clear(&first);
    fetched_clear(&second);
}

static void free_client(struct fetched *fetched) {
    if (fetched->ends > 0) {
        http_client_free(fetched->fixture->client);
        fetched->fixture->client = NULL;
    }
}

/* One in each state, as its client goes in the end of another one. */
static void client_that_goes(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched last = {.then = free_client}, held = {0}, paused = {.verdict = HTTP_BODY_PAUSE}, due = {0},
                   begun = {0};
    client_open(fixture, every_address);
    const struct http_transfer_options hold = {.url = client_url(fixture, "127.0.0.1", "/hold")};
    const struct http_transfer_options big = {.url = client_url(fixture, "127.0.0.1", "/big")};
    const struct http_transfer_options name = {.url = client_url(fixture, "server.test", "/plain")};
    const struct http_transfer_options nonsense = {.url = "nonsense"};
    fetched_start(fixture, &held, &hold);
    fetched_start(fixture, &paused, &big);
    NET_UNTIL(fixture->net, fixture->http->held_count == 1 && paused.pieces == 1);
    fetched_start(fixture, &begun, &name);
    fetched_start(fixture, &last, &nonsense);
    fetched_start(fixture, &due, &nonsense);
    fetched_end(&last);
    assert_null(fixture->client);
    NET_UNTIL(fixture->net, fixture->http->gone == 1);
    check_silent(fixture, &held);
    check_silent(fixture, &paused);
    check_silent(fixture, &due);
    check_silent(fixture, &begun);
    fetched_clear(&last);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(nothing_comes_while_it_is_held_back),
        CLIENT_TEST(every_piece_may_be_held_back),
        CLIENT_TEST(resuming_what_is_not_held_back_changes_nothing),
        CLIENT_TEST(no_more_of_it),
        CLIENT_TEST(no_more_of_it_after_it_was_held_back),
        CLIENT_TEST(cancelled_before_it_began),
        CLIENT_TEST(cancelled_while_its_name_is_looked_up),
        CLIENT_TEST(cancelled_while_it_waits_for_the_answer),
        CLIENT_TEST(cancelled_while_it_is_held_back),
        CLIENT_TEST(cancelled_from_inside),
        CLIENT_TEST(cancelled_from_another_ones_piece),
        CLIENT_TEST(cancelled_when_its_end_was_due),
        CLIENT_TEST(started_from_inside),
        CLIENT_TEST(client_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
