/* What the model folder holds. */
#include "provider/model_store_list.h"

#include "base/mem.h"
#include "provider/model_added.h"
#include "provider/model_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *model_store_state_name(enum model_store_state state) {
    switch (state) {
    case MODEL_STORE_READY:
        return "ready";
    case MODEL_STORE_UNCHECKED:
        return "unchecked";
    case MODEL_STORE_PARTIAL:
        return "partial";
    case MODEL_STORE_ABSENT:
        return "absent";
    case MODEL_STORE_DAMAGED:
        return "damaged";
    case MODEL_STORE_UNKNOWN:
        return "unknown";
    }
    return "";
}

/* The id in a file's name; false when the file is no model, nor part of one. */
static bool id_of_name(struct str *id, const char *name) {
    static const char *const ENDINGS[] = {".gguf", ".gguf.part", ".gguf.damaged", ".gguf.source"};
    struct str text = str_from(name);
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        struct str ending = str_from(ENDINGS[i]);
        if (text.len > ending.len && str_equal((struct str){name + text.len - ending.len, ending.len}, ending)) {
            *id = (struct str){name, text.len - ending.len};
            return name[0] != '.' && id->len <= LIMIT_MODEL_ID_BYTES && catalog_id_is_valid(*id);
        }
    }
    return false;
}

static bool add_id(struct model_store_list *list, struct str id, const char *folder, struct err *err) {
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal_cstr(id, list->entries[i].id)) {
            return true;
        }
    }
    if (list->count == MODEL_STORE_LIST_MAX) {
        return err_set(err, ERR_TOO_LARGE, "there are more than %d models in %s", MODEL_STORE_LIST_MAX, folder);
    }
    if (list->count % 16 == 0) {
        list->entries = mem_realloc(list->entries, (list->count + 16) * sizeof(*list->entries));
    }
    struct model_store_entry *entry = &list->entries[list->count++];
    *entry = (struct model_store_entry){0};
    str_copy(entry->id, sizeof(entry->id), id);
    return true;
}

static bool stat_side(const char *path, const char *ending, struct stat *status) {
    char side[FILE_PATH_MAX];
    int written = snprintf(side, sizeof(side), "%s%s", path, ending);
    return written > 0 && (size_t)written < sizeof(side) && stat(side, status) == 0 && S_ISREG(status->st_mode);
}

static bool is_locked(const char *path, const char *ending) {
    char side[FILE_PATH_MAX];
    int written = snprintf(side, sizeof(side), "%s%s", path, ending);
    int fd = written > 0 && (size_t)written < sizeof(side) ? open(side, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0) {
        return false;
    }
    bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

static int64_t changed_ms(const struct stat *status) {
    return (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
}

static enum model_store_state state_of_file(const char *path, const struct stat *file,
                                            const struct catalog_model *model) {
    if (model == NULL || model->sha256 == NULL) {
        return MODEL_STORE_UNKNOWN;
    }
    if (model->file_bytes > 0 && model->file_bytes != (uint64_t)file->st_size) {
        return MODEL_STORE_DAMAGED;
    }
    return model_store_is_verified(path, model->sha256) ? MODEL_STORE_READY : MODEL_STORE_UNCHECKED;
}

/* Fills in all but the id; false when nothing is there any more. */
static bool look_at(struct model_store_entry *entry, const char *folder) {
    struct model_added added;
    struct stat file = {0};
    struct stat part = {0};
    struct stat damaged = {0};
    struct stat mark = {0};
    char path[FILE_PATH_MAX];
    if (!model_store_path(path, folder, entry->id, NULL)) {
        return false;
    }
    const struct catalog_model *model = model_added_find(&added, folder, entry->id);
    if (stat_side(path, ".damaged", &damaged)) {
        entry->state = MODEL_STORE_DAMAGED;
        entry->used_ms = changed_ms(&damaged);
    } else {
        entry->state = MODEL_STORE_ABSENT;
    }
    if (stat_side(path, ".part", &part)) {
        entry->state = MODEL_STORE_PARTIAL;
        entry->used_ms = changed_ms(&part);
        entry->fetching = is_locked(path, ".part");
    }
    if (stat_side(path, "", &file)) {
        entry->state = state_of_file(path, &file, model);
        entry->used_ms = changed_ms(stat_side(path, ".used", &mark) ? &mark : &file);
        entry->in_use = is_locked(path, "");
    }
    entry->bytes = (uint64_t)(file.st_size + part.st_size + damaged.st_size);
    entry->bytes_total = model != NULL && model->file_bytes > 0 ? model->file_bytes : (uint64_t)file.st_size;
    entry->pinned = stat_side(path, ".pinned", &mark);
    return entry->state != MODEL_STORE_ABSENT || stat_side(path, ".source", &mark);
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct model_store_entry *)a)->id, ((const struct model_store_entry *)b)->id);
}

static bool read_names(struct model_store_list *list, const char *folder, struct err *err) {
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT || err_set_errno(err, errno, "cannot read the folder %s", folder);
    }
    const struct dirent *file;
    bool worked = true;
    while (worked && (file = readdir(dir)) != NULL) {
        struct str id;
        worked = !id_of_name(&id, file->d_name) || add_id(list, id, folder, err);
    }
    closedir(dir);
    return worked;
}

bool model_store_list_read(struct model_store_list *list, const char *folder, struct err *err) {
    *list = (struct model_store_list){0};
    if (!read_names(list, folder, err)) {
        model_store_list_clear(list);
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (look_at(&list->entries[i], folder)) {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
    if (kept > 0) {
        qsort(list->entries, kept, sizeof(*list->entries), by_id);
    }
    return true;
}

void model_store_list_clear(struct model_store_list *list) {
    free(list->entries);
    *list = (struct model_store_list){0};
}

uint64_t model_store_list_bytes(const struct model_store_list *list) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        bytes += list->entries[i].bytes;
    }
    return bytes;
}
