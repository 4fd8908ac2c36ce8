/* The figures of docs/AUDITS.md: what was measured of real engines (docs/audits.csv, a line an answer), drawn again and
 * again through the real sums. With --table it prints the table for the document; without, the document must have
 * it. */
#include "core/audit.h"

#include "base/file.h"
#include "base/random_source.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ANSWERS_MAX = 4000,
    CELLS_MAX = 128,
    NAME_MAX_BYTES = 96,
    FIELDS = 11,                 /* before the name of the cell */
    HONEST_AUDITS = 1000 * 1000, /* drawn of each model's honest answers */
    LIARS = 1000,                /* drawn of each other cell ... */
    PATIENCE = 300,              /* ... each with so many answers at most */
    TEXT_MAX_BYTES = 64 * 1024,
};

static const char *const MODELS[] = {"SmolLM2 as SmolLM2", "0.5B as 0.5B", "1.5B as 1.5B"};

struct answer {
    struct core_audit_found found;
    unsigned near, far;
    double generate_ms, score_ms;
};

struct cell {
    char name[NAME_MAX_BYTES];
    bool honest;
    size_t first, count;
};

static struct answer answers[ANSWERS_MAX];
static struct cell cells[CELLS_MAX];
static size_t answer_count, cell_count;

static void take_line(const char *line) {
    struct answer *answer = &answers[answer_count];
    struct core_audit_found *found = &answer->found;
    double fields[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
        char *end = NULL;
        fields[i] = strtod(line, &end);
        assert_true(end != line && *end == ',');
        line = end + 1;
    }
    found->tokens = (uint32_t)fields[1];
    answer->near = (unsigned)fields[2];
    answer->far = (unsigned)fields[3];
    found->contradicts = fields[4] > 0;
    memcpy(found->ratios, fields + 5, sizeof(found->ratios));
    answer->generate_ms = fields[9];
    answer->score_ms = fields[10];
    if (cell_count == 0 || strcmp(cells[cell_count - 1].name, line) != 0) {
        assert_true(cell_count < CELLS_MAX);
        cells[cell_count] = (struct cell){.honest = fields[0] > 0, .first = answer_count};
        assert_true(str_copy(cells[cell_count].name, NAME_MAX_BYTES, str_from(line)));
        cell_count++;
    }
    cells[cell_count - 1].count++;
    answer_count++;
    assert_true(answer_count < ANSWERS_MAX);
}

static int read_answers(void **state) {
    char line[512];
    FILE *file = fopen(NATARIS_SOURCE_DIR "/docs/audits.csv", "r");
    (void)state;
    if (file == NULL || fgets(line, sizeof(line), file) == NULL) {
        return 1;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        take_line(line);
    }
    return fclose(file);
}

static const struct core_audit_found *draw(struct random_source *random, const struct cell *cell) {
    return &answers[cell->first + random_below(random, cell->count)].found;
}

/* How many of many audits of honest devices take one past the bound. All answers of a model are drawn from: of a few
 * answers of one cell each sequence is a likely one. */
static unsigned false_alarms(const char *of, size_t *count) {
    static const struct core_audit_found *honest[ANSWERS_MAX];
    struct random_source random = {.state = 1};
    struct core_audit audit = {0};
    unsigned alarms = 0;
    *count = 0;
    for (size_t i = 0; i < cell_count; i++) {
        for (size_t k = 0; cells[i].honest && strstr(cells[i].name, of) != NULL && k < cells[i].count; k++) {
            honest[(*count)++] = &answers[cells[i].first + k].found;
        }
    }
    assert_true(*count > 0);
    for (int i = 0; i < HONEST_AUDITS; i++) {
        if (core_audit_add(&audit, honest[random_below(&random, *count)]) == CORE_AUDIT_FAILED) {
            alarms++;
            audit = (struct core_audit){0};
        }
    }
    return alarms;
}

/* After how many answers such devices are found; index 0 counts nothing. */
static void find_liars(const struct cell *cell, unsigned found_after[PATIENCE + 1]) {
    struct random_source random = {.state = 2};
    for (int i = 0; i < LIARS; i++) {
        struct core_audit audit = {0};
        for (unsigned count = 1; count <= PATIENCE; count++) {
            if (core_audit_add(&audit, draw(&random, cell)) == CORE_AUDIT_FAILED) {
                found_after[count]++;
                break;
            }
        }
    }
}

/* So many answers find `percent` of 100 such devices; 0: more than PATIENCE. */
static unsigned answers_needed(const struct cell *cell, unsigned percent) {
    unsigned found_after[PATIENCE + 1] = {0}, seen = 0;
    find_liars(cell, found_after);
    for (unsigned count = 1; count <= PATIENCE; count++) {
        seen += found_after[count];
        if (seen * 100 >= LIARS * percent) {
            return count;
        }
    }
    return 0;
}

/* Of an honest device what scoring takes of the CPU of generating; of others, when they are found. */
static void verdict_of(const struct cell *cell, double share, char *out, size_t size) {
    if (cell->honest) {
        (void)snprintf(out, size, "%.0f%%", 100 * share);
        return;
    }
    const unsigned half = answers_needed(cell, 50), needed = answers_needed(cell, 95);
    if (needed > 0) {
        (void)snprintf(out, size, "found in %u, %u", half, needed);
    } else if (half > 0) {
        (void)snprintf(out, size, "found in %u, not in %d", half, PATIENCE);
    } else {
        (void)snprintf(out, size, "not found in %d", PATIENCE);
    }
}

static void row_of(const struct cell *cell, char *out, size_t size) {
    double ratios[CORE_AUDIT_SUMS] = {0}, generate_ms = 0, score_ms = 0;
    unsigned tokens = 0, near = 0, far = 0;
    char verdict[48];
    for (size_t i = cell->first; i < cell->first + cell->count; i++) {
        const struct answer *answer = &answers[i];
        tokens += answer->found.tokens;
        near += answer->near;
        far += answer->far;
        generate_ms += answer->generate_ms;
        score_ms += answer->score_ms;
        for (int k = 0; k < CORE_AUDIT_SUMS; k++) {
            ratios[k] += answer->found.ratios[k] / (double)cell->count;
        }
    }
    verdict_of(cell, score_ms / generate_ms, verdict, sizeof(verdict));
    (void)snprintf(out, size, "| %s | %zu | %u | %u | %u | %.1f | %.1f | %.1f | %.1f | %s |", cell->name, cell->count,
                   tokens, near, far, ratios[0], ratios[1], ratios[2], ratios[3], verdict);
}

static void test_the_document_has_the_table(void **state) {
    static char text[TEXT_MAX_BYTES];
    char row[512];
    (void)state;
    FILE *file = fopen(NATARIS_SOURCE_DIR "/docs/AUDITS.md", "r");
    assert_non_null(file);
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[length] = '\0';
    for (size_t i = 0; i < cell_count; i++) {
        row_of(&cells[i], row, sizeof(row));
        if (strstr(text, row) == NULL) {
            fail_msg("docs/AUDITS.md is without (make it anew: test_core_audit_figures --table)\n%s", row);
        }
    }
}

static void test_no_honest_device_is_set_aside(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(MODELS) / sizeof(MODELS[0]); i++) {
        size_t count = 0;
        assert_int_equal(false_alarms(MODELS[i], &count), 0);
        assert_true(count >= 20);
    }
}

/* What the document promises. */
static void test_wholesale_cheats_are_found(void **state) {
    static const char *const PROMISED[] = {"0.5B as 1.5B", "built-in as", "replayed", "padded", "cut"};
    unsigned seen = 0;
    (void)state;
    for (size_t i = 0; i < cell_count; i++) {
        for (size_t k = 0; k < sizeof(PROMISED) / sizeof(PROMISED[0]); k++) {
            if (!cells[i].honest && strstr(cells[i].name, PROMISED[k]) != NULL) {
                const unsigned needed = answers_needed(&cells[i], 95);
                if (needed == 0 || needed > 20) {
                    fail_msg("%s is found in %u answers", cells[i].name, needed);
                }
                seen++;
            }
        }
    }
    assert_true(seen >= 5);
}

/* How many answers there are, and what scoring takes of the CPU of generating where no cache and no long prompt plays a
 * part. */
static void print_sums(void) {
    unsigned honest = 0, tokens = 0, near = 0, far = 0;
    double generate_ms = 0, score_ms = 0;
    for (size_t i = 0; i < cell_count; i++) {
        const struct cell *cell = &cells[i];
        const bool plain = strstr(cell->name, "cached") == NULL && strstr(cell->name, "long") == NULL;
        for (size_t k = cell->first; cell->honest && k < cell->first + cell->count; k++) {
            honest++;
            tokens += answers[k].found.tokens;
            near += answers[k].near;
            far += answers[k].far;
            generate_ms += plain ? answers[k].generate_ms : 0;
            score_ms += plain ? answers[k].score_ms : 0;
        }
    }
    printf("%u answers of honest devices with %u tokens, of which %u were near and %u far; %zu of others\n", honest,
           tokens, near, far, answer_count - honest);
    printf("a score takes %.0f%% of the CPU of generating\n", 100 * score_ms / generate_ms);
}

static int print_table(void) {
    if (read_answers(NULL) != 0) {
        return 1;
    }
    for (size_t i = 0; i < cell_count; i++) {
        char row[512];
        row_of(&cells[i], row, sizeof(row));
        puts(row);
    }
    for (size_t i = 0; i < sizeof(MODELS) / sizeof(MODELS[0]); i++) {
        size_t honest = 0;
        const unsigned alarms = false_alarms(MODELS[i], &honest);
        printf("%s: %u false alarms in %d audits drawn from %zu answers\n", MODELS[i], alarms, HONEST_AUDITS, honest);
    }
    print_sums();
    return 0;
}

int main(int count, char **words) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_document_has_the_table),
        cmocka_unit_test(test_no_honest_device_is_set_aside),
        cmocka_unit_test(test_wholesale_cheats_are_found),
    };
    if (count == 2 && strcmp(words[1], "--table") == 0) {
        return print_table();
    }
    return cmocka_run_group_tests(tests, read_answers, NULL);
}
