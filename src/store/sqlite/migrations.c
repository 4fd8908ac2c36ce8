#include "store/sqlite/migrations.h"

#include "base/compiler.h"
#include "embedded_store.h"

#define MIGRATION(number, script)                                                                                      \
    { number, (const char *)(script) }

static const struct sqlite_migration migrations[] = {
    MIGRATION(1, store_sql_0001_initial),
    MIGRATION(2, store_sql_0002_money),
    MIGRATION(3, store_sql_0003_earned),
    MIGRATION(4, store_sql_0004_join_uses),
    MIGRATION(5, store_sql_0005_network),
    MIGRATION(10, store_sql_0010_conversations),
    MIGRATION(11, store_sql_0011_async_jobs),
    MIGRATION(12, store_sql_0012_webhooks),
    MIGRATION(13, store_sql_0013_workflows),
    MIGRATION(14, store_sql_0014_generations),
    MIGRATION(15, store_sql_0015_no_answer),
    MIGRATION(16, store_sql_0016_totals),
    MIGRATION(17, store_sql_0017_audits),
    MIGRATION(18, store_sql_0018_evicted),
    MIGRATION(19, store_sql_0019_wallets),
    MIGRATION(20, store_sql_0020_sealed),
    MIGRATION(21, store_sql_0021_receipts),
    MIGRATION(22, store_sql_0022_kept),
    MIGRATION(23, store_sql_0023_unaudited),
    MIGRATION(25, store_sql_0025_deliveries),
    MIGRATION(26, store_sql_0026_receipts_in_place),
};

int sqlite_newest(const struct sqlite_addition *added) {
    return added != NULL ? added->migration.version : migrations[COUNT_OF(migrations) - 1].version;
}

const struct sqlite_migration *sqlite_migration_after(int version, const struct sqlite_addition *added) {
    for (size_t i = 0; i < COUNT_OF(migrations); i++) {
        if (migrations[i].version > version) {
            return &migrations[i];
        }
    }
    return added != NULL && added->migration.version > version ? &added->migration : NULL;
}
