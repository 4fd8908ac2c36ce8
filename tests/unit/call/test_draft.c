/* Drafts: from stage to stage, waiting, refused, and left by their client at each of them. */
#include "call/draft.h"

#include "support/call_fixture.h"

/* A hook that counts its ends. */
struct hook {
    struct call_hook hook;
    int gone, freed;
};

static void hook_gone(struct call_hook *hook) {
    ((struct hook *)hook)->gone++;
}

static void hook_free(struct call_hook *hook) {
    ((struct hook *)hook)->freed++;
}

static const struct call_hook_kind HOOK_KIND = {.gone = hook_gone, .free = hook_free};

/* As a request that waits for its answer. */
struct request {
    struct draft draft; /* first: an owner's draft is its request */
    struct auth_identity identity;
    struct arena arena;
    struct hook hook;
    struct draft_wait *wait; /* of the stage that waits */
    int refused, replayed, started, stage_gone;
    struct fault fault;
    char replay[64];
    bool stream;
};

static struct request *request_of(struct draft *draft) {
    return (struct request *)draft;
}

static void refuse(struct draft *draft, const struct fault *fault) {
    struct request *request = request_of(draft);
    request->refused++;
    request->fault = *fault;
    assert_null(draft->claim); /* what it held has ended before its owner hears of it */
    assert_null(draft->hook);
}

static void replay(struct draft *draft, const struct store_answer *answer) {
    struct request *request = request_of(draft);
    request->replayed++;
    request->stream = answer->stream;
    (void)str_copy(request->replay, sizeof(request->replay), answer->content);
    assert_null(draft->claim);
}

static const struct draft_owner OWNER = {.refuse = refuse, .replay = replay};

static void request_init(struct request *request, struct call_fixture *fixture, enum idempotency_kind kind, char key) {
    *request = (struct request){.identity = call_fixture_identity(&fixture->auth), .hook.hook.kind = &HOOK_KIND};
    arena_init(&request->arena, 64 * 1024);
    request->draft.calls = fixture->calls;
    request->draft.owner = &OWNER;
    request->draft.arena = &request->arena;
    request->draft.identity = &request->identity;
    request->draft.request_id = "req_1";
    request->draft.idempotency.kind = kind;
    memset(request->draft.idempotency.scope_sha256, key, DIGEST_SHA256_SIZE);
    memset(request->draft.idempotency.body_sha256, 1, DIGEST_SHA256_SIZE);
}

static void request_clear(struct request *request) {
    arena_clear(&request->arena);
}

/* --- Stages --- */

static enum draft_step take_hook(struct draft *draft) {
    draft->hook = &request_of(draft)->hook.hook;
    return DRAFT_ON;
}

static enum draft_step wait(struct draft *draft) {
    request_of(draft)->wait = draft_wait_begin(draft);
    return DRAFT_WAITS;
}

static void wait_gone(struct draft *draft) {
    request_of(draft)->stage_gone++;
}

static enum draft_step never(struct draft *draft) {
    (void)draft;
    fail_msg("this stage must not be entered");
    return DRAFT_OVER;
}

static enum draft_step refuse_it(struct draft *draft) {
    struct fault fault;
    fault_set(&fault, FAULT_FORBIDDEN, "not this one");
    return draft_refuse(draft, &fault);
}

/* It becomes a call, which has the rest. */
static enum draft_step start(struct draft *draft) {
    struct request *request = request_of(draft);
    request->started++;
    claim_release(draft->claim);
    draft->claim = NULL;
    draft->hook = NULL;
    return DRAFT_OVER;
}

/* The answer that the waiting stage has waited for. */
static void answer(struct request *request, enum draft_step step) {
    struct draft *draft = draft_wait_end(request->wait);
    request->wait = NULL;
    if (draft != NULL) {
        draft_go_on(draft, step);
    }
}

/* --- From stage to stage --- */

static void test_goes_through_all(void **state) {
    static const struct draft_stage stages[] = {
        {.name = "hook", .enter = take_hook}, {.name = "claim", .enter = draft_claim},
        {.name = "wait", .enter = wait},      {.name = "stored?", .enter = draft_look_stored},
        {.name = "start", .enter = start},    {.name = "end"}};
    struct call_fixture *fixture = *state;
    struct request request;
    request_init(&request, fixture, IDEMPOTENCY_KEY, 'k');
    draft_run(&request.draft, stages);
    assert_string_equal(request.draft.stage->name, "wait");
    assert_int_equal(calls_count(fixture->calls), 1); /* a drain waits for it */
    assert_non_null(request.draft.claim);
    answer(&request, DRAFT_ON);
    assert_string_equal(request.draft.stage->name, "stored?");
    assert_int_equal(calls_count(fixture->calls), 1);
    NET_UNTIL(&fixture->net, request.started == 1);
    assert_int_equal(calls_count(fixture->calls), 0);
    assert_int_equal(request.refused + request.replayed + request.hook.freed, 0);
    request_clear(&request);
}

static void test_is_refused_at_any_stage(void **state) {
    static const struct draft_stage first[] = {
        {.name = "no", .enter = refuse_it}, {.name = "never", .enter = never}, {.name = "end"}};
    static const struct draft_stage later[] = {{.name = "hook", .enter = take_hook},
                                               {.name = "claim", .enter = draft_claim},
                                               {.name = "no", .enter = refuse_it},
                                               {.name = "never", .enter = never},
                                               {.name = "end"}};
    static const struct draft_stage waiting[] = {
        {.name = "hook", .enter = take_hook}, {.name = "claim", .enter = draft_claim}, {.name = "wait", .enter = wait},
        {.name = "no", .enter = refuse_it},   {.name = "never", .enter = never},       {.name = "end"}};
    static const struct {
        const struct draft_stage *stages;
        int hooks;
    } tables[] = {{first, 0}, {later, 1}, {waiting, 1}};
    struct call_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        struct request request;
        request_init(&request, fixture, IDEMPOTENCY_KEY, 'k'); /* the claim of the one before is free again */
        draft_run(&request.draft, tables[i].stages);
        if (request.wait != NULL) {
            assert_int_equal(request.refused, 0);
            answer(&request, DRAFT_ON);
        }
        assert_int_equal(request.refused, 1);
        assert_string_equal(request.fault.message, "not this one");
        assert_int_equal(request.hook.freed, tables[i].hooks);
        assert_int_equal(request.hook.gone, 0);
        assert_int_equal(calls_count(fixture->calls), 0);
        request_clear(&request);
    }
}

/* A stage that waited may end the draft by itself. */
static void test_a_wait_may_be_the_end(void **state) {
    static const struct draft_stage stages[] = {
        {.name = "wait", .enter = wait}, {.name = "never", .enter = never}, {.name = "end"}};
    struct call_fixture *fixture = *state;
    struct request request;
    request_init(&request, fixture, IDEMPOTENCY_NONE, 0);
    draft_run(&request.draft, stages);
    answer(&request, DRAFT_OVER);
    assert_int_equal(calls_count(fixture->calls), 0);
    request_clear(&request);
}

/* --- Left --- */

static void test_its_client_goes_while_it_waits(void **state) {
    static const struct draft_stage told[] = {{.name = "hook", .enter = take_hook},
                                              {.name = "claim", .enter = draft_claim},
                                              {.name = "wait", .enter = wait, .gone = wait_gone},
                                              {.name = "never", .enter = never},
                                              {.name = "end"}};
    static const struct draft_stage untold[] = {{.name = "hook", .enter = take_hook},
                                                {.name = "claim", .enter = draft_claim},
                                                {.name = "wait", .enter = wait},
                                                {.name = "never", .enter = never},
                                                {.name = "end"}};
    const struct draft_stage *const tables[] = {told, untold};
    struct call_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        struct request *request = MEM_NEW(struct request);
        struct draft_wait *wait_of_it;
        struct claim *claim;
        struct fault fault;
        request_init(request, fixture, IDEMPOTENCY_KEY, 'k');
        draft_run(&request->draft, tables[i]);
        wait_of_it = request->wait;
        draft_gone(&request->draft);
        assert_int_equal(request->stage_gone, i == 0 ? 1 : 0);
        assert_int_equal(request->hook.freed, 1);
        assert_int_equal(calls_count(fixture->calls), 0);
        assert_true(claim_take(fixture->calls->claims, &request->draft.idempotency, &claim, &fault)); /* it is free */
        claim_release(claim);
        request_clear(request);
        free(request);                           /* its memory goes before the answer comes */
        assert_null(draft_wait_end(wait_of_it)); /* which finds nobody */
    }
}

static void test_its_client_goes_while_the_store_looks(void **state) {
    static const struct draft_stage stages[] = {{.name = "claim", .enter = draft_claim},
                                                {.name = "stored?", .enter = draft_look_stored},
                                                {.name = "never", .enter = never},
                                                {.name = "end"}};
    struct call_fixture *fixture = *state;
    struct request *request = MEM_NEW(struct request);
    request_init(request, fixture, IDEMPOTENCY_KEY, 'k');
    fixture->store.held = true;
    draft_run(&request->draft, stages);
    assert_int_equal(fixture->store.question_count, 1);
    draft_gone(&request->draft);
    request_clear(request);
    free(request);
    api_store_answer_all(&fixture->store);
    assert_int_equal(calls_count(fixture->calls), 0);
}

/* Nothing waits, but something is held: as between two stages. */
static void test_its_client_goes_when_nothing_waits(void **state) {
    static const struct draft_stage stages[] = {{.name = "hook", .enter = take_hook},
                                                {.name = "claim", .enter = draft_claim},
                                                {.name = "wait", .enter = wait, .gone = wait_gone},
                                                {.name = "end"}};
    struct call_fixture *fixture = *state;
    struct request request;
    request_init(&request, fixture, IDEMPOTENCY_KEY, 'k');
    draft_run(&request.draft, stages);
    assert_ptr_equal(draft_wait_end(request.wait), &request.draft);
    draft_gone(&request.draft);
    assert_int_equal(request.stage_gone, 0);
    assert_int_equal(request.hook.freed, 1);
    request_clear(&request);
}

/* --- Did it run before? --- */

static const struct draft_stage ordinary[] = {{.name = "claim", .enter = draft_claim},
                                              {.name = "stored?", .enter = draft_look_stored},
                                              {.name = "start", .enter = start},
                                              {.name = "end"}};

static void store_its_answer(struct call_fixture *fixture, const struct request *request, char body) {
    struct store_answer kept = {.stream = true, .expires_ms = INT64_MAX, .content = STR("as it was")};
    memcpy(kept.scope_sha256, request->draft.idempotency.scope_sha256, DIGEST_SHA256_SIZE);
    memset(kept.body_sha256, body, DIGEST_SHA256_SIZE);
    api_store_keep(&fixture->store, &kept);
}

static void test_its_stored_answer_is_given(void **state) {
    struct call_fixture *fixture = *state;
    struct request same, other;
    request_init(&same, fixture, IDEMPOTENCY_KEY, 'k');
    store_its_answer(fixture, &same, 1);
    draft_run(&same.draft, ordinary);
    NET_UNTIL(&fixture->net, same.replayed == 1);
    assert_string_equal(same.replay, "as it was");
    assert_true(same.stream);
    assert_int_equal(same.started, 0);
    request_init(&other, fixture, IDEMPOTENCY_KEY, 'k');
    store_its_answer(fixture, &other, 2);
    draft_run(&other.draft, ordinary);
    NET_UNTIL(&fixture->net, other.refused == 1);
    assert_int_equal(other.fault.code, FAULT_CONFLICT);
    assert_string_equal(other.fault.param, "Idempotency-Key");
    assert_int_equal(fault_retry_after_ms(&other.fault), 0); /* it will never be another */
    request_clear(&same);
    request_clear(&other);
}

static void test_the_store_is_asked_only_when_it_can_know(void **state) {
    static const struct {
        enum idempotency_kind kind;
        enum store_key_kind key;
        int asked;
    } cases[] = {{IDEMPOTENCY_NONE, STORE_KEY_LIVE, 0},      {IDEMPOTENCY_KEY, STORE_KEY_LIVE, 1},
                 {IDEMPOTENCY_SDK_FIRST, STORE_KEY_LIVE, 0}, {IDEMPOTENCY_SDK_RETRY, STORE_KEY_LIVE, 1},
                 {IDEMPOTENCY_KEY, STORE_KEY_TEST, 0},       {IDEMPOTENCY_SDK_RETRY, STORE_KEY_TEST, 0}};
    struct call_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct request request;
        fixture->auth.kind = cases[i].key;
        fixture->store.answers_asked = 0;
        request_init(&request, fixture, cases[i].kind, (char)i);
        draft_run(&request.draft, ordinary);
        NET_UNTIL(&fixture->net, request.started == 1);
        assert_int_equal(fixture->store.answers_asked, cases[i].asked);
        request_clear(&request);
    }
}

static void test_it_does_not_run_when_the_store_cannot_tell(void **state) {
    struct call_fixture *fixture = *state;
    struct request request, again;
    request_init(&request, fixture, IDEMPOTENCY_KEY, 'k');
    err_set(&fixture->store.err, ERR_UNAVAILABLE, "busy");
    draft_run(&request.draft, ordinary);
    NET_UNTIL(&fixture->net, request.refused == 1);
    assert_int_equal(request.fault.code, FAULT_UNAVAILABLE);
    fixture->store.err = (struct err){0};
    request_init(&again, fixture, IDEMPOTENCY_KEY, 'k'); /* its claim is free */
    draft_run(&again.draft, ordinary);
    NET_UNTIL(&fixture->net, again.started == 1);
    request_clear(&request);
    request_clear(&again);
}

static void test_it_does_not_run_when_its_answer_cannot_be_kept(void **state) {
    struct call_fixture *fixture = *state;
    struct request request;
    request_init(&request, fixture, IDEMPOTENCY_KEY, 'k');
    err_set_field(&fixture->store.err, ERR_CONFLICT, "quota", "This account keeps 3 stored answers");
    draft_run(&request.draft, ordinary);
    NET_UNTIL(&fixture->net, request.refused == 1);
    assert_int_equal(request.fault.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_int_equal(request.fault.retry_after_ms, 60000);
    assert_string_equal(request.fault.message, "This account keeps 3 stored answers.");
    fixture->store.err = (struct err){0};
    request_clear(&request);
}

static void test_a_twin_is_told_to_come_back(void **state) {
    static const struct draft_stage stages[] = {{.name = "claim", .enter = draft_claim},
                                                {.name = "wait", .enter = wait},
                                                {.name = "start", .enter = start},
                                                {.name = "end"}};
    struct call_fixture *fixture = *state;
    struct request first, twin;
    request_init(&first, fixture, IDEMPOTENCY_KEY, 'k');
    draft_run(&first.draft, stages);
    request_init(&twin, fixture, IDEMPOTENCY_KEY, 'k');
    draft_run(&twin.draft, stages);
    assert_int_equal(twin.refused, 1);
    assert_int_equal(twin.fault.code, FAULT_CONFLICT);
    assert_int_equal(fault_retry_after_ms(&twin.fault), IDEMPOTENCY_RUNNING_RETRY_MS);
    answer(&first, DRAFT_ON);
    assert_int_equal(first.started, 1);
    request_clear(&first);
    request_clear(&twin);
}

/* Its twin's client has gone while the answer was being settled: that it is not stored does not mean that it never
 * ran. */
static void test_an_answer_that_may_still_come(void **state) {
    struct call_fixture *fixture = *state;
    struct request request;
    struct claim *claim;
    struct fault fault;
    request_init(&request, fixture, IDEMPOTENCY_KEY, 'k');
    assert_true(claim_take(fixture->calls->claims, &request.draft.idempotency, &claim, &fault));
    claim_linger(claim);
    claim_release(claim);
    draft_run(&request.draft, ordinary);
    NET_UNTIL(&fixture->net, request.refused == 1);
    assert_int_equal(request.fault.code, FAULT_CONFLICT);
    assert_int_equal(request.started, 0);
    request_clear(&request);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, call_fixture_setup, call_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_goes_through_all),
        TEST(test_is_refused_at_any_stage),
        TEST(test_a_wait_may_be_the_end),
        TEST(test_its_client_goes_while_it_waits),
        TEST(test_its_client_goes_while_the_store_looks),
        TEST(test_its_client_goes_when_nothing_waits),
        TEST(test_its_stored_answer_is_given),
        TEST(test_the_store_is_asked_only_when_it_can_know),
        TEST(test_it_does_not_run_when_its_answer_cannot_be_kept),
        TEST(test_it_does_not_run_when_the_store_cannot_tell),
        TEST(test_a_twin_is_told_to_come_back),
        TEST(test_an_answer_that_may_still_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
