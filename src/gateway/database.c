#include "gateway/database.h"

#include "store/kept.h"
#include "store/owed.h"
#include "store/sqlite/driver.h"

#include <stdio.h>

/* What the gateway was told, so that commands without a running one go by the same. */
static const char HOLD_SETTING[] = "earnings_hold_days";

bool gateway_database_open(struct store **out, const char *path, struct err *err) {
    char text[16];
    uint64_t days;
    struct err missing;
    if (!store_open(out, &sqlite_driver, path, err)) {
        return false;
    }
    if (store_setting_get(*out, HOLD_SETTING, text, sizeof(text), &missing) &&
        str_parse_u64(str_from(text), STORE_HOLD_DAYS_MAX, &days)) {
        store_set_hold_days(*out, (uint32_t)days);
    }
    return true;
}

bool gateway_database_tell(struct store *store, uint32_t days, const struct store_quotas *quotas, struct err *err) {
    char text[16];
    const bool changed = store_hold_days(store) != days;
    store_set_hold_days(store, days);
    store_set_quotas(store, quotas);
    (void)snprintf(text, sizeof(text), "%u", days);
    return !changed || store_setting_set(store, HOLD_SETTING, text, err);
}
