/* Shared by the files of store.h: what the loop asks of the two threads, and how it gets there and back.
 *
 * A request is made on the loop's thread, waits in the lane of the writer or the reader, is worked on there, goes to
 * the list of what is done, and is answered and freed on the loop's thread. Nothing else is shared. */
#ifndef NATARIS_STORE_INTERNAL_H
#define NATARIS_STORE_INTERNAL_H

#include "store/conversations.h"
#include "store/money.h"
#include "store/sqlite/devices.h"
#include "store/sqlite/money.h"
#include "store/task.h"

#include <stdatomic.h>

enum store_request_kind {
    STORE_REQUEST_SETTLE, /* the writer's */
    STORE_REQUEST_ENROL,
    STORE_REQUEST_KEY,
    STORE_REQUEST_ADMIN,
    STORE_REQUEST_RECORD,
    STORE_REQUEST_REVIEW,
    STORE_REQUEST_TASK_WRITE,
    STORE_REQUEST_ANSWER, /* the reader's */
    STORE_REQUEST_USAGE,
    STORE_REQUEST_PAGE,
    STORE_REQUEST_EARNINGS,
    STORE_REQUEST_ADMIN_READ,
    STORE_REQUEST_TASK_READ,
};

struct store_admin_request {
    struct store_admin admin, result;
    char actor[STORE_ID_MAX];
};

struct store_admin_read; /* store_admin_reads.c */

struct store_request {
    struct store_request *next;
    enum store_request_kind kind;
    bool found;      /* there is an answer: the device, key or stored answer */
    bool broke;      /* the first of the group that broke the store */
    struct err *err; /* owned; NULL when it went well */
    void *context;
    union {
        void (*on_durable)(void *context, const struct err *err);
        void (*on_device)(void *context, const struct store_device *device, const struct err *err);
        void (*on_key)(void *context, const struct store_key *key, const struct err *err);
        void (*on_admin)(void *context, const struct store_admin *result, const struct err *err);
        void (*on_answer)(void *context, const struct store_answer *answer, const struct err *err);
        void (*on_usage)(void *context, const struct store_usage *usage, const struct err *err);
        void (*on_page)(void *context, const struct store_generation *jobs, size_t count, bool more,
                        const struct err *err);
        void (*on_earnings)(void *context, const struct store_earnings *earnings, const struct err *err);
    };
    union {
        struct store_settlement settlement; /* its answer is owned */
        struct {
            struct store_device device; /* the candidate, then the answer */
            bool token_given;
            uint8_t token_sha256[DIGEST_SHA256_SIZE];
        };
        struct store_key key; /* sha256 is the question */
        struct store_review review;
        struct store_admin_request *admin;   /* owned */
        struct store_admin_read *admin_read; /* owned */
        struct store_task *task;             /* owned until it answers */
        struct {
            struct store_answer answer; /* the scope is the question; content is owned once it was found */
            int64_t now_ms;
        };
        struct {
            char account_id[STORE_ID_MAX], key_id[STORE_ID_MAX]; /* key_id also: the job that a page comes after */
            int64_t from_ms, to_ms;
            bool earned, more;
            unsigned limit;
            struct store_usage usage; /* models are owned */
            struct store_earnings earnings;
            struct store_generation *jobs; /* owned */
            size_t job_count;
        };
    };
};

struct store_list {
    struct store_request *first, **end;
};
void store_list_init(struct store_list *list);
void store_list_append(struct store_list *list, struct store_request *request);
/* Moves everything from one list to the end of another. */
void store_list_move(struct store_list *to, struct store_list *from);

/* What waits for one thread. Under the store's mutex but for the thread itself. */
struct store_lane {
    struct store_list waiting;
    uv_cond_t work;
    bool sleeps;
    uv_thread_t thread;
};

struct store {
    struct sqlite_db *db; /* the writer's once it runs */
    struct ledger ledger; /* likewise */
    struct store_options options;

    /* The loop's. */
    bool started, closed_to_requests;
    size_t outstanding; /* requests whose callback has not been called */
    size_t reads;       /* of them, the reader's */
    uv_async_t *wake;   /* on the heap of its own: libuv needs it until its close callback */
    void (*on_broken)(void *context, const struct err *err);
    void *on_broken_context;
    void (*on_deliveries)(void *context, int64_t webhook); /* store_deliveries.h; NULL: nobody watches */
    void *on_deliveries_context;

    /* Shared, under the mutex. */
    uv_mutex_t mutex;
    struct store_lane writer, reader;
    struct store_list done;
    bool closing;

    struct err broken; /* the writer's; ERR_NONE until a write failed for good */

    _Atomic int64_t now_ms; /* the latest time that a request has told: what expires, expires by it */
    _Atomic uint64_t groups, records;
    _Atomic bool deliveries_added; /* and on_deliveries not yet called */
};

/* store_requests.c: the loop's side. */
struct store_request *store_request_new(enum store_request_kind kind, void *context);
void store_request_queue(struct store *store, struct store_request *request);
void store_request_fail(struct store_request *request, const struct err *err);
/* The latest time of day that anybody told. */
void store_tell_time(struct store *store, int64_t now_ms);
/* Calls the callbacks of all that is done; they may ask for more. */
void store_deliver(struct store *store);
/* For the threads: waits for requests and takes them all (false: none will come any more); gives them back. */
bool store_lane_take(struct store *store, struct store_lane *lane, struct store_list *list);
void store_lane_done(struct store *store, struct store_list *list);

/* store_conversations.c: one block on the heap. */
struct store_turn *store_turn_copy(const struct store_turn *turn);

/* store_deliveries.c: tells who watches the deliveries that some were added (0), or that this webhook changed. */
void store_deliveries_changed(struct store *store, int64_t webhook);

/* store_admin_reads.c */
MUST_CHECK bool store_admin_read_run(struct sqlite_db *db, struct store_admin_read *read, struct err *err);
void store_admin_read_answer(const struct store_admin_read *read, void *context, const struct err *err);
void store_admin_read_free(struct store_admin_read *read);

/* store_writer.c, store_reader.c: the bodies of the threads; `argument` is the store. */
void store_writer_run(void *argument);
void store_reader_run(void *argument);

#endif
