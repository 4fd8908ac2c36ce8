#include "gateway/audit_capture.h"

#include "base/mem.h"
#include "link/part.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    CAPTURES_MAX = 8192,                /* open and ready ones; beyond, answers are not audited */
    READY_MAX = 4096,                   /* the oldest is given up for a newer one */
    CAPTURES_BYTES = 128 * 1024 * 1024, /* of all of them: few of many long ones */
    CAPTURE_TEXT_BYTES = 256 * 1024,
    CAPTURE_REQUEST_BYTES = 512 * 1024,
    CAPTURE_LEAST_BYTES = 8 * 1024, /* what the smallest one takes */
    CHARACTER_TOKENS_MAX = 3,       /* of one that the end has cut: no text comes with them, so they are not told */
};

/* Counts what it takes by now. */
static void capture_weigh(struct audit_captures *captures, struct audit_capture *capture) {
    const size_t bytes = CAPTURE_LEAST_BYTES + capture->arena.used_total + capture->text.len + capture->ids.len;
    captures->bytes += bytes - capture->bytes;
    capture->bytes = bytes;
}

static void capture_free(struct audit_captures *captures, struct audit_capture *capture) {
    captures->bytes -= capture->bytes;
    arena_clear(&capture->arena);
    buf_clear(&capture->text);
    buf_clear(&capture->ids);
    free(capture);
}

static struct audit_capture *find(const struct audit_captures *captures, uint64_t generation) {
    struct audit_capture *capture = NULL;
    HASH_FIND(hh, captures->open, &generation, sizeof(generation), capture);
    return capture;
}

/* --- Whose prompts are shown to nobody --- */

/* Where the account is in the list, or would be. */
static size_t place_of(const struct audit_captures *captures, uint64_t account) {
    size_t low = 0, high = captures->unaudited_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (captures->unaudited[middle] < account) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_unaudited(const struct audit_captures *captures, uint64_t account) {
    const size_t place = place_of(captures, account);
    return place < captures->unaudited_count && captures->unaudited[place] == account;
}

static void forget_account(struct audit_captures *captures, uint64_t account) {
    struct audit_capture *capture, *next;
    for (capture = captures->open; capture != NULL; capture = capture->hh.next) {
        capture->unusable = capture->unusable || capture->subject.client == account;
    }
    DL_FOREACH_SAFE (captures->ready, capture, next) {
        if (capture->subject.client == account && capture->asked == 0) {
            audit_captures_forget(captures, capture);
        } else if (capture->subject.client == account) {
            capture->given_up = true; /* a scorer has it already; no other gets it */
        }
    }
}

void audit_captures_set_unaudited(struct audit_captures *captures, uint64_t account, bool unaudited) {
    const size_t place = place_of(captures, account);
    if (unaudited == is_unaudited(captures, account)) {
        return;
    }
    if (!unaudited) {
        captures->unaudited_count--;
        memmove(captures->unaudited + place, captures->unaudited + place + 1,
                (captures->unaudited_count - place) * sizeof(*captures->unaudited));
        return;
    }
    captures->unaudited =
        mem_realloc(captures->unaudited, (captures->unaudited_count + 1) * sizeof(*captures->unaudited));
    memmove(captures->unaudited + place + 1, captures->unaudited + place,
            (captures->unaudited_count - place) * sizeof(*captures->unaudited));
    captures->unaudited[place] = account;
    captures->unaudited_count++;
    forget_account(captures, account);
}

/* --- Answers --- */

void audit_captures_begin(struct audit_captures *captures, const struct audit_subject *subject,
                          const struct gen_request *request, uint64_t now_ms) {
    audit_captures_end(captures, subject->generation, now_ms);
    const bool full =
        HASH_COUNT(captures->open) + captures->ready_count >= CAPTURES_MAX || captures->bytes >= CAPTURES_BYTES;
    if (is_unaudited(captures, subject->client)) {
        return;
    }
    if (full) {
        captures->dropped++;
        return;
    }
    struct audit_capture *capture = MEM_NEW(struct audit_capture);
    capture->subject = *subject;
    capture->request = *request;
    arena_init_small(&capture->arena, CAPTURE_REQUEST_BYTES, 4096);
    buf_init(&capture->text, CAPTURE_TEXT_BYTES);
    buf_init(&capture->ids, LIMIT_SCORE_TOKENS * sizeof(uint32_t));
    if (!gen_request_copy(&capture->arena, &capture->request)) {
        capture_free(captures, capture);
        return;
    }
    capture_weigh(captures, capture);
    HASH_ADD(hh, captures->open, subject.generation, sizeof(capture->subject.generation), capture);
}

/* Whether there is one id for each token, and none that no engine would take for one: a scorer would refuse it, and
 * nothing would be found. */
static bool are_ids(struct str parts, uint32_t tokens) {
    struct link_part part;
    size_t count = 0;
    bool good = true;
    while (link_parts_next(&parts, &part)) {
        const bool ids = part.kind == LINK_PART_TOKEN_IDS;
        for (size_t i = 0; ids && i < link_token_id_count(part.token_ids); i++) {
            good = good && link_token_id(part.token_ids, i) <= INT32_MAX;
            count++;
        }
    }
    return good && count == tokens;
}

static void take_ids(struct audit_capture *capture, struct str parts) {
    struct link_part part;
    while (link_parts_next(&parts, &part)) {
        const bool ids = part.kind == LINK_PART_TOKEN_IDS;
        for (size_t i = 0; ids && i < link_token_id_count(part.token_ids); i++) {
            const uint32_t id = link_token_id(part.token_ids, i);
            buf_append(&capture->ids, &id, sizeof(id));
        }
    }
}

/* Whole deltas only, so that the ids still spell the text. */
static bool has_room(const struct audit_captures *captures, const struct audit_capture *capture,
                     const struct link_delta *delta) {
    return capture->text.len + delta->text.len <= CAPTURE_TEXT_BYTES &&
           capture->ids.len / sizeof(uint32_t) + delta->tokens <= LIMIT_SCORE_TOKENS &&
           captures->bytes <= CAPTURES_BYTES;
}

/* What is too long to be kept is scored as far as it is kept: a long answer is no way out. */
void audit_captures_delta(struct audit_captures *captures, uint64_t provider, const struct link_delta *delta) {
    struct audit_capture *capture = captures->open != NULL ? find(captures, delta->job) : NULL;
    if (capture == NULL || capture->subject.provider != provider || capture->contradicts || capture->unusable) {
        return;
    }
    capture->tokens += delta->tokens;
    capture->contradicts = !are_ids(delta->parts, delta->tokens);
    capture->cut_short = capture->cut_short || !has_room(captures, capture, delta);
    if (!capture->contradicts && !capture->cut_short) {
        buf_append_str(&capture->text, delta->text);
        take_ids(capture, delta->parts);
        capture_weigh(captures, capture);
    }
}

/* An answer that ends by its length has it, but for the tokens of a character that was not completed; or where a
 * default, or a text that is continued, was cut to the context, all that this leaves. */
static bool ends_wrongly(const struct audit_capture *capture) {
    const struct gen_request *request = &capture->request;
    const bool exact = request->max_tokens_given && request->continue_text.len == 0;
    const uint64_t made = capture->tokens + CHARACTER_TOKENS_MAX;
    const bool early = capture->finish == GEN_FINISH_LENGTH && made < request->max_tokens;
    return capture->tokens > request->max_tokens || (early && (exact || made < capture->subject.length_tokens_min));
}

/* Room for one more whole answer: the oldest that no device scores now gives way. False where all are being scored. */
static bool make_room(struct audit_captures *captures) {
    if (captures->ready_count < READY_MAX) {
        return true;
    }
    captures->dropped++;
    struct audit_capture *oldest = captures->ready;
    while (oldest != NULL && oldest->asked > oldest->scored) {
        oldest = oldest->next;
    }
    if (oldest != NULL) {
        audit_captures_forget(captures, oldest);
    }
    return oldest != NULL;
}

static void complete(struct audit_captures *captures, struct audit_capture *capture, enum gen_finish finish,
                     uint64_t now_ms) {
    HASH_DEL(captures->open, capture);
    capture->finish = finish;
    capture->ready_ms = now_ms;
    const bool told = !capture->contradicts || capture->subject.tells_ids; /* or it was never promised */
    capture->contradicts = capture->contradicts || ends_wrongly(capture);
    const bool empty = !capture->contradicts && capture->text.len == 0;
    if (capture->unusable || !told || empty || !make_room(captures)) {
        capture_free(captures, capture);
        return;
    }
    DL_APPEND(captures->ready, capture);
    captures->ready_count++;
    if (captures->on_ready != NULL) {
        captures->on_ready(captures->context);
    }
}

void audit_captures_end(struct audit_captures *captures, uint64_t generation, uint64_t now_ms) {
    struct audit_capture *capture = captures->open != NULL ? find(captures, generation) : NULL;
    if (capture != NULL) {
        complete(captures, capture, GEN_FINISH_CANCELLED, now_ms);
    }
}

/* As clients are told, so that a word that nobody knows is no way out: what is neither cut by its length nor broken off
 * has come to its end. */
static enum gen_finish finish_of(enum link_finish finish) {
    switch (finish) {
    case LINK_FINISH_LENGTH:
        return GEN_FINISH_LENGTH;
    case LINK_FINISH_CANCELLED:
        return GEN_FINISH_CANCELLED;
    case LINK_FINISH_STOP:
    case LINK_FINISH_TOOL_CALLS:
    case LINK_FINISH_CONTENT_FILTER:
    case LINK_FINISH_OTHER:
        break;
    }
    return GEN_FINISH_STOP;
}

void audit_captures_done(struct audit_captures *captures, uint64_t provider, uint64_t generation,
                         enum link_finish finish, uint64_t now_ms) {
    struct audit_capture *capture = captures->open != NULL ? find(captures, generation) : NULL;
    if (capture != NULL && capture->subject.provider == provider) {
        complete(captures, capture, finish_of(finish), now_ms);
    }
}

void audit_captures_forget(struct audit_captures *captures, struct audit_capture *capture) {
    DL_DELETE(captures->ready, capture);
    captures->ready_count--;
    capture_free(captures, capture);
}

void audit_captures_clear(struct audit_captures *captures) {
    struct audit_capture *capture = captures->open;
    HASH_CLEAR(hh, captures->open); /* its items are still linked */
    while (capture != NULL) {
        struct audit_capture *next = capture->hh.next;
        capture_free(captures, capture);
        capture = next;
    }
    while (captures->ready != NULL) {
        audit_captures_forget(captures, captures->ready);
    }
    free(captures->unaudited);
    *captures = (struct audit_captures){0};
}

struct gen_answer audit_capture_answer(const struct audit_capture *capture) {
    return (struct gen_answer){.ids = (const uint32_t *)(void *)capture->ids.data,
                               .count = capture->ids.len / sizeof(uint32_t),
                               .text = buf_str(&capture->text),
                               .finish = capture->cut_short ? GEN_FINISH_CANCELLED : capture->finish};
}
