#include "gateway/scopes.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* Of fixed size, four entries to a set, the oldest goes first: as core/affinity.c keeps where conversations are. */
enum { SEEN_SETS = 4096, SEEN_WAYS = 4, MESSAGE_MAX = 1024, NAME_BYTES = (SCOPE_SIZE - 1) / 2 };

struct seen_entry {
    uint64_t name; /* 0: free */
    uint32_t tokens, age;
};

struct scopes_seen {
    struct seen_entry sets[SEEN_SETS][SEEN_WAYS];
    uint32_t clock;
};

void scopes_init(struct scopes *scopes) {
    scopes->seen = NULL;
    random_bytes(scopes->key, sizeof(scopes->key));
}

void scopes_clear(struct scopes *scopes) {
    free(scopes->seen);
    *scopes = (struct scopes){0};
}

/* Who waits for a request and for a job is the same account with the same prompts. */
static const char *class_of(const struct scope_of *of) {
    if (of->alone != NULL) {
        return "alone";
    }
    switch (of->purpose) {
    case STORE_PURPOSE_STEP:
        return "step";
    case STORE_PURPOSE_TITLE:
        return "title";
    case STORE_PURPOSE_SUMMARY:
        return "summary";
    case STORE_PURPOSE_REQUEST:
    case STORE_PURPOSE_JOB:
        break;
    }
    return "client";
}

/* With its length, so that no two lists of texts are one. */
static void add_text(struct buf *out, struct str text) {
    const uint32_t length = (uint32_t)text.len;
    (void)(buf_append(out, &length, sizeof(length)) && buf_append_str(out, text));
}

void scopes_name(const struct scopes *scopes, const struct scope_of *of, char out[SCOPE_SIZE]) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    struct buf message;
    buf_init(&message, MESSAGE_MAX);
    add_text(&message, str_from(class_of(of)));
    add_text(&message, str_from(of->device_id));
    add_text(&message, str_from(of->alone != NULL ? of->alone : of->account_id));
    add_text(&message, of->model);
    digest_hmac_sha256((struct str){(const char *)scopes->key, sizeof(scopes->key)}, buf_str(&message), digest);
    buf_clear(&message);
    digest_hex(digest, NAME_BYTES, out);
}

/* Scopes are outputs of a keyed hash already: any bytes of one are as good as all. */
static uint64_t name_of(const char *scope) {
    uint64_t name;
    memcpy(&name, scope, sizeof(name));
    for (const char *at = scope + sizeof(name); *at != '\0'; at++) {
        name = name * UINT64_C(0x100000001b3) ^ (uint8_t)*at;
    }
    return name != 0 ? name : 1;
}

static struct seen_entry *set_of(struct scopes_seen *seen, uint64_t name) {
    return seen->sets[(name ^ name >> 32) % SEEN_SETS];
}

void scopes_leave(struct scopes *scopes, const char *scope, uint32_t tokens) {
    if (scopes->seen == NULL) {
        scopes->seen = MEM_NEW(struct scopes_seen);
    }
    const uint64_t name = name_of(scope);
    struct seen_entry *set = set_of(scopes->seen, name), *entry = set;
    const uint32_t clock = ++scopes->seen->clock;
    for (size_t i = 0; i < SEEN_WAYS && entry->name != name; i++) {
        if (set[i].name == name || clock - set[i].age > clock - entry->age) {
            entry = &set[i];
        }
    }
    if (entry->name != name) {
        *entry = (struct seen_entry){.name = name};
    }
    entry->tokens = tokens > entry->tokens ? tokens : entry->tokens;
    entry->age = clock;
}

uint32_t scopes_told(const struct scopes *scopes, const char *scope, uint32_t cached_tokens) {
    const uint64_t name = name_of(scope);
    const struct seen_entry *set = scopes->seen != NULL ? set_of(scopes->seen, name) : NULL;
    for (size_t i = 0; set != NULL && i < SEEN_WAYS; i++) {
        if (set[i].name == name) {
            return cached_tokens < set[i].tokens ? cached_tokens : set[i].tokens;
        }
    }
    return 0;
}
