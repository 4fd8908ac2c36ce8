#include "gateway/receipt.h"

#include "base/random.h"
#include "call/call.h"
#include "gateway/providers.h"
#include "store/generations.h"

#include <stdio.h>
#include <string.h>

static struct digest_stream *stream_new(const struct receipt_draft *draft) {
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, draft->salt, sizeof(draft->salt));
    return stream;
}

/* --- The request --- */

/* A word, then a text behind its length, so that no two requests have the same bytes. */
static void add_text(struct digest_stream *stream, const char *what, struct str text) {
    char head[64];
    const int len = snprintf(head, sizeof(head), "%s %zu\n", what, text.len);
    digest_stream_update(stream, head, (size_t)len);
    digest_stream_update(stream, text.data, text.len);
    digest_stream_update(stream, "\n", 1);
}

static void add_message(struct digest_stream *stream, const struct gen_message *message) {
    add_text(stream, gen_role_name(message->role), message->content);
    for (size_t i = 0; i < message->tool_call_count; i++) {
        add_text(stream, "call", message->tool_calls[i].name);
        add_text(stream, "arguments", message->tool_calls[i].arguments);
    }
}

static void digest_messages(struct digest_stream *stream, const struct gen_request *request) {
    if (request->message_count == 0) {
        add_text(stream, "prompt", request->prompt);
    }
    for (size_t i = 0; i < request->message_count; i++) {
        add_message(stream, &request->messages[i]);
    }
}

void receipt_begin(struct receipt_draft *draft, const struct call *call) {
    random_few(draft->salt, sizeof(draft->salt));
    receipt_name(draft->salt, draft->name);
    struct digest_stream *stream = stream_new(draft);
    if (call->asked.len > 0) {
        draft->request_of = "body";
        digest_stream_update(stream, call->asked.data, call->asked.len);
    } else {
        draft->request_of = "messages";
        digest_messages(stream, &call->generation);
    }
    digest_stream_finish(stream, draft->request_sha256);
}

/* --- The answer --- */

static void attempt_over(struct receipt_draft *draft, struct receipt_mark *mark) {
    if (mark->over || !mark->has_text) {
        return;
    }
    mark->over = true;
    if (draft->part != NULL) {
        digest_stream_finish(draft->part, mark->sha256);
        draft->part = NULL;
    } else {
        digest_stream_peek(draft->answer, mark->sha256);
    }
}

void receipt_attempt(struct receipt_draft *draft, struct receipt_mark *before, struct receipt_mark *mark,
                     const struct gateway_provider *provider, struct str model) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    if (before != NULL) {
        attempt_over(draft, before);
    }
    *mark = (struct receipt_mark){.has_file = file != NULL};
    memcpy(mark->public_key, provider->device.public_key, sizeof(mark->public_key));
    if (file != NULL) {
        memcpy(mark->file_sha256, file->sha256, sizeof(mark->file_sha256));
    }
}

void receipt_add_text(struct receipt_draft *draft, struct receipt_mark *mark, struct str text) {
    if (text.len == 0) {
        return;
    }
    if (!mark->has_text && draft->answer != NULL) {
        draft->part = stream_new(draft);
    }
    if (draft->answer == NULL) {
        draft->answer = stream_new(draft);
    }
    mark->has_text = true;
    draft->bytes += text.len;
    digest_stream_update(draft->answer, text.data, text.len);
    if (draft->part != NULL) {
        digest_stream_update(draft->part, text.data, text.len);
    }
}

/* --- The receipt --- */

static void fill_part(const struct core_part *made, receipt_find *find, void *context, struct receipt_part *out) {
    struct str device_id = STR("");
    const struct receipt_mark *mark = find(context, made->attempt, &device_id);
    *out = (struct receipt_part){.device_id = device_id, .attempt = made->attempt, .tokens = made->tokens};
    if (mark != NULL) {
        out->has_file = mark->has_file;
        out->has_claim = mark->has_claim;
        out->claim = mark->claim;
        memcpy(out->public_key, mark->public_key, sizeof(out->public_key));
        memcpy(out->file_sha256, mark->file_sha256, sizeof(out->file_sha256));
        memcpy(out->sha256, mark->sha256, sizeof(out->sha256));
    }
}

static void end_answer(struct receipt_draft *draft, struct receipt_mark *last, uint8_t sha256[DIGEST_SHA256_SIZE]) {
    if (last != NULL) {
        attempt_over(draft, last);
    }
    if (draft->answer == NULL) {
        digest_sha256(draft->salt, sizeof(draft->salt), sha256);
        return;
    }
    digest_stream_finish(draft->answer, sha256);
    draft->answer = NULL;
}

void receipt_write(struct receipt_draft *draft, const struct store_generation *record,
                   const struct core_outcome *outcome, struct receipt_mark *last, receipt_find *find, void *context,
                   struct buf *out) {
    struct receipt receipt; /* not zeroed: most have one of many parts */
    receipt.id = str_from(record->id);
    receipt.account_id = str_from(record->account_id);
    receipt.model = str_from(record->model);
    receipt.purpose = str_from(store_purpose_name(record->purpose));
    receipt.outcome = outcome->cancelled ? STR("cancelled") : STR("completed");
    receipt.created_ms = record->created_ms;
    receipt.request_of = str_from(draft->request_of);
    receipt.answer_bytes = draft->bytes;
    receipt.prompt_tokens = outcome->prompt_tokens;
    receipt.completion_tokens = outcome->completion_tokens;
    receipt.charge_nano = outcome->charge_nano;
    memcpy(receipt.request_sha256, draft->request_sha256, sizeof(receipt.request_sha256));
    memcpy(receipt.name, draft->name, sizeof(receipt.name));
    end_answer(draft, last, receipt.answer_sha256);
    receipt.part_count = outcome->part_count < RECEIPT_PARTS_MAX ? outcome->part_count : RECEIPT_PARTS_MAX;
    for (size_t i = 0; i < receipt.part_count; i++) {
        fill_part(&outcome->parts[i], find, context, &receipt.parts[i]);
    }
    receipt_write_bytes(&receipt, out);
}

void receipt_clear(struct receipt_draft *draft) {
    uint8_t unused[DIGEST_SHA256_SIZE];
    if (draft->answer != NULL) {
        digest_stream_finish(draft->answer, unused);
    }
    if (draft->part != NULL) {
        digest_stream_finish(draft->part, unused);
    }
    draft->answer = draft->part = NULL;
}
