#include "workflow/labels.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/formula_words.h"

static const struct {
    struct str text;
    enum label label;
} labels[] = {
    /* longer ones first */
    {STR("action input"), LABEL_INPUT},
    {STR("tool input"), LABEL_INPUT},
    {STR("arguments"), LABEL_INPUT},
    {STR("argument"), LABEL_INPUT},
    {STR("input"), LABEL_INPUT},
    {STR("entrée de l'action"), LABEL_INPUT},
    {STR("entrée"), LABEL_INPUT},
    {STR("eingabe"), LABEL_INPUT},
    {STR("aktionseingabe"), LABEL_INPUT},
    {STR("entrada de la acción"), LABEL_INPUT},
    {STR("entrada da ação"), LABEL_INPUT},
    {STR("entrada"), LABEL_INPUT},
    {STR("argumento"), LABEL_INPUT},
    {STR("input dell'azione"), LABEL_INPUT},
    {STR("ввод действия"), LABEL_INPUT},
    {STR("ввод"), LABEL_INPUT},
    {STR("аргумент"), LABEL_INPUT},
    {STR("动作输入"), LABEL_INPUT},
    {STR("行动输入"), LABEL_INPUT},
    {STR("操作输入"), LABEL_INPUT},
    {STR("输入"), LABEL_INPUT},
    {STR("參數"), LABEL_INPUT},
    {STR("参数"), LABEL_INPUT},
    {STR("行動入力"), LABEL_INPUT},
    {STR("入力"), LABEL_INPUT},
    {STR("引数"), LABEL_INPUT},
    {STR("행동 입력"), LABEL_INPUT},
    {STR("입력"), LABEL_INPUT},
    {STR("مدخل الإجراء"), LABEL_INPUT},
    {STR("المدخل"), LABEL_INPUT},
    {STR("इनपुट"), LABEL_INPUT},
    {STR("action"), LABEL_ACTION},
    {STR("tool call"), LABEL_ACTION},
    {STR("tool"), LABEL_ACTION},
    {STR("function call"), LABEL_ACTION},
    {STR("call"), LABEL_ACTION},
    {STR("aktion"), LABEL_ACTION},
    {STR("handlung"), LABEL_ACTION},
    {STR("werkzeug"), LABEL_ACTION},
    {STR("acción"), LABEL_ACTION},
    {STR("accion"), LABEL_ACTION},
    {STR("ação"), LABEL_ACTION},
    {STR("azione"), LABEL_ACTION},
    {STR("actie"), LABEL_ACTION},
    {STR("akcja"), LABEL_ACTION},
    {STR("akce"), LABEL_ACTION},
    {STR("действие"), LABEL_ACTION},
    {STR("дія"), LABEL_ACTION},
    {STR("eylem"), LABEL_ACTION},
    {STR("ενέργεια"), LABEL_ACTION},
    {STR("פעולה"), LABEL_ACTION},
    {STR("行动"), LABEL_ACTION},
    {STR("動作"), LABEL_ACTION},
    {STR("动作"), LABEL_ACTION},
    {STR("操作"), LABEL_ACTION},
    {STR("工具"), LABEL_ACTION},
    {STR("行動"), LABEL_ACTION},
    {STR("アクション"), LABEL_ACTION},
    {STR("ツール"), LABEL_ACTION},
    {STR("행동"), LABEL_ACTION},
    {STR("동작"), LABEL_ACTION},
    {STR("액션"), LABEL_ACTION},
    {STR("도구"), LABEL_ACTION},
    {STR("الإجراء"), LABEL_ACTION},
    {STR("إجراء"), LABEL_ACTION},
    {STR("الأداة"), LABEL_ACTION},
    {STR("اقدام"), LABEL_ACTION},
    {STR("कार्रवाई"), LABEL_ACTION},
    {STR("क्रिया"), LABEL_ACTION},
    {STR("কাজ"), LABEL_ACTION},
    {STR("การกระทำ"), LABEL_ACTION},
    {STR("hành động"), LABEL_ACTION},
    {STR("tindakan"), LABEL_ACTION},
    {STR("aksi"), LABEL_ACTION},
    {STR("the final answer"), LABEL_ANSWER},
    {STR("final answer"), LABEL_ANSWER},
    {STR("the answer"), LABEL_ANSWER},
    {STR("answer"), LABEL_ANSWER},
    {STR("response"), LABEL_ANSWER},
    {STR("endgültige antwort"), LABEL_ANSWER},
    {STR("antwort"), LABEL_ANSWER},
    {STR("réponse finale"), LABEL_ANSWER},
    {STR("réponse"), LABEL_ANSWER},
    {STR("reponse"), LABEL_ANSWER},
    {STR("respuesta final"), LABEL_ANSWER},
    {STR("respuesta"), LABEL_ANSWER},
    {STR("resposta final"), LABEL_ANSWER},
    {STR("resposta"), LABEL_ANSWER},
    {STR("risposta finale"), LABEL_ANSWER},
    {STR("risposta"), LABEL_ANSWER},
    {STR("răspuns"), LABEL_ANSWER},
    {STR("antwoord"), LABEL_ANSWER},
    {STR("svar"), LABEL_ANSWER},
    {STR("vastaus"), LABEL_ANSWER},
    {STR("odpowiedź"), LABEL_ANSWER},
    {STR("odpověď"), LABEL_ANSWER},
    {STR("válasz"), LABEL_ANSWER},
    {STR("окончательный ответ"), LABEL_ANSWER},
    {STR("ответ"), LABEL_ANSWER},
    {STR("відповідь"), LABEL_ANSWER},
    {STR("cevap"), LABEL_ANSWER},
    {STR("yanıt"), LABEL_ANSWER},
    {STR("απάντηση"), LABEL_ANSWER},
    {STR("תשובה"), LABEL_ANSWER},
    {STR("最终答案"), LABEL_ANSWER},
    {STR("最終答案"), LABEL_ANSWER},
    {STR("答案"), LABEL_ANSWER},
    {STR("回答"), LABEL_ANSWER},
    {STR("最終回答"), LABEL_ANSWER},
    {STR("答え"), LABEL_ANSWER},
    {STR("答"), LABEL_ANSWER},
    {STR("최종 답변"), LABEL_ANSWER},
    {STR("답변"), LABEL_ANSWER},
    {STR("대답"), LABEL_ANSWER},
    {STR("정답"), LABEL_ANSWER},
    {STR("답"), LABEL_ANSWER},
    {STR("الإجابة النهائية"), LABEL_ANSWER},
    {STR("الإجابة"), LABEL_ANSWER},
    {STR("إجابة"), LABEL_ANSWER},
    {STR("الجواب"), LABEL_ANSWER},
    {STR("جواب"), LABEL_ANSWER},
    {STR("پاسخ"), LABEL_ANSWER},
    {STR("अंतिम उत्तर"), LABEL_ANSWER},
    {STR("उत्तर"), LABEL_ANSWER},
    {STR("जवाब"), LABEL_ANSWER},
    {STR("উত্তর"), LABEL_ANSWER},
    {STR("பதில்"), LABEL_ANSWER},
    {STR("คำตอบ"), LABEL_ANSWER},
    {STR("câu trả lời"), LABEL_ANSWER},
    {STR("trả lời"), LABEL_ANSWER},
    {STR("đáp án"), LABEL_ANSWER},
    {STR("jawaban"), LABEL_ANSWER},
    {STR("jibu"), LABEL_ANSWER},
    {STR("thought"), LABEL_THOUGHT},
    {STR("thinking"), LABEL_THOUGHT},
    {STR("reasoning"), LABEL_THOUGHT},
    {STR("gedanke"), LABEL_THOUGHT},
    {STR("pensée"), LABEL_THOUGHT},
    {STR("réflexion"), LABEL_THOUGHT},
    {STR("pensamiento"), LABEL_THOUGHT},
    {STR("pensamento"), LABEL_THOUGHT},
    {STR("pensiero"), LABEL_THOUGHT},
    {STR("мысль"), LABEL_THOUGHT},
    {STR("思考"), LABEL_THOUGHT},
    {STR("想法"), LABEL_THOUGHT},
    {STR("생각"), LABEL_THOUGHT},
    {STR("فكرة"), LABEL_THOUGHT},
    {STR("विचार"), LABEL_THOUGHT},
    {STR("observation"), LABEL_MADE_UP},
    {STR("beobachtung"), LABEL_MADE_UP},
    {STR("observación"), LABEL_MADE_UP},
    {STR("observação"), LABEL_MADE_UP},
    {STR("osservazione"), LABEL_MADE_UP},
    {STR("наблюдение"), LABEL_MADE_UP},
    {STR("观察"), LABEL_MADE_UP},
    {STR("観察"), LABEL_MADE_UP},
    {STR("관찰"), LABEL_MADE_UP},
    {STR("task"), LABEL_MADE_UP},
    {STR("question"), LABEL_MADE_UP},
    {STR("done so far"), LABEL_MADE_UP},
};

static bool is_mark(char c) {
    return c == ' ' || c == '\t' || c == '*' || c == '#' || c == '>' || c == '`' || c == '_' || c == '-' || c == '\r' ||
           c == '<' || c == '|';
}

/* The bytes of a blank or a mark at the front. */
static size_t mark_length(struct str text) {
    static const struct str wide[] = {STR("\u3000"), STR("\u00a0"), STR("\u202f"), STR("“"),     STR("”"),
                                      STR("\u200f"), STR("\u200e"), STR("\u200b"), STR("\ufeff")};
    if (text.len > 0 && is_mark(text.data[0])) {
        return 1;
    }
    for (size_t i = 0; i < COUNT_OF(wide); i++) {
        if (str_starts_with(text, wide[i])) {
            return wide[i].len;
        }
    }
    return 0;
}

struct str label_marks_skip(struct str text) {
    for (size_t length; (length = mark_length(text)) > 0;) {
        text = words_rest(text, length);
    }
    return text;
}

size_t label_colon(struct str text) {
    static const struct str colons[] = {STR(":"), STR("："), STR("﹕"), STR("︰"), STR("﹔"), STR("ː")};
    for (size_t i = 0; i < COUNT_OF(colons); i++) {
        if (str_starts_with(text, colons[i])) {
            return colons[i].len;
        }
    }
    return 0;
}

static struct str digits_skip(struct str text) {
    while (text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9') {
        text = words_rest(text, 1);
    }
    return text;
}

/* "1." and "2)" before a label. */
static struct str number_skip(struct str line) {
    const struct str behind = digits_skip(line);
    const bool numbered = behind.len > 0 && behind.len < line.len && (behind.data[0] == '.' || behind.data[0] == ')');
    return numbered ? label_marks_skip(words_rest(behind, 1)) : line;
}

/* What is behind this label and its colon; data NULL: it does not stand there. */
static struct str behind_label(struct str line, struct str name, bool tagged) {
    const struct str nothing = {NULL, 0};
    if (!formula_may_begin(line, name) || !words_begin(line, name)) {
        return nothing;
    }
    struct str behind = words_rest(line, name.len);
    if (tagged && behind.len > 0 && behind.data[0] == '>') { /* <answer>42</answer> */
        return words_rest(behind, 1);
    }
    behind = label_marks_skip(digits_skip(label_marks_skip(behind)));
    const size_t colon = label_colon(behind);
    if (colon == 0) {
        return nothing;
    }
    behind = words_rest(behind, colon);
    while (behind.len > 0 && (behind.data[0] == '*' || behind.data[0] == '_')) {
        behind = words_rest(behind, 1);
    }
    return behind;
}

enum label label_read(struct str line, struct str *rest) {
    const struct str front = label_marks_skip(line);
    const bool tagged = front.len < line.len && front.data[-1] == '<';
    line = number_skip(front);
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        const struct str behind = behind_label(line, labels[i].text, tagged);
        if (behind.data != NULL) {
            *rest = behind;
            return labels[i].label;
        }
    }
    return LABEL_NONE;
}

/* A label may begin here: behind a blank, a mark, or the end of a sentence. */
static bool is_start(struct str line, size_t at) {
    const struct str before = {line.data, at};
    static const struct str ends[] = {STR("。"), STR("！"), STR("？"), STR("，"), STR("；"), STR("\u3000")};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (before.len >= ends[i].len &&
            str_equal((struct str){before.data + before.len - ends[i].len, ends[i].len}, ends[i])) {
            return true;
        }
    }
    return at > 0 && (is_mark(line.data[at - 1]) || line.data[at - 1] == '.');
}

enum label label_find(struct str line, struct str *rest, size_t *start) {
    for (size_t at = 1; at < line.len; at++) {
        if (!is_start(line, at) || is_mark(line.data[at])) {
            continue;
        }
        for (size_t i = 0; i < COUNT_OF(labels); i++) {
            const bool wanted = labels[i].label == LABEL_ACTION || labels[i].label == LABEL_ANSWER;
            const struct str behind =
                wanted ? behind_label(words_rest(line, at), labels[i].text, false) : (struct str){NULL, 0};
            if (behind.data != NULL) {
                *rest = behind;
                *start = at;
                return labels[i].label;
            }
        }
    }
    return LABEL_NONE;
}
