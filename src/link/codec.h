/* Link protocol v1: the messages between a provider and the gateway (docs/PROTOCOL.md). Text frames carry one JSON
 * object with a "type"; a binary frame is a delta. Encoding and decoding only; no state, no I/O. */
#ifndef NATARIS_LINK_CODEC_H
#define NATARIS_LINK_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/json_read.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

#define LINK_SUBPROTOCOL "nataris.link.v1"
#define LINK_PATH "/link"
enum { LINK_VERSION = 1, LINK_NONCE_SIZE = 32 };

enum link_kind {
    LINK_HELLO,     /* provider -> gateway: who I am, versions I speak, device facts */
    LINK_CHALLENGE, /* gateway -> provider: chosen version and a nonce */
    LINK_AUTH,      /* provider -> gateway: signature over nonce */
    LINK_WELCOME,   /* gateway -> provider: admitted */
    LINK_STATUS,    /* provider -> gateway: heartbeat: models, load, heat, battery */
    LINK_JOB,       /* gateway -> provider */
    LINK_ACCEPT,    /* provider -> gateway: in a slot, prompt length known */
    LINK_DELTA,     /* provider -> gateway, binary */
    LINK_DONE,      /* provider -> gateway */
    LINK_ERROR,     /* provider -> gateway: this job failed here */
    LINK_CANCEL,    /* gateway -> provider */
    LINK_DRAIN,     /* either way: no new jobs from now on */
    LINK_WANT,      /* gateway -> provider: this model is in demand; fetch or load it if your owner lets you */
    LINK_UNKNOWN,   /* a newer peer's kind: to be ignored */
};

const char *link_kind_name(enum link_kind kind); /* "hello", ...; "unknown" */

/* COLD: its file is here and checked, no engine runs it; a job for it loads it first. */
enum link_model_state {
    LINK_MODEL_DOWNLOADING,
    LINK_MODEL_LOADING,
    LINK_MODEL_WARM,
    LINK_MODEL_FAILED,
    LINK_MODEL_COLD,
};
const char *link_model_state_name(enum link_model_state state); /* "downloading", "loading", "warm", "failed", "cold" */

struct link_device {                       /* strings are short facts for people; empty when unknown */
    struct str name, os, arch, cpu, agent; /* agent: "nataris/0.1.0" */
    struct str region;                     /* two letters, upper case, or empty */
    uint32_t cores;
    uint64_t ram_bytes;
};

struct link_hello {
    uint32_t versions[8];
    size_t version_count;
    uint8_t public_key[ED25519_KEY_SIZE];
    struct str join_token; /* empty once enrolled */
    struct link_device device;
};

struct link_challenge {
    uint32_t version;
    uint8_t nonce[LINK_NONCE_SIZE];
};

struct link_auth {
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};

struct link_welcome {
    struct str provider_id;
    uint32_t heartbeat_ms; /* how often the gateway wants a status */
};

struct link_model {
    struct str id;
    enum link_model_state state;
    uint32_t slots, context_length;   /* 0 until known */
    uint64_t bytes_done, bytes_total; /* while downloading */
    uint64_t bytes_per_s;             /* while downloading, smoothed; 0: not known yet */
    uint32_t load_ms;                 /* how long loading takes here, as last seen; 0: not known yet */
    bool too_large;                   /* cold, and does not fit the memory that its owner allows now */
};

enum link_heat { LINK_HEAT_NOMINAL, LINK_HEAT_FAIR, LINK_HEAT_SERIOUS, LINK_HEAT_CRITICAL };
const char *link_heat_name(enum link_heat heat); /* "nominal", "fair", "serious", "critical" */

/* Why a device takes no new jobs although its link is up: its owner's limits (docs/PROTOCOL.md). */
enum link_pause {
    LINK_PAUSE_NONE,
    LINK_PAUSE_OWNER,   /* paused by hand */
    LINK_PAUSE_BATTERY, /* below its floor */
    LINK_PAUSE_POWER,   /* not charging */
    LINK_PAUSE_HEAT,
    LINK_PAUSE_HOURS,   /* outside its hours */
    LINK_PAUSE_METERED, /* the network costs money */
    LINK_PAUSE_IN_USE,  /* its owner is using it */
};
const char *link_pause_name(enum link_pause pause); /* "none", "owner", "battery", "power", "heat", "hours", ... */

struct link_status {
    const struct link_model *models;
    size_t model_count;
    uint32_t active_jobs;
    enum link_heat heat;
    int32_t battery_percent; /* -1: no battery */
    bool charging;
    uint64_t ram_free_bytes;
    enum link_pause pause;       /* the owner's limit that takes no new jobs now */
    bool takes_wants;            /* its owner lets it fetch models that are in demand */
    uint64_t storage_free_bytes; /* room for further models, within the owner's quota */
};

struct link_job {
    uint64_t job; /* below 2^53 */
    struct gen_request request;
};

struct link_accept {
    uint64_t job;
    uint32_t prompt_tokens;
};

struct link_delta {
    uint64_t job;
    uint32_t tokens; /* at most 65535 in one frame */
    struct str text; /* whole UTF-8 characters; borrowed from the frame */
};

struct link_done {
    uint64_t job;
    struct gen_done done;
};

struct link_error {
    uint64_t job;
    enum gen_failure failure;
    struct str message, param;
};

struct link_want {
    struct str model;
};

struct link_message {
    enum link_kind kind;
    union {
        struct link_hello hello;
        struct link_challenge challenge;
        struct link_auth auth;
        struct link_welcome welcome;
        struct link_status status;
        struct link_job job;
        struct link_accept accept;
        struct link_delta delta;
        struct link_done done;
        struct link_error error;
        uint64_t cancel_job;
        struct link_want want;
    };
};

/* Each appends one message's payload (without the WebSocket frame). Check out->overflow. */
void link_encode_hello(struct buf *out, const struct link_hello *hello);
void link_encode_challenge(struct buf *out, const struct link_challenge *challenge);
void link_encode_auth(struct buf *out, const struct link_auth *auth);
void link_encode_welcome(struct buf *out, const struct link_welcome *welcome);
void link_encode_status(struct buf *out, const struct link_status *status);
void link_encode_job(struct buf *out, uint64_t job, const struct gen_request *request);
void link_encode_accept(struct buf *out, const struct link_accept *accept);
void link_encode_delta(struct buf *out, const struct link_delta *delta); /* binary: see docs/PROTOCOL.md */
void link_encode_done(struct buf *out, const struct link_done *done);
void link_encode_error(struct buf *out, const struct link_error *error);
void link_encode_cancel(struct buf *out, uint64_t job);
void link_encode_drain(struct buf *out);
void link_encode_want(struct buf *out, const struct link_want *want);

/* What follows the first byte (LINK_BINARY_DELTA) of a delta frame: tokens (16 bits), job (64 bits), both big-endian,
 * then the text. */
enum { LINK_BINARY_DELTA = 1, LINK_DELTA_HEADER = 11 };
#define LINK_JOB_MAX ((UINT64_C(1) << 53) - 1)

/* Decodes a text frame; strings are copied into the arena (cleared by the caller). Unknown kinds give LINK_UNKNOWN and
 * true; malformed ones false with ERR_INVALID and the member at fault in err->field. A job whose request alone is wrong
 * gives false, too, with kind LINK_JOB and its id set: such a job can be refused without giving up the link. */
MUST_CHECK bool link_decode_text(struct json_parser *parser, struct arena *arena, struct str payload,
                                 struct link_message *message, struct err *err);
/* Decodes a binary frame without copying. Unknown binary kinds give LINK_UNKNOWN and true. */
MUST_CHECK bool link_decode_binary(struct str payload, struct link_message *message, struct err *err);

/* The bytes a provider signs: "nataris link v1\n" + nonce + public key. `out` must be empty. */
void link_signed_bytes(struct buf *out, const uint8_t nonce[LINK_NONCE_SIZE],
                       const uint8_t public_key[ED25519_KEY_SIZE]);

#endif
