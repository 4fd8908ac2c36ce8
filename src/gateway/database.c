#include "gateway/database.h"

#include "store/sqlite/driver.h"

bool gateway_database_open(struct store **out, const char *path, struct err *err) {
    return store_open(out, &sqlite_driver, path, err);
}
