/* Models fetched into the folder, from a server of the test's own. */
#include "cmd/model_pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "support/command_fixture.h"
#include "support/http_thread.h"

static const char CONTENT[] = "GGUF, and what makes a model of it";

struct world {
    struct command_fixture *fixture;
    struct http_thread server;
    char hash[DIGEST_HEX_SIZE];
    unsigned port, requests;
};

static void on_gone(void *user) {
    (void)user;
}

/* "/model" is the file; "/interrupt" presses Ctrl-C and never answers; all else is not there. */
static void on_request(void *context, struct http_exchange *exchange) {
    struct world *world = context;
    const struct http_request *request = http_exchange_request(exchange);
    world->requests++;
    if (str_equal_cstr(request->path, "/model")) {
        http_respond(exchange, 200, NULL, 0, STR(CONTENT));
    } else if (str_equal_cstr(request->path, "/interrupt")) {
        http_exchange_on_gone(exchange, on_gone, NULL);
        kill(getpid(), SIGINT);
    } else {
        http_respond(exchange, 404, NULL, 0, STR("no such file"));
    }
}

static int setup(void **state) {
    struct world *world = mem_calloc(1, sizeof(*world));
    uint8_t digest[DIGEST_SHA256_SIZE];
    void *fixture;
    command_fixture_setup(&fixture);
    world->fixture = fixture;
    world->server = (struct http_thread){.on_request = on_request, .context = world};
    http_thread_start(&world->server, "127.0.0.1:0");
    world->port = http_thread_port(&world->server);
    digest_sha256(CONTENT, sizeof(CONTENT) - 1, digest);
    digest_hex(digest, sizeof(digest), world->hash);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *fixture = world->fixture;
    http_thread_stop(&world->server);
    free(world);
    return command_fixture_teardown(&fixture);
}

static void a_model_is_added_and_pulled(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    const char *path = temp_tree_path(&fixture->tree, "models/mine.gguf");
    command_fixture_expect(fixture, COMMAND_OK, "model|pull|mine|--from|http://127.0.0.1:%u/model|--sha256|%s|--quiet",
                           world->port, world->hash);
    assert_printed(fixture, "mine is here and verified: %s\n", path);
    assert_true(file_exists(path));
    command_fixture_expect(fixture, COMMAND_OK, "model|pull|mine|--quiet");
    assert_printed(fixture, "mine is already here: %s\n", path);
    assert_int_equal(world->requests, 1);
    command_fixture_expect(fixture, COMMAND_OK, "model|list");
    assert_prints(fixture, "mine                               ready ");
}

static void a_file_that_is_another(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    world->hash[0] = world->hash[0] == '0' ? '1' : '0';
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "model|pull|mine|--from|http://127.0.0.1:%u/model|--sha256|%s|--quiet", world->port,
                           world->hash);
    assert_complains(fixture, "nataris: ");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "models/mine.gguf")));
}

static void a_mirror_gives_the_catalogs_file_only(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    command_fixture_expect(fixture, COMMAND_FAILED, "model|pull|nataris-fast|--from|http://127.0.0.1:%u/model|--quiet",
                           world->port);
    assert_int_equal(world->requests, 1);
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "model|pull|nataris-fast|--from|http://127.0.0.1:%u/model|--sha256|%s|--quiet", world->port,
                           world->hash);
    assert_complains(fixture, "the SHA-256 of qwen2.5-0.5b-instruct-q6_k is 2f822336");
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "model|pull|nataris-fast|--from|http://127.0.0.1:%u/model|--sha256|abc|--quiet",
                           world->port);
    assert_complains(fixture, "a SHA-256 has 64 hexadecimal digits");
    assert_int_equal(world->requests, 1);
}

static void the_others_are_tried_all_the_same(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "model|pull|mine|--from|http://127.0.0.1:%u/none|--sha256|%s|--quiet", world->port,
                           world->hash);
    assert_complains(fixture, "nataris: ");
    command_fixture_expect(fixture, COMMAND_OK, "model|pull|mine|--from|http://127.0.0.1:%u/model|--sha256|%s|--quiet",
                           world->port, world->hash);
    command_fixture_expect(fixture, COMMAND_FAILED, "model|pull|nobodys|mine|--quiet");
    assert_prints(fixture, "mine is already here: ");
    assert_complains(fixture, "nataris: model 'nobodys' is unknown; 'nataris catalog' has the known ones");
}

static void ctrl_c_keeps_what_has_come(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    command_fixture_expect(fixture, COMMAND_INTERRUPTED,
                           "model|pull|mine|--from|http://127.0.0.1:%u/interrupt|--sha256|%s|--quiet", world->port,
                           world->hash);
    assert_string_equal(buf_cstr(&fixture->errors),
                        "nataris: stopped; what has come is kept, and the next pull goes on from there\n");
    assert_string_equal(buf_cstr(&fixture->output), "");
}

static void options_that_do_not_go_together(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_USAGE, "NAME is missing: 'nataris catalog' lists the models", "model|pull");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--from is for one model at a time",
                           "model|pull|a|b|--from|http://127.0.0.1:1/x");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--sha256 goes with --from", "model|pull|a|--sha256|ab");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--log-level wants", "model|pull|a|--log-level|loud");
    command_fixture_refuse(fixture, COMMAND_FAILED, "model 'a' is not in the catalog: --from needs --sha256",
                           "model|pull|a|--from|http://127.0.0.1:1/x");
    command_fixture_refuse(fixture, COMMAND_FAILED, "model 'a' is unknown", "model|pull|a");
}

#define PULL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PULL_TEST(a_model_is_added_and_pulled),
        PULL_TEST(a_file_that_is_another),
        PULL_TEST(a_mirror_gives_the_catalogs_file_only),
        PULL_TEST(the_others_are_tried_all_the_same),
        PULL_TEST(ctrl_c_keeps_what_has_come),
        COMMAND_TEST(options_that_do_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
