/* Generation requests: what can be read can be written, and reads back to the same text. */
#include "wire/generation.h"

#include <stdlib.h>

enum { MAX_BYTES = 1 << 20 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void write_request(const struct gen_request *request, struct buf *text) {
    struct json_writer writer;
    json_writer_init(&writer, text);
    json_begin_object(&writer);
    gen_request_write(request, &writer);
    json_end_object(&writer);
    check(!text->overflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct json_parser *parser;
    if (parser == NULL) {
        parser = json_parser_new(8 * MAX_BYTES, LIMIT_JSON_DEPTH);
    }
    struct json_value root;
    struct err err = {0};
    struct arena arena;
    struct gen_request request;
    arena_init(&arena, MAX_BYTES);
    if (json_parse(parser, (struct str){.data = (const char *)data, .len = size}, &root, &err) &&
        gen_request_read(root, &arena, &request, &err)) {
        struct buf first, second;
        buf_init(&first, 8 * MAX_BYTES);
        buf_init(&second, 8 * MAX_BYTES);
        write_request(&request, &first);
        arena_clear(&arena);
        check(json_parse(parser, buf_str(&first), &root, &err));
        check(gen_request_read(root, &arena, &request, &err));
        write_request(&request, &second);
        check(str_equal(buf_str(&first), buf_str(&second)));
        buf_clear(&first);
        buf_clear(&second);
    }
    arena_clear(&arena);
    return 0;
}
