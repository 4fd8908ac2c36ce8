/* What the audits of devices have come to: for each device and file the sums of core/audit.h and the last audits, with
 * no word of any prompt or answer. Kept in a journal beside the database, a line an audit. */
#ifndef NATARIS_GATEWAY_AUDIT_BOOK_H
#define NATARIS_GATEWAY_AUDIT_BOOK_H

#include "base/digest.h"
#include "base/err.h"
#include "base/json_write.h"
#include "core/audit.h"
#include "store/limits.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <uthash.h>

enum { AUDIT_KEPT = 16 /* audits of each device and file: the newest, and those that led to a finding */ };

struct audit_key { /* zeroed before it is filled: it is compared as bytes */
    char device_id[STORE_ID_MAX];
    uint8_t sha256[DIGEST_SHA256_SIZE]; /* of the file */
};
void audit_key_init(struct audit_key *key, const char *device_id, const uint8_t sha256[DIGEST_SHA256_SIZE]);

struct audit_evidence { /* one audit */
    int64_t at_ms;      /* wall clock */
    char generation_id[STORE_ID_MAX];
    bool canary; /* of a prompt that the gateway made up */
    uint32_t near, far;
    struct core_audit_found found;
    enum core_audit_verdict verdict; /* filled in */
};

struct audit_entry {
    struct audit_key key;
    char model[LIMIT_MODEL_ID_BYTES + 1];
    struct core_audit audit;
    struct audit_evidence *kept; /* owned: AUDIT_KEPT, the oldest first */
    size_t kept_count;
    size_t pinned;                /* the first so many stay: they led to what the operator has not decided yet */
    struct audit_entry *other;    /* a further file of the same device */
    UT_hash_handle hh, by_device; /* the latter of a device's first entry */
};

struct audit_book {
    struct audit_entry *entries; /* uthash */
    struct audit_entry *devices; /* uthash: of each device one of its entries */
    char *path;                  /* owned; of the journal */
    FILE *journal;               /* NULL: nothing is kept */
    uint32_t lines;              /* since it was made anew */
    bool paused;                 /* nothing is written now */
    bool behind;                 /* some lines are not in it: it is made anew from memory when that can be done */
    uint32_t tries;              /* while it is behind */
    uint64_t skipped;            /* lines that were not written, ever */
    uint32_t permille;           /* how many jobs of known devices are audited; 0: no audits */
};

/* Reads the journal at `path` (NULL: none), and makes it anew with what still counts. Lines that are no audits, such as
 * one that a crash has cut, are left out. ERR_IO. */
MUST_CHECK bool audit_book_open(struct audit_book *book, const char *path, uint32_t permille, struct err *err);
void audit_book_close(struct audit_book *book); /* also of zeros */

/* For when the disk is nearly full: nothing is written until it is over; then the journal is made anew, with all that
 * was found meanwhile. Only a crash in between would lose that. */
void audit_book_pause(struct audit_book *book, bool paused);

/* NULL: nothing is known of it. */
const struct audit_entry *audit_book_find(const struct audit_book *book, const struct audit_key *key);
/* Whether a job whose answer has so many tokens at most is to be audited, by a random number. */
bool audit_book_wants(const struct audit_book *book, const struct audit_key *key, uint32_t max_tokens, uint32_t random);
/* Adds one; its verdict is returned. */
enum core_audit_verdict audit_book_add(struct audit_book *book, const struct audit_key *key, const char *model,
                                       const struct audit_evidence *evidence);
/* Whether some file of the device is past the bound, and not cleared since. */
bool audit_book_has_failed(const struct audit_book *book, const char *device_id);
/* When the device was last audited, on the wall clock; 0: never. */
int64_t audit_book_newest_ms(const struct audit_book *book, const char *device_id);
/* The operator dismisses what was found about all files of a device. */
void audit_book_dismiss(struct audit_book *book, const char *device_id);
/* The member "audit" into the open object of a line of the review list: of the device's file that looks worst the sums,
 * and the audit that led to the finding, or the last one; null when nothing is known. */
void audit_book_write_finding(const struct audit_book *book, const char *device_id, struct json_writer *writer);
/* The member "audits" into the open object of a device: an array, a file an object, with the last audits, the newest
 * first. */
void audit_book_write(const struct audit_book *book, const char *device_id, struct json_writer *writer);

#endif
