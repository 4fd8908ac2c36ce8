/* Words of a status that the vectors do not go through one by one. */
#include "link/message.h"
#include "link/status.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void read_back(const struct link_status *status, struct link_message *message) {
    struct json_parser *parser = json_parser_new(LIMIT_LINK_PROVIDER_BYTES, LIMIT_JSON_DEPTH);
    struct arena arena;
    struct buf out;
    struct err err;
    arena_init(&arena, LIMIT_LINK_PROVIDER_BYTES);
    buf_init(&out, LIMIT_LINK_PROVIDER_BYTES);
    link_encode_status(&out, LINK_VERSION_2, status);
    assert_true(link_decode_text(LINK_VERSION_2, parser, &arena, buf_str(&out), message, &err));
    buf_clear(&out);
    arena_clear(&arena); /* what is compared are numbers */
    json_parser_free(parser);
}

static void test_every_pause_has_its_name(void **state) {
    (void)state;
    for (int pause = LINK_PAUSE_NONE; pause <= LINK_PAUSE_IN_USE; pause++) {
        struct link_message message;
        read_back(&(struct link_status){.pause = (enum link_pause)pause}, &message);
        assert_int_equal(message.status.pause, pause);
    }
}

static void test_every_heat_has_its_name(void **state) {
    (void)state;
    for (int heat = LINK_HEAT_NOMINAL; heat <= LINK_HEAT_CRITICAL; heat++) {
        struct link_message message;
        read_back(&(struct link_status){.heat = (enum link_heat)heat}, &message);
        assert_int_equal(message.status.heat, heat);
    }
}

static void test_every_kind_has_its_name(void **state) {
    (void)state;
    for (int i = LINK_JOB_KIND_GENERATE; i <= LINK_JOB_KIND_OTHER; i++) {
        const enum link_job_kind kind = (enum link_job_kind)i;
        assert_int_equal(link_job_kind_from_name(str_from(link_job_kind_name(kind))), kind);
    }
    assert_int_equal(link_job_kind_from_name(STR("")), LINK_JOB_KIND_OTHER);
    assert_int_equal(link_job_kind_from_name(STR("Generate")), LINK_JOB_KIND_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pause_has_its_name),
        cmocka_unit_test(test_every_heat_has_its_name),
        cmocka_unit_test(test_every_kind_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
