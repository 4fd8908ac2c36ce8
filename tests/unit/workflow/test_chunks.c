#include "workflow/budget.h"
#include "workflow/choose.h"
#include "workflow/compose.h"
#include "workflow/fit.h"
#include "workflow/meaning.h"
#include "workflow/task.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DOCUMENT_BYTES = 16000, CONTEXT = 1024 };

static struct gen_message message;
static struct gen_request request;
static struct buf text;

static struct str document_of(const char *unit) {
    buf_reset(&text);
    while (text.len < DOCUMENT_BYTES) {
        buf_append_cstr(&text, unit);
    }
    gen_request_init(&request);
    message = (struct gen_message){GEN_ROLE_USER, buf_str(&text), STR(""), NULL, 0};
    request.messages = &message;
    request.message_count = 1;
    return task_document(&request);
}

/* Those of a model that nobody knows, so many times. */
static struct tokens_rates rates_of(uint32_t scale) {
    struct tokens_rates rates = tokens_prior_of(STR("demo"))->rates;
    tokens_rates_scale(&rates, 100 * (uint64_t)scale);
    return rates;
}

static void check_chunks(struct str document, const struct workflow_chunks *chunks) {
    size_t covered = 0;
    for (uint32_t i = 0; i < chunks->count; i++) {
        const struct str chunk = workflow_chunk(document, chunks, i);
        const size_t start = (size_t)(chunk.data - document.data);
        assert_true(chunk.len > 0 && chunk.len <= chunks->bytes);
        assert_true(start <= covered);
        assert_true(covered - start <= chunks->overlap);
        assert_true(i == 0 || covered - start + 4 >= chunks->overlap / 2);
        assert_true(start + chunk.len > covered);
        assert_true(utf8_valid(chunk.data, chunk.len));
        covered = start + chunk.len;
    }
    assert_int_equal(covered, document.len);
    assert_int_equal(workflow_chunk(document, chunks, chunks->count).len, 0);
}

static void test_every_byte_once_or_twice(void **state) {
    static const char *const units[] = {
        "One sentence of a text. ", "A line\n", "A paragraph of words.\n\n", "x", "漢字", "Größe 漢字. ", "𝄞", "\n",
    };
    static const uint32_t contexts[] = {128, 256, 512, 1024, 8192};
    (void)state;
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        const struct str document = document_of(units[u]);
        for (size_t c = 0; c < COUNT_OF(contexts); c++) {
            for (uint32_t scale = 1; scale <= 4; scale *= 2) {
                const struct tokens_rates rates = rates_of(scale);
                const struct workflow_chunks chunks = workflow_chunks_plan(&request, contexts[c], &rates);
                const struct workflow_chunks again = workflow_chunks_plan(&request, contexts[c], &rates);
                check_chunks(document, &chunks);
                assert_int_equal(chunks.count, again.count);
                assert_int_equal(chunks.bytes, again.bytes);
            }
        }
    }
}

static void test_ends_at_sentences(void **state) {
    const struct str document = document_of("One sentence of a text. ");
    const struct tokens_rates rates = rates_of(1);
    const struct workflow_chunks chunks = workflow_chunks_plan(&request, CONTEXT, &rates);
    (void)state;
    assert_true(chunks.count > 10);
    for (uint32_t i = 0; i < chunks.count; i++) {
        const struct str chunk = workflow_chunk(document, &chunks, i);
        assert_memory_equal(chunk.data + chunk.len - 2, ". ", 2);
        assert_true(i == 0 || chunk.data[-1] == ' ');
    }
}

/* A map reads its chunk whole: nothing is lost where the text is dense. */
static void test_maps_read_whole_chunks(void **state) {
    static const char *const units[] = {"Plain words here. ", "Größe 漢字. ", "漢字"};
    const struct tokens_rates rates = rates_of(1);
    (void)state;
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        const struct str document = document_of(units[u]);
        struct core_step step = {.name = CORE_STEP_MAP};
        struct core_workflow workflow = {.steps = &step, .step_count = 1};
        struct orchestration asked;
        struct str output = STR("");
        orchestration_init(&asked);
        struct workflow_scene scene = {.request = &request,
                                       .asked = &asked,
                                       .workflow = &workflow,
                                       .outputs = &output,
                                       .chunks = workflow_chunks_plan(&request, CONTEXT, &rates),
                                       .context_length = CONTEXT,
                                       .rates = rates};
        for (uint32_t i = 0; i < scene.chunks.count; i++) {
            struct arena arena;
            struct gen_request made;
            const struct str chunk = workflow_chunk(document, &scene.chunks, i);
            arena_init(&arena, 1024 * 1024);
            step.part = i;
            assert_true(workflow_step_compose(&scene, 0, &arena, &made));
            const struct str prompt = made.messages[made.message_count - 1].content;
            assert_non_null(memmem(prompt.data, prompt.len, chunk.data, chunk.len));
            arena_clear(&arena);
        }
    }
}

static void test_short_text_is_one_chunk(void **state) {
    (void)state;
    (void)document_of("x");
    message.content = STR("Short.");
    const struct tokens_rates rates = rates_of(1);
    const struct workflow_chunks chunks = workflow_chunks_plan(&request, CONTEXT, &rates);
    assert_int_equal(chunks.count, 1);
    assert_true(str_equal(workflow_chunk(message.content, &chunks, 0), message.content));
    message.content = STR("");
    assert_int_equal(workflow_chunks_plan(&request, CONTEXT, &rates).count, 1);
}

static void test_written_and_read(void **state) {
    static const char *const wrong[] = {
        "",
        "{}",
        "[1]",
        "{\"chunks\":0,\"bytes\":100,\"overlap\":5}",
        "{\"chunks\":1,\"bytes\":1,\"overlap\":0}",
        "{\"chunks\":1,\"bytes\":100,\"overlap\":90}",
        "{\"chunks\":1.5,\"bytes\":100,\"overlap\":5}",
    };
    struct json_parser *parser = json_parser_new(4096, 8);
    struct workflow_chunks read;
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    const struct workflow_chunks chunks = {12, 1000, 50, 130};
    workflow_chunks_write(&chunks, &out);
    assert_string_equal(buf_cstr(&out), "{\"chunks\":12,\"bytes\":1000,\"overlap\":50,\"percent\":130}");
    assert_true(workflow_chunks_read(parser, buf_str(&out), &read));
    assert_int_equal(read.count, 12);
    assert_int_equal(read.bytes, 1000);
    assert_int_equal(read.overlap, 50);
    assert_int_equal(read.percent, 130);
    assert_true(workflow_chunks_read(parser, STR("{\"chunks\":12,\"bytes\":1000,\"overlap\":50}"), &read));
    assert_int_equal(read.percent, 100); /* an older version did not count */
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(workflow_chunks_read(parser, str_from(wrong[i]), &read));
    }
    buf_clear(&out);
    json_parser_free(parser);
}

static void test_reduce_tokens(void **state) {
    (void)state;
    assert_true(budget_reduce_tokens(128) >= 1);
    assert_true(budget_reduce_tokens(1024) > WORKFLOW_STEP_TOKENS && budget_reduce_tokens(1024) < 1024 * 3 / 4);
    assert_true(budget_reduce_tokens(8192) > 3000 && budget_reduce_tokens(8192) < 8192 * 3 / 4);
}

static int begin(void **state) {
    (void)state;
    buf_init(&text, 1024 * 1024);
    return 0;
}

static int end(void **state) {
    (void)state;
    buf_clear(&text);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_once_or_twice), cmocka_unit_test(test_ends_at_sentences),
        cmocka_unit_test(test_maps_read_whole_chunks),   cmocka_unit_test(test_short_text_is_one_chunk),
        cmocka_unit_test(test_written_and_read),         cmocka_unit_test(test_reduce_tokens),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
