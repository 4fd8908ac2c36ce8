/* Receipts. Property: bytes that are read are written again to bytes that are read alike; so is a file.
 */
#include "wire/receipt_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(struct str bytes) {
    static struct receipt receipt, again;
    struct buf out;
    struct err err;
    if (!receipt_read_bytes(bytes, &receipt, &err)) {
        return;
    }
    buf_init(&out, RECEIPT_FILE_BYTES);
    receipt_write_bytes(&receipt, &out);
    if (out.overflow || !receipt_read_bytes(buf_str(&out), &again, &err) || again.part_count != receipt.part_count) {
        abort();
    }
    buf_clear(&out);
}

static void check_file(struct str text) {
    static struct receipt_file file, again;
    struct json_parser *parser = json_parser_new(RECEIPT_FILE_BYTES, 16);
    struct json_value root;
    struct err err;
    if (json_parse(parser, text, &root, &err) && receipt_file_read(root, &file, &err)) {
        struct buf out;
        struct json_writer writer;
        buf_init(&out, 2 * RECEIPT_FILE_BYTES);
        json_writer_init(&writer, &out);
        receipt_file_write(&file, &writer);
        if (out.overflow || !json_parse(parser, buf_str(&out), &root, &err) || !receipt_file_read(root, &again, &err) ||
            again.link.place != file.link.place || again.receipt.part_count != file.receipt.part_count) {
            abort();
        }
        buf_clear(&out);
    }
    json_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct str text = {(const char *)data, size};
    check_bytes(text);
    check_file(text);
    return 0;
}
