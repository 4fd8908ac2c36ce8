/* The SQL of join tokens, and of devices that move, get another key or are thrown out: a part of texts.c. */
#ifndef NATARIS_STORE_SQLITE_ENROLMENT_TEXTS_H
#define NATARIS_STORE_SQLITE_ENROLMENT_TEXTS_H

/* A token's id follows from its hash, and tells nothing of the token. */
#define TOKEN_ID "'invite_' || lower(substr(hex(sha256), 1, 16))"
#define TOKEN_COLUMNS                                                                                                  \
    "sha256, " TOKEN_ID ", account_id, device_id, uses_left, created_ms, expires_ms, revoked_ms,"                      \
    " coalesce((SELECT suspended FROM accounts WHERE id = t.account_id), 0) FROM join_tokens t"

#define ENROLMENT_TEXTS                                                                                                \
    [SQL_JOIN_TOKEN_ADD] =                                                                                             \
        "INSERT INTO join_tokens (sha256, account_id, created_ms, expires_ms, uses_left, device_id)"                   \
        " VALUES (?, ?, ?, ?, ?, ?)",                                                                                  \
    [SQL_JOIN_TOKEN_FIND] = "SELECT " TOKEN_COLUMNS " WHERE sha256 = ?",                                               \
    [SQL_JOIN_TOKEN_USE] = "UPDATE join_tokens SET uses_left = uses_left - 1 WHERE sha256 = ? AND uses_left > 0",      \
    [SQL_JOIN_TOKEN_PAGE] =                                                                                            \
        "SELECT " TOKEN_COLUMNS " WHERE ?1 = '' OR (created_ms, sha256) < (SELECT created_ms, sha256 FROM"             \
        " join_tokens WHERE " TOKEN_ID " = ?1) ORDER BY created_ms DESC, sha256 DESC LIMIT ?2",                        \
    [SQL_JOIN_TOKEN_BY_ID] = "SELECT " TOKEN_COLUMNS " WHERE " TOKEN_ID " = ?",                                        \
    [SQL_JOIN_TOKEN_REVOKE] = "UPDATE join_tokens SET revoked_ms = ? WHERE " TOKEN_ID " = ? AND revoked_ms = 0",       \
    [SQL_DEVICE_STAND] = "UPDATE devices SET standing = ?, standing_reason = ?, standing_ms = ? WHERE id = ?",         \
    [SQL_DEVICE_MOVE] = "UPDATE devices SET account_id = ?, verified = 0 WHERE id = ?",                                \
    [SQL_DEVICE_KEY_KEEP] = "INSERT INTO replaced_keys SELECT public_key, number, ? FROM devices WHERE id = ?",        \
    [SQL_DEVICE_KEY] = "UPDATE devices SET public_key = ? WHERE id = ?",                                               \
    [SQL_KEY_WAS_REPLACED] = "SELECT 1 FROM replaced_keys WHERE public_key = ?"

#endif
