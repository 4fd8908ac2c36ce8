#include "workflow/clock_question.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/calculate.h"

enum {
    TIME_BYTES = 120,
    TIME_OTHER_BYTES_MAX = 12, /* around such a question; a byte of ASCII counts for two */
};

/* Questions for now and here. */
static const struct str clock_questions[] = {
    STR("what time is it"),
    STR("what is the time"),
    STR("what's the time"),
    STR("whats the time"),
    STR("tell me the time"),
    STR("current time"),
    STR("time now"),
    STR("what day is it"),
    STR("what day is today"),
    STR("what day of the week is it"),
    STR("what day of the week is today"),
    STR("which day is it"),
    STR("what weekday is it"),
    STR("what is the date"),
    STR("what's the date"),
    STR("what date is it"),
    STR("what is today's date"),
    STR("what's today's date"),
    STR("what date is today"),
    STR("today's date"),
    STR("current date"),
    STR("what year is it"),
    STR("which year is it"),
    STR("current year"),
    STR("what month is it"),
    STR("which month is it"),
    STR("what is today"),
    STR("date and time"),
    STR("wie spät ist es"),
    STR("wie viel uhr ist es"),
    STR("wieviel uhr ist es"),
    STR("welcher tag ist heute"),
    STR("welcher wochentag ist heute"),
    STR("welchen tag haben wir"),
    STR("welches datum ist heute"),
    STR("welches datum haben wir"),
    STR("der wievielte ist heute"),
    STR("welches jahr ist"),
    STR("welches jahr haben wir"),
    STR("quelle heure est-il"),
    STR("quelle heure il est"),
    STR("il est quelle heure"),
    STR("quel jour sommes-nous"),
    STR("quel jour est-on"),
    STR("quel jour on est"),
    STR("quelle est la date"),
    STR("quelle date sommes-nous"),
    STR("quelle année sommes-nous"),
    STR("en quelle année sommes-nous"),
    STR("qué hora es"),
    STR("que hora es"),
    STR("qué día es hoy"),
    STR("que dia es hoy"),
    STR("qué día es"),
    STR("qué fecha es hoy"),
    STR("cuál es la fecha"),
    STR("en qué año estamos"),
    STR("qué año es"),
    STR("que horas são"),
    STR("que dia é hoje"),
    STR("qual é a data"),
    STR("em que ano estamos"),
    STR("che ore sono"),
    STR("che ora è"),
    STR("che giorno è oggi"),
    STR("che giorno è"),
    STR("in che anno siamo"),
    STR("che anno è"),
    STR("hoe laat is het"),
    STR("welke dag is het"),
    STR("welk jaar is het"),
    STR("vad är klockan"),
    STR("vilken dag är det"),
    STR("hvad er klokken"),
    STR("hva er klokka"),
    STR("который час"),
    STR("сколько времени"),
    STR("какой сегодня день"),
    STR("какой сегодня день недели"),
    STR("какое сегодня число"),
    STR("какая сегодня дата"),
    STR("какой сейчас год"),
    STR("котра година"),
    STR("який сьогодні день"),
    STR("która godzina"),
    STR("która jest godzina"),
    STR("jaki dziś dzień"),
    STR("jaki dzisiaj dzień"),
    STR("który mamy rok"),
    STR("kolik je hodin"),
    STR("saat kaç"),
    STR("bugün günlerden ne"),
    STR("bugün ne günü"),
    STR("hangi yıldayız"),
    STR("τι ώρα είναι"),
    STR("τι μέρα είναι"),
    STR("מה השעה"),
    STR("איזה יום היום"),
    STR("现在几点"),
    STR("现在是几点"),
    STR("几点了"),
    STR("现在什么时间"),
    STR("今天几号"),
    STR("今天是几号"),
    STR("今天星期几"),
    STR("今天是星期几"),
    STR("今天周几"),
    STR("今年是哪一年"),
    STR("现在是哪一年"),
    STR("今天的日期"),
    STR("現在幾點"),
    STR("今天星期幾"),
    STR("今天幾號"),
    STR("今何時"),
    STR("いま何時"),
    STR("今は何時"),
    STR("現在の時刻"),
    STR("今日は何日"),
    STR("今日は何曜日"),
    STR("今日の日付"),
    STR("今年は何年"),
    STR("今は何年"),
    STR("지금 몇 시"),
    STR("지금 몇시"),
    STR("오늘 며칠"),
    STR("오늘은 며칠"),
    STR("오늘 무슨 요일"),
    STR("오늘은 무슨 요일"),
    STR("오늘 날짜"),
    STR("올해는 몇 년"),
    STR("كم الساعة"),
    STR("ما هو اليوم"),
    STR("ما تاريخ اليوم"),
    STR("ما هو تاريخ اليوم"),
    STR("أي يوم هو اليوم"),
    STR("ساعت چند است"),
    STR("امروز چندم است"),
    STR("अभी क्या समय है"),
    STR("समय क्या है"),
    STR("क्या समय हुआ है"),
    STR("कितने बजे हैं"),
    STR("आज कौन सा दिन है"),
    STR("आज की तारीख"),
    STR("अभी कौन सा साल है"),
    STR("এখন কয়টা বাজে"),
    STR("আজ কী বার"),
    STR("กี่โมงแล้ว"),
    STR("ตอนนี้กี่โมง"),
    STR("วันนี้วันอะไร"),
    STR("วันนี้วันที่เท่าไร"),
    STR("mấy giờ rồi"),
    STR("bây giờ là mấy giờ"),
    STR("hôm nay là thứ mấy"),
    STR("hôm nay ngày bao nhiêu"),
    STR("jam berapa sekarang"),
    STR("pukul berapa sekarang"),
    STR("hari apa ini"),
    STR("hari ini hari apa"),
    STR("tanggal berapa hari ini"),
    STR("saa ngapi"),
};
static const struct str clock_polite[] = {
    STR("please"),  STR("now"),    STR("right"), STR("today"),      STR("currently"),   STR("exactly"),
    STR("hi"),      STR("hello"),  STR("hey"),   STR("can"),        STR("could"),       STR("you"),
    STR("tell"),    STR("me"),     STR("do"),    STR("know"),       STR("the"),         STR("utc"),
    STR("and"),     STR("what"),   STR("it"),    STR("is"),         STR("so"),          STR("jetzt"),
    STR("heute"),   STR("gerade"), STR("bitte"), STR("maintenant"), STR("aujourd'hui"), STR("ahora"),
    STR("hoy"),     STR("agora"),  STR("hoje"),  STR("adesso"),     STR("oggi"),        STR("nu"),
    STR("vandaag"), STR("сейчас"), STR("teraz"), STR("şimdi"),      STR("ini"),         STR("sekarang"),
};

static bool is_one_of(struct str word, const struct str *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (word.len == list[i].len && words_begin(word, list[i])) {
            return true;
        }
    }
    return false;
}

/* The bytes of words that are not around such a question; numbers are words here. */
static size_t other_bytes(struct str text) {
    struct formula formula;
    size_t bytes = 0;
    if (!formula_read(text, calculate_is_name, calculate_has_arguments, &formula)) {
        return text.len;
    }
    for (size_t i = 0; i < formula.count; i++) {
        const struct formula_token *token = &formula.tokens[i];
        const bool word = token->kind == FORMULA_WORD || token->kind == FORMULA_NAME || token->worded;
        const bool counts = word && !is_one_of(token->text, clock_polite, COUNT_OF(clock_polite));
        bytes += token->kind == FORMULA_NUMBER ? TIME_BYTES
                 : counts                      ? (token->text.data[0] & 0x80 ? 1 : 2) * token->text.len
                                               : 0;
    }
    return bytes;
}

bool clock_is_asked(struct str text) {
    for (size_t i = 0; text.len <= TIME_BYTES && i < COUNT_OF(clock_questions); i++) {
        const int64_t at = words_find(text, clock_questions[i]);
        if (at == WORDS_NONE) {
            continue;
        }
        const struct str before = {text.data, (size_t)at},
                         after = words_rest(text, (size_t)at + clock_questions[i].len);
        if (other_bytes(before) + other_bytes(after) <= TIME_OTHER_BYTES_MAX) {
            return true;
        }
    }
    return false;
}
