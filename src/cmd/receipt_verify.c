#include "cmd/receipt_verify.h"

#include "base/file.h"
#include "base/money.h"
#include "cmd/table.h"
#include "wire/limits.h"
#include "wire/receipt_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_FILE_BYTES = 64 * 1024 * 1024, TEXT_FILE_BYTES = 64 * 1024 * 1024, WORDS_MAX = 300 };

struct verify_config {
    const char *file, *key, *head, *chain, *request, *answer, *config;
};

/* --- Files --- */

struct document {
    struct buf text;
    struct json_parser *parser;
    struct json_value root;
};

static bool document_read(struct document *document, const char *path, size_t limit, struct err *err) {
    struct err why = {0};
    buf_init(&document->text, limit);
    document->parser = json_parser_new(limit, LIMIT_JSON_DEPTH);
    if (!file_read(path, &document->text, err)) {
        return false;
    }
    return json_parse(document->parser, buf_str(&document->text), &document->root, &why) ||
           err_set(err, ERR_INVALID, "%s: %s", path, why.message);
}

static void document_clear(struct document *document) {
    json_parser_free(document->parser);
    buf_clear(&document->text);
}

/* --- What is told --- */

static void tell(const char *what, bool good, const char *words) {
    printf("%-10s %-5s  %s\n", what, good ? "good" : "WRONG", words);
}

static void tell_receipt(const struct receipt_file *file) {
    const struct receipt *receipt = &file->receipt;
    char id[WORDS_MAX], model[WORDS_MAX], amount[MONEY_TEXT_SIZE], day[RECEIPT_DAY_SIZE];
    receipt_day_name(file->link.day, day);
    printf("receipt    %s, number %" PRId64 " of %s: %s, %" PRIu32 " + %" PRIu32 " tokens, $%s\n",
           table_clean(receipt->id, id, sizeof(id)), file->link.place, day,
           table_clean(receipt->model, model, sizeof(model)), receipt->prompt_tokens, receipt->completion_tokens,
           money_format_usd(receipt->charge_nano, amount));
}

/* --- The gateway --- */

static void link_hash(const struct receipt_file *file, uint8_t hash[DIGEST_SHA256_SIZE]) {
    struct buf bytes;
    buf_init(&bytes, RECEIPT_FILE_BYTES);
    receipt_write_bytes(&file->receipt, &bytes);
    receipt_hash(&file->link, buf_str(&bytes), hash);
    buf_clear(&bytes);
}

/* Whose key it is a file cannot say. */
static bool check_key(const struct verify_config *config, const uint8_t public_key[ED25519_KEY_SIZE], struct err *err) {
    uint8_t wanted[ED25519_KEY_SIZE];
    char hex[DIGEST_HEX_SIZE], words[WORDS_MAX];
    digest_hex(public_key, ED25519_KEY_SIZE, hex);
    if (config->key == NULL) {
        snprintf(words, sizeof(words), "%s (nothing says whose it is: compare, or give --key)", hex);
        printf("%-10s %-5s  %s\n", "key", "-", words);
        return true;
    }
    if (!digest_from_hex(str_from(config->key), wanted, sizeof(wanted))) {
        return err_set(err, ERR_INVALID, "--key is the gateway's public key, 64 hex digits");
    }
    const bool same = memcmp(wanted, public_key, sizeof(wanted)) == 0;
    tell("key", same, same ? hex : "it is signed by another key than --key");
    return same;
}

static bool check_sums(const struct receipt_file *file) {
    const struct receipt *receipt = &file->receipt;
    uint8_t name[RECEIPT_NAME_SIZE];
    uint64_t tokens = 0;
    for (size_t i = 0; i < receipt->part_count; i++) {
        tokens += receipt->parts[i].tokens;
    }
    const bool adds_up = tokens == receipt->completion_tokens;
    receipt_name(file->salt, name);
    const bool named = !file->has_salt || memcmp(name, receipt->name, sizeof(name)) == 0;
    if (!adds_up) {
        tell("parts", false, "the tokens of its devices are not those that were billed");
    }
    if (!named) {
        tell("salt", false, "it is not the salt of this receipt");
    }
    return adds_up && named;
}

static bool check_gateway(const struct receipt_file *file, const uint8_t hash[DIGEST_SHA256_SIZE]) {
    const bool good = receipt_verify(&file->gateway, hash);
    tell("gateway", good,
         good ? "its signature is over all that the receipt says, and over its place in the chain"
              : "its signature is not over this: something was changed, or another key has signed");
    return good;
}

/* --- The devices --- */

static bool check_device(const struct receipt_file *file, const struct receipt_part *part) {
    char id[WORDS_MAX], words[2 * WORDS_MAX];
    (void)table_clean(part->device_id, id, sizeof(id));
    if (!part->has_claim) {
        printf("%-10s %-5s  %s has signed nothing: it was lost, or its program is an older one\n", "device", "-", id);
        return true;
    }
    const struct receipt_claim *claim = &part->claim;
    if (!receipt_claim_verify(claim, file->receipt.name, part->attempt, part->public_key)) {
        snprintf(words, sizeof(words), "%s has not signed what is said of it", id);
        tell("device", false, words);
        return false;
    }
    const bool same = memcmp(claim->sha256, part->sha256, sizeof(part->sha256)) == 0;
    snprintf(words, sizeof(words), "%s has signed %s, of %" PRIu32 " + %" PRIu32 " tokens as it counts", id,
             same ? "the very text that was delivered" : "a longer or another text than was delivered",
             claim->prompt_tokens, claim->completion_tokens);
    tell("device", true, words);
    return true;
}

static bool check_devices(const struct receipt_file *file) {
    bool good = true;
    for (size_t i = 0; i < file->receipt.part_count; i++) {
        good = check_device(file, &file->receipt.parts[i]) && good;
    }
    return good;
}

/* --- What the buyer has kept --- */

static bool check_text(const struct receipt_file *file, const char *what, const char *path,
                       const uint8_t wanted[DIGEST_SHA256_SIZE], bool *good, struct err *err) {
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct buf text;
    if (path == NULL) {
        return true;
    }
    buf_init(&text, TEXT_FILE_BYTES);
    if (!file_read(path, &text, err)) {
        buf_clear(&text);
        return false;
    }
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, file->salt, sizeof(file->salt));
    digest_stream_update(stream, text.data, text.len);
    digest_stream_finish(stream, sha256);
    buf_clear(&text);
    const bool same = file->has_salt && digest_equal(sha256, wanted, sizeof(sha256));
    tell(what, same,
         same             ? "it is this very text"
         : file->has_salt ? "it is another text"
                          : "this cannot be told any more: the account was erased, and the salt with it");
    *good = *good && same;
    return true;
}

/* --- The chain --- */

/* From the receipt on, by the hashes of those behind it, as far as the head. */
static bool follow(const struct json_value list, const struct receipt_head *head, struct receipt_link *link,
                   uint8_t hash[DIGEST_SHA256_SIZE]) {
    struct json_iterator iterator;
    struct json_value data, item;
    if (!json_get(list, "data", &data)) {
        return false;
    }
    for (json_iterate(data, &iterator); link->place < head->count && json_next(&iterator, NULL, &item);) {
        uint8_t leaf[DIGEST_SHA256_SIZE];
        struct str text;
        if (!json_as_str(item, &text) || !digest_from_hex(text, leaf, sizeof(leaf))) {
            return false;
        }
        link->place++;
        memcpy(link->previous, hash, sizeof(link->previous));
        receipt_hash_on(link, leaf, hash);
    }
    return link->place == head->count && memcmp(hash, head->hash, sizeof(head->hash)) == 0;
}

static bool follow_file(const struct verify_config *config, const struct receipt_head *head, struct receipt_link *link,
                        uint8_t hash[DIGEST_SHA256_SIZE], bool *good, struct err *err) {
    struct document chain = {0};
    const bool ok = document_read(&chain, config->chain, CHAIN_FILE_BYTES, err);
    if (ok) {
        *good = follow(chain.root, head, link, hash);
        tell("chain", *good,
             *good ? "the head follows from the receipt" : "the head does not follow from the receipt by these hashes");
    }
    document_clear(&chain);
    return ok;
}

static bool check_under(const struct verify_config *config, const struct receipt_file *file,
                        const struct receipt_head_file *head, const uint8_t hash[DIGEST_SHA256_SIZE], bool *good,
                        struct err *err) {
    struct receipt_link link = file->link;
    uint8_t end[DIGEST_SHA256_SIZE];
    memcpy(end, hash, sizeof(end));
    if (memcmp(head->gateway.public_key, file->gateway.public_key, sizeof(head->gateway.public_key)) != 0 ||
        !receipt_head_verify(&head->gateway, &head->head)) {
        tell("head", *good = false, "it is not signed by the key that has signed the receipt");
    } else if (head->head.day != link.day || head->head.count < link.place) {
        tell("head", *good = false, "it is of another day, or of a time before this receipt");
    } else if (head->head.count == link.place) {
        *good = memcmp(end, head->head.hash, sizeof(end)) == 0;
        tell("head", *good, *good ? "this receipt is its last one" : "its last receipt is another one than this");
    } else if (config->chain == NULL) {
        *good = false;
        tell("head", false,
             "it comes after this receipt: give --chain FILE, of GET /v1/receipts/chain?day=DAY&after=NUMBER");
    } else {
        return follow_file(config, &head->head, &link, end, good, err);
    }
    return true;
}

static bool check_head(const struct verify_config *config, const struct receipt_file *file,
                       const uint8_t hash[DIGEST_SHA256_SIZE], bool *good, struct err *err) {
    struct document document = {0};
    struct receipt_head_file head;
    bool under = true;
    if (config->head == NULL) {
        return true;
    }
    const bool ok = document_read(&document, config->head, RECEIPT_FILE_BYTES, err) &&
                    receipt_head_file_read(document.root, &head, err) &&
                    check_under(config, file, &head, hash, &under, err);
    document_clear(&document);
    *good = *good && under;
    return ok;
}

/* --- All of it --- */

static bool verify(const struct verify_config *config, const struct receipt_file *file, bool *good, struct err *err) {
    uint8_t hash[DIGEST_SHA256_SIZE];
    link_hash(file, hash);
    tell_receipt(file);
    *good = check_gateway(file, hash);
    *good = check_key(config, file->gateway.public_key, err) && *good;
    if (err->code != ERR_NONE) {
        return false;
    }
    *good = check_sums(file) && *good;
    *good = check_devices(file) && *good;
    return check_text(file, "request", config->request, file->receipt.request_sha256, good, err) &&
           check_text(file, "answer", config->answer, file->receipt.answer_sha256, good, err) &&
           check_head(config, file, hash, good, err);
}

static int run_verify(const void *parsed) {
    const struct verify_config *config = parsed;
    struct document document = {0};
    struct receipt_file file;
    struct err err = {0};
    bool good = false;
    const bool ok = document_read(&document, config->file, RECEIPT_FILE_BYTES, &err) &&
                    receipt_file_read(document.root, &file, &err) && verify(config, &file, &good, &err);
    document_clear(&document);
    if (!ok) {
        return command_fail(&err);
    }
    printf("%s\n", good ? "The receipt is genuine, as far as it was checked." : "The receipt is NOT to be believed.");
    return good ? COMMAND_OK : COMMAND_FAILED;
}

#define AT(member) offsetof(struct verify_config, member)
static const struct option OPTIONS[] = {
    {"file", OPTION_ARGUMENT, "FILE", NULL, "the receipt, as GET /v1/receipts/{id} gave it", AT(file)},
    {"key", OPTION_TEXT, "HEX", NULL, "the gateway's public key, as it is known from elsewhere", AT(key)},
    {"head", OPTION_TEXT, "FILE", NULL, "the head of its day, of GET /v1/receipts/head, that it must be under",
     AT(head)},
    {"chain", OPTION_TEXT, "FILE", NULL, "what is between the two, of GET /v1/receipts/chain", AT(chain)},
    {"request", OPTION_TEXT, "FILE", NULL, "the body of the request, which must be the one that was answered",
     AT(request)},
    {"answer", OPTION_TEXT, "FILE", NULL, "the answer's text, which must be the one that was delivered", AT(answer)},
    OPTION_CONFIG_FILE(struct verify_config, config),
};

const struct command COMMAND_RECEIPT_VERIFY = {.name = "receipt verify",
                                               .summary = "Check a receipt offline; exit status 1 if it is not genuine",
                                               .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                               .config_size = sizeof(struct verify_config),
                                               .run = run_verify};
