#include "gateway/scopes.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* Of fixed size, four entries to a set, the oldest goes first: as core/affinity.c keeps where conversations are. */
enum { SEEN_SETS = 4096, SEEN_WAYS = 4, MESSAGE_MAX = 1024, NAME_BYTES = (SCOPE_SIZE - 1) / 2 };
/* Names that are remembered: the hash of one costs as much as an eighth of a plain request. Of messages that are longer
 * than any of today's, the name is made anew each time. */
enum { NAMED_COUNT = 1024, NAMED_MESSAGE_MAX = 240 };

struct seen_entry {
    uint64_t name; /* 0: free */
    uint32_t tokens, age;
};

struct scopes_seen {
    struct seen_entry sets[SEEN_SETS][SEEN_WAYS];
    uint32_t clock;
};

struct named_entry {
    size_t length; /* of the message; 0: free */
    char message[NAMED_MESSAGE_MAX];
    char name[SCOPE_SIZE];
};

struct scopes_named {
    struct named_entry entries[NAMED_COUNT]; /* each at the place that its message hashes to */
};

void scopes_init(struct scopes *scopes) {
    scopes->seen = NULL;
    scopes->named = NULL;
    random_bytes(scopes->key, sizeof(scopes->key));
}

void scopes_clear(struct scopes *scopes) {
    free(scopes->seen);
    free(scopes->named);
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

/* FNV-1a: whoever finds two messages for one place makes their names dearer, and nothing else. */
static struct named_entry *named_place(struct scopes *scopes, struct str message) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (scopes->named == NULL) {
        scopes->named = MEM_NEW(struct scopes_named);
    }
    for (size_t i = 0; i < message.len; i++) {
        hash = (hash ^ (uint8_t)message.data[i]) * UINT64_C(0x100000001b3);
    }
    return &scopes->named->entries[(hash ^ hash >> 32) % NAMED_COUNT];
}

static void name_message(const struct scopes *scopes, struct str message, char out[SCOPE_SIZE]) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    digest_hmac_sha256((struct str){(const char *)scopes->key, sizeof(scopes->key)}, message, digest);
    digest_hex(digest, NAME_BYTES, out);
}

void scopes_name(struct scopes *scopes, const struct scope_of *of, char out[SCOPE_SIZE]) {
    struct buf buffer;
    buf_init(&buffer, MESSAGE_MAX);
    add_text(&buffer, str_from(class_of(of)));
    add_text(&buffer, str_from(of->device_id));
    add_text(&buffer, str_from(of->alone != NULL ? of->alone : of->account_id));
    add_text(&buffer, of->model);
    const struct str message = buf_str(&buffer);
    if (of->alone != NULL || message.len > NAMED_MESSAGE_MAX) {
        name_message(scopes, message, out);
    } else {
        struct named_entry *entry = named_place(scopes, message);
        if (entry->length != message.len || memcmp(entry->message, message.data, message.len) != 0) {
            entry->length = message.len;
            memcpy(entry->message, message.data, message.len);
            name_message(scopes, message, entry->name);
        }
        memcpy(out, entry->name, SCOPE_SIZE);
    }
    buf_clear(&buffer);
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
