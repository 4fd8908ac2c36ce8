#include <chat.h>
#include <log.h>

#include "engine/llama_child/shim.h"

#include <exception>
#include <string>

struct shim_templates {
    common_chat_templates_ptr templates;
};

namespace {

std::string to_string(struct str text) {
    return std::string(text.len > 0 ? text.data : "", text.len);
}

const char *role_name(enum gen_role role) {
    switch (role) {
    case GEN_ROLE_SYSTEM:
        return "system";
    case GEN_ROLE_USER:
        return "user";
    case GEN_ROLE_ASSISTANT:
        return "assistant";
    case GEN_ROLE_TOOL:
        return "tool";
    }
    return "user";
}

common_chat_msg to_message(const struct gen_message &message) {
    common_chat_msg out;
    out.role = role_name(message.role);
    out.content = to_string(message.content);
    out.tool_call_id = to_string(message.tool_call_id);
    for (size_t i = 0; i < message.tool_call_count; i++) {
        const struct gen_tool_call &call = message.tool_calls[i];
        common_chat_tool_call copy;
        copy.name = to_string(call.name);
        copy.arguments = to_string(call.arguments);
        copy.id = to_string(call.id);
        out.tool_calls.push_back(copy);
    }
    return out;
}

bool uses_tools(const common_chat_templates_inputs &inputs) {
    for (const common_chat_msg &message : inputs.messages) {
        if (message.role == "tool" || !message.tool_calls.empty()) {
            return true;
        }
    }
    return false;
}

/* common builds a parser for the answer beside the prompt: analysing the template for that costs more than rendering
 * it, may fail where rendering does not, and we have no use for it. Pure content leaves the analysis out, but also some
 * models' own treatment of tool messages, so those go the long way where it works. */
std::string render(const common_chat_templates *templates, common_chat_templates_inputs &inputs) {
    if (uses_tools(inputs)) {
        try {
            return common_chat_templates_apply(templates, inputs).prompt;
        } catch (const std::invalid_argument &) {
            inputs.force_pure_content = true;
        }
    }
    inputs.force_pure_content = true;
    return common_chat_templates_apply(templates, inputs).prompt;
}

/* The text of a template's raise_exception stands first in what(); the rest of it is a traceback. */
void set_error(struct err *err, enum err_code code, const char *what, const std::exception &exception) {
    std::string reason = exception.what();
    reason = reason.substr(0, reason.find('\n'));
    err_set(err, code, "%s: %s", what, reason.c_str());
}

} // namespace

extern "C" {

void shim_silence(void) {
    common_log_pause(common_log_main());
}

struct llama_model *shim_model_load(const char *path, struct llama_model_params params, struct err *err) {
    try {
        return llama_model_load_from_file(path, params);
    } catch (const std::exception &exception) {
        set_error(err, ERR_INVALID, "llama.cpp", exception);
    } catch (...) {
        err_set(err, ERR_INVALID, "llama.cpp failed");
    }
    return nullptr;
}

struct llama_context *shim_context_new(struct llama_model *model, struct llama_context_params params, struct err *err) {
    try {
        return llama_init_from_model(model, params);
    } catch (const std::exception &exception) {
        set_error(err, ERR_UNAVAILABLE, "llama.cpp", exception);
    } catch (...) {
        err_set(err, ERR_UNAVAILABLE, "llama.cpp failed");
    }
    return nullptr;
}

int32_t shim_decode(struct llama_context *context, struct llama_batch batch) {
    try {
        return llama_decode(context, batch);
    } catch (...) {
        return -100;
    }
}

int32_t shim_tokenize(const struct llama_vocab *vocab, struct str text, llama_token *tokens, int32_t capacity,
                      bool parse_special) {
    try {
        return llama_tokenize(vocab, text.data, static_cast<int32_t>(text.len), tokens, capacity, false, parse_special);
    } catch (...) {
        return INT32_MIN;
    }
}

struct shim_templates *shim_templates_new(const struct llama_model *model, struct err *err) {
    try {
        return new shim_templates{common_chat_templates_init(model, "")};
    } catch (const std::exception &exception) {
        set_error(err, ERR_INVALID, "the model's chat template", exception);
    } catch (...) {
        err_set(err, ERR_INVALID, "the model's chat template cannot be read");
    }
    return nullptr;
}

void shim_templates_free(struct shim_templates *templates) {
    delete templates;
}

bool shim_templates_apply(const struct shim_templates *templates, const struct gen_message *messages, size_t count,
                          struct buf *out, struct err *err) {
    try {
        common_chat_templates_inputs inputs;
        for (size_t i = 0; i < count; i++) {
            inputs.messages.push_back(to_message(messages[i]));
        }
        std::string text = render(templates->templates.get(), inputs);
        return buf_append(out, text.data(), text.size()) || err_set(err, ERR_TOO_LARGE, "the prompt is too long");
    } catch (const std::exception &exception) {
        set_error(err, ERR_INVALID, "the model's chat template refused the messages", exception);
    } catch (...) {
        err_set(err, ERR_INVALID, "the model's chat template refused the messages");
    }
    return false;
}
}
