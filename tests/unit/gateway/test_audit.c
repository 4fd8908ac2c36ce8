/* Audits in the gateway: whose answers are kept, who is given them to score, and what follows. */
#include "catalog/canary.h"
#include "core/explain.h"
#include "unit/gateway/audit_fixture.h"

static void test_a_strangers_answer_is_scored_by_a_trusted_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(trusted.scores, 1);
    assert_string_equal(trusted.score_text, "some words");
    assert_int_equal(trusted.score_count, 12);
    assert_int_equal(trusted.score_ids[3], 103);
    assert_int_equal(strlen(trusted.score_scope), 22);
    assert_true(trusted.score_job >= UINT64_C(1) << 52);
    assert_true(trusted.score_job <= LINK_JOB_MAX);
    scored(fixture, &trusted, -1, true);
    assert_int_equal(known_of(fixture, &stranger).passed, 1);
    assert_int_equal(fixture->shell.counts.audits, 1);
    assert_int_equal(fake_store.reviews, 0);
    /* a second word about it changes nothing */
    scored(fixture, &trusted, 50, true);
    assert_int_equal(known_of(fixture, &stranger).audits, 1);
    audits_clear(&audits);
}

/* More tokens than there are: whoever scores makes numbers up, and is not believed. */
static void test_a_score_of_what_was_never_said_is_none(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 11, true, LINK_FINISH_LENGTH);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 10, true, LINK_FINISH_STOP);
    for (int i = 0; i < 4; i++) {
        audits_due(&audits);
        scored(fixture, &trusted, 50, true);
    }
    assert_int_equal(known_of(fixture, &stranger).audits, 1); /* the one that contradicts itself */
    assert_int_equal(fixture->shell.captures.ready_count, 0);
    audits_clear(&audits);
}

/* A device that breaks off what it has begun is paid for the beginning, so that is looked at. */
static void test_what_was_broken_off_is_scored(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    say_some(fixture, &stranger, "some words", 12, true);
    shell_leave(&stranger);
    audits_due(&audits);
    assert_int_equal(trusted.scores, 1);
    assert_int_equal(trusted.score_count, 12);
    audits_clear(&audits);
}

static void stop_loop(void *context) {
    loop_stop(context);
}

/* One iteration: timers that are due have run. */
static void turn(const struct shell_fixture *fixture) {
    struct loop_timer *timer = loop_timer_new(fixture->loop, stop_loop, fixture->loop);
    loop_timer_start(timer, 0, 0);
    loop_run(fixture->loop);
    loop_timer_free(timer);
}

static void test_a_complete_answer_is_scored_at_once(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    turn(fixture);
    assert_int_equal(trusted.scores, 0);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    turn(fixture);
    assert_int_equal(trusted.scores, 1);
    audits_clear(&audits);
}

static void test_past_the_bound_the_operator_is_told(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    for (int i = 0; i < 2; i++) {
        ask_canary(fixture, &stranger);
        say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
        audits_due(&audits);
        scored(fixture, &trusted, 50, true);
    }
    SHELL_UNTIL(fixture, fake_store.reviews > 0);
    assert_string_equal(fake_store.review.device_id, shell_device_id(&stranger));
    assert_string_equal(fake_store.review.reason, "audit");
    assert_true(known_of(fixture, &stranger).failed);
    assert_int_equal(fixture->shell.counts.audits_failed, 1);
    audit_book_dismiss(&fixture->shell.audit_book, shell_device_id(&stranger));
    assert_false(known_of(fixture, &stranger).failed);
    audits_clear(&audits);
}

static void test_past_the_bound_it_is_in_quarantine_until_audits_are_passed(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    const struct store_device *device;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    device = &shell_provider(&stranger)->device;
    audit_once(fixture, &trusted, &stranger, 50);
    assert_int_equal(device->standing, STORE_STANDING_SERVING);
    audit_once(fixture, &trusted, &stranger, 50);
    assert_int_equal(device->standing, STORE_STANDING_QUARANTINED);
    assert_string_equal(fake_store.admin.actor, "audits");
    assert_string_equal(fake_store.admin.device.id, device->id);
    for (int i = 0; i < CORE_AUDIT_NEW_PASSED + 20 && known_of(fixture, &stranger).failed; i++) {
        assert_int_equal(device->standing, STORE_STANDING_QUARANTINED);
        audit_once(fixture, &trusted, &stranger, -9);
    }
    assert_false(known_of(fixture, &stranger).failed);
    assert_int_equal(device->standing, STORE_STANDING_SERVING);
    audits_clear(&audits);
}

static void test_what_the_operator_has_set_aside_stays_so(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    struct store_device *device;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    struct gateway_provider *provider = stranger.user;
    device = &provider->device;
    device->standing = STORE_STANDING_QUARANTINED;
    (void)str_copy(device->standing_reason, sizeof(device->standing_reason), STR("by hand"));
    for (int i = 0; i < 2; i++) {
        audit_once(fixture, &trusted, &stranger, 50);
    }
    assert_true(known_of(fixture, &stranger).failed);
    for (int i = 0; i < CORE_AUDIT_NEW_PASSED + 20; i++) {
        audit_once(fixture, &trusted, &stranger, -9);
    }
    assert_false(known_of(fixture, &stranger).failed);
    assert_string_equal(device->standing_reason, "by hand");
    assert_int_equal(device->standing, STORE_STANDING_QUARANTINED);
    audits_clear(&audits);
}

static uint32_t passed_of(const struct shell_fixture *fixture, const struct link_peer *peer) {
    struct core_provider_view view;
    assert_true(core_provider_view(fixture->shell.core.core, shell_provider(peer)->handle,
                                   core_loop_now_ms(&fixture->shell.core), &view));
    return view.record.audits;
}

static void answer_question(struct shell_fixture *fixture, struct link_peer *device) {
    const unsigned before = device->generations;
    SHELL_UNTIL(fixture, (canaries_due(&fixture->canaries), device->generations > before));
    const struct catalog_canary *question = NULL;
    for (size_t i = 0; (question = catalog_canary_at(STR(SHELL_MODEL), i)) != NULL; i++) {
        if (strcmp(question->question, device->question) == 0) {
            break;
        }
    }
    assert_non_null(question);
    shell_answer(fixture, device, question->answer);
}

/* A smaller model knows the answers to known questions, too: who keeps out of what could say more stays new. */
static void test_known_answers_settle_nobody_who_could_be_judged(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, trusted, other;
    open_with_short_cooldowns(fixture);
    join(fixture, &first, "acct_bob", NULL);
    answer_question(fixture, &first); /* nobody can say more */
    assert_int_equal(passed_of(fixture, &first), 1);
    shell_leave(&first);
    join(fixture, &other, "acct_carol", OTHER_FILE);
    answer_question(fixture, &other); /* nor here, but it is not the file that all have */
    assert_int_equal(passed_of(fixture, &other), 0);
    join(fixture, &trusted, "acct_operator", NULL);
    answer_question(fixture, &other);
    assert_int_equal(passed_of(fixture, &other), 0);
    audits_clear(&audits);
}

/* What was passed with the right file says nothing about another. */
static void test_who_settles_and_then_tells_another_file_is_new_again(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    for (int i = 0; i < CORE_AUDITS_FIRST; i++) {
        audit_once(fixture, &trusted, &stranger, -9);
    }
    SHELL_UNTIL(fixture, passed_of(fixture, &stranger) == CORE_AUDITS_FIRST);
    const struct link_model offer = {.id = STR(SHELL_MODEL),
                                     .state = LINK_MODEL_WARM,
                                     .kinds = KINDS,
                                     .sha256 = STR(OTHER_FILE),
                                     .slots = 1,
                                     .context_length = 4096};
    const struct link_status status = {.battery_percent = -1, .models = &offer, .model_count = 1};
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, &stranger, &status);
    const unsigned before = stranger.generations;
    SHELL_UNTIL(fixture, (canaries_due(&fixture->canaries), stranger.generations > before)); /* any job */
    SHELL_UNTIL(fixture, passed_of(fixture, &stranger) == 0);
    audits_clear(&audits);
}

static void test_only_the_same_file_is_compared(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", OTHER_FILE);
    assert_false(audits_can_score(&fixture->shell, shell_provider(&stranger), STR(SHELL_MODEL), true));
    ask_canary(fixture, &stranger); /* a question with a known answer instead */
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(trusted.scores, 0);
    audits_clear(&audits);
}

static void test_with_all_devices_trusted_none_is_audited(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    fixture->shell.providers.all_trusted = true;
    open_audits(fixture, 50);
    join(fixture, &first, "acct_alice", NULL);
    join(fixture, &second, "acct_bob", NULL);
    assert_false(audits_can_score(&fixture->shell, shell_provider(&second), STR(SHELL_MODEL), true));
    ask_canary(fixture, &second);
    say(fixture, &second, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(first.scores + second.scores, 0);
    assert_int_equal(known_of(fixture, &second).audits, 0);
    audits_clear(&audits);
}

/* Two strangers of other owners agree, or nothing is believed: what is worse must be seen by both. */
static void test_peers_score_made_up_prompts_only_together(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, own, second, stranger;
    open_audits(fixture, 50);
    join(fixture, &first, "acct_alice", NULL);
    join(fixture, &own, "acct_bob", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    assert_false(audits_can_score(&fixture->shell, shell_provider(&stranger), STR(SHELL_MODEL), true));
    join(fixture, &second, "acct_carol", NULL);
    assert_true(audits_can_score(&fixture->shell, shell_provider(&stranger), STR(SHELL_MODEL), true));
    assert_false(audits_can_score(&fixture->shell, shell_provider(&stranger), STR(SHELL_MODEL), false));
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(first.scores + second.scores, 1);
    struct link_peer *one = first.scores == 1 ? &first : &second, *other = first.scores == 1 ? &second : &first;
    scored(fixture, one, 50, true); /* slander */
    assert_int_equal(known_of(fixture, &stranger).audits, 0);
    assert_int_equal(other->scores, 1);
    scored(fixture, other, -1, true);
    assert_int_equal(known_of(fixture, &stranger).passed, 1);
    assert_int_equal(own.scores, 0);
    audits_clear(&audits);
}

/* Friends that stand behind a device do not score it each time: who does is chosen at random. */
static void test_any_peer_may_be_the_scorer(void **state) {
    enum { DEVICES = 7, ROUNDS = 60 * DEVICES };
    struct shell_fixture *fixture = *state;
    static struct link_peer devices[DEVICES]; /* the first is the one that is looked at */
    static const char *const accounts[DEVICES] = {"acct_1", "acct_2", "acct_3", "acct_4", "acct_5", "acct_6", "acct_7"};
    unsigned scored_first[DEVICES] = {0};
    open_audits(fixture, 50);
    for (size_t i = 0; i < DEVICES; i++) {
        join(fixture, &devices[i], accounts[i], NULL);
    }
    for (int round = 0; round < ROUNDS; round++) {
        unsigned asked[DEVICES], scores[DEVICES];
        for (size_t i = 0; i < DEVICES; i++) {
            asked[i] = devices[i].generations;
            scores[i] = devices[i].scores;
        }
        canaries_due(&fixture->canaries);
        for (size_t i = 0; i < DEVICES; i++) {
            if (devices[i].generations != asked[i]) {
                say(fixture, &devices[i], "some words", 12, true, LINK_FINISH_STOP);
            }
        }
        audits_due(&audits);
        for (size_t i = 0; i < 2 * DEVICES; i++) { /* the first scorer, then the second */
            scored(fixture, &devices[i % DEVICES], -1, true);
        }
        for (size_t i = 0; i < DEVICES && devices[0].generations != asked[0]; i++) {
            scored_first[i] += devices[i].scores - scores[i];
        }
    }
    assert_int_equal(scored_first[0], 0);
    for (size_t i = 1; i < DEVICES; i++) {
        assert_int_not_equal(scored_first[i], 0);
    }
    audits_clear(&audits);
}

static void test_missing_ids_and_wrong_ends_need_no_scorer(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 12, false, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(trusted.scores, 0);
    assert_true(known_of(fixture, &stranger).sums[0] == 8.0);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_LENGTH); /* far from max_tokens */
    audits_due(&audits);
    assert_true(known_of(fixture, &stranger).failed);
    audits_clear(&audits);
}

static void test_a_scorer_that_goes_or_fails_is_no_verdict(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, again, stranger;
    open_audits(fixture, 50);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    assert_int_equal(trusted.scores, 1);
    shell_leave(&trusted);
    assert_int_equal(audits.run_count, 0);
    join(fixture, &again, "acct_operator", NULL);
    audits_due(&audits);
    assert_int_equal(again.scores, 1); /* it is asked in its place */
    PROVIDERS_LINK_EVENTS.on_error(
        &fixture->shell.providers, &again,
        &(struct link_error){
            .job = again.score_job, .failure = GEN_FAILURE_OVERLOADED, .message = STR("no"), .param = STR("")});
    audits_due(&audits);
    assert_int_equal(again.scores, 1);
    assert_int_equal(known_of(fixture, &stranger).audits, 0);
    assert_int_equal(fixture->shell.captures.ready_count, 0);
    audits_clear(&audits);
}

static void test_without_audits_nothing_is_kept(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_audits(fixture, 0);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    ask_canary(fixture, &stranger);
    assert_null(fixture->shell.captures.open);
    say(fixture, &stranger, "some words", 12, true, LINK_FINISH_STOP);
    assert_int_equal(fixture->shell.captures.ready_count, 0);
    audits_clear(&audits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_strangers_answer_is_scored_by_a_trusted_device),
        SHELL_TEST(test_a_score_of_what_was_never_said_is_none),
        SHELL_TEST(test_what_was_broken_off_is_scored),
        SHELL_TEST(test_a_complete_answer_is_scored_at_once),
        SHELL_TEST(test_past_the_bound_the_operator_is_told),
        SHELL_TEST(test_past_the_bound_it_is_in_quarantine_until_audits_are_passed),
        SHELL_TEST(test_what_the_operator_has_set_aside_stays_so),
        SHELL_TEST(test_known_answers_settle_nobody_who_could_be_judged),
        SHELL_TEST(test_who_settles_and_then_tells_another_file_is_new_again),
        SHELL_TEST(test_only_the_same_file_is_compared),
        SHELL_TEST(test_with_all_devices_trusted_none_is_audited),
        SHELL_TEST(test_peers_score_made_up_prompts_only_together),
        SHELL_TEST(test_any_peer_may_be_the_scorer),
        SHELL_TEST(test_missing_ids_and_wrong_ends_need_no_scorer),
        SHELL_TEST(test_a_scorer_that_goes_or_fails_is_no_verdict),
        SHELL_TEST(test_without_audits_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
