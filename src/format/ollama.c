#include "format/ollama.h"

#include "format/ollama_answer.h"
#include "format/ollama_body.h"
#include "format/ollama_envelope.h"

static bool chat_read_ollama(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    return ollama_body_read(body, false, arena, out, err);
}

static bool generate_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    return ollama_body_read(body, true, arena, out, err);
}

const struct format FORMAT_OLLAMA_CHAT = {
    .name = "ollama_chat",
    .path = "/api/chat",
    .id_prefix = "ochat_",
    .object = "chat",
    .chunk_object = "chat",
    .stored = STORE_GENERATION_OLLAMA_CHAT,
    .lines = true,
    .read = chat_read_ollama,
    .whole = ollama_write_chat,
    .begin = ollama_write_begin,
    .text = ollama_write_chat_text,
    .note = ollama_write_note,
    .call_start = ollama_write_call_start,
    .call_arguments = ollama_write_call_arguments,
    .end = ollama_write_chat_end,
    .fault = ollama_envelope_write_line,
    .envelope = &ENVELOPE_OLLAMA,
};

const struct format FORMAT_OLLAMA_GENERATE = {
    .name = "ollama_generate",
    .path = "/api/generate",
    .id_prefix = "ogen_",
    .object = "generate",
    .chunk_object = "generate",
    .stored = STORE_GENERATION_OLLAMA_GENERATE,
    .lines = true,
    .read = generate_read,
    .whole = ollama_write_generate,
    .begin = ollama_write_begin,
    .text = ollama_write_generate_text,
    .note = ollama_write_note,
    .end = ollama_write_generate_end,
    .fault = ollama_envelope_write_line,
    .envelope = &ENVELOPE_OLLAMA,
};
