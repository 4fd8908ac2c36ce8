#include "workflow/tools.h"

#include "base/clock.h"
#include "text/words.h"

#include <math.h>
#include <muParserDLL.h>
#include <stdio.h>
#include <string.h>

enum {
    EXPRESSION_BYTES = 2 * WORKFLOW_ARGUMENT_BYTES, /* as muparser reads it: "% of" and the like are written out */
    ERROR_BYTES = 200,
    DEPTH_MAX = 64,
    THOUSANDS = 3,
};

/* An expression on its way from a model's hand to muparser's. */
struct expression {
    char text[EXPRESSION_BYTES + 1];
    size_t len;
    char functions[DEPTH_MAX]; /* of each open bracket: it is a function's, where a comma separates */
    size_t depth;
};

/* What models write, as muparser has it. The first that fits counts. */
static const struct {
    struct str from, to;
} spellings[] = {
    {STR("\xc3\x97"), STR("*")},
    {STR("\xc3\xb7"), STR("/")},
    {STR("\xe2\x88\x92"), STR("-")},
    {STR("\xe2\x80\x93"), STR("-")},
    {STR("\xc2\xb7"), STR("*")},
    {STR("\xc2\xb2"), STR("^2")},
    {STR("\xc2\xb3"), STR("^3")},
    {STR("\xcf\x80"), STR("_pi")},
    {STR("\xc2\xa0"), STR(" ")},
    {STR("**"), STR("^")},
    {STR("% of "), STR("/100*")},
    {STR("%"), STR("/100")},
    {STR("$"), STR("")},
    {STR("Math."), STR("")},
    {STR("math."), STR("")},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool put(struct expression *out, struct str text) {
    if (out->len + text.len > EXPRESSION_BYTES) {
        return false;
    }
    memcpy(out->text + out->len, text.data, text.len);
    out->len += text.len;
    return true;
}

/* "1,250" outside a function's brackets. */
static bool is_thousands(const struct expression *out, struct str rest) {
    size_t digits = 0;
    while (digits + 1 < rest.len && is_digit(rest.data[digits + 1])) {
        digits++;
    }
    return digits == THOUSANDS && out->len > 0 && is_digit(out->text[out->len - 1]) &&
           (out->depth == 0 || !out->functions[out->depth - 1]);
}

static bool bracket_put(struct expression *out, char c) {
    if (c == '(') {
        if (out->depth == DEPTH_MAX) {
            return false;
        }
        out->functions[out->depth++] = out->len > 0 && words_is_byte(out->text[out->len - 1]);
    } else {
        out->depth -= out->depth > 0;
    }
    return put(out, (struct str){&c, 1});
}

static bool is_allowed(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("_ \t+-*/^().,", c) != NULL;
}

/* One part of `rest`; *taken is its length. False: it is nothing that may be in an expression. */
static bool part_read(struct expression *out, struct str rest, size_t *taken) {
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        if (str_starts_with(rest, spellings[i].from)) {
            *taken = spellings[i].from.len;
            return put(out, spellings[i].to);
        }
    }
    const char c = rest.data[0];
    *taken = 1;
    if (c == '\0' || !is_allowed(c)) {
        return false;
    }
    if (c == '(' || c == ')') {
        return bracket_put(out, c);
    }
    return (c == ',' && is_thousands(out, rest)) || put(out, (struct str){&c, 1});
}

static bool expression_read(struct str text, struct expression *out) {
    size_t taken;
    text = words_trim(text);
    while (text.len > 0 && strchr("=? ", text.data[text.len - 1]) != NULL && text.data[text.len - 1] != '\0') {
        text.len--; /* "2 + 2 = ?" */
    }
    out->len = out->depth = 0;
    for (size_t at = 0; at < text.len; at += taken) {
        if (!part_read(out, words_rest(text, at), &taken)) {
            return false;
        }
    }
    out->text[out->len] = '\0';
    return out->len > 0;
}

static void number_write(double number, struct buf *out) {
    char text[64];
    if (isnan(number)) {
        buf_append_cstr(out, "Error: this has no result.");
    } else if (isinf(number)) {
        buf_append_cstr(out, "Error: the result is infinite (is there a division by zero?).");
    } else {
        /* 15 digits: what is not exact behind them is no news to anybody (0.1 + 0.2). */
        snprintf(text, sizeof(text), fabs(number) < 0x1p53 && trunc(number) == number ? "%.0f" : "%.15g",
                 number == 0 ? 0.0 : number);
        buf_append_cstr(out, text);
    }
}

/* Constants only: nothing can be defined or assigned. */
static muParserHandle_t parser_new(void) {
    muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
    mupDefineConst(parser, "pi", 3.14159265358979323846);
    mupDefineConst(parser, "e", 2.71828182845904523536);
    return parser;
}

void workflow_calculate(struct str expression, struct buf *out) {
    struct expression read;
    int count = 0;
    if (words_trim(expression).len == 0 || expression.len > WORKFLOW_ARGUMENT_BYTES ||
        !expression_read(expression, &read)) {
        buf_append_cstr(out, "Error: write one arithmetic expression, such as 2*(3+4).");
        return;
    }
    muParserHandle_t parser = parser_new();
    mupSetExpr(parser, read.text);
    const double *results = mupEvalMulti(parser, &count);
    if (mupError(parser)) {
        buf_append_cstr(out, "Error: ");
        buf_append_str(out, (struct str){mupGetErrorMsg(parser), strnlen(mupGetErrorMsg(parser), ERROR_BYTES)});
    } else if (count != 1 || results == NULL) {
        buf_append_cstr(out, "Error: write one expression at a time.");
    } else {
        number_write(results[0], out);
    }
    mupRelease(parser);
}

void workflow_time(int64_t wall_ms, struct buf *out) {
    static const char *const days[] = {"Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};
    enum { SECOND_BYTES = sizeof("2026-01-25T10:00:00") - 1 };
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    const int64_t day = (wall_ms - ((wall_ms % day_ms) + day_ms) % day_ms) / day_ms; /* 1970-01-01 was a Thursday */
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    buf_append(out, text, SECOND_BYTES);
    buf_append_cstr(out, "Z, ");
    buf_append_cstr(out, days[(day % 7 + 7) % 7]);
}
