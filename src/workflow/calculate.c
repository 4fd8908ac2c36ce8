#include "workflow/calculate.h"

#include "base/utf8.h"
#include "workflow/number_text.h"

enum { DEPTH_MAX = 64, NAME_SHOWN = 40 };

enum role {
    ROLE_APPLY,
    ROLE_OPERATE,
    ROLE_MIN,
    ROLE_MAX,
    ROLE_SUM,
    ROLE_AVERAGE,
    ROLE_LOG,
    ROLE_ROUND,
    ROLE_PI,
    ROLE_E,
    ROLE_TAU
};

static const struct {
    struct str name;
    enum role role;
    int what; /* enum number_function or enum number_operator */
} names[] = {
    {STR("sqrt"), ROLE_APPLY, NUMBER_SQRT},
    {STR("cbrt"), ROLE_APPLY, NUMBER_CBRT},
    {STR("abs"), ROLE_APPLY, NUMBER_ABS},
    {STR("factorial"), ROLE_APPLY, NUMBER_FACTORIAL},
    {STR("fact"), ROLE_APPLY, NUMBER_FACTORIAL},
    {STR("floor"), ROLE_APPLY, NUMBER_FLOOR},
    {STR("ceil"), ROLE_APPLY, NUMBER_CEIL},
    {STR("trunc"), ROLE_APPLY, NUMBER_TRUNC},
    {STR("int"), ROLE_APPLY, NUMBER_TRUNC},
    {STR("rint"), ROLE_APPLY, NUMBER_ROUND},
    {STR("exp"), ROLE_APPLY, NUMBER_EXP},
    {STR("ln"), ROLE_APPLY, NUMBER_LN},
    {STR("log2"), ROLE_APPLY, NUMBER_LOG2},
    {STR("log10"), ROLE_APPLY, NUMBER_LOG10},
    {STR("lg"), ROLE_APPLY, NUMBER_LOG10},
    {STR("sin"), ROLE_APPLY, NUMBER_SIN},
    {STR("cos"), ROLE_APPLY, NUMBER_COS},
    {STR("tan"), ROLE_APPLY, NUMBER_TAN},
    {STR("asin"), ROLE_APPLY, NUMBER_ASIN},
    {STR("acos"), ROLE_APPLY, NUMBER_ACOS},
    {STR("atan"), ROLE_APPLY, NUMBER_ATAN},
    {STR("sinh"), ROLE_APPLY, NUMBER_SINH},
    {STR("cosh"), ROLE_APPLY, NUMBER_COSH},
    {STR("tanh"), ROLE_APPLY, NUMBER_TANH},
    {STR("radians"), ROLE_APPLY, NUMBER_DEGREES},
    {STR("pow"), ROLE_OPERATE, NUMBER_POWER},
    {STR("mod"), ROLE_OPERATE, NUMBER_REMAINDER},
    {STR("gcd"), ROLE_OPERATE, NUMBER_GCD},
    {STR("lcm"), ROLE_OPERATE, NUMBER_LCM},
    {STR("min"), ROLE_MIN, 0},
    {STR("max"), ROLE_MAX, 0},
    {STR("sum"), ROLE_SUM, 0},
    {STR("avg"), ROLE_AVERAGE, 0},
    {STR("mean"), ROLE_AVERAGE, 0},
    {STR("average"), ROLE_AVERAGE, 0},
    {STR("log"), ROLE_LOG, 0},
    {STR("round"), ROLE_ROUND, 0},
    {STR("pi"), ROLE_PI, 0},
    {STR("tau"), ROLE_TAU, 0},
    {STR("e"), ROLE_E, 0},
};

/* An expression that is read from left to right. */
struct sum {
    const struct formula *formula;
    size_t at, end;
    int depth;
    bool percent; /* what was read last is a plain percentage */
    struct err *err;
};

static int name_find(struct str name) {
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_equal_nocase(names[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

bool calculate_is_name(struct str name) {
    return name_find(name) >= 0;
}

bool calculate_has_arguments(struct str name) {
    const int found = name_find(name);
    return found >= 0 && names[found].role != ROLE_APPLY;
}

static const struct formula_token *next_of(const struct sum *sum) {
    return sum->at < sum->end ? &sum->formula->tokens[sum->at] : NULL;
}

static bool is_operator(const struct sum *sum, char what) {
    const struct formula_token *next = next_of(sum);
    return next != NULL && next->kind == FORMULA_OPERATOR && next->what == what;
}

static bool operator_take(struct sum *sum, char what) {
    const bool found = is_operator(sum, what);
    sum->at += found;
    return found;
}

static bool kind_take(struct sum *sum, enum formula_kind kind) {
    const bool found = next_of(sum) != NULL && next_of(sum)->kind == kind;
    sum->at += found;
    return found;
}

/* An operand stands `ahead` tokens from here. */
static bool operand_follows(const struct sum *sum, size_t ahead) {
    const struct formula_token *next = sum->at + ahead < sum->end ? &sum->formula->tokens[sum->at + ahead] : NULL;
    return next != NULL && (next->kind == FORMULA_NUMBER || next->kind == FORMULA_OPEN || next->kind == FORMULA_NAME);
}

static bool misread(const struct sum *sum) {
    const struct formula_token *next = next_of(sum);
    if (next == NULL) {
        return err_set(sum->err, ERR_INVALID, "the expression ends too early.");
    }
    const size_t shown = utf8_whole_prefix(next->text.data, next->text.len < NAME_SHOWN ? next->text.len : NAME_SHOWN);
    return err_set(sum->err, ERR_INVALID, "\"%.*s\" cannot stand there; write one expression, such as 2*(3+4).",
                   (int)shown, next->text.data);
}

static bool terms_read(struct sum *sum, struct number *out);

/* --- Functions --- */

static bool mean_step(enum role role, struct number *all, const struct number *one, struct err *err) {
    const int order = number_compare(one, all);
    if (role == ROLE_SUM || role == ROLE_AVERAGE) {
        return number_operate(NUMBER_ADD, all, one, err);
    }
    if ((role == ROLE_MIN && order < 0) || (role == ROLE_MAX && order > 0)) {
        number_set(all, one);
    }
    return true;
}

static bool log_of(struct number *value, const struct number *base, struct err *err) {
    struct number below;
    number_init(&below);
    number_set(&below, base);
    const bool ok = number_apply(NUMBER_LN, value, err) && number_apply(NUMBER_LN, &below, err) &&
                    number_operate(NUMBER_DIVIDE, value, &below, err);
    number_clear(&below);
    return ok;
}

/* To so many digits behind the point. */
static bool round_to(struct number *value, const struct number *digits, struct err *err) {
    struct number scale;
    number_init(&scale);
    number_set_long(&scale, 10);
    const bool ok = number_operate(NUMBER_POWER, &scale, digits, err) &&
                    number_operate(NUMBER_MULTIPLY, value, &scale, err) && number_apply(NUMBER_ROUND, value, err) &&
                    number_operate(NUMBER_DIVIDE, value, &scale, err);
    number_clear(&scale);
    return ok;
}

static bool argument_take(struct sum *sum, int name, size_t count, struct number *all, const struct number *one) {
    switch (names[name].role) {
    case ROLE_OPERATE:
        return number_operate((enum number_operator)names[name].what, all, one, sum->err);
    case ROLE_LOG:
        return count == 1 ? log_of(all, one, sum->err) : misread(sum);
    case ROLE_ROUND:
        return count == 1 ? round_to(all, one, sum->err) : misread(sum);
    case ROLE_MIN:
    case ROLE_MAX:
    case ROLE_SUM:
    case ROLE_AVERAGE:
        return mean_step(names[name].role, all, one, sum->err);
    case ROLE_APPLY:
    case ROLE_PI:
    case ROLE_E:
    case ROLE_TAU:
        break;
    }
    return misread(sum);
}

/* With so many arguments it is done. */
static bool arguments_end(struct sum *sum, int name, size_t count, struct number *out) {
    switch (names[name].role) {
    case ROLE_OPERATE:
        return count >= 2 ? true : misread(sum);
    case ROLE_LOG:
        return count == 2
                   ? true
                   : err_set(sum->err, ERR_INVALID, "log has two meanings; write ln(x), log10(x) or log(x, base).");
    case ROLE_ROUND:
        return count == 2 || number_apply(NUMBER_ROUND, out, sum->err);
    case ROLE_AVERAGE: {
        struct number divisor;
        number_init(&divisor);
        number_set_long(&divisor, (long)count);
        const bool ok = number_operate(NUMBER_DIVIDE, out, &divisor, sum->err);
        number_clear(&divisor);
        return ok;
    }
    case ROLE_APPLY:
        return number_apply((enum number_function)names[name].what, out, sum->err);
    case ROLE_MIN:
    case ROLE_MAX:
    case ROLE_SUM:
    case ROLE_PI:
    case ROLE_E:
    case ROLE_TAU:
        break;
    }
    return true;
}

static bool postfix_read(struct sum *sum, struct number *out);

/* "sqrt(16)", "max(1, 2, 3)", "sqrt 16" */
static bool function_read(struct sum *sum, int name, struct number *out) {
    struct number one;
    size_t count = 1;
    if (!kind_take(sum, FORMULA_OPEN)) {
        return names[name].role == ROLE_APPLY
                   ? postfix_read(sum, out) && number_apply((enum number_function)names[name].what, out, sum->err)
                   : misread(sum);
    }
    bool ok = terms_read(sum, out);
    number_init(&one);
    while (ok && kind_take(sum, FORMULA_COMMA)) {
        ok = terms_read(sum, &one) && argument_take(sum, name, count, out, &one);
        count++;
    }
    number_clear(&one);
    if (ok && !kind_take(sum, FORMULA_CLOSE)) {
        return misread(sum);
    }
    return ok && arguments_end(sum, name, count, out);
}

static bool name_read(struct sum *sum, struct number *out) {
    const int name = name_find(next_of(sum)->text);
    sum->at++;
    switch (names[name].role) {
    case ROLE_PI:
        number_set_pi(out);
        return true;
    case ROLE_E:
        number_set_e(out);
        return true;
    case ROLE_TAU:
        number_set_pi(out);
        return number_operate(NUMBER_ADD, out, out, sum->err);
    case ROLE_APPLY:
    case ROLE_OPERATE:
    case ROLE_MIN:
    case ROLE_MAX:
    case ROLE_SUM:
    case ROLE_AVERAGE:
    case ROLE_LOG:
    case ROLE_ROUND:
        break;
    }
    return function_read(sum, name, out);
}

/* --- From the inside out --- */

static bool deeper(struct sum *sum) {
    return ++sum->depth <= DEPTH_MAX ? true : err_set(sum->err, ERR_TOO_LARGE, "the brackets are too deep.");
}

static bool operand_read(struct sum *sum, struct number *out) {
    const struct formula_token *next = next_of(sum);
    bool ok;
    if (next == NULL || !deeper(sum)) {
        return next == NULL ? misread(sum) : false;
    }
    if (next->kind == FORMULA_NUMBER) {
        sum->at++;
        ok = number_read(out, next->text, sum->err);
    } else if (next->kind == FORMULA_NAME) {
        ok = name_read(sum, out);
    } else if (kind_take(sum, FORMULA_OPEN)) {
        ok = terms_read(sum, out);
        if (ok && !kind_take(sum, FORMULA_CLOSE)) {
            return misread(sum);
        }
    } else {
        return misread(sum);
    }
    sum->percent = false;
    sum->depth--;
    return ok;
}

static bool percent_take(struct sum *sum, struct number *out) {
    struct number hundred;
    sum->at++;
    sum->percent = true;
    number_init(&hundred);
    number_set_long(&hundred, 100);
    const bool ok = number_operate(NUMBER_DIVIDE, out, &hundred, sum->err);
    number_clear(&hundred);
    return ok;
}

/* What stands behind an operand. */
static bool postfix_read(struct sum *sum, struct number *out) {
    bool ok = operand_read(sum, out);
    for (bool more = ok; ok && more;) {
        if (operator_take(sum, '!')) {
            ok = number_apply(NUMBER_FACTORIAL, out, sum->err);
        } else if (operator_take(sum, FORMULA_ROOT)) {
            ok = number_apply(NUMBER_SQRT, out, sum->err);
        } else if (operator_take(sum, FORMULA_DEGREES)) {
            ok = number_apply(NUMBER_DEGREES, out, sum->err);
        } else if (is_operator(sum, FORMULA_PERCENT) || (is_operator(sum, '%') && !operand_follows(sum, 1))) {
            ok = percent_take(sum, out);
        } else {
            more = false;
        }
    }
    return ok;
}

/* Powers bind to the right and more than a sign before them: -2^2 is -4. */
static bool signed_read(struct sum *sum, struct number *out) {
    struct number exponent;
    if (!deeper(sum)) {
        return false;
    }
    bool ok;
    if (operator_take(sum, '-')) {
        ok = signed_read(sum, out) && number_apply(NUMBER_NEGATE, out, sum->err);
    } else if (operator_take(sum, '+')) {
        ok = signed_read(sum, out);
    } else {
        ok = postfix_read(sum, out);
        if (ok && operator_take(sum, '^')) {
            number_init(&exponent);
            ok = signed_read(sum, &exponent) && number_operate(NUMBER_POWER, out, &exponent, sum->err);
            number_clear(&exponent);
            sum->percent = false;
        }
    }
    sum->depth--;
    return ok;
}

/* The operator between two factors, taken; false: there is none. */
static bool factor_operator(struct sum *sum, enum number_operator *what) {
    if (operator_take(sum, '*')) {
        *what = NUMBER_MULTIPLY;
    } else if (operator_take(sum, '/')) {
        *what = NUMBER_DIVIDE;
    } else if (operator_take(sum, FORMULA_FLOOR_DIVIDE)) {
        *what = NUMBER_FLOOR_DIVIDE;
    } else if (operator_take(sum, '%') || operator_take(sum, FORMULA_REMAINDER)) {
        *what = NUMBER_REMAINDER;
    } else if (is_operator(sum, FORMULA_OF) && sum->percent) {
        sum->at++;
        *what = NUMBER_MULTIPLY;
    } else if (next_of(sum) != NULL && (next_of(sum)->kind == FORMULA_OPEN || next_of(sum)->kind == FORMULA_NAME)) {
        *what = NUMBER_MULTIPLY; /* 2(3+4), 2pi */
    } else {
        return false;
    }
    return true;
}

/* "80的15%": what is of something stands behind it. */
static bool of_percent_take(struct sum *sum, struct number *out) {
    struct number share;
    sum->at++;
    number_init(&share);
    bool ok = signed_read(sum, &share);
    ok = ok && sum->percent ? number_operate(NUMBER_MULTIPLY, out, &share, sum->err) : ok && misread(sum);
    number_clear(&share);
    sum->percent = false;
    return ok;
}

static bool factors_read(struct sum *sum, struct number *out) {
    struct number factor;
    enum number_operator what;
    bool ok = signed_read(sum, out);
    number_init(&factor);
    while (ok && factor_operator(sum, &what)) {
        ok = signed_read(sum, &factor) && number_operate(what, out, &factor, sum->err);
        sum->percent = false;
    }
    number_clear(&factor);
    return ok && is_operator(sum, FORMULA_OF) ? of_percent_take(sum, out) : ok;
}

static bool terms_read(struct sum *sum, struct number *out) {
    struct number term;
    bool ok = factors_read(sum, out);
    bool percent = sum->percent;
    number_init(&term);
    while (ok && (is_operator(sum, '+') || is_operator(sum, '-'))) {
        const enum number_operator what = operator_take(sum, '+') ? NUMBER_ADD : NUMBER_SUBTRACT;
        sum->at += what == NUMBER_SUBTRACT;
        ok = factors_read(sum, &term);
        if (ok && sum->percent && !percent) {
            ok = err_set(sum->err, ERR_INVALID, "a percentage of what? Write 100*(1+10/100) for 10%% more than 100.");
        }
        ok = ok && number_operate(what, out, &term, sum->err);
        percent = percent && sum->percent;
    }
    number_clear(&term);
    sum->percent = percent;
    return ok;
}

bool calculate(const struct formula *formula, size_t first, size_t end, struct buf *out, struct err *err) {
    struct sum sum = {.formula = formula, .at = first, .end = end, .err = err};
    struct number result;
    number_init(&result);
    bool ok = terms_read(&sum, &result);
    if (ok && sum.at < end) {
        ok = misread(&sum);
    }
    if (ok) {
        number_write(&result, out);
    }
    number_clear(&result);
    return ok;
}
