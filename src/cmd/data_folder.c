#include "cmd/data_folder.h"

#include "base/file.h"
#include "cmd/admin_client.h"
#include "gateway/database.h"

#include <stdio.h>

enum { LOCK_NAME_SIZE = 32 };

bool data_folder_lock(const char *data_folder, const char *role, struct err *err) {
    char name[LOCK_NAME_SIZE], path[FILE_PATH_MAX];
    snprintf(name, sizeof(name), "%s.lock", role);
    if (!file_make_folders(data_folder, err) || !file_join(path, data_folder, name, err)) {
        return false;
    }
    if (file_lock(path, err)) {
        file_warn_open(data_folder, "data folder");
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
