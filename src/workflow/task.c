#include "workflow/task.h"

#include "text/chars.h"
#include "text/graphemes.h"
#include "text/words.h"
#include "workflow/prompts.h"
#include "workflow/question.h"

enum { TASK_CHARS = 480 /* of a message that is a task as a whole, whatever is in it */ };

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
    (void)str_copy(out, size, graphemes_prefix(words_trim(task_text(request)), size - 1));
}

void task_question(const struct gen_request *request, struct str out[QUESTION_PARTS]) {
    const struct str text = task_text(request), task = words_trim(text);
    const bool apart = task_document(request).data != text.data;
    out[0] = task;
    out[1] = out[2] = STR("");
    if (!apart && chars_count(task) > TASK_CHARS) {
        question_find(task, out);
    }
    if (out[0].len == 0) {
        out[0] = PROMPT_QUESTION_NONE;
    }
}
