#include "text/thinking.h"

#include "base/compiler.h"
#include "text/words.h"

static const struct {
    struct str begin, end; /* the beginning of the mark before it, the whole mark behind it */
} marks[] = {
    {STR("<think"), STR("</think>")},
    {STR("<think"), STR("</thinking>")},
    {STR("<thought"), STR("</thought>")},
    {STR("<reasoning"), STR("</reasoning>")},
    {STR("<reflection"), STR("</reflection>")},
    {STR("<analysis"), STR("</analysis>")},
    {STR("<scratchpad"), STR("</scratchpad>")},
    {STR("<seed:think"), STR("</seed:think>")},
    {STR("[think]"), STR("[/think]")},
    {STR("◁think▷"), STR("◁/think▷")},
    {STR("<|begin_of_thought|>"), STR("<|end_of_thought|>")},
    {STR("<|start_thinking|>"), STR("<|end_thinking|>")},
    {STR("<|channel|>analysis"), STR("<|channel|>final<|message|>")},
};

/* Behind the last of these marks; 0: there is none. */
static size_t last_end(struct str text, struct str mark) {
    for (size_t at = text.len; at-- > 0;) {
        const char c = text.data[at];
        if ((c == '<' || c == '[' || c == mark.data[0]) && words_begin(words_rest(text, at), mark)) {
            return at + mark.len;
        }
    }
    return 0;
}

struct str thinking_skip(struct str text) {
    size_t behind = 0;
    bool begun = false;
    text = words_trim(text);
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        const size_t end = last_end(text, marks[i].end);
        behind = end > behind ? end : behind;
        begun = begun || words_begin(text, marks[i].begin);
    }
    return begun && behind == 0 ? STR("") : words_trim(words_rest(text, behind));
}
