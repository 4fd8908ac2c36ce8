/* A long conversation: how long an exchange takes to be stored, and its end to be loaded for the next prompt.
 * bench_conversations FILE [--messages N]
 * Prints one JSON object. FILE is created; put it on the disk that is to be measured. */
#include "store/conversations.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/sqlite/driver.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 400, TOKENS = 100, CONTEXT_TOKENS = 4096, LOADS = 1000, ROUND = 200 };

struct bench {
    uv_loop_t loop;
    struct store *store;
    char text[TEXT_BYTES];
    size_t loaded;
};

static void check(const char *what, const struct err *err) {
    if (err != NULL) {
        fprintf(stderr, "bench_conversations: %s: %s\n", what, err->message);
        exit(1);
    }
}

static void on_done(void *context, const struct err *err) {
    (void)context;
    check("write", err);
}

static void on_read(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                    size_t count, bool more, const struct err *err) {
    (void)conversation;
    (void)messages;
    (void)more;
    check("read", err);
    ((struct bench *)context)->loaded = count;
}

static void open_store(struct bench *bench, const char *path) {
    const struct store_account account = {.id = "acct_1", .name = "one"};
    struct store_conversation conversation = {.id = "conv_1", .account_id = "acct_1", .system = STR("")};
    struct err err;
    if (uv_loop_init(&bench->loop) != 0 || !store_open(&bench->store, &sqlite_driver, path, &err) ||
        !store_account_add(bench->store, &account, &err) ||
        !store_start(bench->store, &bench->loop, NULL, NULL, &err)) {
        check("open", &err);
    }
    memset(bench->text, 'w', sizeof(bench->text));
    store_conversation_add(bench->store, &conversation, on_done, bench);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
}

static void append(struct bench *bench, int64_t from) {
    const struct str text = {bench->text, sizeof(bench->text)};
    const struct store_message messages[] = {{.role = 1, .tokens = TOKENS, .content = text},
                                             {.role = 2, .tokens = TOKENS, .content = text}};
    struct store_turn turn = {.kind = STORE_TURN_EXCHANGE,
                              .conversation_id = "conv_1",
                              .account_id = "acct_1",
                              .from = from,
                              .messages = messages,
                              .message_count = 2,
                              .text = STR("")};
    store_turn_keep(bench->store, &turn, on_done, bench);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
}

static double load_us(struct bench *bench) {
    const struct store_conversation_ask ask = {.account_id = "acct_1",
                                               .id = "conv_1",
                                               .limit = STORE_MESSAGES_MAX,
                                               .tokens_max = CONTEXT_TOKENS,
                                               .bytes_max = SIZE_MAX};
    const uint64_t started_us = clock_monotonic_us();
    for (int i = 0; i < LOADS; i++) {
        store_conversation_read(bench->store, &ask, on_read, bench);
        uv_run(&bench->loop, UV_RUN_DEFAULT);
    }
    return (double)(clock_monotonic_us() - started_us) / LOADS;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"messages", required_argument, NULL, 'm'}, {0}};
    struct bench bench = {.loaded = 0};
    uint64_t messages = 10000, started_us = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option != 'm' || !str_parse_u64(str_from(optarg), 1000000, &messages)) {
            return 2;
        }
    }
    if (optind != argc - 1 || messages < 2 * ROUND) {
        fprintf(stderr, "usage: bench_conversations FILE [--messages N]\n");
        return 2;
    }
    open_store(&bench, argv[optind]);
    for (uint64_t i = 0; i < messages; i += 2) {
        if (i + 2 * ROUND == messages - messages % 2) { /* the last ones are timed */
            started_us = clock_monotonic_us();
        }
        append(&bench, (int64_t)i);
    }
    const double append_us = (double)(clock_monotonic_us() - started_us) / ROUND;
    const double load = load_us(&bench);
    printf("{\"append_us\": %.0f, \"load_us\": %.0f, \"loaded\": %zu}\n", append_us, load, bench.loaded);
    store_close(bench.store);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench.loop);
    return 0;
}
