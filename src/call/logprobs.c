#include "call/logprobs.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { REPLACEMENT_BYTES = 3 }; /* of U+FFFD, for each byte that is of no character */

struct call_logprobs {
    uint32_t top;
    struct buf kept;
    size_t taken;
    struct buf spelled; /* what the tokens of one delta spell */
};

struct call_logprobs *call_logprobs_new(uint32_t top) {
    struct call_logprobs *logprobs = MEM_NEW(struct call_logprobs);
    logprobs->top = top;
    buf_init(&logprobs->kept, LIMIT_LOGPROBS_BYTES);
    buf_init(&logprobs->spelled, LIMIT_LINK_PROVIDER_BYTES);
    return logprobs;
}

void call_logprobs_free(struct call_logprobs *logprobs) {
    if (logprobs != NULL) {
        buf_clear(&logprobs->kept);
        buf_clear(&logprobs->spelled);
        free(logprobs);
    }
}

/* How many of these bytes spell the first `text_len` bytes of a text in which each byte that is of no character has
 * become U+FFFD, as devices show it. */
static size_t spelling_of(struct str bytes, size_t text_len) {
    size_t at = 0, shown = 0;
    while (at < bytes.len && shown < text_len) {
        bool valid = false;
        const size_t used = utf8_sequence(bytes.data + at, bytes.len - at, &valid);
        at += valid ? used : 1;
        shown += valid ? used : REPLACEMENT_BYTES;
    }
    return at;
}

void call_logprobs_add(struct call_logprobs *logprobs, struct str text, struct str came) {
    struct gen_token_logprobs token;
    if (logprobs->kept.overflow) {
        return;
    }
    buf_reset(&logprobs->spelled);
    for (struct str rest = came; gen_logprobs_next(&rest, &token);) {
        (void)buf_append_str(&logprobs->spelled, token.taken.bytes);
    }
    const size_t end = spelling_of(buf_str(&logprobs->spelled), text.len);
    for (size_t at = 0; at < end && gen_logprobs_next(&came, &token); at += token.taken.bytes.len) {
        token.other_count = token.other_count < logprobs->top ? token.other_count : logprobs->top;
        const size_t before = logprobs->kept.len;
        gen_logprobs_append(&logprobs->kept, &token);
        if (logprobs->kept.overflow) {
            logprobs->kept.len = before;
            return;
        }
    }
}

struct str call_logprobs_all(const struct call_logprobs *logprobs) {
    return buf_str(&logprobs->kept);
}

struct str call_logprobs_take(struct call_logprobs *logprobs) {
    const struct str all = buf_str(&logprobs->kept);
    const struct str next = {all.data + logprobs->taken, all.len - logprobs->taken};
    logprobs->taken = all.len;
    return next;
}

bool call_logprobs_are_whole(const struct call_logprobs *logprobs) {
    return !logprobs->kept.overflow;
}
