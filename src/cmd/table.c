#include "cmd/table.h"

#include "base/compiler.h"
#include "base/json_write.h"
#include "base/money.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 16 * 1024, LAST_SIZE = 64 };

/* Names are what devices and clients call themselves: nothing of them may steer the operator's terminal. */
const char *table_clean(struct str text, char *out, size_t size) {
    (void)str_copy(out, size, text);
    return utf8_neutralise(out);
}

const char *table_cell(struct json_value object, const char *name, char *out, size_t size) {
    struct json_value value = {0};
    struct str text = STR("-");
    char money[MONEY_TEXT_SIZE];
    struct buf digits;
    bool truth;
    buf_init(&digits, VALUE_MAX);
    (void)json_get(object, name, &value);
    if (json_as_bool(value, &truth)) {
        text = truth ? STR("yes") : STR("no");
    } else if (json_type_of(value) != JSON_NULL && !json_as_str(value, &text)) {
        json_serialize(value, &digits);
        text = buf_str(&digits);
        /* A double as JSON writes it may have an exponent, which is no way to write an amount. */
        int64_t nano;
        if (strstr(name, "_usd") != NULL && money_parse_usd(text, &nano)) {
            text = str_from(money_format_usd(nano, money));
        }
    }
    (void)table_clean(text, out, size);
    buf_clear(&digits);
    return out;
}

bool table_flag(struct json_value object, const char *name) {
    struct json_value value;
    bool truth = false;
    return json_get(object, name, &value) && json_as_bool(value, &truth) && truth;
}

/* A column of text behind one of numbers is set off, for the two would touch. */
static const char *gap_before(const struct table *table, size_t column) {
    if (column == 0) {
        return "";
    }
    return table->columns[column - 1].width > 0 && table->columns[column].width <= 0 ? "  " : " ";
}

static void print_cell(const struct table *table, size_t column, const char *text) {
    printf("%s%*s", gap_before(table, column), table->columns[column].width, text);
}

void table_print_titles(const struct table *table) {
    for (size_t i = 0; i < table->count; i++) {
        print_cell(table, i, table->columns[i].title);
    }
    printf("\n");
}

void table_print_row(const struct table *table, const char *const *cells) {
    for (size_t i = 0; i < table->count; i++) {
        print_cell(table, i, cells[i]);
    }
    printf("\n");
}

static void print_item(const struct table *table, struct json_value item) {
    char text[TABLE_CELL_SIZE];
    for (size_t i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];
        const size_t size = column->max > 0 && column->max < sizeof(text) ? column->max + 1 : sizeof(text);
        print_cell(table, i,
                   column->text != NULL ? column->text(item, text, size)
                                        : table_cell(item, column->member, text, size));
    }
    printf("\n");
}

static void print_more(struct json_value list, struct json_value last, const char *option, const char *member) {
    char text[LAST_SIZE];
    if (table_flag(list, "has_more")) {
        printf("There are more: %s %s\n", option, table_cell(last, member, text, sizeof(text)));
    }
}

void table_print_list(const struct table *table, struct json_value list) {
    struct json_value data, item = {0};
    struct json_iterator iterator;
    table_print_titles(table);
    if (json_get(list, "data", &data)) {
        for (json_iterate(data, &iterator); json_next(&iterator, NULL, &item);) {
            print_item(table, item);
        }
        print_more(list, item, table->option, table->member);
    }
}

void table_print_items(struct json_value list, void (*print)(struct json_value item), const char *option,
                       const char *member) {
    struct json_value data, item = {0};
    struct json_iterator iterator;
    if (json_get(list, "data", &data)) {
        for (json_iterate(data, &iterator); json_next(&iterator, NULL, &item);) {
            print(item);
        }
        print_more(list, item, option, member);
    }
}

void table_print_lines(struct json_value object, int width, const struct table_line *lines, size_t count) {
    char text[TABLE_CELL_SIZE];
    for (size_t i = 0; i < count; i++) {
        printf("%-*s %s\n", width, lines[i].label, table_cell(object, lines[i].member, text, sizeof(text)));
    }
}
