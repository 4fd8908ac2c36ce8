#include "support/gbnf_match.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RULES_MAX = 4096, NODES_MAX = 65536, WORDS = (GBNF_MATCH_TEXT_MAX + 64) / 64, MANY = 1 << 30 };

/* Places in the text where a part may end. */
struct ends {
    uint64_t bits[WORDS];
};

enum kind { CHARACTERS, RULE, SEQUENCE, CHOICE, REPEAT };

struct node {
    enum kind kind;
    struct node *first, *next; /* children, and the next one of the parent's */
    int least, most;           /* REPEAT */
    size_t rule;
    uint32_t ranges[64][2]; /* CHARACTERS */
    size_t range_count;
};

struct rule {
    struct str name;
    struct node *body;
    struct ends *memo; /* for each place, once it was asked for */
    bool *known;
};

struct matcher {
    struct rule rules[RULES_MAX];
    size_t rule_count;
    struct node **nodes; /* all of them */
    size_t node_count;
    struct str rest, text;
};

static bool has(const struct ends *ends, size_t place) {
    return (ends->bits[place / 64] >> (place % 64) & 1) != 0;
}

static void add(struct ends *ends, size_t place) {
    ends->bits[place / 64] |= UINT64_C(1) << (place % 64);
}

static bool merge(struct ends *into, const struct ends *from) {
    bool news = false;
    for (size_t i = 0; i < WORDS; i++) {
        news = news || (from->bits[i] & ~into->bits[i]) != 0;
        into->bits[i] |= from->bits[i];
    }
    return news;
}

/* --- Reading --- */

static struct node *node_new(struct matcher *matcher, enum kind kind) {
    struct node *node = MEM_NEW(struct node);
    assert_true(matcher->node_count < NODES_MAX);
    node->kind = kind;
    matcher->nodes[matcher->node_count++] = node;
    return node;
}

static void skip_blanks(struct matcher *matcher) {
    while (matcher->rest.len > 0 && matcher->rest.data[0] == ' ') {
        matcher->rest.data++;
        matcher->rest.len--;
    }
}

static char peek(const struct matcher *matcher) {
    return matcher->rest.len > 0 ? matcher->rest.data[0] : '\0';
}

static char take(struct matcher *matcher) {
    assert_true(matcher->rest.len > 0);
    matcher->rest.len--;
    return *matcher->rest.data++;
}

static size_t rule_of(struct matcher *matcher, struct str name) {
    for (size_t i = 0; i < matcher->rule_count; i++) {
        if (str_equal(matcher->rules[i].name, name)) {
            return i;
        }
    }
    assert_true(matcher->rule_count < RULES_MAX);
    matcher->rules[matcher->rule_count].name = name;
    return matcher->rule_count++;
}

static uint32_t utf8(struct str *text) {
    const uint8_t *bytes = (const uint8_t *)text->data;
    const size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length && i < text->len; i++) {
        character = character << 6 | (bytes[i] & 0x3F);
    }
    text->data += length < text->len ? length : text->len;
    text->len -= length < text->len ? length : text->len;
    return character;
}

static uint32_t hex(struct matcher *matcher, int digits) {
    char text[9] = "";
    for (int i = 0; i < digits; i++) {
        text[i] = take(matcher);
    }
    return (uint32_t)strtoul(text, NULL, 16);
}

static uint32_t character(struct matcher *matcher) {
    if (peek(matcher) != '\\') {
        return utf8(&matcher->rest);
    }
    (void)take(matcher);
    const char c = take(matcher);
    switch (c) {
    case 'x':
        return hex(matcher, 2);
    case 'u':
        return hex(matcher, 4);
    case 'U':
        return hex(matcher, 8);
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        assert_true(strchr("\"\\[]", c) != NULL);
        return (uint8_t)c;
    }
}

static struct node *literal(struct matcher *matcher) {
    struct node *sequence = node_new(matcher, SEQUENCE), **last = &sequence->first;
    while (peek(matcher) != '"') {
        struct node *one = node_new(matcher, CHARACTERS);
        one->ranges[0][0] = one->ranges[0][1] = character(matcher);
        one->range_count = 1;
        *last = one;
        last = &one->next;
    }
    (void)take(matcher);
    return sequence;
}

static struct node *class_of(struct matcher *matcher) {
    struct node *node = node_new(matcher, CHARACTERS);
    assert_true(peek(matcher) != '^'); /* ours are never negated */
    while (peek(matcher) != ']') {
        assert_true(node->range_count < 64);
        uint32_t *range = node->ranges[node->range_count++];
        range[0] = range[1] = character(matcher);
        if (peek(matcher) == '-') {
            (void)take(matcher);
            range[1] = character(matcher);
        }
        assert_true(range[0] <= range[1]);
    }
    (void)take(matcher);
    return node;
}

static struct node *choice(struct matcher *matcher);

static struct node *reference(struct matcher *matcher) {
    struct str name = {matcher->rest.data, 0};
    while (strchr("abcdefghijklmnopqrstuvwxyz0123456789", peek(matcher)) != NULL && peek(matcher) != '\0') {
        (void)take(matcher);
        name.len++;
    }
    assert_true(name.len > 0);
    struct node *node = node_new(matcher, RULE);
    node->rule = rule_of(matcher, name);
    return node;
}

static int number(struct matcher *matcher) {
    int value = 0;
    assert_true(peek(matcher) >= '0' && peek(matcher) <= '9');
    while (peek(matcher) >= '0' && peek(matcher) <= '9') {
        value = value * 10 + (take(matcher) - '0');
    }
    return value;
}

static void times(struct matcher *matcher, int *least, int *most) {
    const char c = peek(matcher);
    *least = *most = 1;
    if (c == '*' || c == '+' || c == '?') {
        (void)take(matcher);
        *least = c == '+';
        *most = c == '?' ? 1 : MANY;
    } else if (c == '{') {
        (void)take(matcher);
        *least = *most = number(matcher);
        if (peek(matcher) == ',') {
            (void)take(matcher);
            *most = peek(matcher) == '}' ? MANY : number(matcher);
        }
        assert_int_equal(take(matcher), '}');
        assert_true(*least <= *most);
        assert_true(*most == MANY || *most < 2000); /* llama.cpp's bound */
    }
}

static struct node *item(struct matcher *matcher) {
    struct node *node;
    if (peek(matcher) == '"') {
        (void)take(matcher);
        node = literal(matcher);
    } else if (peek(matcher) == '[') {
        (void)take(matcher);
        node = class_of(matcher);
    } else if (peek(matcher) == '(') {
        (void)take(matcher);
        node = choice(matcher);
        assert_int_equal(take(matcher), ')');
    } else {
        node = reference(matcher);
    }
    int least, most;
    times(matcher, &least, &most);
    if (least == 1 && most == 1) {
        return node;
    }
    struct node *repeat = node_new(matcher, REPEAT);
    repeat->first = node;
    repeat->least = least;
    repeat->most = most;
    return repeat;
}

static struct node *sequence(struct matcher *matcher) {
    struct node *node = node_new(matcher, SEQUENCE), **last = &node->first;
    for (skip_blanks(matcher); matcher->rest.len > 0 && strchr("|)\n", peek(matcher)) == NULL; skip_blanks(matcher)) {
        *last = item(matcher);
        last = &(*last)->next;
    }
    return node;
}

static struct node *choice(struct matcher *matcher) {
    struct node *node = node_new(matcher, CHOICE), **last = &node->first;
    do {
        *last = sequence(matcher);
        last = &(*last)->next;
    } while (peek(matcher) == '|' && take(matcher) == '|');
    return node;
}

static void read_rules(struct matcher *matcher, struct str grammar) {
    struct str line, name;
    while (str_split(grammar, '\n', &line, &grammar)) {
        const char *mark = memmem(line.data, line.len, " ::=", 4);
        assert_non_null(mark);
        name = (struct str){line.data, (size_t)(mark - line.data)};
        const size_t rule = rule_of(matcher, name);
        assert_null(matcher->rules[rule].body);
        matcher->rest = (struct str){mark + 4, line.len - name.len - 4};
        matcher->rules[rule].body = choice(matcher);
        assert_int_equal(matcher->rest.len, 0);
    }
    for (size_t i = 0; i < matcher->rule_count; i++) {
        assert_non_null(matcher->rules[i].body);
    }
}

/* --- Matching --- */

static struct ends match(struct matcher *matcher, const struct node *node, size_t place);

static struct ends match_all(struct matcher *matcher, const struct node *node, const struct ends *places) {
    struct ends ends = {0};
    for (size_t i = 0; i <= matcher->text.len; i++) {
        if (has(places, i)) {
            const struct ends one = match(matcher, node, i);
            (void)merge(&ends, &one);
        }
    }
    return ends;
}

static struct ends match_repeat(struct matcher *matcher, const struct node *node, size_t place) {
    struct ends ends = {0}, reached = {0};
    add(&reached, place);
    for (int i = 0;; i++) {
        const bool news = i < node->least || merge(&ends, &reached);
        if (i == node->most || !news) {
            return ends;
        }
        reached = match_all(matcher, node->first, &reached);
    }
}

static struct ends match_rule(struct matcher *matcher, size_t index, size_t place) {
    struct rule *rule = &matcher->rules[index];
    if (rule->memo == NULL) {
        rule->memo = mem_calloc(matcher->text.len + 1, sizeof(*rule->memo));
        rule->known = mem_calloc(matcher->text.len + 1, sizeof(*rule->known));
    }
    if (!rule->known[place]) {
        rule->memo[place] = match(matcher, rule->body, place);
        rule->known[place] = true;
    }
    return rule->memo[place];
}

static struct ends match(struct matcher *matcher, const struct node *node, size_t place) {
    struct ends ends = {0};
    struct str rest = {matcher->text.data + place, matcher->text.len - place};
    switch (node->kind) {
    case CHARACTERS: {
        const uint32_t c = rest.len > 0 ? utf8(&rest) : UINT32_MAX;
        for (size_t i = 0; i < node->range_count; i++) {
            if (c >= node->ranges[i][0] && c <= node->ranges[i][1]) {
                add(&ends, matcher->text.len - rest.len);
            }
        }
        return ends;
    }
    case RULE:
        return match_rule(matcher, node->rule, place);
    case SEQUENCE:
        add(&ends, place);
        for (const struct node *child = node->first; child != NULL; child = child->next) {
            ends = match_all(matcher, child, &ends);
        }
        return ends;
    case CHOICE:
        for (const struct node *child = node->first; child != NULL; child = child->next) {
            const struct ends one = match(matcher, child, place);
            (void)merge(&ends, &one);
        }
        return ends;
    case REPEAT:
        return match_repeat(matcher, node, place);
    }
    return ends;
}

bool gbnf_matches(struct str grammar, struct str text) {
    struct matcher *matcher = MEM_NEW(struct matcher);
    assert_true(text.len <= GBNF_MATCH_TEXT_MAX);
    matcher->nodes = mem_calloc(NODES_MAX, sizeof(*matcher->nodes));
    matcher->text = text;
    read_rules(matcher, grammar);
    const struct ends ends = match_rule(matcher, rule_of(matcher, STR("root")), 0);
    const bool matches = has(&ends, text.len);
    for (size_t i = 0; i < matcher->node_count; i++) {
        free(matcher->nodes[i]);
    }
    for (size_t i = 0; i < matcher->rule_count; i++) {
        free(matcher->rules[i].memo);
        free(matcher->rules[i].known);
    }
    free(matcher->nodes);
    free(matcher);
    return matches;
}
