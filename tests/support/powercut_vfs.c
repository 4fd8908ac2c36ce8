#include "support/powercut_vfs.h"

#include "base/mem.h"
#include "base/random_source.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512 };

struct image {
    unsigned char *data;
    size_t size;
};

/* An unsynced write, or, without data, a truncation to `offset`. */
struct change {
    struct change *next;
    size_t offset, size;
    unsigned char *data;
};

/* What is known of one file. Stays until powercut_begin or powercut_restore, also after it was deleted. */
struct disk_file {
    struct disk_file *next;
    char path[512];
    struct image synced;
    struct change *changes, **changes_end;
    bool present;      /* in the folder as the program sees it */
    bool entry_synced; /* the folder on disk names it */
    bool syncs_folder; /* SQLite syncs the folder with the first sync of a new log or journal */
};

static struct {
    pthread_mutex_t mutex;
    struct disk_file *files;
    struct random_source random;
    uint64_t left; /* operations until the power goes; 0: it stays */
    bool off;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static sqlite3_vfs *real_vfs;

/* --- The disk --- */

static void image_write(struct image *image, size_t offset, const unsigned char *data, size_t size) {
    if (offset + size > image->size) {
        image->data = mem_realloc(image->data, offset + size);
        memset(image->data + image->size, 0, offset + size - image->size);
        image->size = offset + size;
    }
    memcpy(image->data + offset, data, size);
}

static void image_truncate(struct image *image, size_t size) {
    if (size < image->size) {
        image->size = size;
    }
}

static bool coin(void) {
    return random_below(&disk.random, 2) == 0;
}

/* Does a change to the image whole, or as far as chance lets it. */
static void change_apply(const struct change *change, struct image *image, bool whole) {
    if (change->data == NULL) {
        if (whole || coin()) {
            image_truncate(image, change->offset);
        }
        return;
    }
    for (size_t done = 0; done < change->size;) {
        size_t to_border = SECTOR - (change->offset + done) % SECTOR;
        size_t size = change->size - done < to_border ? change->size - done : to_border;
        if (whole || coin()) {
            image_write(image, change->offset + done, change->data + done, size);
        }
        done += size;
    }
}

static void file_settle(struct disk_file *file, bool whole) {
    for (struct change *change; (change = file->changes) != NULL;) {
        file->changes = change->next;
        change_apply(change, &file->synced, whole);
        free(change->data);
        free(change);
    }
    file->changes_end = &file->changes;
}

static void file_add_change(struct disk_file *file, size_t offset, const void *data, size_t size) {
    struct change *change = MEM_NEW(struct change);
    change->offset = offset;
    change->size = size;
    if (data != NULL) {
        change->data = mem_alloc(size);
        memcpy(change->data, data, size);
    }
    *file->changes_end = change;
    file->changes_end = &change->next;
}

static struct disk_file *file_find(const char *path) {
    struct disk_file *file = disk.files;
    while (file != NULL && strcmp(file->path, path) != 0) {
        file = file->next;
    }
    return file;
}

static void file_load(struct disk_file *file) {
    FILE *stream = fopen(file->path, "rb");
    unsigned char block[4096];
    for (size_t got; stream != NULL && (got = fread(block, 1, sizeof(block), stream)) > 0;) {
        image_write(&file->synced, file->synced.size, block, got);
    }
    if (stream != NULL) {
        fclose(stream);
    }
}

/* An empty file is one that was just made. */
static struct disk_file *file_open(const char *path, int flags) {
    struct disk_file *file = file_find(path);
    if (file == NULL) {
        file = MEM_NEW(struct disk_file);
        snprintf(file->path, sizeof(file->path), "%s", path);
        file->changes_end = &file->changes;
        file->next = disk.files;
        disk.files = file;
        file_load(file);
        file->entry_synced = file->synced.size > 0;
    } else if (!file->present) {
        file_settle(file, true);
        file->synced.size = 0;
        file->entry_synced = false;
    }
    file->present = true;
    file->syncs_folder = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    return file;
}

static void file_sync(struct disk_file *file) {
    file_settle(file, true);
    if (!file->syncs_folder || file->entry_synced) {
        return;
    }
    for (struct disk_file *each = disk.files; each != NULL; each = each->next) { /* there is one folder */
        each->entry_synced = each->present;
    }
}

static void file_free(struct disk_file *file) {
    file_settle(file, true);
    free(file->synced.data);
    free(file);
}

static void disk_forget(void) {
    for (struct disk_file *file; (file = disk.files) != NULL;) {
        disk.files = file->next;
        file_free(file);
    }
}

/* Under the mutex: whether the operation that is about to be done still has power. */
static bool disk_has_power(void) {
    if (disk.left > 0 && --disk.left == 0) {
        disk.off = true;
    }
    return !disk.off;
}

static void file_leave(struct disk_file *file) {
    file_settle(file, false);
    bool named = file->present == file->entry_synced ? file->present : coin();
    if (!named) {
        unlink(file->path);
        return;
    }
    FILE *stream = fopen(file->path, "wb");
    size_t size = file->synced.size;
    if (stream == NULL || (size > 0 && fwrite(file->synced.data, 1, size, stream) != size) || fclose(stream) != 0) {
        perror(file->path);
        abort();
    }
}

/* --- SQLite's view --- */

struct powercut_file {
    sqlite3_file base;
    struct disk_file *file; /* NULL: a temporary file, which no power cut concerns */
    sqlite3_file *real;     /* behind this struct */
};

static struct powercut_file *ours(sqlite3_file *file) {
    return (struct powercut_file *)(void *)file;
}

static sqlite3_file *real(sqlite3_file *file) {
    return ours(file)->real;
}

static int on_close(sqlite3_file *file) {
    return real(file)->pMethods->xClose(real(file));
}

static int on_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), data, size, offset);
}

static int on_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    struct disk_file *known = ours(file)->file;
    bool power = true;
    if (known != NULL) {
        pthread_mutex_lock(&disk.mutex);
        power = disk_has_power();
        if (!disk.off) {
            file_add_change(known, (size_t)offset, data, (size_t)size);
        }
        pthread_mutex_unlock(&disk.mutex);
    }
    return power ? real(file)->pMethods->xWrite(real(file), data, size, offset) : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct disk_file *known = ours(file)->file;
    bool power = true;
    if (known != NULL) {
        pthread_mutex_lock(&disk.mutex);
        power = disk_has_power();
        if (power) {
            file_add_change(known, (size_t)size, NULL, 0);
        }
        pthread_mutex_unlock(&disk.mutex);
    }
    return power ? real(file)->pMethods->xTruncate(real(file), size) : SQLITE_IOERR_TRUNCATE;
}

/* The real disk is not asked: it has no part in the test. */
static int on_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct disk_file *known = ours(file)->file;
    bool power = true;
    if (known != NULL) {
        pthread_mutex_lock(&disk.mutex);
        power = disk_has_power();
        if (power) {
            file_sync(known);
        }
        pthread_mutex_unlock(&disk.mutex);
    }
    return power ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int on_lock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}

static int on_unlock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int on_check_reserved(sqlite3_file *file, int *out) {
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int on_control(sqlite3_file *file, int operation, void *argument) {
    /* A growth by chunks would write past us. */
    return operation == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK
                                               : real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int on_sector_size(sqlite3_file *file) {
    return real(file)->pMethods->xSectorSize(real(file));
}

static int on_characteristics(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file) {
    real(file)->pMethods->xShmBarrier(real(file));
}

static int on_shm_unmap(sqlite3_file *file, int delete) {
    return real(file)->pMethods->xShmUnmap(real(file), delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without memory-mapped reading */
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    struct powercut_file *opened = ours(file);
    opened->base.pMethods = NULL;
    opened->real = (sqlite3_file *)(void *)(opened + 1);
    int result = real_vfs->xOpen(real_vfs, name, opened->real, flags, out_flags);
    if (result != SQLITE_OK) {
        return result;
    }
    opened->base.pMethods = &methods;
    opened->file = NULL;
    if (name != NULL && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0) {
        pthread_mutex_lock(&disk.mutex);
        opened->file = file_open(name, flags);
        pthread_mutex_unlock(&disk.mutex);
    }
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
    (void)vfs;
    pthread_mutex_lock(&disk.mutex);
    bool power = disk_has_power();
    struct disk_file *file = file_find(name);
    if (power && file != NULL) {
        file->present = false;
        file->entry_synced &= sync_folder == 0;
    }
    pthread_mutex_unlock(&disk.mutex);
    return power ? real_vfs->xDelete(real_vfs, name, 0) : SQLITE_IOERR_DELETE;
}

static void register_vfs(void) {
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs; /* the other methods do not touch files that matter, or do not look at their first parameter */
    vfs.zName = POWERCUT_VFS;
    vfs.pNext = NULL;
    vfs.szOsFile += (int)sizeof(struct powercut_file);
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
        abort();
    }
}

/* --- The test's view --- */

void powercut_begin(uint64_t seed) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_vfs);
    pthread_mutex_lock(&disk.mutex);
    disk_forget();
    disk.random = (struct random_source){.state = seed};
    disk.left = 0;
    disk.off = false;
    pthread_mutex_unlock(&disk.mutex);
}

void powercut_cut_after(uint64_t operations) {
    pthread_mutex_lock(&disk.mutex);
    disk.left = operations;
    pthread_mutex_unlock(&disk.mutex);
}

bool powercut_is_off(void) {
    pthread_mutex_lock(&disk.mutex);
    bool off = disk.off;
    pthread_mutex_unlock(&disk.mutex);
    return off;
}

void powercut_restore(void) {
    pthread_mutex_lock(&disk.mutex);
    disk.off = true;
    for (struct disk_file *file = disk.files; file != NULL; file = file->next) {
        file_leave(file);
    }
    disk_forget();
    pthread_mutex_unlock(&disk.mutex);
}
