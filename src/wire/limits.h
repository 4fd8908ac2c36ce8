/* Every bound on what the outside may send, in one place (docs/ARCHITECTURE.md "Limits"). Sizes in bytes, times in ms.
 */
#ifndef NATARIS_WIRE_LIMITS_H
#define NATARIS_WIRE_LIMITS_H

enum {
    LIMIT_HTTP_HEAD_BYTES = 32 * 1024, /* request line and all headers */
    LIMIT_HTTP_HEADER_COUNT = 100,
    LIMIT_HTTP_URL_BYTES = 4 * 1024,
    LIMIT_HTTP_BODY_BYTES = 4 * 1024 * 1024,
    LIMIT_HTTP_BODIES_BYTES = 256 * 1024 * 1024, /* of all clients, read and not answered yet; past it: 503 */
    LIMIT_ADDRESS_BODY_BYTES = 16 * 1024 * 1024, /* of one address, that came with heads whose keys are looked up */
    LIMIT_HTTP_PIPELINE_BYTES = 64 * 1024,       /* bytes read ahead while a request is being answered */
    LIMIT_HTTP_HEAD_TIMEOUT_MS = 10 * 1000,      /* from the first byte of a request to the end of its headers */
    LIMIT_HTTP_BODY_TIMEOUT_MS = 30 * 1000,      /* in which a body must move by so many bytes, or end: ... */
    LIMIT_HTTP_BODY_STRETCH_BYTES = 1024,
    LIMIT_HTTP_BODY_TOTAL_MS = 15 * 60 * 1000, /* ... and of the whole body: 4 MiB at 5 KB/s */
    LIMIT_HTTP_IDLE_TIMEOUT_MS = 75 * 1000,    /* keep-alive connection without a request */
    LIMIT_STREAM_BACKLOG_BYTES = 256 * 1024,   /* unread by a slow client before its stream is cut */
    LIMIT_STREAM_KEEPALIVE_MS = 10 * 1000,
    LIMIT_CONNECTIONS = 16 * 1024,
    LIMIT_ADMIN_CONNECTIONS = 64,
    /* Descriptors that no client gets: the admin socket's connections, the database's files, what the loops need. */
    LIMIT_DESCRIPTORS_KEPT = LIMIT_ADMIN_CONNECTIONS + 32,

    LIMIT_JSON_DEPTH = 32,
    LIMIT_MESSAGES = 2048,
    LIMIT_CONTENT_PARTS = 256,
    LIMIT_PROMPTS = 64,         /* of one request for completions */
    LIMIT_UNKNOWN_FIELDS = 256, /* of a request for a generation: each is looked up among those refused by name */
    LIMIT_MODEL_ID_BYTES = 128,
    LIMIT_MODELS_LISTED = 1024, /* by GET /v1/models, beside the catalog's: providers may name any */
    LIMIT_STOP_STRINGS = 16,
    LIMIT_STOP_BYTES = 256,
    LIMIT_MAX_TOKENS = 131072,
    LIMIT_TOOL_CALLS = 128,
    LIMIT_LOGIT_BIASES = 300,             /* tokens that one logit_bias names */
    LIMIT_GRAMMAR_BYTES = 256 * 1024,     /* that an answer keeps to, made of schemas (grammar/gbnf.h) */
    LIMIT_NAME_BYTES = 256,               /* conversation_id, user, tool names and ids */
    LIMIT_ANSWER_BYTES = 4 * 1024 * 1024, /* text gathered for a plain answer */

    /* One WebSocket message between gateway and provider: the largest is a job with a request of LIMIT_HTTP_BODY_BYTES,
     * 1 MiB around it, and LIMIT_ANSWER_BYTES of an answer to continue, which escaping may double. */
    LIMIT_LINK_MESSAGE_BYTES = 13 * 1024 * 1024,
    LIMIT_LINK_HELLO_BYTES = 64 * 1024, /* before the provider is authenticated */
    LIMIT_LINK_HANDSHAKE_MS = 10 * 1000,
    LIMIT_LINK_MODELS = 64,                      /* models one provider may offer */
    LIMIT_LINK_BACKLOG_BYTES = 20 * 1024 * 1024, /* unsent to a slow provider before its link is cut: a job, and more */
    LIMIT_LINK_BACKLOGS_BYTES = 256 * 1024 * 1024, /* of all links; past it who takes nothing is cut at once */
    LIMIT_LINK_TAKEN_BYTES = 16 * 1024, /* that a provider with a backlog takes in three heartbeats, or is cut */
    LIMIT_LINK_HEARTBEAT_MS = 5 * 1000,
    LIMIT_LINK_WATCH_PING_MS = 500,            /* a link with jobs that says nothing is pinged so often ... */
    LIMIT_LINK_WATCH_SILENCE_MS = 1500,        /* ... and taken for silent after this */
    LIMIT_LINK_MESSAGES_PER_S = 32 * 1000,     /* of one link; it is read more slowly past it, ... */
    LIMIT_LINK_BYTES_PER_S = 16 * 1024 * 1024, /* ... and past this */
    LIMIT_PROVIDER_SLOTS = 256,
    LIMIT_DELTA_BYTES = 64 * 1024,             /* a text in one delta: its answer, reasoning or arguments */
    LIMIT_LINK_PROVIDER_BYTES = 2 * 64 * 1024, /* one message of an admitted provider */
    LIMIT_DELTA_PARTS = 64,                    /* of one delta */
    LIMIT_DELTA_TOKENS = 65535,                /* that one delta counts */
    LIMIT_LOGPROB_OTHERS = 20,                 /* tokens that might have come instead, of each */
    LIMIT_LOGPROB_TOKEN_BYTES = 1024,          /* what one token spells */
    LIMIT_LOGPROBS_BYTES = 4 * 1024 * 1024,    /* of a whole answer, as they come */
    LIMIT_AUDIO_FORMAT_BYTES = 32,             /* the name of a format */
    LIMIT_LINK_FINISH_BYTES = 32,              /* the word of how a job finished */
    LIMIT_LINK_JOB_KINDS = 16,                 /* that a model lists */
    LIMIT_LINK_JOB_KIND_BYTES = 32,
    LIMIT_LINK_SCOPE_BYTES = 64, /* who shares a cache with whom */
    LIMIT_SCORE_TOKENS = 16384,  /* of an answer that is scored */
};

#endif
