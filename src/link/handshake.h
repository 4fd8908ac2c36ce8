/* The four messages that open a link, alike in every version: hello, challenge, auth and welcome. */
#ifndef NATARIS_LINK_HANDSHAKE_H
#define NATARIS_LINK_HANDSHAKE_H

#include "base/buf.h"
#include "base/digest.h"
#include "link/reader.h"

enum { LINK_NONCE_SIZE = 32, LINK_HELLO_VERSIONS = 8 };

struct link_device {                       /* strings are short facts for people; empty when unknown */
    struct str name, os, arch, cpu, agent; /* agent: "nataris/0.1.0" */
    struct str region;                     /* two letters, upper case, or empty */
    uint32_t cores;
    uint64_t ram_bytes;
};

struct link_hello {
    uint32_t versions[LINK_HELLO_VERSIONS]; /* spoken by the provider, in any order */
    size_t version_count;
    uint8_t public_key[ED25519_KEY_SIZE];
    struct str join_token; /* empty once enrolled */
    struct link_device device;
};

struct link_challenge {
    uint32_t version; /* chosen by the gateway */
    uint8_t nonce[LINK_NONCE_SIZE];
};

struct link_auth {
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};

struct link_welcome {
    struct str provider_id;
    uint32_t heartbeat_ms; /* how often the gateway wants a status */
};

/* Each appends one text message. Check out->overflow. */
void link_encode_hello(struct buf *out, const struct link_hello *hello);
void link_encode_challenge(struct buf *out, const struct link_challenge *challenge);
void link_encode_auth(struct buf *out, const struct link_auth *auth);
void link_encode_welcome(struct buf *out, const struct link_welcome *welcome);

/* Each reads one, whose out is zeroed. */
MUST_CHECK bool link_read_hello(const struct link_reader *reader, struct link_hello *out);
MUST_CHECK bool link_read_challenge(const struct link_reader *reader, struct link_challenge *out);
MUST_CHECK bool link_read_auth(const struct link_reader *reader, struct link_auth *out);
MUST_CHECK bool link_read_welcome(const struct link_reader *reader, struct link_welcome *out);

/* The bytes a provider signs: "nataris link v1\n" + nonce + public key. `out` must be empty. */
void link_signed_bytes(struct buf *out, const uint8_t nonce[LINK_NONCE_SIZE],
                       const uint8_t public_key[ED25519_KEY_SIZE]);
/* Whether the signature is that of this key over this nonce. */
MUST_CHECK bool link_auth_proves(const struct link_auth *auth, const uint8_t nonce[LINK_NONCE_SIZE],
                                 const uint8_t public_key[ED25519_KEY_SIZE]);

#endif
