#include "store/sqlite/erase.h"

#include "base/compiler.h"
#include "store/sqlite/accounts.h"

/* Whose texts are sealed under which keys: conversations, and the account itself. */
#define SEALS                                                                                                          \
    "(SELECT number FROM conversations WHERE account_number = ?1"                                                      \
    " UNION SELECT seal_number FROM account_seals WHERE account_number = ?1 AND seal_number <> 0)"
#define WEBHOOKS "(SELECT number FROM webhooks WHERE account_number = ?1)"

/* ?1 is the account's number, ?2 the time. The seals first, while the rows still tell which they are. A key's row
 * stays, for generations name it, but no secret has that hash. */
static const char *const ERASE[] = {
    "UPDATE conversation_keys SET secret = zeroblob(32) WHERE number IN " SEALS,
    "DELETE FROM answers WHERE conversation_number <> 0 AND conversation_number IN " SEALS,
    "DELETE FROM workflows WHERE account_number = ?1",
    "DELETE FROM conversation_messages WHERE conversation_number IN"
    " (SELECT number FROM conversations WHERE account_number = ?1)",
    "DELETE FROM conversations WHERE account_number = ?1",
    "DELETE FROM jobs WHERE account_number = ?1",
    "DELETE FROM deliveries WHERE webhook_number IN " WEBHOOKS,
    "DELETE FROM webhook_events WHERE account_number = ?1",
    "DELETE FROM webhooks WHERE account_number = ?1",
    "DELETE FROM account_months WHERE account_number = ?1",
    "DELETE FROM join_tokens WHERE account_id = (SELECT id FROM accounts WHERE number = ?1)",
    "UPDATE generations SET label = '' WHERE account_number = ?1 AND label <> ''",
    "UPDATE generations SET receipt = CAST(zeroblob(16) || substr(receipt, 17) AS BLOB)" /* the salt */
    " WHERE account_number = ?1 AND receipt IS NOT NULL",
    "UPDATE devices SET name = '', region = '' WHERE account_id = (SELECT id FROM accounts WHERE number = ?1)",
    "UPDATE keys SET name = '', models = '', sha256 = randomblob(32), revoked_ms = iif(revoked_ms = 0, ?2, revoked_ms)"
    " WHERE account_id = (SELECT id FROM accounts WHERE number = ?1)",
    "UPDATE accounts SET name = 'erased', suspended = 1 WHERE number = ?1",
    "REPLACE INTO account_seals (account_number, seal_number) VALUES (?1, 0)",
};

static bool run(struct sqlite_db *db, const char *text, int64_t account_number, int64_t now_ms, struct err *err) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    if (result == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, account_number);
        if (sqlite3_bind_parameter_count(statement) > 1) {
            sqlite3_bind_int64(statement, 2, now_ms);
        }
        result = sqlite3_step(statement);
    }
    const bool ok =
        result == SQLITE_DONE || err_set(err, ERR_IO, "The account cannot be erased: %s", sqlite3_errmsg(db->handle));
    sqlite3_finalize(statement);
    return ok;
}

bool sqlite_account_erase(struct ledger *ledger, const char *account_id, int64_t now_ms, struct err *err) {
    struct store_account account;
    if (!sqlite_account_find(ledger->db, account_id, &account, err)) {
        return false;
    }
    if (account.owner) {
        return err_set(err, ERR_CONFLICT, "The operator's own account cannot be erased");
    }
    for (size_t i = 0; i < COUNT_OF(ERASE); i++) {
        if (!run(ledger->db, ERASE[i], (int64_t)account.number, now_ms, err)) {
            return false;
        }
    }
    for (struct ledger_account *known = ledger->accounts; known != NULL;
         known = (struct ledger_account *)known->hh.next) {
        ledger_forget_alerts(known); /* they are read again */
        known->erased_known = false;
    }
    ledger->db->wipe_log = true; /* the log still has the keys */
    return true;
}
