/* Calls on a conversation as the API makes them, without HTTP: a draft, its call, and its one end. */
#ifndef NATARIS_TESTS_SUPPORT_TALK_H
#define NATARIS_TESTS_SUPPORT_TALK_H

#define CALL_FIXTURE_REAL_STORE

#include "call/draft.h"
#include "conversation/conversation.h"
#include "support/call_fixture.h"

#define TALK_ID "conv_000000000000000000000001"

struct talk_fixture {
    struct call_fixture calls; /* first: a call_fixture */
    struct conversations *conversations;
    /* What the store has said last. */
    bool told, missing;
    struct store_conversation stored; /* its texts are these: */
    char system[512], summary[2048], contents[16][256];
    size_t message_count;
    int roles[16];
};

enum talk_state { TALK_READING, TALK_REFUSED, TALK_RUNNING, TALK_ENDED, TALK_FAILED };

/* One call: from the body's messages to its end. */
struct talk {
    struct draft draft; /* first */
    struct call call;
    struct arena arena;
    struct auth_identity identity;
    struct talk_fixture *fixture;
    enum talk_state state;
    bool composed; /* as a workflow's answer */
    struct fault fault;
    struct store_turn turn;
    bool turned;
};

static struct talk *talk_of(struct call *call) {
    return (struct talk *)((char *)call - offsetof(struct talk, call));
}

static void talk_refuse(struct draft *draft, const struct fault *fault) {
    struct talk *talk = (struct talk *)draft;
    talk->state = TALK_REFUSED;
    talk->fault = *fault;
}

static const struct draft_owner TALK_OWNER = {.refuse = talk_refuse};

/* --- Its call --- */

static void talk_accepted(struct call *call) {
    (void)call;
}

static enum call_delivery talk_deliver(struct call *call, struct str text) {
    (void)buf_append_str(&call->text, text);
    return CALL_DELIVERED;
}

static bool talk_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    return call->hook != NULL && call->hook->kind->turn(call->hook, call, result, turn);
}

static void talk_finished(struct call *call, const struct call_result *result) {
    talk_of(call)->state = TALK_ENDED;
    if (call->hook != NULL) {
        call->hook->kind->done(call->hook, call, result);
    }
    call_unlink(call);
    call_clear(call);
}

static void talk_failed(struct call *call, const struct fault *fault) {
    struct talk *talk = talk_of(call);
    talk->state = TALK_FAILED;
    talk->fault = *fault;
    call_unlink(call);
    call_clear(call);
}

static const struct call_sink TALK_SINK = {.accepted = talk_accepted,
                                           .deliver = talk_deliver,
                                           .turn = talk_turn,
                                           .finished = talk_finished,
                                           .failed = talk_failed};

static enum draft_step talk_enter(struct draft *draft) {
    return conversation_enter(((struct talk *)draft)->fixture->conversations, draft);
}

static enum draft_step talk_start(struct draft *draft) {
    struct talk *talk = (struct talk *)draft;
    struct call *call = &talk->call;
    call->identity = talk->identity;
    call->generation = draft->input.request;
    call->label = draft->input.label;
    call_init(call, draft->calls, &TALK_SINK, &talk->arena);
    id_make("chatcmpl-", call->created_ms, call->id);
    call->hook = draft->hook;
    draft->hook = NULL;
    talk->state = TALK_RUNNING;
    call_link(call);
    call_submit(call);
    return DRAFT_OVER;
}

static const struct draft_stage TALK_STAGES[] = {
    {.name = "conversation?", .enter = talk_enter, .gone = conversation_enter_gone},
    {.name = "start", .enter = talk_start},
    {.name = "end"}};

/* With one message of the user; in the sandbox when the fixture's key is a test key. */
UNUSED static struct talk *talk_new(struct talk_fixture *fixture, const char *id, const char *text) {
    struct talk *talk = MEM_NEW(struct talk);
    struct call_input *input = &talk->draft.input;
    arena_init(&talk->arena, 8 << 20);
    talk->fixture = fixture;
    talk->identity = call_fixture_identity(&fixture->calls.auth);
    struct gen_message *messages = ARENA_ARRAY(&talk->arena, struct gen_message, 2);
    messages[0] = (struct gen_message){
        .role = GEN_ROLE_USER, .content = arena_copy(&talk->arena, str_from(text)), .tool_call_id = STR("")};
    gen_request_init(&input->request);
    input->request.model = STR(CALL_FIXTURE_MODEL);
    input->request.messages = messages;
    input->request.message_count = 1;
    input->request.max_tokens = 64;
    input->label = arena_copy(&talk->arena, str_from(id));
    talk->draft.calls = fixture->calls.calls;
    talk->draft.owner = &TALK_OWNER;
    talk->draft.arena = &talk->arena;
    talk->draft.identity = &talk->identity;
    talk->draft.request_id = "req_1";
    return talk;
}

UNUSED static void talk_begin(struct talk *talk) {
    draft_run(&talk->draft, TALK_STAGES);
}

/* Runs the loop until the store has been heard. */
UNUSED static void talk_settle_in(struct talk *talk) {
    NET_UNTIL(&talk->fixture->calls.net, talk->state != TALK_READING);
    if (talk->state == TALK_RUNNING) {
        assert_ptr_equal(call_fixture_take(&talk->fixture->calls), &talk->call);
    }
}

static void talk_on_durable(void *context, const struct err *err) {
    assert_null(err);
    *(bool *)context = true;
}

UNUSED static void talk_keep(struct talk_fixture *fixture, const struct store_turn *turn) {
    bool durable = false;
    store_turn_keep(fixture->calls.files->store, turn, talk_on_durable, &durable);
    NET_UNTIL(&fixture->calls.net, durable);
}

static struct call_result talk_result(uint32_t prompt_tokens, uint32_t completion_tokens) {
    return (struct call_result){.finish = GEN_FINISH_STOP,
                                .usage = {.prompt_tokens = prompt_tokens, .completion_tokens = completion_tokens},
                                .inference_type = "p2p",
                                .attempts = 1};
}

/* The end of any call (also a run's): its text, its settlement with its turn, done. */
UNUSED static void talk_answer(struct talk_fixture *fixture, struct call *call, const char *text,
                               uint32_t prompt_tokens) {
    struct call_result result = talk_result(prompt_tokens, 4);
    struct store_turn turn;
    assert_int_equal(call->sink->deliver(call, str_from(text)), CALL_DELIVERED);
    if (call->sink->turn(call, &result, &turn)) {
        talk_keep(fixture, &turn);
    }
    call->sink->finished(call, &result);
}

UNUSED static void talk_free(struct talk *talk) {
    arena_clear(&talk->arena);
    free(talk);
}

/* A whole call, which is expected to succeed. */
UNUSED static void talk_say(struct talk_fixture *fixture, const char *text, const char *answer,
                            uint32_t prompt_tokens) {
    struct talk *talk = talk_new(fixture, TALK_ID, text);
    talk_begin(talk);
    talk_settle_in(talk);
    assert_int_equal(talk->state, TALK_RUNNING);
    talk_answer(fixture, &talk->call, answer, prompt_tokens);
    assert_int_equal(talk->state, TALK_ENDED);
    talk_free(talk);
}

/* --- The store --- */

static void talk_on_added(void *context, const struct err *err) {
    assert_null(err);
    *(bool *)context = true;
}

/* A conversation of TALK_ID, of the fixture's kind of key; what else it has is given. */
UNUSED static void talk_add(struct talk_fixture *fixture, struct store_conversation conversation) {
    bool added = false;
    conversation.test = fixture->calls.auth.kind == STORE_KEY_TEST;
    conversation.created_ms = conversation.updated_ms = 1000;
    if (conversation.system.data == NULL) {
        conversation.system = STR("");
    }
    conversation.summary = STR("");
    (void)str_copy(conversation.id, sizeof(conversation.id), STR(TALK_ID));
    (void)str_copy(conversation.account_id, sizeof(conversation.account_id), STR("acct_1"));
    store_conversation_add(fixture->calls.files->store, &conversation, talk_on_added, &added);
    NET_UNTIL(&fixture->calls.net, added);
}

static void talk_on_read(void *context, const struct store_conversation *conversation,
                         const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct talk_fixture *fixture = context;
    (void)more;
    fixture->told = true;
    fixture->missing = err != NULL;
    if (err != NULL) {
        return;
    }
    fixture->stored = *conversation;
    (void)str_copy(fixture->system, sizeof(fixture->system), conversation->system);
    (void)str_copy(fixture->summary, sizeof(fixture->summary), conversation->summary);
    assert_in_range(count, 0, COUNT_OF(fixture->contents));
    fixture->message_count = count;
    for (size_t i = 0; i < count; i++) {
        fixture->roles[i] = messages[i].role;
        (void)str_copy(fixture->contents[i], sizeof(fixture->contents[i]), messages[i].content);
    }
}

/* What the store has of it, into the fixture. */
UNUSED static const struct store_conversation *talk_stored(struct talk_fixture *fixture) {
    const struct store_conversation_ask ask = {.account_id = "acct_1",
                                               .id = TALK_ID,
                                               .test = fixture->calls.auth.kind == STORE_KEY_TEST,
                                               .whole = true,
                                               .limit = COUNT_OF(fixture->contents),
                                               .tokens_max = INT64_MAX,
                                               .bytes_max = SIZE_MAX};
    fixture->told = false;
    store_conversation_read(fixture->calls.files->store, &ask, talk_on_read, fixture);
    NET_UNTIL(&fixture->calls.net, fixture->told);
    return &fixture->stored;
}

/* --- The fixture --- */

UNUSED static int talk_setup(void **state) {
    struct talk_fixture *fixture = MEM_NEW(struct talk_fixture);
    call_fixture_open(&fixture->calls);
    fixture->conversations = conversations_new(fixture->calls.calls, false, false);
    *state = fixture;
    return 0;
}

UNUSED static int talk_teardown(void **state) {
    struct talk_fixture *fixture = *state;
    call_fixture_stop(&fixture->calls);
    conversations_free(fixture->conversations);
    call_fixture_close(&fixture->calls);
    free(fixture);
    return 0;
}

#endif
