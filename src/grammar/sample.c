#include "grammar/sample.h"

#include "base/compiler.h"
#include "grammar/matcher.h"
#include "grammar/network.h"

enum { STEPS_MAX = 1 << 19 }; /* of each order */

/* What is written first where there is a choice: ends of strings, objects and arrays; what leads on by itself comes
 * last. The second order is for grammars in which the first one goes round in a circle. */
static const char *const orders[] = {
    "\"}]abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<>_-.:/@+,{[ \n",
    "\"}]>zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA9876543210<_-.:/@+,[{ \n",
};

static bool find_next(struct matcher *matcher, const char *order, char *out) {
    for (const char *c = order; *c != '\0'; c++) {
        if (matcher_allows(matcher, (struct str){c, 1})) {
            *out = *c;
            return true;
        }
    }
    for (int c = 1; c < 256; c++) {
        *out = (char)c;
        if (matcher_allows(matcher, (struct str){out, 1})) {
            return true;
        }
    }
    return false;
}

static bool try_order(struct str gbnf, struct str begun, const char *order, struct buf *out, struct err *err) {
    struct matcher *matcher = matcher_new(gbnf, NETWORK_STEPS_FEW, err);
    char next;
    if (matcher == NULL) {
        return false;
    }
    matcher_set_budget(matcher, STEPS_MAX);
    if (matcher_accept(matcher, begun)) {
        buf_append_str(out, begun);
    }
    while (!matcher_may_end(matcher) && find_next(matcher, order, &next) && buf_append(out, &next, 1) &&
           matcher_accept(matcher, (struct str){&next, 1})) {
    }
    const bool good = matcher_may_end(matcher);
    matcher_free(matcher);
    return good || err_set_field(err, ERR_TOO_LARGE, "grammar", "no short text of the grammar was found");
}

bool sample_append(struct str gbnf, struct str begun, struct buf *out, struct err *err) {
    struct buf text;
    bool good = false;
    buf_init(&text, begun.len + SAMPLE_BYTES_MAX);
    err_clear(err);
    for (size_t i = 0; i < COUNT_OF(orders) && !good && err->code != ERR_INVALID; i++) {
        buf_reset(&text);
        good = try_order(gbnf, begun, orders[i], &text, err);
    }
    good =
        good && (buf_append_str(out, buf_str(&text)) || err_set(err, ERR_TOO_LARGE, "there is no room for the text"));
    buf_clear(&text);
    return good;
}
