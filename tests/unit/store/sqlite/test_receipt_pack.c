/* What is packed comes back to the byte, whatever it is, and what the record says is not kept twice. */
#include "store/sqlite/receipt_pack.h"

#include "wire/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = 64 * 1024 };

static struct store_generation record(void) {
    return (struct store_generation){.id = "chatcmpl-0VcTinQMQRWb2IivtfzSawsm",
                                     .account_id = "acct_7Jq2mB0QZ6yXw1LkTn3D",
                                     .model = "llama-3.2-1b-instruct-q4_k_m",
                                     .device_id = "prov_tq1E8WQfqGznXgrjcQVR",
                                     .outcome = STORE_OUTCOME_COMPLETED,
                                     .prompt_tokens = 40,
                                     .completion_tokens = 20,
                                     .created_ms = INT64_C(1796059541142),
                                     .charge_nano = 800};
}

static void fill(uint8_t *out, size_t size, unsigned seed) {
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(seed * 31 + i * 7 + 1);
    }
}

/* As the gateway makes it, of so many devices. */
static struct receipt usual(const struct store_generation *of, size_t parts) {
    struct receipt receipt = {.id = str_from(of->id),
                              .account_id = str_from(of->account_id),
                              .model = str_from(of->model),
                              .purpose = STR("request"),
                              .outcome = STR("completed"),
                              .created_ms = of->created_ms,
                              .request_of = STR("body"),
                              .answer_bytes = 123,
                              .prompt_tokens = of->prompt_tokens,
                              .completion_tokens = of->completion_tokens,
                              .charge_nano = of->charge_nano,
                              .part_count = parts};
    fill(receipt.request_sha256, sizeof(receipt.request_sha256), 1);
    fill(receipt.answer_sha256, sizeof(receipt.answer_sha256), 2);
    fill(receipt.name, sizeof(receipt.name), 3);
    for (unsigned i = 0; i < parts; i++) {
        struct receipt_part *part = &receipt.parts[i];
        *part = (struct receipt_part){
            .device_id = str_from(of->device_id),
            .attempt = i + 1,
            .tokens = of->completion_tokens,
            .has_file = true,
            .has_claim = true,
            .claim = {.prompt_tokens = of->prompt_tokens, .completion_tokens = of->completion_tokens}};
        fill(part->public_key, sizeof(part->public_key), 4);
        fill(part->file_sha256, sizeof(part->file_sha256), 5);
        fill(part->sha256, sizeof(part->sha256), parts == 1 ? 2 : 6 + i);
        memcpy(part->claim.sha256, part->sha256, sizeof(part->claim.sha256));
        fill(part->claim.signature, sizeof(part->claim.signature), 7);
    }
    return receipt;
}

/* Gives how many bytes it has packed. */
static size_t assert_comes_back(const struct store_generation *of, struct str bytes) {
    static uint8_t packed[BYTES_MAX + RECEIPT_PACK_EXTRA];
    struct str out;
    struct err err;
    const size_t size = receipt_pack(of, bytes, packed);
    assert_true(size <= bytes.len + RECEIPT_PACK_EXTRA);
    assert_true(receipt_unpack(of, (struct str){(const char *)packed, size}, &out, &err));
    assert_int_equal(out.len, bytes.len);
    assert_memory_equal(out.data, bytes.data, bytes.len);
    free((void *)(uintptr_t)out.data);
    return size;
}

static size_t pack(const struct store_generation *of, const struct receipt *receipt, size_t *whole) {
    struct buf bytes;
    buf_init(&bytes, BYTES_MAX);
    receipt_write_bytes(receipt, &bytes);
    const size_t size = assert_comes_back(of, buf_str(&bytes));
    *whole = bytes.len;
    buf_clear(&bytes);
    return size;
}

static void test_what_the_record_says_is_left_out(void **state) {
    const struct store_generation of = record();
    const struct receipt receipt = usual(&of, 1);
    size_t whole;
    const size_t size = pack(&of, &receipt, &whole);
    /* The digests of request and answer, the answer's length, the name, the key, the file, and the signature. */
    assert_int_equal(size, RECEIPT_PACK_EXTRA + 2 * 32 + 8 + 16 + 1 + 32 + 1 + 32 + 64);
    assert_true(2 * size < whole + 64);
    (void)state;
}

static void test_what_differs_comes_back(void **state) {
    const struct store_generation of = record();
    size_t whole;
    for (int i = 0; i < 14; i++) {
        struct receipt receipt = usual(&of, 1);
        struct receipt_part *part = &receipt.parts[0];
        switch (i) {
        case 0:
            receipt.id = STR("job_0VcTinQMQRWb2IivtfzSawsm");
            break;
        case 1:
            receipt.account_id = STR("");
            break;
        case 2:
            receipt.model = STR("llama-3.2-1b-instruct-q4_k_m2");
            break;
        case 3:
            receipt.purpose = STR("step");
            break;
        case 4:
            receipt.outcome = STR("cancelled");
            break;
        case 5:
            receipt.created_ms++;
            break;
        case 6:
            receipt.request_of = STR("messages");
            break;
        case 7:
            receipt.prompt_tokens = 0;
            break;
        case 8:
            receipt.charge_nano = 0;
            break;
        case 9:
            part->device_id = STR("prov_tq1E8WQfqGznXgrjcQV");
            break;
        case 10:
            part->attempt = 2;
            break;
        case 11:
            part->has_file = false;
            break;
        case 12:
            part->has_claim = false;
            break;
        default:
            part->claim.sha256[0] ^= 1;
            break;
        }
        (void)pack(&of, &receipt, &whole);
    }
    for (size_t parts = 0; parts <= RECEIPT_PARTS_MAX; parts += 4) {
        const struct receipt receipt = usual(&of, parts);
        (void)pack(&of, &receipt, &whole);
    }
    (void)state;
}

/* Cut anywhere, with any byte another one, and longer: also what the file system made of it must come back. */
static void test_any_bytes_come_back(void **state) {
    const struct store_generation of = record();
    const struct receipt receipt = usual(&of, 1);
    struct buf bytes;
    buf_init(&bytes, BYTES_MAX);
    receipt_write_bytes(&receipt, &bytes);
    const size_t len = bytes.len;
    for (size_t cut = 0; cut <= len; cut++) {
        (void)assert_comes_back(&of, (struct str){bytes.data, cut});
    }
    for (size_t at = 0; at < len; at++) {
        for (unsigned flip = 1; flip < 256; flip = 2 * flip + 1) {
            bytes.data[at] = (char)(bytes.data[at] ^ (char)flip);
            (void)assert_comes_back(&of, buf_str(&bytes));
            bytes.data[at] = (char)(bytes.data[at] ^ (char)flip);
        }
    }
    assert_true(buf_append_cstr(&bytes, "more"));
    (void)assert_comes_back(&of, buf_str(&bytes));
    buf_clear(&bytes);
    (void)state;
}

/* A row that is damaged is no reason to read where nothing is. */
static void test_what_was_never_packed_is_refused_or_read(void **state) {
    const struct store_generation of = record();
    uint8_t damaged[200];
    for (unsigned seed = 0; seed < 5000; seed++) {
        struct str out;
        struct err err;
        fill(damaged, sizeof(damaged), seed * seed + seed);
        damaged[seed % RECEIPT_PACK_EXTRA] = (uint8_t)(seed >> 3);
        if (receipt_unpack(&of, (struct str){(const char *)damaged, seed % sizeof(damaged)}, &out, &err)) {
            free((void *)(uintptr_t)out.data);
        } else {
            assert_int_equal(err.code, ERR_INVALID);
            assert_null(out.data);
        }
    }
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_record_says_is_left_out),
        cmocka_unit_test(test_what_differs_comes_back),
        cmocka_unit_test(test_any_bytes_come_back),
        cmocka_unit_test(test_what_was_never_packed_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
