/* The files in which receipts and the heads of days are handed out (docs/RECEIPTS.md): JSON whose every member is
 * either of what was signed or proven by it. */
#ifndef NATARIS_WIRE_RECEIPT_FILE_H
#define NATARIS_WIRE_RECEIPT_FILE_H

#include "wire/receipt.h"

struct receipt_file {
    struct receipt receipt;
    struct receipt_link link;
    bool has_salt; /* false: the account was erased since */
    uint8_t salt[RECEIPT_SALT_SIZE];
    struct receipt_signature gateway;
};

struct receipt_head_file {
    struct receipt_head head;
    struct receipt_signature gateway;
};

/* Each writes one JSON object. */
void receipt_file_write(const struct receipt_file *file, struct json_writer *writer);
void receipt_head_file_write(const struct receipt_head_file *file, struct json_writer *writer);

/* Each reads what the former wrote, and nothing more: a member that is not of it, or one too many, is ERR_INVALID,
 * since nobody would have signed what it says. Strings are borrowed from the parser's document. */
MUST_CHECK bool receipt_file_read(struct json_value root, struct receipt_file *out, struct err *err);
MUST_CHECK bool receipt_head_file_read(struct json_value root, struct receipt_head_file *out, struct err *err);

#endif
