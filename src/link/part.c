#include "link/part.h"

#include "base/utf8.h"
#include "link/bytes.h"

#include <string.h>

enum {
    LENGTH_BITS = 24,
    LENGTH_MASK = (1 << LENGTH_BITS) - 1,
    TOKEN_ID_SIZE = 4,
};

/* --- Writing --- */

uint8_t *link_part_put_head(uint8_t *out, enum link_part_kind kind, size_t len) {
    return link_put_u32(out, (uint32_t)kind << LENGTH_BITS | (uint32_t)len);
}

/* The head of a part whose length shows once it is written. */
static size_t begin_part(struct buf *out) {
    const size_t start = out->len;
    static const char HEAD[LINK_PART_HEAD] = {0};
    (void)buf_append(out, HEAD, sizeof(HEAD));
    return start;
}

static void end_part(struct buf *out, size_t start, enum link_part_kind kind) {
    if (!out->overflow) {
        (void)link_part_put_head((uint8_t *)out->data + start, kind, out->len - start - LINK_PART_HEAD);
    }
}

static void add_u16(struct buf *out, uint32_t value) {
    uint8_t bytes[2];
    (void)link_put_u16(bytes, value);
    (void)buf_append(out, bytes, sizeof(bytes));
}

static void add_u32(struct buf *out, uint32_t value) {
    uint8_t bytes[4];
    (void)link_put_u32(bytes, value);
    (void)buf_append(out, bytes, sizeof(bytes));
}

static void add_short(struct buf *out, struct str bytes) {
    add_u16(out, (uint32_t)bytes.len);
    (void)buf_append_str(out, bytes);
}

static void add_u8(struct buf *out, size_t value) {
    const uint8_t byte = (uint8_t)value;
    (void)buf_append(out, &byte, 1);
}

void link_parts_add_token_ids(struct buf *out, const uint32_t *ids, size_t count) {
    const size_t start = begin_part(out);
    for (size_t i = 0; i < count; i++) {
        add_u32(out, ids[i]);
    }
    end_part(out, start, LINK_PART_TOKEN_IDS);
}

void link_parts_add_reasoning(struct buf *out, struct str text) {
    const size_t start = begin_part(out);
    (void)buf_append_str(out, text);
    end_part(out, start, LINK_PART_REASONING);
}

void link_parts_add_tool_call(struct buf *out, const struct link_tool_call *call) {
    const size_t start = begin_part(out);
    add_u16(out, call->index);
    add_short(out, call->id);
    add_short(out, call->name);
    (void)buf_append_str(out, call->arguments);
    end_part(out, start, LINK_PART_TOOL_CALL);
}

void link_parts_add_logprobs(struct buf *out, struct str logprobs) {
    const size_t start = begin_part(out);
    (void)buf_append_str(out, logprobs);
    end_part(out, start, LINK_PART_LOGPROBS);
}

void link_parts_add_audio(struct buf *out, const struct link_audio *audio) {
    const size_t start = begin_part(out);
    add_u8(out, audio->format.len);
    (void)buf_append_str(out, audio->format);
    (void)buf_append_str(out, audio->bytes);
    end_part(out, start, LINK_PART_AUDIO);
}

/* --- Reading --- */

static bool take(struct str *from, size_t len, struct str *out) {
    if (from->len < len) {
        return false;
    }
    *out = (struct str){from->data, len};
    *from = (struct str){from->data + len, from->len - len};
    return true;
}

static bool take_u8(struct str *from, size_t *out) {
    struct str bytes;
    if (!take(from, 1, &bytes)) {
        return false;
    }
    *out = (uint8_t)bytes.data[0];
    return true;
}

static bool take_u16(struct str *from, uint32_t *out) {
    struct str bytes;
    if (!take(from, 2, &bytes)) {
        return false;
    }
    *out = link_get_u16(bytes.data);
    return true;
}

/* Bytes with their length (16 bits) in front. */
static bool take_short(struct str *from, size_t max, struct str *out) {
    uint32_t len = 0;
    return take_u16(from, &len) && len <= max && take(from, len, out);
}

static bool take_part(struct str *parts, uint32_t *tag, struct str *payload) {
    struct str head;
    if (!take(parts, LINK_PART_HEAD, &head)) {
        return false;
    }
    const uint32_t word = link_get_u32(head.data);
    *tag = word >> LENGTH_BITS;
    return take(parts, word & LENGTH_MASK, payload);
}

static bool is_text(struct str text, size_t max) {
    return text.len <= max && utf8_valid(text.data, text.len);
}

static bool read_tool_call(struct str payload, struct link_tool_call *call) {
    if (!take_u16(&payload, &call->index) || call->index >= LIMIT_TOOL_CALLS ||
        !take_short(&payload, LIMIT_NAME_BYTES, &call->id) || !take_short(&payload, LIMIT_NAME_BYTES, &call->name)) {
        return false;
    }
    call->arguments = payload;
    return utf8_valid(call->id.data, call->id.len) && utf8_valid(call->name.data, call->name.len) &&
           is_text(call->arguments, LIMIT_DELTA_BYTES);
}

static bool read_audio(struct str payload, struct link_audio *audio) {
    size_t len = 0;
    if (!take_u8(&payload, &len) || len == 0 || len > LIMIT_AUDIO_FORMAT_BYTES ||
        !take(&payload, len, &audio->format)) {
        return false;
    }
    audio->bytes = payload;
    return utf8_valid(audio->format.data, audio->format.len);
}

/* The content of one part; false when it is none. */
static bool read_part(uint32_t tag, struct str payload, struct link_part *out) {
    out->kind = tag <= LINK_PART_AUDIO ? (enum link_part_kind)tag : LINK_PART_UNKNOWN;
    switch (out->kind) {
    case LINK_PART_TEXT:
    case LINK_PART_REASONING:
        out->text = payload;
        return is_text(payload, LIMIT_DELTA_BYTES);
    case LINK_PART_TOKEN_IDS:
        out->token_ids = payload;
        return payload.len % TOKEN_ID_SIZE == 0;
    case LINK_PART_LOGPROBS:
        out->logprobs = payload;
        return true; /* seen token by token */
    case LINK_PART_TOOL_CALL:
        return read_tool_call(payload, &out->tool_call);
    case LINK_PART_AUDIO:
        return read_audio(payload, &out->audio);
    case LINK_PART_UNKNOWN:
        break;
    }
    return true;
}

bool link_parts_next(struct str *parts, struct link_part *out) {
    uint32_t tag;
    struct str payload;
    return take_part(parts, &tag, &payload) && read_part(tag, payload, out);
}

struct str link_parts_logprobs(struct str parts) {
    struct link_part part;
    while (link_parts_next(&parts, &part)) {
        if (part.kind == LINK_PART_LOGPROBS) {
            return part.logprobs;
        }
    }
    return STR("");
}

size_t link_token_id_count(struct str token_ids) {
    return token_ids.len / TOKEN_ID_SIZE;
}

uint32_t link_token_id(struct str token_ids, size_t index) {
    return link_get_u32(token_ids.data + TOKEN_ID_SIZE * index);
}

static const char *part_name(enum link_part_kind kind) {
    switch (kind) {
    case LINK_PART_TEXT:
        return "text";
    case LINK_PART_TOKEN_IDS:
        return "token_ids";
    case LINK_PART_REASONING:
        return "reasoning";
    case LINK_PART_TOOL_CALL:
        return "tool_call";
    case LINK_PART_LOGPROBS:
        return "logprobs";
    case LINK_PART_AUDIO:
        return "audio";
    case LINK_PART_UNKNOWN:
        break;
    }
    return "parts";
}

static bool fail(struct err *err, enum link_part_kind kind, const char *problem) {
    return err_set_field(err, ERR_INVALID, part_name(kind), "delta %s", problem);
}

static bool fail_text(struct err *err, struct str text) {
    if (text.len > LIMIT_DELTA_BYTES) {
        return err_set_field(err, ERR_INVALID, "text", "delta with more than %d bytes of text", LIMIT_DELTA_BYTES);
    }
    return fail(err, LINK_PART_TEXT, "whose text is not whole UTF-8 characters");
}

/* What a part must be beside the others of its delta. `seen` has a bit for each kind that came before. */
static bool fits(const struct link_part *part, uint32_t tokens, unsigned *seen, struct err *err) {
    const unsigned bit = 1U << part->kind;
    const bool again = (*seen & bit) != 0;
    *seen |= bit;
    if (part->kind == LINK_PART_TEXT) {
        return fail(err, part->kind, "whose text is not its first part");
    }
    if (part->kind == LINK_PART_TOKEN_IDS && (again || link_token_id_count(part->token_ids) != tokens)) {
        return fail(err, part->kind, "without one token id for each token");
    }
    if (part->kind == LINK_PART_LOGPROBS && (again || !gen_logprobs_are_of(part->logprobs, tokens))) {
        return fail(err, part->kind, "without proper log-probabilities for each token");
    }
    return true;
}

bool link_parts_read(struct str parts, uint32_t tokens, struct str *text, struct str *others, struct err *err) {
    unsigned seen = 0;
    *text = STR("");
    *others = parts;
    for (size_t count = 0; parts.len > 0; count++) {
        uint32_t tag = 0;
        struct str payload;
        struct link_part part;
        if (count == LIMIT_DELTA_PARTS) {
            return fail(err, LINK_PART_UNKNOWN, "of too many parts");
        }
        if (!take_part(&parts, &tag, &payload)) {
            return fail(err, LINK_PART_UNKNOWN, "whose part is cut short");
        }
        if (!read_part(tag, payload, &part)) {
            return part.kind == LINK_PART_TEXT ? fail_text(err, payload)
                                               : fail(err, part.kind, "with a malformed part");
        }
        if (count == 0 && part.kind == LINK_PART_TEXT) {
            *text = part.text;
            *others = parts;
        } else if (!fits(&part, tokens, &seen, err)) {
            return false;
        }
    }
    return true;
}
