/* JSON schemas of strangers, and regular expressions in them. The first byte chooses strictness. Properties: nothing
 * harms or takes long; a refusal names a place and says why; what is made is bounded, refers only to rules that it has,
 * can be read by devices, and is the same again; what strictness accepts is accepted without it, too. */
#include "grammar/matcher.h"
#include "grammar/network.h"
#include "grammar/schema.h"

#include <stdlib.h>
#include <string.h>

static struct json_parser *parser;

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool make(struct json_value root, bool strict, struct gbnf *gbnf, struct err *err) {
    const struct schema_source source = {.schema = root, .field = "schema", .strict = strict};
    struct buf body;
    err_clear(err);
    gbnf_init(gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    const bool good = schema_append(&source, gbnf, &body, err);
    if (!good) {
        check(err->message[0] != '\0' && strncmp(err->field, "schema", 6) == 0);
    }
    const bool finished = good && gbnf_finish(gbnf, &body);
    check(gbnf->text.len <= GBNF_BYTES_MAX);
    buf_clear(&body);
    return finished;
}

/* Every "r<number>" is one that was written. */
static void check_rules(const struct gbnf *gbnf) {
    bool *written = calloc(gbnf->rules + 1, sizeof(*written));
    struct str line, rest = buf_str(&gbnf->text);
    check(written != NULL);
    while (str_split(rest, '\n', &line, &rest)) {
        if (line.len > 1 && line.data[0] == 'r' && line.data[1] >= '0' && line.data[1] <= '9') {
            const unsigned long number = strtoul(line.data + 1, NULL, 10);
            check(number < gbnf->rules && !written[number]);
            written[number] = true;
        }
    }
    for (uint32_t i = 0; i < gbnf->rules; i++) {
        check(written[i]);
    }
    free(written);
}

/* By a device; what is too large for one is refused there. */
static void check_readable(const struct gbnf *gbnf) {
    struct err err;
    struct matcher *matcher = matcher_new(buf_str(&gbnf->text), NETWORK_STEPS_MAX, &err);
    check(matcher != NULL || err.code == ERR_TOO_LARGE);
    matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json_value root;
    struct gbnf gbnf, again;
    struct err err;
    if (parser == NULL) {
        parser = json_parser_new(1 << 20, 64);
    }
    if (size < 1 || !json_parse(parser, (struct str){(const char *)data + 1, size - 1}, &root, NULL)) {
        return 0;
    }
    const bool strict = (data[0] & 1) != 0, good = make(root, strict, &gbnf, &err);
    check(make(root, strict, &again, &err) == good && str_equal(buf_str(&gbnf.text), buf_str(&again.text)));
    gbnf_clear(&again);
    if (good) {
        check_rules(&gbnf);
        check_readable(&gbnf);
        check(!strict || make(root, false, &again, &err));
        if (strict) {
            gbnf_clear(&again);
        }
    }
    gbnf_clear(&gbnf);
    return 0;
}
