/* Grammars of strangers and texts: up to the first zero byte a grammar, behind it a text. Properties: nothing harms; a
 * text read byte by byte comes as far as in one; asking changes nothing; what is refused changes nothing. */
#include "grammar/matcher.h"
#include "grammar/network.h"

#include <stdlib.h>
#include <string.h>

enum { BUDGET = 100000 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static struct matcher *matcher_of(struct str grammar) {
    struct matcher *matcher = matcher_new(grammar, NETWORK_STEPS_FEW, NULL);
    if (matcher != NULL) {
        matcher_set_budget(matcher, BUDGET);
    }
    return matcher;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    if (zero == NULL) {
        return 0;
    }
    const struct str grammar = {(const char *)data, (size_t)(zero - data)};
    const struct str text = {(const char *)zero + 1, size - grammar.len - 1};
    struct matcher *whole = matcher_of(grammar), *bytewise = matcher_of(grammar);
    check((whole == NULL) == (bytewise == NULL));
    if (whole == NULL) {
        return 0;
    }
    const bool allowed = matcher_allows(whole, text), accepted = matcher_accept(whole, text);
    bool good = true;
    for (size_t i = 0; good && i < text.len; i++) {
        const struct str byte = {text.data + i, 1};
        const bool may = matcher_allows(bytewise, byte);
        good = matcher_accept(bytewise, byte);
        check(good == may || matcher_is_spent(bytewise));
    }
    if (!matcher_is_spent(whole) && !matcher_is_spent(bytewise)) {
        check(allowed == accepted && accepted == good);
        check(!good || matcher_may_end(whole) == matcher_may_end(bytewise));
        for (int c = 0; c < 256; c++) {
            const char byte = (char)c;
            check(!good ||
                  matcher_allows(whole, (struct str){&byte, 1}) == matcher_allows(bytewise, (struct str){&byte, 1}) ||
                  matcher_is_spent(whole) || matcher_is_spent(bytewise));
        }
    }
    matcher_free(whole);
    matcher_free(bytewise);
    return 0;
}
