#include "call/weigh.h"

#include "call/counting.h"
#include "call/price.h"
#include "support/call_fixture.h"

struct weighing {
    struct call_fixture *fixture;
    struct arena arena;
    struct auth_identity identity;
    struct gen_message message;
    struct draft draft;
    call_counted *told;
    void *told_context;
    unsigned asked, started;
    bool able;
};

static bool is_able(void *context, struct str model) {
    const struct weighing *self = context;
    return self->able && str_equal_cstr(model, CALL_FIXTURE_MODEL);
}

static void chat(void *context, const struct gen_request *request, call_counted *told, void *told_context) {
    struct weighing *self = context;
    assert_int_equal(request->message_count, 1);
    self->asked++;
    self->told = told;
    self->told_context = told_context;
}

static enum draft_step start(struct draft *draft) {
    ((struct weighing *)((char *)draft - offsetof(struct weighing, draft)))->started++;
    return DRAFT_OVER;
}

static const struct draft_stage stages[] = {
    {.name = "weigh", .enter = draft_weigh}, {.name = "start", .enter = start}, {.name = "end"}};

static int setup(void **state) {
    struct weighing *self = MEM_NEW(struct weighing);
    void *fixture = NULL;
    assert_int_equal(call_fixture_setup(&fixture), 0);
    self->fixture = fixture;
    self->able = true;
    arena_init(&self->arena, 64 * 1024);
    self->identity = call_fixture_identity(&self->fixture->auth);
    self->message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR("What is it?"), .tool_call_id = STR("")};
    gen_request_init(&self->draft.input.request);
    self->draft.input.request.model = STR(CALL_FIXTURE_MODEL);
    self->draft.input.request.messages = &self->message;
    self->draft.input.request.message_count = 1;
    self->draft.calls = self->fixture->calls;
    self->draft.arena = &self->arena;
    self->draft.identity = &self->identity;
    self->fixture->calls->backend.counter = (struct call_counter){.context = self, .is_able = is_able, .chat = chat};
    *state = self;
    return 0;
}

static int teardown(void **state) {
    struct weighing *self = *state;
    void *fixture = self->fixture;
    arena_clear(&self->arena);
    free(self);
    return call_fixture_teardown(&fixture);
}

static void spendable(struct weighing *self, bool enough) {
    const struct gen_request *request = &self->draft.input.request;
    int64_t prompt_nano, completion_nano;
    price_of_model(request->model, &prompt_nano, &completion_nano);
    self->fixture->view.held_nano = 7;
    self->fixture->view.balance_nano = 7 + (int64_t)price_prompt_tokens_max(request) * prompt_nano +
                                       (int64_t)request->max_tokens * completion_nano - !enough;
}

static void test_who_has_enough_does_not_wait(void **state) {
    struct weighing *self = *state;
    spendable(self, true);
    draft_run(&self->draft, stages);
    assert_int_equal(self->asked, 0);
    assert_int_equal(self->started, 1);
    assert_int_equal(self->draft.counted, 0);
}

static void test_who_has_less_is_counted(void **state) {
    struct weighing *self = *state;
    const uint32_t tokens = 40;
    spendable(self, false);
    draft_run(&self->draft, stages);
    assert_int_equal(self->asked, 1);
    assert_int_equal(self->started, 0);
    self->told(self->told_context, &tokens, 1);
    assert_int_equal(self->started, 1);
    assert_true(self->draft.counted >= 40 && self->draft.counted < 100);
}

static void test_without_an_answer_it_goes_on(void **state) {
    struct weighing *self = *state;
    spendable(self, false);
    draft_run(&self->draft, stages);
    self->told(self->told_context, NULL, 0);
    assert_int_equal(self->started, 1);
    assert_int_equal(self->draft.counted, 0);
}

static void test_without_anybody_to_count_it_goes_on(void **state) {
    struct weighing *self = *state;
    self->able = false;
    spendable(self, false);
    draft_run(&self->draft, stages);
    assert_int_equal(self->asked, 0);
    assert_int_equal(self->started, 1);
}

static void test_a_client_that_is_gone_is_not_told(void **state) {
    struct weighing *self = *state;
    const uint32_t tokens = 40;
    spendable(self, false);
    draft_run(&self->draft, stages);
    draft_gone(&self->draft);
    self->told(self->told_context, &tokens, 1);
    assert_int_equal(self->started, 0);
}

/* What was counted is known of the next text of the script, whatever devices say of it. */
static void test_a_count_teaches(void **state) {
    struct weighing *self = *state;
    struct buf text;
    buf_init(&text, 4096);
    for (int i = 0; i < 100; i++) {
        buf_append_cstr(&text, "海边的船");
    }
    self->message.content = buf_str(&text);
    const uint32_t before = counting_rates(self->draft.calls, STR(CALL_FIXTURE_MODEL), TOKENS_LIKELY).of[TOKENS_HAN];
    for (int i = 0; i < 8; i++) {
        const uint32_t tokens = 400;
        spendable(self, false);
        draft_run(&self->draft, stages);
        self->told(self->told_context, &tokens, 1);
    }
    assert_true(counting_rates(self->draft.calls, STR(CALL_FIXTURE_MODEL), TOKENS_LIKELY).of[TOKENS_HAN] < before);
    buf_clear(&text);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_who_has_enough_does_not_wait),      TEST(test_who_has_less_is_counted),
        TEST(test_without_an_answer_it_goes_on),      TEST(test_without_anybody_to_count_it_goes_on),
        TEST(test_a_client_that_is_gone_is_not_told), TEST(test_a_count_teaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
