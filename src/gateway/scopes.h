/* Scopes: which generations may meet in the cache of a device, and what may be told of that. */
#ifndef NATARIS_GATEWAY_SCOPES_H
#define NATARIS_GATEWAY_SCOPES_H

#include "base/str.h"
#include "store/purpose.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCOPES_KEY_SIZE = 32, SCOPE_SIZE = 33 };

/* Whose a generation is, and where it goes. */
struct scope_of {
    const char *device_id, *account_id;
    struct str model;
    enum store_purpose purpose;
    const char *alone; /* an id that no other generation has: it shares with none (canaries). NULL: as its purpose is */
};

struct scopes_seen;
struct scopes_named;

struct scopes {
    uint8_t key[SCOPES_KEY_SIZE]; /* of this process: scopes of an earlier one mean nothing any more */
    struct scopes_seen *seen;     /* owned; NULL until something was left in a cache */
    struct scopes_named *named;   /* names made before; owned, NULL until one was made */
};

void scopes_init(struct scopes *scopes);
void scopes_clear(struct scopes *scopes);

/* Its scope, as text of SCOPE_SIZE - 1 bytes: for all generations of one account and model on one device that are for
 * clients (requests and jobs) the same, and unguessable. Steps of workflows, titles and summaries have one each. On
 * another device it is another one, so that two devices cannot find out by it that they serve the same account. One
 * that is alone looks like all others. */
void scopes_name(struct scopes *scopes, const struct scope_of *of, char out[SCOPE_SIZE]);

/* A generation of this scope has ended there: the device can have so many tokens of it in a cache now. */
void scopes_leave(struct scopes *scopes, const char *scope, uint32_t tokens);
/* Of the tokens that the device says it has found in its cache, those that may be told: no more than earlier
 * generations of the scope can have left there, so that a number says nothing of anybody else. A scope that has been
 * pushed out of this table by newer ones is told too little, never too much. */
uint32_t scopes_told(const struct scopes *scopes, const char *scope, uint32_t cached_tokens);

#endif
