#include "store/sqlite/checkpointer.h"

#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
    CHECKPOINTER_REST_PAGES = 256, /* that the writer writes back itself: less than a sync takes */
    CHECKPOINTER_LOG_TIMES = 4,    /* as long as it should be: then the writer does it all */
};

struct checkpointer {
    struct sqlite_db *writer; /* borrowed */
    struct sqlite_db *own;    /* the thread's */
    pthread_t thread;
    int pages_max; /* of the log, before it is written back */

    pthread_mutex_t mutex;
    pthread_cond_t work;
    bool asked, closing; /* under the mutex, like the next */
    bool nearly;         /* the last pass has left so little that the writer can do it */
};

/* Frames of the log, and those of them that are not in the file yet; -1: somebody else was writing it back. */
static int pass(sqlite3 *handle) {
    int frames = 0, written = 0;
    const int result = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &written);
    return result == SQLITE_OK ? frames - written : -1;
}

/* What the writer adds meanwhile is left. Under load that is always something, and the log begins anew only when
 * nothing is: so passes go on until it is short, and the writer does the rest between two groups. */
static void *run(void *argument) {
    struct checkpointer *self = argument;
    pthread_mutex_lock(&self->mutex);
    while (!self->closing) {
        if (!self->asked) {
            pthread_cond_wait(&self->work, &self->mutex);
            continue;
        }
        self->asked = false;
        pthread_mutex_unlock(&self->mutex);
        const int left = pass(self->own->handle);
        pthread_mutex_lock(&self->mutex);
        self->nearly = left >= 0 && left <= CHECKPOINTER_REST_PAGES;
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* After each commit, on the writer's thread. */
static int on_commit(void *context, sqlite3 *handle, const char *database, int pages) {
    struct checkpointer *self = context;
    (void)database;
    if (pages < self->pages_max) {
        return SQLITE_OK;
    }
    pthread_mutex_lock(&self->mutex);
    const bool mine = self->nearly || pages >= CHECKPOINTER_LOG_TIMES * self->pages_max;
    self->nearly = false;
    self->asked = !mine;
    if (self->asked) {
        pthread_cond_signal(&self->work);
    }
    pthread_mutex_unlock(&self->mutex);
    if (mine) {
        (void)pass(handle); /* an error shows where it matters: at the next commit */
    }
    return SQLITE_OK;
}

static bool start(struct checkpointer *self, struct err *err) {
    sigset_t all, before;
    sigfillset(&all); /* signals are the loop's business */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int result = pthread_create(&self->thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0 || err_set_errno(err, result, "Cannot start the thread that writes the log back");
}

bool checkpointer_open(struct checkpointer **out, struct sqlite_db *writer, struct err *err) {
    struct sqlite_db_options options = writer->options;
    struct checkpointer *self = MEM_NEW(struct checkpointer);
    options.read_only = options.bare = true;
    self->writer = writer;
    self->pages_max = sqlite_db_checkpoint_pages(&writer->options);
    if (!sqlite_db_open(&self->own, writer->path, &options, err)) {
        free(self);
        return false;
    }
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->work, NULL);
    if (!start(self, err)) {
        pthread_cond_destroy(&self->work);
        pthread_mutex_destroy(&self->mutex);
        sqlite_db_close(self->own);
        free(self);
        return false;
    }
    sqlite3_wal_hook(writer->handle, on_commit, self);
    *out = self;
    return true;
}

void checkpointer_close(struct checkpointer *checkpointer) {
    if (checkpointer == NULL) {
        return;
    }
    sqlite3_wal_hook(checkpointer->writer->handle, NULL, NULL);
    pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->closing = true;
    pthread_cond_signal(&checkpointer->work);
    pthread_mutex_unlock(&checkpointer->mutex);
    pthread_join(checkpointer->thread, NULL);
    pthread_cond_destroy(&checkpointer->work);
    pthread_mutex_destroy(&checkpointer->mutex);
    sqlite_db_close(checkpointer->own);
    free(checkpointer);
}
