#include "workflow/task.h"

#include "text/words.h"
#include "workflow/prompts.h"

enum { QUESTION_BYTES = 240 /* a line of a document that may say what is to be done with it */ };

static struct str user_text(const struct gen_request *request, bool longest) {
    struct str found = request->message_count == 0 ? request->prompt : STR("");
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        if (message->role == GEN_ROLE_USER && (!longest || message->content.len > found.len)) {
            found = message->content;
        }
    }
    return found;
}

struct str task_document(const struct gen_request *request) {
    return user_text(request, true);
}

struct str task_text(const struct gen_request *request) {
    return user_text(request, false);
}

void task_copy(const struct gen_request *request, char *out, size_t size) {
    (void)str_copy(out, size, words_trim(task_text(request)));
}

/* A line that may be an instruction, or nothing. */
static struct str short_line(struct str line) {
    line = words_trim(line);
    return line.len <= QUESTION_BYTES ? line : STR("");
}

void task_question(const struct gen_request *request, struct str out[2]) {
    const struct str task = words_trim(task_text(request));
    out[0] = task;
    out[1] = STR("");
    if (task.len > 2 * QUESTION_BYTES) {
        struct str first, rest;
        size_t at = task.len;
        (void)str_split(task, '\n', &first, &rest);
        while (at > 0 && task.data[at - 1] != '\n') {
            at--;
        }
        out[0] = short_line(first);
        out[1] = at > 0 ? short_line(words_rest(task, at)) : STR("");
    }
    if (out[0].len + out[1].len == 0) {
        out[0] = PROMPT_QUESTION_NONE;
    }
}
