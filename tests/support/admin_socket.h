/* A data folder in which a gateway seems to run: DATA/admin.sock gives the answer that the test says, and keeps what
 * was asked. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_ADMIN_SOCKET_H
#define NATARIS_TESTS_SUPPORT_ADMIN_SOCKET_H

#include "support/command_fixture.h"
#include "support/http_thread.h"

struct admin_socket {
    struct command_fixture *fixture;
    struct http_thread server;
};

UNUSED static int admin_socket_setup(void **state) {
    struct admin_socket *socket = mem_calloc(1, sizeof(*socket));
    char address[FILE_PATH_MAX + 16];
    void *fixture;
    command_fixture_setup(&fixture);
    socket->fixture = fixture;
    snprintf(address, sizeof(address), "unix:%s", temp_tree_path(&socket->fixture->tree, "admin.sock"));
    http_thread_start(&socket->server, address);
    *state = socket;
    return 0;
}

UNUSED static int admin_socket_teardown(void **state) {
    struct admin_socket *socket = *state;
    void *fixture = socket->fixture;
    http_thread_stop(&socket->server);
    free(socket);
    return command_fixture_teardown(&fixture);
}

/* The command, told `answer` by the gateway, ends well. */
UNUSED static void admin_socket_run(struct admin_socket *socket, const char *words, const char *answer) {
    socket->server.answer = answer;
    socket->server.status = 200;
    command_fixture_expect(socket->fixture, COMMAND_OK, "%s|--data|@", words);
}

/* The command asks for this ("METHOD PATH BODY") and prints that. */
UNUSED static void admin_socket_expect(struct admin_socket *socket, const char *words, const char *request,
                                       const char *answer, const char *printed) {
    admin_socket_run(socket, words, answer);
    assert_string_equal(socket->server.seen, request);
    assert_string_equal(buf_cstr(&socket->fixture->output), printed);
}

#define ADMIN_SOCKET_TEST(test) cmocka_unit_test_setup_teardown(test, admin_socket_setup, admin_socket_teardown)

#endif
