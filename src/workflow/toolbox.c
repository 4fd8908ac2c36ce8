#include "workflow/toolbox.h"

static const struct {
    struct str name;
    enum workflow_tool tool;
} own_tools[] = {
    {STR("calculator"), WORKFLOW_TOOL_CALCULATOR},
    {STR("time"), WORKFLOW_TOOL_TIME},
    {STR("search"), WORKFLOW_TOOL_SEARCH}, /* the names that are told; models write others: */
    {STR("calculate"), WORKFLOW_TOOL_CALCULATOR},
    {STR("calc"), WORKFLOW_TOOL_CALCULATOR},
    {STR("date"), WORKFLOW_TOOL_TIME},
    {STR("clock"), WORKFLOW_TOOL_TIME},
    {STR("current_time"), WORKFLOW_TOOL_TIME},
    {STR("conversation_search"), WORKFLOW_TOOL_SEARCH},
    {STR("math"), WORKFLOW_TOOL_CALCULATOR},
    {STR("计算器"), WORKFLOW_TOOL_CALCULATOR},
    {STR("計算機"), WORKFLOW_TOOL_CALCULATOR},
    {STR("電卓"), WORKFLOW_TOOL_CALCULATOR},
    {STR("계산기"), WORKFLOW_TOOL_CALCULATOR},
    {STR("rechner"), WORKFLOW_TOOL_CALCULATOR},
    {STR("taschenrechner"), WORKFLOW_TOOL_CALCULATOR},
    {STR("calculatrice"), WORKFLOW_TOOL_CALCULATOR},
    {STR("calculadora"), WORKFLOW_TOOL_CALCULATOR},
    {STR("calcolatrice"), WORKFLOW_TOOL_CALCULATOR},
    {STR("калькулятор"), WORKFLOW_TOOL_CALCULATOR},
    {STR("الحاسبة"), WORKFLOW_TOOL_CALCULATOR},
    {STR("कैलकुलेटर"), WORKFLOW_TOOL_CALCULATOR},
    {STR("时间"), WORKFLOW_TOOL_TIME},
    {STR("搜索"), WORKFLOW_TOOL_SEARCH},
    {STR("検索"), WORKFLOW_TOOL_SEARCH},
    {STR("검색"), WORKFLOW_TOOL_SEARCH},
    {STR("suche"), WORKFLOW_TOOL_SEARCH},
    {STR("поиск"), WORKFLOW_TOOL_SEARCH},
};

static const struct orchestration_tool *called_find(const struct orchestration *asked, struct str name) {
    for (size_t i = 0; i < asked->tool_count; i++) {
        if (str_equal_nocase(asked->tools[i].name, name)) {
            return &asked->tools[i];
        }
    }
    return NULL;
}

bool toolbox_hides(const struct orchestration *asked, struct str name) {
    return called_find(asked, name) != NULL;
}

struct toolbox_tool toolbox_find(const struct orchestration *asked, struct str name) {
    const struct orchestration_tool *called = called_find(asked, name);
    if (called != NULL) {
        return (struct toolbox_tool){true, WORKFLOW_TOOL_CALLER, called};
    }
    for (size_t i = 0; i < COUNT_OF(own_tools); i++) {
        if (str_equal_nocase(own_tools[i].name, name)) {
            return (struct toolbox_tool){true, own_tools[i].tool, NULL};
        }
    }
    return (struct toolbox_tool){false, WORKFLOW_TOOL_CALCULATOR, NULL};
}
