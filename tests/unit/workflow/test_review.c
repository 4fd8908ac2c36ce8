#include "workflow/review.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_nothing_but_approval_passes(void **state) {
    static const char *const reviews[] = {
        "APPROVED",
        "**APPROVED**",
        "Approved.",
        "\"Approved\"",
        "```\nAPPROVED\n```",
        "1. APPROVED",
        "APPROVED — no faults found.",
        "APPROVED\n\nNo faults were found.",
        "FAULTS: none",
        "Faults: None found.",
        "FAULTS: 0",
        "Verdict: APPROVED",
        "No faults found.",
        "LGTM",
        "LGTM 👍",
        "✅ Approved",
        "The code looks good.",
        "The code is correct and does the task.",
        "Yes, the code is correct.",
        "Is this correct? Yes.",
        "Correctness: PASS",
        "",
        " \n",
        "没有问题",
        "代码没有问题。",
        "通过",
        "没有发现任何问题，代码正确。",
        "問題ありません。",
        "コードに問題はありません。",
        "문제가 없습니다.",
        "Keine Fehler gefunden.",
        "Genehmigt.",
        "Der Code ist korrekt.",
        "Aucune erreur.",
        "Approuvé : aucun défaut trouvé.",
        "Aprobado, no hay errores.",
        "O código está correto.",
        "Il codice è corretto.",
        "Ошибок нет.",
        "Код корректен, замечаний нет.",
        "لا توجد أخطاء.",
        "कोई त्रुटि नहीं है।",
        "ไม่มีข้อผิดพลาด",
        "Không có lỗi.",
        "Hata yok.",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reviews); i++) {
        if (!review_passes(str_from(reviews[i]))) {
            print_message("does not pass: %s\n", reviews[i]);
        }
        assert_true(review_passes(str_from(reviews[i])));
    }
}

static void test_anything_else_sends_it_back(void **state) {
    static const char *const reviews[] = {
        "FAULTS:\n- no check of zero",
        "FAULTS",
        "FAULTS:\n1. No return.",
        "FAULTS: 1",
        "**Faults:** it divides by zero",
        "- It never ends\n- wrong name",
        "1. It never returns.\n2. It prints.",
        "- Missing import",
        "The code is not correct.",
        "Not approved: it fails",
        "Not approved.",
        "This is incorrect.",
        "The code looks good overall, but it crashes for an empty list.",
        "Looks good, except for negative numbers.",
        "Is this correct? No, the loop never ends.",
        "Is this correct?",
        "Is this correct? No",
        "Correctness: FAIL",
        "Approved? No.",
        "The syntax is correct. FAULTS: division by zero when n is 0.",
        "APPROVED if you fix the loop.",
        "APPROVED\n\nHowever, it leaks memory.",
        "No error handling.",
        "No errors found when the list is not empty.",
        "Correct the loop.",
        "Almost correct.",
        "It could be correct.",
        "APPROVED ❌",
        "👎",
        "```python\ndef f(x): return sorted(x)\n```",
        "不正确",
        "没有通过",
        "代码没有问题，但是空列表会崩溃。",
        "正确吗？不。",
        "問題があります。",
        "문제가 있습니다.",
        "Nicht genehmigt.",
        "Der Code ist korrekt, aber er stürzt bei leeren Listen ab.",
        "Le code est correct, mais il plante.",
        "No está correcto.",
        "Не одобрено.",
        "Ошибок нет, но код падает на пустом списке.",
        "توجد أخطاء.",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reviews); i++) {
        if (review_passes(str_from(reviews[i]))) {
            print_message("passes: %s\n", reviews[i]);
        }
        assert_false(review_passes(str_from(reviews[i])));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_but_approval_passes),
        cmocka_unit_test(test_anything_else_sends_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
