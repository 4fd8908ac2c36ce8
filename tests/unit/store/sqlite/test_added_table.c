/* A stored table takes one file: this one adds notes, with its SQL, its row functions and its requests. They go through
 * the writer's and the reader's thread as all others do. */
#include "base/mem.h"
#include "store/run.h"
#include "store/sqlite/driver.h"
#include "store/task.h"
#include "support/store_fixture.h"

/* --- Its SQL --- */

enum { NOTE_ADD = SQL_COUNT, NOTE_FIND };

static const char *const texts[] = {
    "INSERT INTO notes (id, text) VALUES (?, ?)",
    "SELECT text FROM notes WHERE id = ?",
};

static const struct sqlite_addition addition = {
    .migration = {.version = 1000,
                  .script = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
                            "PRAGMA user_version = 1000"},
    .texts = texts,
    .text_count = COUNT_OF(texts),
};

/* --- Its rows --- */

enum { NOTE_MAX = 64 };

static bool note_add(struct store_connection *connection, const char *id, const char *text, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, (enum sql)NOTE_ADD);
    sqlite_bind_text(&binder, id);
    sqlite_bind_text(&binder, text);
    return sqlite_run(db, (enum sql)NOTE_ADD, err);
}

static bool note_find(struct store_connection *connection, const char *id, char out[NOTE_MAX], struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, (enum sql)NOTE_FIND);
    bool found;
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, (enum sql)NOTE_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no note %s", id);
    }
    struct sqlite_reader reader = sqlite_read(db, (enum sql)NOTE_FIND);
    sqlite_read_text(&reader, out, NOTE_MAX);
    sqlite_reset(db, (enum sql)NOTE_FIND);
    return true;
}

/* --- Its requests --- */

struct note_task {
    struct store_task task; /* first */
    char id[STORE_ID_MAX], text[NOTE_MAX];
    void (*told)(void *context, const char *text, const struct err *err);
    void *context;
};

static bool add_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct note_task *self = (struct note_task *)task;
    return note_add(connection, self->id, self->text, err);
}

static bool find_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct note_task *self = (struct note_task *)task;
    return note_find(connection, self->id, self->text, err);
}

static void note_answer(struct store_task *task, const struct err *err) {
    const struct note_task *self = (struct note_task *)task;
    self->told(self->context, err == NULL ? self->text : NULL, err);
}

static void note_run(struct store *store, const struct store_task_kind *kind, const char *id, const char *text,
                     void (*told)(void *context, const char *text, const struct err *err), void *context) {
    struct note_task *self = MEM_NEW(struct note_task);
    self->task.kind = kind;
    str_copy(self->id, sizeof(self->id), str_from(id));
    str_copy(self->text, sizeof(self->text), str_from(text));
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}

static void store_note_add(struct store *store, const char *id, const char *text,
                           void (*told)(void *context, const char *text, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = add_write, .answer = note_answer};
    note_run(store, &kind, id, text, told, context);
}

static void store_note_find(struct store *store, const char *id,
                            void (*told)(void *context, const char *text, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.read = find_read, .answer = note_answer};
    note_run(store, &kind, id, "", told, context);
}

/* --- Tests --- */

static void open_added(struct store_fixture *fixture) {
    struct store_connection *connection;
    const struct sqlite_db_options options = {.added = &addition};
    assert_true(sqlite_connect(&connection, fixture->path, &options, &fixture->err));
    fixture->store = store_over(connection, &(struct store_options){0});
}

static int setup(void **state) {
    store_fixture_setup_client(state); /* without the table, as the product makes it */
    store_fixture_close(*state);
    open_added(*state);
    store_fixture_start(*state);
    return 0;
}

struct told {
    char text[NOTE_MAX];
    enum err_code code;
};

static void on_told(void *context, const char *text, const struct err *err) {
    struct told *told = context;
    told->code = err == NULL ? ERR_NONE : err->code;
    str_copy(told->text, sizeof(told->text), str_from(text == NULL ? "" : text));
}

static void on_settled(void *context, const struct err *err) {
    *(bool *)context = err == NULL;
}

static void test_is_written_and_read(void **state) {
    struct store_fixture *fixture = *state;
    struct told told = {.code = ERR_INTERNAL};
    store_note_add(fixture->store, "note_1", "remember", on_told, &told);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(told.code, ERR_NONE);
    assert_int_equal(store_counts(fixture->store).records, 1);
    store_note_find(fixture->store, "note_1", on_told, &told);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_string_equal(told.text, "remember");
    store_note_find(fixture->store, "note_2", on_told, &told);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(told.code, ERR_NOT_FOUND);
}

static void test_stands_in_a_group_with_others(void **state) {
    struct store_fixture *fixture = *state;
    struct told first = {.code = ERR_INTERNAL}, again = {.code = ERR_INTERNAL};
    const struct store_generation generation = store_fixture_job(1);
    bool settled = false;
    store_note_add(fixture->store, "note_1", "remember", on_told, &first);
    store_note_add(fixture->store, "note_1", "another", on_told, &again); /* refused; its neighbours are fine */
    store_fixture_settle(fixture->store, &generation, on_settled, &settled);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(first.code, ERR_NONE);
    assert_int_equal(again.code, ERR_CONFLICT);
    assert_true(settled);
}

static void test_stays(void **state) {
    struct store_fixture *fixture = *state;
    struct told told = {.code = ERR_INTERNAL};
    store_note_add(fixture->store, "note_1", "remember", on_told, &told);
    store_fixture_close(fixture);
    open_added(fixture);
    store_fixture_start(fixture);
    store_note_find(fixture->store, "note_1", on_told, &told);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_string_equal(told.text, "remember");
    store_fixture_close(fixture); /* a program that does not know the table leaves the file alone */
    assert_false(store_open(&fixture->store, &sqlite_driver, fixture->path, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    assert_non_null(strstr(fixture->err.message, "version 1000"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_is_written_and_read),
        TEST(test_stands_in_a_group_with_others),
        TEST(test_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
