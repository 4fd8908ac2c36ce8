/* A call's answer as server-sent events, chat and inference. */
#ifndef NATARIS_API_STREAM_H
#define NATARIS_API_STREAM_H

#include "api/api.h"

struct workflow_progress; /* workflow/workflows.h */

/* Builds what the chunks of this call have in common; false when the exchange's arena is full. */
MUST_CHECK bool stream_prepare(struct call *call);
/* Sends the headers (and a chat's first delta), unless they are out already. */
void stream_begin(struct call *call);
/* One event with text; the text is whole UTF-8 characters. */
void stream_write_text(struct call *call, struct str text);
/* The finish reason, the usage, [DONE], and the end of the exchange. */
void stream_finish(struct call *call, const struct call_result *result);
/* What a stream of this call is in one piece, with the text gathered in call->answer: first events to [DONE]. */
void stream_write_whole(const struct call *call, const struct call_result *result, struct buf *out);
/* Answers with such a text. */
void stream_replay(struct api_request *request, struct str events);
/* One event that says what went wrong, the end of the exchange and of its connection. Headers must be out. */
void stream_fail(struct call *call, const struct fault *error);
/* A comment line, so that proxies and clients see that the connection lives. Headers must be out. */
void stream_keep_alive(struct call *call);
/* The same while the model is still being fetched or loaded: how far it is, and how long it may take. */
void stream_progress(struct call *call, uint32_t percent, uint64_t ready_ms);

/* A step of the call's workflow begins or has ended: a comment line, and a chunk without text. Headers must be out. */
void stream_step(struct call *call, const struct workflow_progress *progress);

#endif
