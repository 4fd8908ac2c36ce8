/* The owner's account of a data folder: made at the first start, reused afterwards. Its tier is unlimited, and besides
 * the welcome credit of every account it is granted 1,000,000 USD once, from promotions, for the operator's own use: an
 * own network never stops for want of credit. The ledger shows both. */
#ifndef NATARIS_CMD_OWNER_H
#define NATARIS_CMD_OWNER_H

#include "auth/key.h"
#include "base/err.h"
#include "base/file.h"
#include "store/store.h"
#include "wire/join_token.h"

#define OWNER_OWN_USE_NANO INT64_C(1000000000000000)

struct owner {
    struct store_account account;
    char live_key[KEY_SIZE], test_key[KEY_SIZE];
};

/* DATA/nataris.db; makes the folder. */
MUST_CHECK bool owner_store_path(const char *data_folder, char out[FILE_PATH_MAX], struct err *err);
/* Reads the owner from the store and DATA/owner.json (mode 0600: the only place where keys are kept in clear, for the
 * person whose machine this is); makes what is missing. The store must not be started. */
MUST_CHECK bool owner_ensure(struct store *store, const char *data_folder, struct owner *owner, struct err *err);
/* A new join token of the owner's. */
MUST_CHECK bool owner_invite(struct store *store, const struct owner *owner, uint32_t valid_hours, uint32_t uses,
                             char token[JOIN_TOKEN_SIZE], struct err *err);

#endif
