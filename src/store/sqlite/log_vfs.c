#include "store/sqlite/log_vfs.h"

#include "base/mem.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes. A group of settlements has about half of it. SQLite's own layer cannot write 128 KiB at once. */
enum { LOG_GATHER_MAX = 128 * 1024 - 1 };

struct log_vfs {
    sqlite3_vfs vfs; /* a copy of the base but for its name and xOpen */
    sqlite3_vfs *base;
    char name[64];
};

/* A log. The base's own file lies behind it. */
struct log_file {
    sqlite3_file file;
    sqlite3_file *base;
    sqlite3_int64 offset; /* of what has gathered */
    int size;
    char *gathered;
};

static struct log_file *log_of(sqlite3_file *file) {
    return (struct log_file *)file;
}

/* What could not be written is dropped: SQLite learns of it, and the transaction with it. */
static int log_flush(struct log_file *log) {
    if (log->size == 0) {
        return SQLITE_OK;
    }
    int size = log->size;
    log->size = 0;
    return log->base->pMethods->xWrite(log->base, log->gathered, size, log->offset);
}

static int log_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    struct log_file *log = log_of(file);
    if (log->size > 0 && (offset != log->offset + log->size || log->size + size > LOG_GATHER_MAX)) {
        int result = log_flush(log);
        if (result != SQLITE_OK) {
            return result;
        }
    }
    if (size > LOG_GATHER_MAX) {
        return log->base->pMethods->xWrite(log->base, data, size, offset);
    }
    if (log->size == 0) {
        log->offset = offset;
    }
    memcpy(log->gathered + log->size, data, (size_t)size);
    log->size += size;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file) {
    struct log_file *log = log_of(file);
    int flushed = log_flush(log), closed = log->base->pMethods->xClose(log->base);
    free(log->gathered);
    return flushed != SQLITE_OK ? flushed : closed;
}

static int log_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset) {
    struct log_file *log = log_of(file);
    int result = log_flush(log);
    return result != SQLITE_OK ? result : log->base->pMethods->xRead(log->base, data, size, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct log_file *log = log_of(file);
    int result = log_flush(log);
    return result != SQLITE_OK ? result : log->base->pMethods->xTruncate(log->base, size);
}

static int log_sync(sqlite3_file *file, int flags) {
    struct log_file *log = log_of(file);
    int result = log_flush(log);
    return result != SQLITE_OK ? result : log->base->pMethods->xSync(log->base, flags);
}

static int log_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct log_file *log = log_of(file);
    int result = log_flush(log);
    return result != SQLITE_OK ? result : log->base->pMethods->xFileSize(log->base, size);
}

/* A log is never locked: the locks of WAL mode are those of the database's file. */
static int log_lock(sqlite3_file *file, int level) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xLock(log->base, level);
}

static int log_unlock(sqlite3_file *file, int level) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xUnlock(log->base, level);
}

static int log_check_reserved(sqlite3_file *file, int *reserved) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xCheckReservedLock(log->base, reserved);
}

static int log_control(sqlite3_file *file, int operation, void *argument) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xFileControl(log->base, operation, argument);
}

static int log_sector_size(sqlite3_file *file) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xSectorSize(log->base);
}

static int log_characteristics(sqlite3_file *file) {
    struct log_file *log = log_of(file);
    return log->base->pMethods->xDeviceCharacteristics(log->base);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_file_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_check_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_characteristics,
};

static int log_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    sqlite3_vfs *base = ((struct log_vfs *)vfs)->base;
    if ((flags & SQLITE_OPEN_WAL) == 0) {
        return base->xOpen(base, path, file, flags, out_flags);
    }
    struct log_file *log = log_of(file);
    *log = (struct log_file){.base = (sqlite3_file *)(log + 1)};
    int result = base->xOpen(base, path, log->base, flags, out_flags);
    if (result != SQLITE_OK) {
        return result; /* without methods, so it will not be closed */
    }
    log->gathered = mem_alloc(LOG_GATHER_MAX);
    log->file.pMethods = &log_methods;
    return SQLITE_OK;
}

bool sqlite_log_vfs(const char *base, const char **name, struct err *err) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    bool ok = true;
    pthread_mutex_lock(&mutex);
    sqlite3_vfs *below = sqlite3_vfs_find(base);
    struct log_vfs *layer = MEM_NEW(struct log_vfs);
    snprintf(layer->name, sizeof(layer->name), "log over %s", below == NULL ? "" : below->zName);
    sqlite3_vfs *known = sqlite3_vfs_find(layer->name);
    if (below == NULL || known != NULL) {
        free(layer);
        ok = below != NULL || err_set(err, ERR_INTERNAL, "There is no file system layer %s", base);
    } else { /* stays registered for as long as the program runs */
        layer->vfs = *below;
        layer->vfs.pNext = NULL;
        layer->vfs.zName = layer->name;
        layer->vfs.szOsFile = (int)sizeof(struct log_file) + below->szOsFile;
        layer->vfs.xOpen = log_open;
        layer->base = below;
        known = &layer->vfs;
        ok = sqlite3_vfs_register(known, 0) == SQLITE_OK || err_set(err, ERR_INTERNAL, "SQLite takes no file layer");
    }
    *name = ok ? known->zName : NULL;
    pthread_mutex_unlock(&mutex);
    return ok;
}
