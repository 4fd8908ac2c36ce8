/* What models write when they may call tools. The first byte is the size of the pieces. Properties: nothing harms; cut
 * into pieces it is read as in one; all that is no call is text, byte for byte but for blanks beside calls; calls have
 * names of tools, in order, and at most as many as there may be. */
#include "call/reply.h"

#include "base/compiler.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_BYTES = 4 << 20 };

static const struct str NAMES[] = {STR("a"), STR("get_weather")};

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

struct told {
    struct buf text, calls;
    size_t count;
};

static void on_text(void *context, struct str text) {
    struct told *told = context;
    check(text.len > 0);
    buf_append_str(&told->text, text);
}

static void on_call(void *context, size_t index, struct str name) {
    struct told *told = context;
    check(index == told->count++ && (str_equal(name, NAMES[0]) || str_equal(name, NAMES[1])));
    buf_append_cstr(&told->calls, "\n");
    buf_append_str(&told->calls, name);
}

static void on_arguments(void *context, size_t index, struct str json) {
    struct told *told = context;
    check(index + 1 == told->count && json.len > 0);
    buf_append_str(&told->calls, json);
}

static void read_in(struct str raw, size_t piece, bool one_call, struct told *told) {
    const struct reply_events events = {.context = told, .text = on_text, .call = on_call, .arguments = on_arguments};
    struct reply reply;
    *told = (struct told){0};
    buf_init(&told->text, TOLD_BYTES);
    buf_init(&told->calls, TOLD_BYTES);
    reply_init(&reply, (struct reply_names){NAMES, COUNT_OF(NAMES)}, one_call);
    while (raw.len > 0) {
        const size_t length = raw.len < piece ? raw.len : piece;
        reply_feed(&reply, (struct str){raw.data, length}, &events);
        raw = (struct str){raw.data + length, raw.len - length};
    }
    reply_end(&reply, &events);
    reply_clear(&reply);
    check(told->count <= (one_call ? 1 : REPLY_CALLS_MAX));
}

static void told_clear(struct told *told) {
    buf_clear(&told->text);
    buf_clear(&told->calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct told whole, pieces;
    if (size < 1) {
        return 0;
    }
    const struct str raw = {(const char *)data + 1, size - 1};
    const bool one_call = (data[0] & 0x80) != 0;
    read_in(raw, raw.len + 1, one_call, &whole);
    read_in(raw, 1 + (data[0] & 0x0F), one_call, &pieces);
    check(str_equal(buf_str(&whole.text), buf_str(&pieces.text)));
    check(str_equal(buf_str(&whole.calls), buf_str(&pieces.calls)));
    check(whole.count > 0 || str_equal(buf_str(&whole.text), raw));
    told_clear(&whole);
    told_clear(&pieces);
    return 0;
}
