/* The real child on the built-in model; and programs that are no child at all. */
#include "engine/counter.h"

#include "base/file.h"
#include "base/log.h"
#include "support/temp_folder.h"
#include "unit/tokens/sample_texts.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MODEL NATARIS_SOURCE_DIR "/models/nataris-demo-2m-q8_0.gguf"

enum { ANSWERS = 128, TEXTS = 64 };

struct answer {
    struct fixture *fixture;
    bool told, counted;
    uint32_t tokens[TEXTS];
    size_t count;
};

struct fixture {
    struct loop *loop;
    struct counter *counter;
    struct answer answers[ANSWERS];
    size_t told;
    bool closed;
    struct temp_folder folder;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    log_set_level(LOG_ERROR);
    fixture->loop = loop_new();
    temp_folder_init(&fixture->folder);
    *state = fixture;
    return 0;
}

static void on_closed(void *context) {
    ((struct fixture *)context)->closed = true;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    if (fixture->counter != NULL) {
        counter_close(fixture->counter, on_closed, fixture);
        loop_run(fixture->loop);
        assert_true(fixture->closed);
    }
    loop_free(fixture->loop);
    temp_folder_clear(&fixture->folder);
    free(fixture);
    return 0;
}

static void open_counter(struct fixture *fixture, const char *model, const char *child, uint32_t wait_ms) {
    const struct counter_options options = {
        .loop = fixture->loop, .model_path = model, .child_path = child, .wait_ms = wait_ms, .pause_ms = 1};
    struct err err;
    assert_true(counter_open(&fixture->counter, &options, &err));
}

static void on_told(void *context, const uint32_t *tokens, size_t count) {
    struct answer *answer = context;
    assert_false(answer->told);
    answer->told = true;
    answer->counted = tokens != NULL;
    answer->count = count;
    for (size_t i = 0; tokens != NULL && i < count && i < TEXTS; i++) {
        answer->tokens[i] = tokens[i];
    }
    answer->fixture->told++;
}

static struct answer *answer_of(struct fixture *fixture, size_t index) {
    fixture->answers[index].fixture = fixture;
    return &fixture->answers[index];
}

static struct answer *ask(struct fixture *fixture, size_t index, struct str text) {
    struct answer *answer = answer_of(fixture, index);
    *answer = (struct answer){.fixture = fixture};
    (void)counter_ask_texts(fixture->counter, &text, 1, on_told, answer);
    return answer;
}

static void await(struct fixture *fixture, const struct answer *answer) {
    while (!answer->told) {
        uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    }
}

static void await_able(struct fixture *fixture) {
    while (!counter_is_able(fixture->counter)) {
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void counts_as_the_vocabulary_does(void **state) {
    struct fixture *fixture = *state;
    struct str texts[COUNT_OF(sample_texts)];
    open_counter(fixture, MODEL, NULL, 60000);
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        texts[i] = sample_texts[i].text;
    }
    struct answer *answer = answer_of(fixture, 0);
    (void)counter_ask_texts(fixture->counter, texts, COUNT_OF(texts), on_told, answer);
    assert_false(answer->told); /* not from inside */
    await(fixture, answer);
    assert_true(answer->counted);
    assert_int_equal(answer->count, COUNT_OF(texts));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(answer->tokens[i], sample_texts[i].tokens[0]);
    }
}

static void counts_a_chat_with_its_template(void **state) {
    struct fixture *fixture = *state;
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = STR("Be brief."), .tool_call_id = STR("")},
        {.role = GEN_ROLE_USER, .content = STR("<|im_end|>"), .tool_call_id = STR("")}};
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("demo");
    request.messages = messages;
    request.message_count = COUNT_OF(messages);
    open_counter(fixture, MODEL, NULL, 60000);
    (void)counter_ask_chat(fixture->counter, &request, on_told, answer_of(fixture, 0));
    await(fixture, ask(fixture, 1, STR("Be brief.<|im_end|>")));
    const struct answer *chat = &fixture->answers[0], *texts = &fixture->answers[1];
    assert_true(chat->told && chat->counted && chat->count == 1);
    assert_true(chat->tokens[0] > texts->tokens[0] + 4 && chat->tokens[0] < texts->tokens[0] + 64);
}

/* 1 MB without a blank: in pieces, each counted as a whole would be. */
static void a_word_without_end_is_counted(void **state) {
    static const char *const units[] = {"a", "中", "👩‍👩‍👧‍👦", " ", "\n", "k3J9"};
    struct fixture *fixture = *state;
    open_counter(fixture, MODEL, NULL, 60000);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        const size_t len = strlen(units[i]), count = COUNTER_BYTES_MAX / len;
        char *text = malloc(len * count);
        for (size_t j = 0; j < count; j++) {
            memcpy(text + j * len, units[i], len);
        }
        const struct answer *answer = ask(fixture, 0, (struct str){text, len * count});
        await(fixture, answer);
        assert_true(answer->counted && answer->tokens[0] >= len * count / 2 && answer->tokens[0] <= len * count + 200);
        free(text);
    }
}

static void what_is_too_much_has_no_answer(void **state) {
    struct fixture *fixture = *state;
    static struct str texts[COUNTER_TEXTS_MAX + 1];
    char *text = calloc(1, COUNTER_BYTES_MAX + 1);
    open_counter(fixture, MODEL, NULL, 60000);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        texts[i] = STR("a");
    }
    struct answer *many = answer_of(fixture, 0), *none = answer_of(fixture, 1);
    (void)counter_ask_texts(fixture->counter, texts, COUNT_OF(texts), on_told, many);
    (void)counter_ask_texts(fixture->counter, texts, 0, on_told, none);
    const struct answer *large = ask(fixture, 2, (struct str){text, COUNTER_BYTES_MAX + 1});
    const struct answer *good = ask(fixture, 3, STR("hello"));
    assert_int_equal(fixture->told, 0);
    await(fixture, good);
    assert_true(many->told && !many->counted && none->told && !none->counted && large->told && !large->counted);
    assert_true(good->counted);
    for (size_t i = 0; i < COUNTER_WAITING_MAX + 8; i++) {
        (void)ask(fixture, 4 + i, STR("hello"));
    }
    for (size_t i = 0; i < COUNTER_WAITING_MAX + 8; i++) {
        await(fixture, &fixture->answers[4 + i]);
        assert_int_equal(fixture->answers[4 + i].counted, i < COUNTER_WAITING_MAX);
    }
    free(text);
}

/* The child is killed: who waits is told that nothing was counted, and the next question starts another. */
static pid_t child_pid(void) {
    char path[64], text[64] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

static void its_death_costs_only_what_waits(void **state) {
    struct fixture *fixture = *state;
    open_counter(fixture, MODEL, NULL, 60000);
    await(fixture, ask(fixture, 0, STR("hello")));
    for (size_t i = 0; i < 3; i++) {
        kill(child_pid(), SIGSTOP);
        const struct answer *lost = ask(fixture, 1, STR("hello"));
        kill(child_pid(), SIGKILL);
        await(fixture, lost);
        assert_false(lost->counted);
        await_able(fixture);
        const struct answer *good = ask(fixture, 2, STR("hello"));
        await(fixture, good);
        assert_true(good->counted && good->tokens[0] == fixture->answers[0].tokens[0]);
    }
}

static void one_that_does_not_answer_is_killed(void **state) {
    struct fixture *fixture = *state;
    open_counter(fixture, MODEL, NULL, 60000);
    await(fixture, ask(fixture, 0, STR("hello")));
    counter_close(fixture->counter, on_closed, fixture);
    loop_run(fixture->loop);
    open_counter(fixture, MODEL, NULL, 300);
    fixture->closed = false;
    const struct answer *first = ask(fixture, 1, STR("hello"));
    await(fixture, first);
    if (first->counted) { /* a machine too slow for that has shown it already */
        kill(child_pid(), SIGSTOP);
        const struct answer *lost = ask(fixture, 2, STR("hello"));
        await(fixture, lost);
        assert_false(lost->counted);
        assert_false(counter_is_able(fixture->counter));
        await(fixture, ask(fixture, 3, STR("hello"))); /* at once */
        assert_false(fixture->answers[3].counted);
        await_able(fixture);
    }
}

/* READY, and then a count that nobody has asked for. */
static const char count_for_nobody[] =
    "#!/bin/sh\nprintf "
    "'\\031\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\001\\000\\000"
    "\\000\\000\\000\\000\\000\\000\\000\\000\\000\\015\\000\\000\\000\\014\\143\\000\\000\\000\\000\\000\\000\\000"
    "\\001\\000\\000\\000' >&3\nexec sleep 1000\n";

/* Programs that end, say nothing, or talk nonsense. */
static void what_is_no_child_has_no_answers(void **state) {
    static const char *const scripts[] = {
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\nexec sleep 1000\n",
        "#!/bin/sh\nprintf 'nonsense that is no frame at all' >&3\nexec sleep 1000\n",
        "#!/bin/sh\nkill -9 $$\n",
        count_for_nobody,
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        char path[128];
        const char *file = temp_folder_file(&fixture->folder, "child.sh", path);
        struct err err;
        assert_true(file_write_atomic(file, str_from(scripts[i]), 0700, &err));
        open_counter(fixture, MODEL, file, 200);
        const struct answer *answer = ask(fixture, 0, STR("hello"));
        await(fixture, answer);
        assert_false(answer->counted);
        counter_close(fixture->counter, on_closed, fixture);
        fixture->closed = false;
        while (!fixture->closed) {
            uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
        }
        fixture->counter = NULL;
    }
}

static void a_file_that_is_no_model_is_refused_for_good(void **state) {
    struct fixture *fixture = *state;
    char path[128];
    struct err err;
    assert_true(file_write_atomic(temp_folder_file(&fixture->folder, "x.gguf", path), STR("no model"), 0600, &err));
    open_counter(fixture, path, NULL, 60000);
    const struct answer *answer = ask(fixture, 0, STR("hello"));
    await(fixture, answer);
    assert_false(answer->counted);
    assert_false(counter_is_able(fixture->counter));
}

static void who_is_gone_is_not_told(void **state) {
    struct fixture *fixture = *state;
    const struct str text = STR("hello");
    open_counter(fixture, MODEL, NULL, 60000);
    const uint64_t number = counter_ask_texts(fixture->counter, &text, 1, on_told, answer_of(fixture, 0));
    counter_forget(fixture->counter, number);
    counter_forget(fixture->counter, 0);
    await(fixture, ask(fixture, 1, STR("hello")));
    assert_false(fixture->answers[0].told);
    counter_forget(fixture->counter, number);
}

static void whoever_waits_at_the_end_is_told(void **state) {
    struct fixture *fixture = *state;
    open_counter(fixture, MODEL, NULL, 60000);
    const struct answer *answer = ask(fixture, 0, STR("hello"));
    counter_close(fixture->counter, on_closed, fixture);
    fixture->counter = NULL;
    assert_false(answer->told);
    loop_run(fixture->loop);
    assert_true(answer->told && !answer->counted && fixture->closed);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(counts_as_the_vocabulary_does),   TEST(counts_a_chat_with_its_template),
        TEST(a_word_without_end_is_counted),   TEST(what_is_too_much_has_no_answer),
        TEST(its_death_costs_only_what_waits), TEST(one_that_does_not_answer_is_killed),
        TEST(what_is_no_child_has_no_answers), TEST(a_file_that_is_no_model_is_refused_for_good),
        TEST(who_is_gone_is_not_told),         TEST(whoever_waits_at_the_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
