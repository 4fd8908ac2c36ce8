#include "workflow/tool_question.h"

#include "base/buf.h"
#include "base/compiler.h"
#include "text/words.h"
#include "workflow/calculate.h"
#include "workflow/clock_question.h"

#include <string.h>

enum {
    QUESTION_BYTES = 240,
    RESULT_BYTES = 1024,
    OTHER_WORDS_MAX = 5,  /* around the expression, which are not known to ask */
    OTHER_BYTES_MAX = 48, /* and their bytes */
};

/* Words that ask for a result. */
static const struct str asking[] = {
    STR("what"),      STR("what's"),   STR("whats"),    STR("how"),      STR("much"),    STR("many"),
    STR("calculate"), STR("compute"),  STR("solve"),    STR("evaluate"), STR("result"),  STR("equals"),
    STR("equal"),     STR("sum"),      STR("answer"),   STR("wie"),      STR("viel"),    STR("was"),
    STR("ergibt"),    STR("berechne"), STR("rechne"),   STR("ergebnis"), STR("combien"), STR("font"),
    STR("fait"),      STR("calcule"),  STR("calculer"), STR("calculez"), STR("cuánto"),  STR("cuanto"),
    STR("cuántos"),   STR("calcula"),  STR("quanto"),   STR("quanti"),   STR("calcola"), STR("calcule"),
    STR("hoeveel"),   STR("bereken"),  STR("hur"),      STR("mycket"),   STR("beräkna"), STR("сколько"),
    STR("вычисли"),   STR("посчитай"), STR("чему"),     STR("скільки"),  STR("ile"),     STR("oblicz"),
    STR("kolik"),     STR("kaç"),      STR("hesapla"),  STR("等于"),     STR("多少"),    STR("计算"),
    STR("計算"),      STR("几"),       STR("いくつ"),   STR("いくら"),   STR("何"),      STR("は"),
    STR("얼마"),      STR("몇"),       STR("계산"),     STR("كم"),       STR("احسب"),    STR("يساوي"),
    STR("ناتج"),      STR("कितना"),    STR("कितने"),     STR("क्या"),      STR("เท่าไร"),   STR("เท่าไหร่"),
    STR("bằng"),      STR("bao"),      STR("nhiêu"),    STR("tính"),     STR("berapa"),  STR("hitung"),
    STR("πόσο"),      STR("κάνει"),    STR("כמה"),      STR("ngapi"),
};
/* Words that may stand around it. */
static const struct str polite[] = {
    STR("is"),    STR("are"),   STR("the"),        STR("of"),   STR("me"),      STR("please"),     STR("tell"),
    STR("value"), STR("give"),  STR("can"),        STR("you"),  STR("do"),      STR("does"),       STR("s"),
    STR("hi"),    STR("hello"), STR("hey"),        STR("to"),   STR("exactly"), STR("quick"),      STR("using"),
    STR("with"),  STR("a"),     STR("calculator"), STR("your"), STR("use"),     STR("for"),        STR("now"),
    STR("and"),   STR("i"),     STR("need"),       STR("know"), STR("product"), STR("difference"), STR("quotient"),
    STR("ist"),   STR("bitte"), STR("das"),        STR("mir"),  STR("est"),     STR("es"),         STR("el"),
    STR("la"),    STR("le"),    STR("fa"),         STR("é"),    STR("è"),       STR("por favor"),
};
/* Words that ask for something else than the result. */
static const struct str other_wishes[] = {
    STR("write"),
    STR("explain"),
    STR("why"),
    STR("prove"),
    STR("python"),
    STR("function"),
    STR("code"),
    STR("program"),
    STR("script"),
    STR("story"),
    STR("poem"),
    STR("translate"),
    STR("mean"),
    STR("means"),
    STR("meaning"),
    STR("example"),
    STR("steps"),
    STR("step by step"),
    STR("show your work"),
    STR("happened"),
    STR("difference between"),
    STR("version"),
    STR("history"),
    STR("who"),
    STR("when"),
    STR("where"),
    STR("won"),
    STR("remember"),
    STR("called"),
    STR("binary"),
    STR("hex"),
    STR("hexadecimal"),
    STR("roman"),
    STR("words"),
    STR("schreibe"),
    STR("erkläre"),
    STR("warum"),
    STR("explique"),
    STR("pourquoi"),
    STR("écris"),
    STR("explica"),
    STR("escribe"),
    STR("объясни"),
    STR("напиши"),
    STR("почему"),
    STR("写"),
    STR("解释"),
    STR("为什么"),
    STR("説明"),
    STR("なぜ"),
    STR("설명"),
    STR("왜"),
    STR("اشرح"),
    STR("لماذا"),
};

static bool is_one_of(struct str word, const struct str *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (word.len == list[i].len && words_begin(word, list[i])) {
            return true;
        }
    }
    return false;
}

static bool is_sum_token(const struct formula_token *token) {
    switch (token->kind) {
    case FORMULA_NUMBER:
    case FORMULA_OPERATOR:
    case FORMULA_OPEN:
    case FORMULA_CLOSE:
        return true;
    case FORMULA_NAME:
        return token->text.len > 1; /* "e" is a word of many languages */
    case FORMULA_COMMA:
    case FORMULA_EQUALS:
    case FORMULA_WORD:
    case FORMULA_MARK:
        break;
    }
    return false;
}

struct run {
    size_t first, end;
};

static bool has_number(const struct formula *formula, struct run run) {
    for (size_t i = run.first; i < run.end; i++) {
        if (formula->tokens[i].kind == FORMULA_NUMBER) {
            return true;
        }
    }
    return false;
}

/* The only run of tokens of an expression that has a number; false: there is none, or several. */
static bool run_find(const struct formula *formula, struct run *found) {
    size_t runs = 0;
    for (size_t i = 0; i < formula->count;) {
        struct run run = {i, i};
        size_t depth = 0;
        for (; run.end < formula->count; run.end++) {
            const struct formula_token *token = &formula->tokens[run.end];
            depth += token->kind == FORMULA_OPEN;
            depth -= token->kind == FORMULA_CLOSE && depth > 0;
            if (!is_sum_token(token) && !(token->kind == FORMULA_COMMA && depth > 0)) {
                break;
            }
        }
        if (has_number(formula, run)) {
            *found = run;
            runs++;
        }
        i = run.end + 1;
    }
    return runs == 1;
}

/* Words, dashes and marks at its ends that are part of the sentence. */
static void run_trim(const struct formula *formula, struct run *run) {
    const struct formula_token *tokens = formula->tokens;
    while (run->first < run->end && tokens[run->first].kind == FORMULA_OPERATOR &&
           (tokens[run->first].worded || tokens[run->first].what != '-')) {
        run->first++;
    }
    while (run->first < run->end && tokens[run->end - 1].kind == FORMULA_OPERATOR &&
           (tokens[run->end - 1].worded ? tokens[run->end - 1].what == FORMULA_OF
                                        : strchr("+-*/", tokens[run->end - 1].what) != NULL)) {
        run->end--;
    }
    const bool shout = run->end - run->first > 2 && tokens[run->end - 1].kind == FORMULA_OPERATOR &&
                       tokens[run->end - 1].what == '!' && run->end == formula->count;
    run->end -= shout; /* "2+2!" */
}

/* What an operator is worth: it computes something, and cannot be a range, a date or a part of a name. */
struct worth {
    bool computes, strong, weak;
};

static struct worth worth_of(const struct formula *formula, struct run run, size_t at) {
    const struct formula_token *token = &formula->tokens[at], *next = at + 1 < run.end ? token + 1 : NULL;
    if (token->kind == FORMULA_NAME) {
        return (struct worth){true, true, false};
    }
    const bool sign = at == run.first && token->what == '-';
    const bool percent = token->what == '%' && (next == NULL || next->kind != FORMULA_NUMBER);
    if (token->kind != FORMULA_OPERATOR || token->what == FORMULA_PERCENT || sign || percent) {
        return (struct worth){false, false, false};
    }
    const bool dash = !token->worded && (token->what == '-' || token->what == '/');
    const bool tight = dash && token->tight && next != NULL && next->tight;
    return (struct worth){true, !tight, tight};
}

static struct worth operations_of(const struct formula *formula, struct run run) {
    struct worth all = {false, false, false};
    size_t weak = 0;
    for (size_t i = run.first; i < run.end; i++) {
        const struct worth one = worth_of(formula, run, i);
        all.computes = all.computes || one.computes;
        all.strong = all.strong || one.strong;
        weak += one.weak ? 1 : 0;
    }
    all.strong = all.strong && weak < 2;
    return all;
}

struct around {
    size_t words, bytes;
    bool asks;
};

/* The words of the question that are not in the expression. */
static struct around around_read(const struct formula *formula, struct run run) {
    struct around around = {0};
    for (size_t i = 0; i < formula->count; i++) {
        const struct formula_token *token = &formula->tokens[i];
        if (i >= run.first && i < run.end) {
            continue;
        }
        around.asks = around.asks || token->kind == FORMULA_EQUALS ||
                      (token->kind == FORMULA_MARK && str_equal_cstr(token->text, "?")) ||
                      str_equal(token->text, STR("？")) || str_equal(token->text, STR("؟"));
        if (token->kind != FORMULA_WORD && !token->worded) {
            continue;
        }
        const bool asks = is_one_of(token->text, asking, COUNT_OF(asking));
        around.asks = around.asks || asks;
        if (!asks && !is_one_of(token->text, polite, COUNT_OF(polite))) {
            around.words += !token->tight || token->text.len > 3;
            around.bytes += token->text.len;
        }
    }
    return around;
}

/* 2026-01-25, 1/02/2026 */
static bool is_date(const struct formula *formula, struct run run) {
    const struct formula_token *at = &formula->tokens[run.first];
    enum { DATE_TOKENS = 5, YEAR_DIGITS = 4 };
    if (run.end - run.first != DATE_TOKENS || at[1].kind != FORMULA_OPERATOR || at[3].kind != FORMULA_OPERATOR ||
        at[1].what != at[3].what || (at[1].what != '-' && at[1].what != '/') || !at[1].tight || !at[3].tight) {
        return false;
    }
    bool date = false;
    for (size_t i = 0; i < DATE_TOKENS; i += 2) {
        date = date || (at[i].kind == FORMULA_NUMBER && (at[i].text.len == YEAR_DIGITS || at[i].text.data[0] == '0'));
    }
    return date;
}

static bool calculates(const struct formula *formula, struct run run) {
    struct buf result;
    buf_init(&result, RESULT_BYTES);
    const bool known = calculate(formula, run.first, run.end, &result, NULL);
    buf_clear(&result);
    return known;
}

/* What stands around the expression asks for its result, and for nothing else. */
static bool asks_result(struct str text, const struct formula *formula, struct run run, bool strong) {
    const struct around around = around_read(formula, run);
    const bool alone = strong && run.first == 0 && run.end == formula->count;
    const bool asks = around.asks || alone || words_find_any(text, asking, COUNT_OF(asking));
    return asks && around.words <= (strong ? OTHER_WORDS_MAX : 0) && around.bytes <= OTHER_BYTES_MAX &&
           !words_find_any(text, other_wishes, COUNT_OF(other_wishes));
}

static struct tool_question arithmetic_read(struct str text) {
    struct tool_question question = {.kind = TOOL_QUESTION_OTHER, .expression = STR("")};
    struct formula formula;
    struct run run;
    if (!formula_read(text, calculate_is_name, calculate_has_arguments, &formula) || !run_find(&formula, &run)) {
        return question;
    }
    run_trim(&formula, &run);
    const struct worth worth = operations_of(&formula, run);
    if (worth.computes && !is_date(&formula, run) && calculates(&formula, run) &&
        asks_result(text, &formula, run, worth.strong)) {
        const size_t start = formula.tokens[run.first].start;
        question.kind = TOOL_QUESTION_ARITHMETIC;
        question.expression = (struct str){text.data + start, formula.tokens[run.end - 1].end - start};
    }
    return question;
}

struct tool_question tool_question_read(struct str text) {
    text = words_trim(text);
    if (text.len == 0 || text.len > QUESTION_BYTES) {
        return (struct tool_question){.kind = TOOL_QUESTION_OTHER, .expression = STR("")};
    }
    if (clock_is_asked(text)) {
        return (struct tool_question){.kind = TOOL_QUESTION_TIME, .expression = STR("")};
    }
    return arithmetic_read(text);
}
