#include "grammar/network.h"

#include "base/mem.h"
#include "grammar/charset.h"
#include "grammar/utf8_ranges.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A step and where it begins, in the order in which they are read. */
struct loose_step {
    uint32_t from;
    struct network_step step;
};

struct named_rule {
    struct str name; /* in the grammar's text */
    uint32_t number;
    UT_hash_handle hh;
};

struct reader {
    struct str rest;
    struct err *err;
    struct network *out;
    struct loose_step *steps;
    size_t step_count, step_capacity, steps_max, rule_capacity;
    struct named_rule *names;
    uint32_t depth;
};

/* A piece of a rule: from one state to another; nothing else leads into the first or out of the second. */
struct piece {
    uint32_t begin, end;
};

static bool is_wrong(struct reader *reader, const char *what) {
    return err_set_field(reader->err, ERR_INVALID, "grammar", "the grammar cannot be read: %s", what);
}

static bool is_large(struct reader *reader) {
    return err_set_field(reader->err, ERR_TOO_LARGE, "grammar", "the grammar is too large");
}

/* --- Building --- */

static uint32_t new_state(struct reader *reader) {
    return reader->out->state_count++; /* each comes with a step, of which there are not too many */
}

static bool add_step(struct reader *reader, uint32_t from, struct network_step step) {
    if (reader->step_count == reader->steps_max) {
        return is_large(reader);
    }
    if (reader->step_count == reader->step_capacity) {
        reader->step_capacity = reader->step_capacity == 0 ? 256 : 2 * reader->step_capacity;
        reader->steps = mem_realloc(reader->steps, reader->step_capacity * sizeof(*reader->steps));
    }
    reader->steps[reader->step_count++] = (struct loose_step){.from = from, .step = step};
    return true;
}

static bool add_empty(struct reader *reader, uint32_t from, uint32_t to) {
    return add_step(reader, from, (struct network_step){.kind = NETWORK_EMPTY, .to = to});
}

static bool add_byte(struct reader *reader, uint32_t from, uint32_t to, uint8_t first, uint8_t last) {
    return add_step(reader, from,
                    (struct network_step){.kind = NETWORK_BYTE, .to = to, .byte = {.first = first, .last = last}});
}

static bool add_rule(struct reader *reader, struct piece body, uint32_t *number) {
    struct network *out = reader->out;
    if (out->rule_count == NETWORK_RULES_MAX) {
        return is_large(reader);
    }
    if (out->rule_count == reader->rule_capacity) {
        reader->rule_capacity = reader->rule_capacity == 0 ? 64 : 2 * reader->rule_capacity;
        out->rules = mem_realloc(out->rules, reader->rule_capacity * sizeof(*out->rules));
    }
    *number = out->rule_count++;
    out->rules[*number] = (struct network_rule){.begin = body.begin, .end = body.end};
    return true;
}

/* The rule of a name, made when it is met for the first time, be that in another rule. */
static bool find_rule(struct reader *reader, struct str name, uint32_t *number) {
    struct named_rule *found;
    HASH_FIND(hh, reader->names, name.data, name.len, found);
    if (found == NULL) {
        const uint32_t begin = new_state(reader);
        if (!add_rule(reader, (struct piece){.begin = begin, .end = UINT32_MAX}, number)) {
            return false;
        }
        found = MEM_NEW(struct named_rule);
        found->name = name;
        found->number = *number;
        HASH_ADD_KEYPTR(hh, reader->names, found->name.data, found->name.len, found);
    }
    *number = found->number;
    return true;
}

/* --- Characters --- */

static char peek(const struct reader *reader) {
    return reader->rest.len > 0 ? reader->rest.data[0] : '\0';
}

static void skip(struct reader *reader, size_t count) {
    reader->rest.data += count;
    reader->rest.len -= count;
}

static bool take(struct reader *reader, char c) {
    const bool there = reader->rest.len > 0 && reader->rest.data[0] == c;
    skip(reader, there ? 1 : 0);
    return there;
}

static void skip_blanks(struct reader *reader) {
    while (take(reader, ' ') || take(reader, '\t')) {
    }
}

static bool take_hex(struct reader *reader, size_t digits, uint32_t *out) {
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        const char c = peek(reader);
        const int value = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (value < 0) {
            return is_wrong(reader, "a character's number is cut");
        }
        *out = *out << 4 | (uint32_t)value;
        skip(reader, 1);
    }
    return *out <= CHARSET_LAST || is_wrong(reader, "there is no such character");
}

static bool take_escaped(struct reader *reader, uint32_t *out) {
    const char c = peek(reader);
    if (reader->rest.len == 0) {
        return is_wrong(reader, "it ends in a character");
    }
    skip(reader, 1);
    switch (c) {
    case 'x':
        return take_hex(reader, 2, out);
    case 'u':
        return take_hex(reader, 4, out);
    case 'U':
        return take_hex(reader, 8, out);
    case 'n':
        *out = '\n';
        return true;
    case 'r':
        *out = '\r';
        return true;
    case 't':
        *out = '\t';
        return true;
    case '"':
    case '\\':
    case '[':
    case ']':
        *out = (uint8_t)c;
        return true;
    default:
        return is_wrong(reader, "there is no such escape sequence");
    }
}

static bool take_character(struct reader *reader, uint32_t *out) {
    if (take(reader, '\\')) {
        return take_escaped(reader, out);
    }
    if (reader->rest.len == 0 || peek(reader) == '\n') {
        return is_wrong(reader, "it ends in a text or a class");
    }
    size_t used;
    *out = charset_decode(reader->rest, &used);
    skip(reader, used);
    return true;
}

/* --- Texts and classes --- */

/* Each byte range of a sequence but the last leads to a state of its own. */
static bool add_sequence(struct reader *reader, struct piece piece, const struct utf8_sequence *sequence) {
    uint32_t from = piece.begin;
    for (size_t i = 0; i < sequence->length; i++) {
        const uint32_t to = i + 1 == sequence->length ? piece.end : new_state(reader);
        if (!add_byte(reader, from, to, sequence->first[i], sequence->last[i])) {
            return false;
        }
        from = to;
    }
    return true;
}

static bool add_range(struct reader *reader, struct piece piece, uint32_t first, uint32_t last) {
    struct utf8_ranges ranges;
    utf8_ranges_make(first, last, &ranges);
    for (size_t i = 0; i < ranges.count; i++) {
        if (!add_sequence(reader, piece, &ranges.sequences[i])) {
            return false;
        }
    }
    return true;
}

static bool read_text(struct reader *reader, struct piece *out) {
    *out = (struct piece){.begin = new_state(reader)};
    out->end = out->begin;
    while (!take(reader, '"')) {
        struct piece one = {.begin = out->end, .end = new_state(reader)};
        uint32_t c = 0;
        if (!take_character(reader, &c) || !add_range(reader, one, c, c)) {
            return false;
        }
        out->end = one.end;
    }
    const uint32_t end = new_state(reader); /* the empty text has two states, too */
    const uint32_t last = out->end;
    out->end = end;
    return add_empty(reader, last, end);
}

static bool read_class(struct reader *reader, struct piece *out) {
    *out = (struct piece){.begin = new_state(reader), .end = new_state(reader)};
    if (peek(reader) == '^') {
        return is_wrong(reader, "classes of all other characters are not read");
    }
    while (!take(reader, ']')) {
        uint32_t first = 0;
        if (!take_character(reader, &first)) {
            return false;
        }
        uint32_t last = first;
        if (take(reader, '-') && !take_character(reader, &last)) {
            return false;
        }
        if (last < first) {
            return is_wrong(reader, "a range is out of order");
        }
        if (!add_range(reader, *out, first, last)) {
            return false;
        }
    }
    return true;
}

/* --- Repetitions --- */

struct times {
    uint32_t least, most; /* most UINT32_MAX: without end */
};

static bool take_count(struct reader *reader, uint32_t *out) {
    size_t digits = 0;
    uint64_t value;
    while (digits < reader->rest.len && reader->rest.data[digits] >= '0' && reader->rest.data[digits] <= '9') {
        digits++;
    }
    if (!str_parse_u64((struct str){reader->rest.data, digits}, NETWORK_TIMES_MAX, &value)) {
        return is_wrong(reader, "a repetition's count is none, or too large");
    }
    skip(reader, digits);
    *out = (uint32_t)value;
    return true;
}

static bool read_times(struct reader *reader, struct times *out) {
    *out = (struct times){1, 1};
    if (take(reader, '?')) {
        *out = (struct times){0, 1};
    } else if (take(reader, '*')) {
        *out = (struct times){0, UINT32_MAX};
    } else if (take(reader, '+')) {
        *out = (struct times){1, UINT32_MAX};
    } else if (take(reader, '{')) {
        if (!take_count(reader, &out->least)) {
            return false;
        }
        out->most = out->least;
        if (take(reader, ',')) {
            out->most = UINT32_MAX;
            if (peek(reader) != '}' && !take_count(reader, &out->most)) {
                return false;
            }
        }
        if (!take(reader, '}') || out->most < out->least) {
            return is_wrong(reader, "a repetition has no end");
        }
    }
    return true;
}

static bool add_call(struct reader *reader, uint32_t from, uint32_t to, uint32_t rule) {
    return add_step(reader, from, (struct network_step){.kind = NETWORK_RULE, .to = to, .rule = rule});
}

/* From its state after `least` times, and from each later one, one may go on to the end. */
static bool repeat_counted(struct reader *reader, struct times times, struct piece *piece) {
    const struct piece out = {.begin = new_state(reader), .end = new_state(reader)};
    const bool endless = times.most == UINT32_MAX;
    const uint32_t steps = endless ? times.least : times.most;
    uint32_t rule = 0, at = out.begin;
    if (!add_rule(reader, *piece, &rule)) {
        return false;
    }
    for (uint32_t i = 0; i < steps; i++) {
        const uint32_t next = new_state(reader);
        if ((i >= times.least && !add_empty(reader, at, out.end)) || !add_call(reader, at, next, rule)) {
            return false;
        }
        at = next;
    }
    *piece = out;
    return (!endless || add_call(reader, at, at, rule)) && add_empty(reader, at, out.end);
}

static bool repeat(struct reader *reader, struct times times, struct piece *piece) {
    if (times.least == 1 && times.most == 1) {
        return true;
    }
    if (times.least > 1 || (times.most != 1 && times.most != UINT32_MAX)) {
        return repeat_counted(reader, times, piece);
    }
    const struct piece out = {.begin = new_state(reader), .end = new_state(reader)};
    const struct piece inner = *piece;
    *piece = out;
    return add_empty(reader, out.begin, inner.begin) && add_empty(reader, inner.end, out.end) &&
           (times.least > 0 || add_empty(reader, out.begin, out.end)) &&
           (times.most == 1 || add_empty(reader, inner.end, inner.begin));
}

/* --- Rules --- */

static bool read_choice(struct reader *reader, struct piece *out);

static bool read_group(struct reader *reader, struct piece *out) {
    if (++reader->depth > NETWORK_DEPTH_MAX) {
        return is_large(reader);
    }
    const bool good = read_choice(reader, out) && (take(reader, ')') || is_wrong(reader, "a group has no end"));
    reader->depth--;
    return good;
}

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static struct str take_name(struct reader *reader) {
    struct str name = {reader->rest.data, 0};
    while (name.len < reader->rest.len && is_name_byte(name.data[name.len])) {
        name.len++;
    }
    skip(reader, name.len);
    return name;
}

static bool read_reference(struct reader *reader, struct piece *out) {
    const struct str name = take_name(reader);
    uint32_t rule;
    if (name.len == 0) {
        return is_wrong(reader, "there is something that is no part of a rule");
    }
    *out = (struct piece){.begin = new_state(reader), .end = new_state(reader)};
    return find_rule(reader, name, &rule) && add_call(reader, out->begin, out->end, rule);
}

static bool read_item(struct reader *reader, struct piece *out) {
    struct times times;
    const bool good = take(reader, '"')   ? read_text(reader, out)
                      : take(reader, '[') ? read_class(reader, out)
                      : take(reader, '(') ? read_group(reader, out)
                                          : read_reference(reader, out);
    return good && read_times(reader, &times) && repeat(reader, times, out);
}

/* Items one after the other, up to '|', ')' or the line's end. */
static bool read_items(struct reader *reader, struct piece piece) {
    uint32_t at = piece.begin;
    for (skip_blanks(reader); reader->rest.len > 0 && strchr("|)\n", peek(reader)) == NULL; skip_blanks(reader)) {
        struct piece item;
        if (!read_item(reader, &item) || !add_empty(reader, at, item.begin)) {
            return false;
        }
        at = item.end;
    }
    return add_empty(reader, at, piece.end);
}

static bool read_choice(struct reader *reader, struct piece *out) {
    const struct piece piece = {.begin = new_state(reader), .end = new_state(reader)};
    *out = piece;
    do {
        if (!read_items(reader, piece)) {
            return false;
        }
    } while (take(reader, '|'));
    return true;
}

static bool read_rule(struct reader *reader) {
    const struct str name = take_name(reader);
    uint32_t number;
    struct piece body;
    skip_blanks(reader);
    if (name.len == 0 || !str_starts_with(reader->rest, STR("::="))) {
        return is_wrong(reader, "a line is no rule");
    }
    skip(reader, 3);
    if (!find_rule(reader, name, &number) || !read_choice(reader, &body)) {
        return false;
    }
    struct network_rule *rule = &reader->out->rules[number];
    if (rule->end != UINT32_MAX) {
        return is_wrong(reader, "a rule is there twice");
    }
    rule->end = body.end;
    return add_empty(reader, rule->begin, body.begin) &&
           (reader->rest.len == 0 || take(reader, '\n') || is_wrong(reader, "a group ends that did not begin"));
}

static bool read_rules(struct reader *reader) {
    while (reader->rest.len > 0) {
        if (!take(reader, '\n') && !read_rule(reader)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < reader->out->rule_count; i++) {
        if (reader->out->rules[i].end == UINT32_MAX) {
            return is_wrong(reader, "a rule is missing");
        }
    }
    struct named_rule *root;
    HASH_FIND(hh, reader->names, "root", 4, root);
    reader->out->root = root == NULL ? 0 : root->number;
    return root != NULL || is_wrong(reader, "the rule root is missing");
}

/* By the state in which they begin: a counting sort, which leaves those of one state in the order they were read. */
static void sort_steps(struct reader *reader) {
    struct network *out = reader->out;
    out->steps = mem_calloc(reader->step_count + 1, sizeof(*out->steps));
    out->steps_of = mem_calloc((size_t)out->state_count + 2, sizeof(*out->steps_of));
    for (size_t i = 0; i < reader->step_count; i++) {
        out->steps_of[reader->steps[i].from + 2]++;
    }
    for (uint32_t state = 0; state < out->state_count; state++) {
        out->steps_of[state + 2] += out->steps_of[state + 1];
    }
    for (size_t i = 0; i < reader->step_count; i++) {
        out->steps[out->steps_of[reader->steps[i].from + 1]++] = reader->steps[i].step;
    }
}

static void names_free(struct named_rule *names) {
    struct named_rule *name = names; /* which stay linked in their order when the table is gone */
    HASH_CLEAR(hh, names);
    while (name != NULL) {
        struct named_rule *next = name->hh.next;
        free(name);
        name = next;
    }
}

bool network_read(struct str gbnf, size_t steps_max, struct network *out, struct err *err) {
    struct reader reader = {.rest = gbnf, .err = err, .out = out, .steps_max = steps_max};
    *out = (struct network){0};
    const bool good = read_rules(&reader);
    if (good) {
        sort_steps(&reader);
    } else {
        network_clear(out);
    }
    names_free(reader.names);
    free(reader.steps);
    return good;
}

size_t network_bytes(const struct network *network) {
    const size_t steps = network->state_count > 0 ? network->steps_of[network->state_count] : 0;
    return steps * sizeof(*network->steps) + network->state_count * sizeof(*network->steps_of) +
           network->rule_count * sizeof(*network->rules);
}

void network_clear(struct network *network) {
    free(network->steps);
    free(network->steps_of);
    free(network->rules);
    *network = (struct network){0};
}
