#include "conversation/repeated.h"

#include "base/mem.h"
#include "conversation/stored.h"
#include "text/words.h"

#include <stdlib.h>

/* A message as it is compared. */
struct said {
    enum gen_role role;
    struct str text;
    uint64_t hash; /* spares nearly all comparisons of texts */
};

/* What is compared: all that was sent, and the stored messages that are known, of which the first has this position. */
struct comparison {
    const struct said *sent, *stored;
    size_t sent_count, stored_count, first;
};

/* Past the CR of a CR LF. */
static size_t skip_cr(struct str text, size_t at) {
    return at + 1 < text.len && text.data[at] == '\r' && text.data[at + 1] == '\n' ? at + 1 : at;
}

static struct said said_of(enum gen_role role, struct str text) {
    struct said said = {.role = role, .text = words_trim(text), .hash = UINT64_C(14695981039346656037)}; /* FNV-1a */
    for (size_t i = 0; i < said.text.len; i++) {
        i = skip_cr(said.text, i);
        said.hash = (said.hash ^ (uint8_t)said.text.data[i]) * UINT64_C(1099511628211);
    }
    return said;
}

static bool text_same(struct str a, struct str b) {
    size_t i = 0, k = 0;
    while (i < a.len && k < b.len) {
        i = skip_cr(a, i);
        k = skip_cr(b, k);
        if (a.data[i++] != b.data[k++]) {
            return false;
        }
    }
    return i == a.len && k == b.len;
}

static bool looks_same(const struct said *a, const struct said *b) {
    return a->role == b->role && a->hash == b->hash;
}

static bool is_same(const struct said *a, const struct said *b) {
    return looks_same(a, b) && text_same(a->text, b->text);
}

/* Whether the `sent` first messages end as the conversation does, as far as both are known. */
static bool ends_alike(const struct comparison *of, size_t sent,
                       bool (*same)(const struct said *, const struct said *)) {
    const size_t known = sent < of->stored_count ? sent : of->stored_count;
    for (size_t back = 1; back <= known; back++) {
        if (!same(&of->sent[sent - back], &of->stored[of->stored_count - back])) {
            return false;
        }
    }
    return true;
}

/* The most messages that are the end of the conversation. Texts are compared once: who makes hashes meet gains
 * nothing. */
static size_t count_end(const struct comparison *of) {
    const size_t total = of->first + of->stored_count;
    for (size_t sent = of->sent_count < total ? of->sent_count : total; sent > 0; sent--) {
        if (ends_alike(of, sent, looks_same)) {
            return ends_alike(of, sent, is_same) ? sent : 0;
        }
    }
    return 0;
}

/* The most messages that are its front, up to an answer. */
static size_t count_front(const struct comparison *of) {
    size_t same = of->first;
    while (same < of->sent_count && same - of->first < of->stored_count &&
           is_same(&of->sent[same], &of->stored[same - of->first])) {
        same++;
    }
    while (same > of->first && of->sent[same - 1].role != GEN_ROLE_ASSISTANT) {
        same--;
    }
    return same > of->first ? same : 0;
}

size_t repeated_count(const struct store_message *messages, size_t count, int64_t total,
                      const struct gen_request *request) {
    if (count == 0 || request->message_count < 2) { /* an answer, and something behind or before it */
        return 0;
    }
    struct said *sent = mem_calloc(request->message_count + count, sizeof(*sent));
    struct said *stored = sent + request->message_count;
    struct comparison of = {.sent = sent, .stored = stored, .stored_count = count, .first = (size_t)total - count};
    for (size_t i = 0; i < request->message_count; i++) {
        if (request->messages[i].role != GEN_ROLE_SYSTEM) {
            sent[of.sent_count++] = said_of(request->messages[i].role, request->messages[i].content);
        }
    }
    for (size_t i = 0; i < count; i++) {
        stored[i] = said_of(conversation_gen_role(messages[i].role), messages[i].content);
    }
    size_t repeated = count_end(&of);
    if (repeated == 0) {
        repeated = count_front(&of);
    }
    free(sent);
    return repeated;
}

bool repeated_drop(struct gen_request *request, size_t repeated, struct arena *arena) {
    size_t kept = 0;
    if (repeated == 0) {
        return true;
    }
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, request->message_count);
    if (messages == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->message_count; i++) {
        if (request->messages[i].role == GEN_ROLE_SYSTEM || repeated == 0) {
            messages[kept++] = request->messages[i];
        } else {
            repeated--;
        }
    }
    request->messages = messages;
    request->message_count = kept;
    return true;
}
