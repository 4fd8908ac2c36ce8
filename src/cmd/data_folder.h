/* A data folder: held by one process at a time, and its store for commands that read or change it themselves. */
#ifndef NATARIS_CMD_DATA_FOLDER_H
#define NATARIS_CMD_DATA_FOLDER_H

#include "base/err.h"
#include "store/store.h"

/* Makes the folder when it is missing and holds it for this process, as a "gateway" or a "provider", until the process
 * ends. ERR_CONFLICT when another process holds it in the same role. */
MUST_CHECK bool data_folder_lock(const char *data_folder, const char *role, struct err *err);
/* Opens the store of a gateway's data folder, which must be there: commands make none. To be closed with store_close.
 * ERR_INVALID when no folder is named (NULL), ERR_NOT_FOUND when it has no store. */
MUST_CHECK bool data_folder_open_store(const char *data_folder, struct store **store, struct err *err);

#endif
