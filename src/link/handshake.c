#include "link/handshake.h"

#include "link/writer.h"
#include "wire/limits.h"

enum {
    VERSION_MAX = 65535,
    CORES_MAX = 65536,
    HEARTBEAT_MAX_MS = 3600 * 1000,
    REGION_LENGTH = 2,
};

static const char VERSIONS_DEMAND[] = "an array of 1 to 8 numbers";

static void write_device(struct json_writer *writer, const struct link_device *device) {
    json_write_key(writer, "device");
    json_begin_object(writer);
    link_writer_fact(writer, "name", device->name);
    link_writer_fact(writer, "os", device->os);
    link_writer_fact(writer, "arch", device->arch);
    link_writer_fact(writer, "cpu", device->cpu);
    link_writer_fact(writer, "agent", device->agent);
    link_writer_fact(writer, "region", device->region);
    link_writer_count(writer, "cores", device->cores);
    link_writer_count(writer, "ram_bytes", device->ram_bytes);
    json_end_object(writer);
}

void link_encode_hello(struct buf *out, const struct link_hello *hello) {
    struct json_writer writer = link_writer_begin(out, "hello");
    json_write_key(&writer, "versions");
    json_begin_array(&writer);
    for (size_t i = 0; i < hello->version_count; i++) {
        json_write_int(&writer, hello->versions[i]);
    }
    json_end_array(&writer);
    link_writer_bytes(&writer, "public_key", hello->public_key, sizeof(hello->public_key));
    link_writer_fact(&writer, "join_token", hello->join_token);
    write_device(&writer, &hello->device);
    json_end_object(&writer);
}

void link_encode_challenge(struct buf *out, const struct link_challenge *challenge) {
    struct json_writer writer = link_writer_begin(out, "challenge");
    link_writer_count(&writer, "version", challenge->version);
    link_writer_bytes(&writer, "nonce", challenge->nonce, sizeof(challenge->nonce));
    json_end_object(&writer);
}

void link_encode_auth(struct buf *out, const struct link_auth *auth) {
    struct json_writer writer = link_writer_begin(out, "auth");
    link_writer_bytes(&writer, "signature", auth->signature, sizeof(auth->signature));
    json_end_object(&writer);
}

void link_encode_welcome(struct buf *out, const struct link_welcome *welcome) {
    struct json_writer writer = link_writer_begin(out, "welcome");
    json_member_str(&writer, "provider_id", welcome->provider_id);
    link_writer_count(&writer, "heartbeat_ms", welcome->heartbeat_ms);
    json_end_object(&writer);
}

static bool read_versions(const struct link_reader *reader, struct link_hello *hello) {
    struct json_value versions;
    if (!json_get(reader->object, "versions", &versions) || json_type_of(versions) != JSON_ARRAY ||
        json_count(versions) == 0 || json_count(versions) > LINK_HELLO_VERSIONS) {
        return link_reader_fail(reader, "versions", VERSIONS_DEMAND);
    }
    struct json_iterator it;
    struct json_value item;
    json_iterate(versions, &it);
    while (json_next(&it, NULL, &item)) {
        uint64_t version = 0;
        if (!link_reader_to_count(item, VERSION_MAX, &version)) {
            return link_reader_fail(reader, "versions", VERSIONS_DEMAND);
        }
        hello->versions[hello->version_count++] = (uint32_t)version;
    }
    return true;
}

static bool read_region(const struct link_reader *reader, struct str *region) {
    if (!link_reader_text(reader, "region", REGION_LENGTH, region)) {
        return false;
    }
    bool letters = region->len == 0 || region->len == REGION_LENGTH;
    for (size_t i = 0; i < region->len; i++) {
        letters = letters && region->data[i] >= 'A' && region->data[i] <= 'Z';
    }
    return letters || link_reader_fail(reader, "region", "two upper-case letters");
}

static bool read_device(const struct link_reader *reader, struct link_device *device) {
    struct link_reader inner;
    return link_reader_object(reader, "device", &inner) &&
           link_reader_text(&inner, "name", LIMIT_NAME_BYTES, &device->name) &&
           link_reader_text(&inner, "os", LIMIT_NAME_BYTES, &device->os) &&
           link_reader_text(&inner, "arch", LIMIT_NAME_BYTES, &device->arch) &&
           link_reader_text(&inner, "cpu", LIMIT_NAME_BYTES, &device->cpu) &&
           link_reader_text(&inner, "agent", LIMIT_NAME_BYTES, &device->agent) &&
           read_region(&inner, &device->region) && link_reader_u32(&inner, "cores", CORES_MAX, &device->cores) &&
           link_reader_count(&inner, "ram_bytes", INT64_MAX, &device->ram_bytes);
}

bool link_read_hello(const struct link_reader *reader, struct link_hello *out) {
    return read_versions(reader, out) &&
           link_reader_bytes(reader, "public_key", out->public_key, sizeof(out->public_key)) &&
           link_reader_text(reader, "join_token", LIMIT_NAME_BYTES, &out->join_token) &&
           read_device(reader, &out->device);
}

bool link_read_challenge(const struct link_reader *reader, struct link_challenge *out) {
    return link_reader_require(reader, "version") && link_reader_u32(reader, "version", VERSION_MAX, &out->version) &&
           link_reader_bytes(reader, "nonce", out->nonce, sizeof(out->nonce));
}

bool link_read_auth(const struct link_reader *reader, struct link_auth *out) {
    return link_reader_bytes(reader, "signature", out->signature, sizeof(out->signature));
}

bool link_read_welcome(const struct link_reader *reader, struct link_welcome *out) {
    return link_reader_require(reader, "provider_id") &&
           link_reader_text(reader, "provider_id", LIMIT_NAME_BYTES, &out->provider_id) &&
           link_reader_require(reader, "heartbeat_ms") &&
           link_reader_u32(reader, "heartbeat_ms", HEARTBEAT_MAX_MS, &out->heartbeat_ms) &&
           (out->heartbeat_ms > 0 || link_reader_fail(reader, "heartbeat_ms", "above 0"));
}

void link_signed_bytes(struct buf *out, const uint8_t nonce[LINK_NONCE_SIZE],
                       const uint8_t public_key[ED25519_KEY_SIZE]) {
    buf_append_cstr(out, "nataris link v1\n");
    buf_append(out, nonce, LINK_NONCE_SIZE);
    buf_append(out, public_key, ED25519_KEY_SIZE);
}

bool link_auth_proves(const struct link_auth *auth, const uint8_t nonce[LINK_NONCE_SIZE],
                      const uint8_t public_key[ED25519_KEY_SIZE]) {
    struct buf signed_bytes;
    buf_init(&signed_bytes, 256);
    link_signed_bytes(&signed_bytes, nonce, public_key);
    const bool proven = ed25519_verify(public_key, buf_str(&signed_bytes), auth->signature);
    buf_clear(&signed_bytes);
    return proven;
}
