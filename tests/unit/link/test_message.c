/* tests/vectors/link.json is the protocol (docs/PROTOCOL.md): the messages in it are decoded to the fields beside them
 * and encoded to the same bytes. A change of an exact one is a new version. */
#include "link/message.h"

#include "base/file.h"
#include "base/mem.h"
#include "support/hex.h"
#include "unit/link/message_fields.h"

#include <stdlib.h>

enum { VECTORS_MAX = 1024 * 1024, PAYLOAD_MAX = 8192, VECTORS_DEPTH = 16 };

struct fixture {
    struct buf file;
    struct json_parser *vectors, *fields, *parser;
    struct json_value root;
    struct arena arena;
    struct buf payload, out;
    struct link_message message;
    struct err err;
};

static int setup(void **state) {
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    buf_init(&f->file, VECTORS_MAX);
    buf_init(&f->payload, PAYLOAD_MAX);
    buf_init(&f->out, PAYLOAD_MAX);
    f->vectors = json_parser_new(VECTORS_MAX, VECTORS_DEPTH);
    f->fields = json_parser_new(PAYLOAD_MAX, VECTORS_DEPTH);
    f->parser = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&f->arena, LIMIT_LINK_MESSAGE_BYTES);
    *state = f;
    return file_read(NATARIS_SOURCE_DIR "/tests/vectors/link.json", &f->file, &f->err) &&
                   json_parse(f->vectors, buf_str(&f->file), &f->root, &f->err)
               ? 0
               : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    json_parser_free(f->vectors);
    json_parser_free(f->fields);
    json_parser_free(f->parser);
    arena_clear(&f->arena);
    buf_clear(&f->file);
    buf_clear(&f->payload);
    buf_clear(&f->out);
    return 0;
}

/* --- Reading the vectors --- */

static struct json_value member(struct json_value object, const char *key) {
    struct json_value value;
    if (!json_get(object, key, &value)) {
        fail_msg("a vector without %s", key);
    }
    return value;
}

static struct str text_of(struct json_value object, const char *key) {
    struct str text;
    assert_true(json_as_str(member(object, key), &text));
    return text;
}

static int64_t int_of(struct json_value object, const char *key) {
    int64_t number;
    assert_true(json_as_int64(member(object, key), &number));
    return number;
}

static bool bool_of(struct json_value object, const char *key) {
    bool truth;
    assert_true(json_as_bool(member(object, key), &truth));
    return truth;
}

/* The vector's message is in f->payload; true when it is binary. */
static bool read_payload(struct fixture *f, struct json_value vector) {
    struct json_value hex;
    buf_reset(&f->payload);
    if (!json_get(vector, "hex", &hex)) {
        buf_append_str(&f->payload, text_of(vector, "text"));
        return false;
    }
    hex_append(&f->payload, text_of(vector, "hex"));
    return true;
}

static enum link_version version_of(struct json_value vector) {
    enum link_version version;
    assert_true(link_version_from_number((uint32_t)int_of(vector, "version"), &version));
    return version;
}

static bool decode(struct fixture *f, struct json_value vector) {
    const bool binary = read_payload(f, vector);
    err_clear(&f->err);
    arena_clear(&f->arena);
    return binary
               ? link_decode_binary(version_of(vector), buf_str(&f->payload), &f->message, &f->err)
               : link_decode_text(version_of(vector), f->parser, &f->arena, buf_str(&f->payload), &f->message, &f->err);
}

static void each(struct fixture *f, const char *list, void (*visit)(struct fixture *f, struct json_value vector)) {
    struct json_iterator it;
    struct json_value vector;
    size_t count = 0;
    for (json_iterate(member(f->root, list), &it); json_next(&it, NULL, &vector); count++) {
        visit(f, vector);
    }
    assert_true(count > 0);
}

static void fail_vector(struct json_value vector, const char *problem, const char *got) {
    const struct str name = text_of(vector, "name");
    fail_msg("%.*s (version %d) %s: %s", STR_ARG(name), (int)int_of(vector, "version"), problem, got);
}

/* --- Equal values, whatever the order of members --- */

static bool values_equal(struct json_value a, struct json_value b);

static bool arrays_equal(struct json_value a, struct json_value b) {
    struct json_iterator ia, ib;
    struct json_value va, vb;
    json_iterate(a, &ia);
    json_iterate(b, &ib);
    while (json_next(&ia, NULL, &va)) {
        if (!json_next(&ib, NULL, &vb) || !values_equal(va, vb)) {
            return false;
        }
    }
    return true;
}

static bool objects_equal(struct json_value a, struct json_value b) {
    struct json_iterator it;
    struct json_value va, vb;
    struct str key;
    for (json_iterate(a, &it); json_next(&it, &key, &va);) {
        char name[64];
        assert_true(str_copy(name, sizeof(name), key));
        if (!json_get(b, name, &vb) || !values_equal(va, vb)) {
            return false;
        }
    }
    return true;
}

static bool scalars_equal(struct json_value a, struct json_value b) {
    struct str sa, sb;
    double da, db;
    bool ba, bb;
    if (json_as_str(a, &sa)) {
        return json_as_str(b, &sb) && str_equal(sa, sb);
    }
    if (json_as_double(a, &da)) {
        return json_as_double(b, &db) && !(da < db) && !(da > db);
    }
    if (json_as_bool(a, &ba)) {
        return json_as_bool(b, &bb) && ba == bb;
    }
    return true; /* both are null */
}

static bool values_equal(struct json_value a, struct json_value b) {
    if (json_type_of(a) != json_type_of(b) || json_count(a) != json_count(b)) {
        return false;
    }
    if (json_type_of(a) == JSON_ARRAY) {
        return arrays_equal(a, b);
    }
    return json_type_of(a) == JSON_OBJECT ? objects_equal(a, b) : scalars_equal(a, b);
}

/* --- The tests --- */

static void expect_fields(struct fixture *f, struct json_value vector) {
    struct json_value got;
    buf_reset(&f->out);
    message_fields(&f->out, &f->message);
    assert_true(json_parse(f->fields, buf_str(&f->out), &got, &f->err));
    if (!values_equal(member(vector, "fields"), got)) {
        fail_vector(vector, "gives other fields", buf_cstr(&f->out));
    }
}

static void expect_same_bytes(struct fixture *f, struct json_value vector) {
    buf_reset(&f->out);
    message_encode(&f->out, version_of(vector), &f->message);
    if (f->out.overflow || !str_equal(buf_str(&f->out), buf_str(&f->payload))) {
        fail_vector(vector, "is encoded otherwise", buf_cstr(&f->out));
    }
}

static void check_message(struct fixture *f, struct json_value vector) {
    if (!decode(f, vector)) {
        fail_vector(vector, "is refused", f->err.message);
    }
    if (!str_equal_cstr(text_of(vector, "kind"), link_kind_name(f->message.kind))) {
        fail_vector(vector, "is taken for", link_kind_name(f->message.kind));
    }
    expect_fields(f, vector);
    if (bool_of(vector, "exact")) {
        struct json_value hex;
        assert_int_equal(link_kind_is_binary(f->message.kind, version_of(vector)), json_get(vector, "hex", &hex));
        expect_same_bytes(f, vector);
    }
}

static void test_messages(void **state) {
    each(*state, "messages", check_message);
}

static void check_ignored(struct fixture *f, struct json_value vector) {
    if (!decode(f, vector) || f->message.kind != LINK_UNKNOWN) {
        fail_vector(vector, "is not ignored", f->err.message);
    }
}

static void test_ignored(void **state) {
    each(*state, "ignored", check_ignored);
}

static void check_refused(struct fixture *f, struct json_value vector) {
    if (decode(f, vector)) {
        fail_vector(vector, "is taken for", link_kind_name(f->message.kind));
    }
    assert_int_equal(f->err.code, ERR_INVALID);
    if (!str_equal_cstr(text_of(vector, "field"), f->err.field) || f->err.message[0] == '\0') {
        fail_vector(vector, "is refused for", f->err.field);
    }
}

static void test_refused(void **state) {
    each(*state, "refused", check_refused);
}

/* A binary message that breaks off anywhere is refused, or means less: a delta may end after any part, a
 * done before its signature. A copy of the
 * exact size lets the address sanitizer see a byte read behind the end. */
static void check_cut(struct fixture *f, struct json_value vector) {
    if (!read_payload(f, vector)) {
        return;
    }
    for (size_t len = 0; len < f->payload.len; len++) {
        struct link_message message;
        char *cut = mem_alloc(len + 1);
        memcpy(cut, f->payload.data, len);
        char *exact = mem_realloc(cut, len > 0 ? len : 1);
        err_clear(&f->err);
        if (link_decode_binary(version_of(vector), (struct str){exact, len}, &message, &f->err)) {
            buf_reset(&f->out);
            message_fields(&f->out, &message);
            const bool unsigned_done = message.kind == LINK_DONE && len >= LINK_DONE_SIZE && !message.done.has_claim;
            assert_true(message.kind == LINK_DELTA || unsigned_done || bool_of(vector, "exact") == false);
        } else {
            assert_int_equal(f->err.code, ERR_INVALID);
        }
        free(exact);
    }
}

static void test_cut_anywhere(void **state) {
    each(*state, "messages", check_cut);
}

static void check_negotiation(struct fixture *f, struct json_value vector) {
    uint32_t offered[LINK_HELLO_VERSIONS];
    size_t count = 0;
    struct json_iterator it;
    struct json_value number, chosen = member(vector, "chosen");
    enum link_version version;
    (void)f;
    for (json_iterate(member(vector, "offered"), &it); json_next(&it, NULL, &number); count++) {
        int64_t value;
        assert_true(count < COUNT_OF(offered) && json_as_int64(number, &value));
        offered[count] = (uint32_t)value;
    }
    const bool found = link_version_choose(offered, count, &version);
    assert_int_equal(found, json_type_of(chosen) != JSON_NULL);
    if (found) {
        assert_int_equal(version, int_of(vector, "chosen"));
    }
}

static void test_negotiations(void **state) {
    each(*state, "negotiations", check_negotiation);
}

static void test_signature(void **state) {
    struct fixture *f = *state;
    const struct json_value vector = member(f->root, "signature");
    uint8_t public_key[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
    char hex[2 * ED25519_SIGNATURE_SIZE + 1];
    hex_append(&f->payload, text_of(vector, "private_key"));
    hex_append(&f->payload, text_of(vector, "nonce"));
    const uint8_t *private_key = (const uint8_t *)f->payload.data, *nonce = private_key + ED25519_KEY_SIZE;
    assert_true(ed25519_public_from_private(private_key, public_key));
    digest_hex(public_key, sizeof(public_key), hex);
    assert_true(str_equal_cstr(text_of(vector, "public_key"), hex));
    link_signed_bytes(&f->out, nonce, public_key);
    assert_true(ed25519_sign(private_key, buf_str(&f->out), signature));
    digest_hex(signature, sizeof(signature), hex);
    assert_true(str_equal_cstr(text_of(vector, "signature"), hex));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_messages),     CASE(test_ignored),      CASE(test_refused),
        CASE(test_cut_anywhere), CASE(test_negotiations), CASE(test_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
