#include "workflow/tools.h"

#include "base/clock.h"
#include "text/words.h"
#include "workflow/calculate.h"

static bool is_end_mark(const struct formula_token *token) {
    return token->kind == FORMULA_EQUALS || (token->kind == FORMULA_MARK && str_equal_cstr(token->text, "?"));
}

static bool sum_up(const struct formula *formula, struct buf *out, struct err *err) {
    size_t end = formula->count, first_equals = 0;
    while (end > 0 && is_end_mark(&formula->tokens[end - 1])) {
        end--; /* "2 + 2 = ?" */
    }
    while (first_equals < end && formula->tokens[first_equals].kind != FORMULA_EQUALS) {
        first_equals++; /* "2*3=6": what the model thinks it is */
    }
    return calculate(formula, 0, first_equals, out, err);
}

void workflow_calculate(struct str expression, struct buf *out) {
    struct formula formula;
    struct err err = {.message = "write one arithmetic expression, such as 2*(3+4)."};
    const size_t start = out->len;
    expression = words_trim(expression);
    if (expression.len == 0 || expression.len > WORKFLOW_ARGUMENT_BYTES ||
        !formula_read(expression, calculate_is_name, calculate_has_arguments, &formula) ||
        !sum_up(&formula, out, &err)) {
        out->len = start;
        buf_append_cstr(out, "Error: ");
        buf_append_cstr(out, err.message);
    }
}

static const char *day_name(int64_t wall_ms) {
    static const char *const days[] = {"Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    const int64_t day = (wall_ms - ((wall_ms % day_ms) + day_ms) % day_ms) / day_ms; /* 1970-01-01 was a Thursday */
    return days[(day % 7 + 7) % 7];
}

void workflow_time(int64_t wall_ms, struct buf *out) {
    enum { SECOND_BYTES = sizeof("2026-01-25T10:00:00") - 1 };
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    buf_append(out, text, SECOND_BYTES);
    buf_append_cstr(out, "Z, ");
    buf_append_cstr(out, day_name(wall_ms));
}

void workflow_time_words(int64_t wall_ms, struct buf *out) {
    static const struct str months[] = {STR("January"),   STR("February"), STR("March"),    STR("April"),
                                        STR("May"),       STR("June"),     STR("July"),     STR("August"),
                                        STR("September"), STR("October"),  STR("November"), STR("December")};
    enum { YEAR_BYTES = 4, MONTH_AT = 5, DAY_AT = 8, TIME_AT = 11, TIME_BYTES = 5 };
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    const int month = 10 * (text[MONTH_AT] - '0') + (text[MONTH_AT + 1] - '0');
    buf_append_cstr(out, day_name(wall_ms));
    buf_append_cstr(out, ", ");
    buf_append(out, text + DAY_AT + (text[DAY_AT] == '0'), text[DAY_AT] == '0' ? 1 : 2);
    buf_append_cstr(out, " ");
    buf_append_str(out, months[(month + 11) % 12]);
    buf_append_cstr(out, " ");
    buf_append(out, text, YEAR_BYTES);
    buf_append_cstr(out, ", ");
    buf_append(out, text + TIME_AT, TIME_BYTES);
    buf_append_cstr(out, " UTC.");
}
