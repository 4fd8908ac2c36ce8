/* Small named settings. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_SETTINGS_H
#define NATARIS_STORE_SQLITE_SETTINGS_H

#include "store/sqlite/db.h"

extern const struct store_setting_rows sqlite_setting_rows;

#endif
