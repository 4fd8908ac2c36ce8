#include "cmd/data_folder.h"

#include "base/file.h"
#include "base/log.h"
#include "cmd/admin_client.h"
#include "gateway/database.h"

#include <stdio.h>
#include <unistd.h>

enum { LOCK_NAME_SIZE = 32 };

/* A flaw in it would have all of the machine; nothing that it does needs that. */
static void warn_of_root(const char *role) {
    if (geteuid() == 0) {
        LOG_WARN_EVENT("process.is_root", LOG_TEXT("role", role), LOG_TEXT("do", "run it as a user of its own"));
    }
}

bool data_folder_lock(const char *data_folder, const char *role, struct err *err) {
    char name[LOCK_NAME_SIZE], path[FILE_PATH_MAX];
    snprintf(name, sizeof(name), "%s.lock", role);
    if (!file_make_folders(data_folder, err) || !file_join(path, data_folder, name, err)) {
        return false;
    }
    if (file_lock(path, err)) {
        file_warn_open(data_folder, "data folder");
        warn_of_root(role);
        return true;
    }
    return err->code != ERR_CONFLICT
               ? false
               : err_set(err, ERR_CONFLICT, "another %s runs in %s: stop it, or choose another --data folder", role,
                         data_folder);
}

bool data_folder_open_store(const char *data_folder, struct store **store, struct err *err) {
    char path[FILE_PATH_MAX];
    return admin_client_store_path(data_folder, path, err) && gateway_database_open(store, path, err);
}
