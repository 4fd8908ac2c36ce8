#include "store/reader.h"

/* `connection` is opened with the first question. */
static bool reader_run(const struct store_reader *reader, struct store_connection **connection, struct store_task *task,
                       struct err *err) {
    const struct store_driver *driver = reader->writer->driver;
    if (*connection == NULL) {
        if (!driver->open_reader(connection, reader->writer, err)) {
            return false;
        }
        (*connection)->quotas = reader->writer->quotas;
    }
    if (!driver->begin_read(*connection, err)) {
        return false;
    }
    const bool ok = task->kind->read(task, *connection, err);
    driver->end_read(*connection);
    return ok;
}

void store_reader_run(void *argument) {
    const struct store_reader *reader = argument;
    struct store_connection *connection = NULL;
    struct store_list list, one;
    while (store_lane_take(reader->lanes, reader->lane, &list)) {
        for (struct store_task *task = list.first, *next; task != NULL; task = next) {
            struct err err;
            next = task->next;
            if (!reader_run(reader, &connection, task, &err)) {
                store_task_fail(task, &err);
            }
            store_list_init(&one);
            store_list_append(&one, task);
            store_lane_done(reader->lanes, &one);
        }
    }
    if (connection != NULL) {
        reader->writer->driver->close(connection);
    }
}
