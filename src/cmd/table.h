/* What commands print for a person: members of JSON answers as text, in rows of columns or as lines with labels. */
#ifndef NATARIS_CMD_TABLE_H
#define NATARIS_CMD_TABLE_H

#include "base/json_read.h"

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_CELL_SIZE = 300 };

struct table_column {
    const char *title;
    int width; /* in bytes; negative: to the left; 0: as long as it comes, which only the last column may be */
    const char *member;
    size_t max; /* bytes shown at most; 0: as many as a cell holds */
    /* Makes the cell's text from the whole item, when it is no member; returns `out`. */
    const char *(*text)(struct json_value item, char *out, size_t size);
};

struct table {
    const struct table_column *columns;
    size_t count;
    const char *option, *member; /* how to get further rows: "--after" and the last row's member that it wants */
};

/* A member as text: strings as they are, numbers, "yes" and "no", "-" for null; cut to `size`. Nothing of it steers the
 * terminal. Returns `out`. */
const char *table_cell(struct json_value object, const char *name, char *out, size_t size);
/* Any other text of an answer likewise: cut to `size`, and nothing of it steers the terminal. Returns `out`. */
const char *table_clean(struct str text, char *out, size_t size);
/* Whether the member is there and true. */
bool table_flag(struct json_value object, const char *name);

void table_print_titles(const struct table *table);
/* A row of as many cells as the table has columns, for what is not JSON. */
void table_print_row(const struct table *table, const char *const *cells);
/* The titles, a row for each of the list's data, and how to get further ones. */
void table_print_list(const struct table *table, struct json_value list);
/* Calls `print` for each of the list's data, then says how to get further ones. */
void table_print_items(struct json_value list, void (*print)(struct json_value item), const char *option,
                       const char *member);

struct table_line {
    const char *label, *member;
};
/* "Label    value" for each member; `width` is that of the labels. */
void table_print_lines(struct json_value object, int width, const struct table_line *lines, size_t count);

#endif
