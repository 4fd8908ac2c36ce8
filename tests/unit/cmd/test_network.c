/* A gateway opened on a data folder with its owner. */
#include "cmd/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/data_folder.h"
#include "support/command_fixture.h"

static void addresses_of_clients_here(void **state) {
    static const struct {
        const char *listen, *origin;
        bool tls;
        unsigned port;
    } CASES[] = {{"127.0.0.1:0", "http://127.0.0.1:81", false, 81}, {"0.0.0.0:80", "http://127.0.0.1:80", false, 80},
                 {"[::]:443", "https://[::1]:443", true, 443},      {":8080", "http://127.0.0.1:8080", false, 8080},
                 {"[::1]:1", "http://[::1]:1", false, 1},           {"example.org:1", "https://example.org:1", true, 1},
                 {"8080", "http://127.0.0.1:8080", false, 8080}};
    struct network network;
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char base_url[NETWORK_URL_SIZE];
        assert_true(network_set_urls(&network, CASES[i].listen, CASES[i].tls, CASES[i].port, &err));
        assert_string_equal(network.origin, CASES[i].origin);
        snprintf(base_url, sizeof(base_url), "%s/v1", CASES[i].origin);
        assert_string_equal(network.base_url, base_url);
    }
}

static void an_address_has_a_bound(void **state) {
    char listen[NETWORK_URL_SIZE];
    struct network network;
    struct err err = {0};
    (void)state;
    memset(listen, 'a', sizeof(listen));
    memcpy(listen + sizeof(listen) - 3, ":1", 3);
    assert_false(network_set_urls(&network, listen, false, 1, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

/* --- Opened --- */

struct world {
    struct command_fixture *fixture;
    struct loop *loop;
    struct network network;
    struct gateway_options options;
    unsigned stopped;
};

static void on_stopped(void *context, const struct err *err) {
    struct world *world = context;
    assert_null(err);
    world->stopped++;
}

static int setup(void **state) {
    struct world *world = mem_calloc(1, sizeof(*world));
    void *fixture;
    command_fixture_setup(&fixture);
    world->fixture = fixture;
    world->loop = loop_new();
    gateway_options_init(&world->options);
    world->options.listen = "127.0.0.1:0";
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *fixture = world->fixture;
    loop_run(world->loop);
    loop_free(world->loop);
    free(world);
    return command_fixture_teardown(&fixture);
}

static bool open_network(struct world *world, const char *folder) {
    static const struct gateway_events EVENTS = {.on_stopped = on_stopped};
    return network_open(&world->network, world->loop, folder, &world->options, &EVENTS, world, &world->fixture->err);
}

static void print_json(void *context) {
    const struct world *world = context;
    network_print_json(&world->network);
}

static void a_network_in_a_new_folder(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    char origin[NETWORK_URL_SIZE], kept[NETWORK_URL_SIZE];
    const char *data = temp_tree_path(&fixture->tree, "made/here");
    struct store *store;
    assert_true(open_network(world, data));
    snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", gateway_port(world->network.gateway));
    assert_string_equal(world->network.origin, origin);
    assert_true(file_exists(temp_tree_path(&fixture->tree, "made/here/owner.json")));
    assert_true(file_exists(temp_tree_path(&fixture->tree, "made/here/admin.sock")));
    assert_true(world->network.join_token[0] != '\0');
    command_fixture_print(fixture, print_json, world);
    assert_printed(fixture, "{\"base_url\":\"%s/v1\",\"api_key\":\"%s\",\"test_key\":\"%s\"}\n", origin,
                   world->network.owner.live_key, world->network.owner.test_key);
    assert_false(open_network(world, data));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    assert_non_null(strstr(fixture->err.message, "another gateway runs in /"));
    gateway_drain(world->network.gateway);
    loop_run(world->loop);
    assert_int_equal(world->stopped, 1);
    assert_true(data_folder_open_store(data, &store, &fixture->err));
    assert_true(store_setting_get(store, "origin", kept, sizeof(kept), &fixture->err));
    assert_string_equal(kept, origin);
    store_close(store);
}

static void what_is_in_the_way(void **state) {
    struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    char junk[2048];
    temp_tree_write(&fixture->tree, "plain", "");
    assert_false(open_network(world, temp_tree_path(&fixture->tree, "plain")));
    assert_non_null(strstr(fixture->err.message, "/plain"));
    memset(junk, 'x', sizeof(junk));
    temp_tree_write_bytes(&fixture->tree, "junk/nataris.db", (struct str){junk, sizeof(junk)}, 0600);
    assert_false(open_network(world, temp_tree_path(&fixture->tree, "junk")));
    assert_non_null(strstr(fixture->err.message, "nataris.db"));
    temp_tree_write(&fixture->tree, "half/owner.json", "{\"api_key\": \"half");
    assert_false(open_network(world, temp_tree_path(&fixture->tree, "half")));
    assert_non_null(strstr(fixture->err.message, "owner.json is damaged"));
    world->options.listen = "127.0.0.1:99999";
    assert_false(open_network(world, temp_tree_path(&fixture->tree, "address")));
    assert_null(world->network.gateway);
}

#define NETWORK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_clients_here),
        cmocka_unit_test(an_address_has_a_bound),
        NETWORK_TEST(a_network_in_a_new_folder),
        NETWORK_TEST(what_is_in_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
