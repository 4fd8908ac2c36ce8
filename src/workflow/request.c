#include "workflow/request.h"

#include "conversation/conversations.h"

static void write_turn(const struct conversation *conversation, struct json_writer *writer) {
    json_write_key(writer, "turn");
    json_begin_object(writer);
    json_member_int(writer, "from", conversation->stored.message_count);
    json_member_int(writer, "own", (int64_t)conversation->own_count);
    json_member_int(writer, "density", conversation->stored.density);
    json_member_cstr(writer, "counted_by", conversation->stored.counted_by);
    json_member_bool(writer, "system_given", conversation->prompt.system_given);
    json_member_str(writer, "system", conversation->system);
    json_end_object(writer);
}

/* The prompts of a workflow are the same after a restart, whatever has been learned until then. */
static void write_rates(const struct tokens_rates *rates, struct json_writer *writer) {
    json_write_key(writer, "rates");
    json_begin_array(writer);
    for (size_t i = 0; i < TOKENS_CLASSES; i++) {
        json_write_int(writer, rates->of[i]);
    }
    json_end_array(writer);
}

bool workflow_request_write(const struct workflow_request *asked, uint32_t context_length,
                            const struct tokens_rates *rates, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_write_key(&writer, "generation");
    json_begin_object(&writer);
    gen_request_write(asked->generation, &writer);
    json_end_object(&writer);
    json_write_key(&writer, "orchestration");
    orchestration_write(asked->asked, &writer);
    json_member_int(&writer, "context_length", context_length);
    write_rates(rates, &writer);
    json_member_cstr(&writer, "region", asked->region != NULL ? asked->region : "");
    json_member_bool(&writer, "verified", asked->verified);
    json_member_str(&writer, "label", asked->label);
    if (asked->conversation != NULL) {
        write_turn(asked->conversation, &writer);
    }
    json_end_object(&writer);
    return !out->overflow;
}

static struct str member_text(struct json_value object, const char *key, struct arena *arena) {
    struct json_value value;
    struct str text, copy;
    if (!json_get(object, key, &value) || !json_as_str(value, &text) || text.len == 0) {
        return STR("");
    }
    copy = arena_copy(arena, text);
    return copy.data != NULL ? copy : STR("");
}

static int64_t member_int(struct json_value object, const char *key) {
    struct json_value value;
    int64_t number = 0;
    return json_get(object, key, &value) && json_as_int64(value, &number) ? number : 0;
}

static bool member_bool(struct json_value object, const char *key) {
    struct json_value value;
    bool is = false;
    return json_get(object, key, &value) && json_as_bool(value, &is) && is;
}

static void read_turn(struct workflow *workflow, struct json_value root) {
    struct json_value turn;
    if (json_get(root, "turn", &turn)) {
        workflow->turn = (struct workflow_turn){.given = true,
                                                .system_given = member_bool(turn, "system_given"),
                                                .from = member_int(turn, "from"),
                                                .density = member_int(turn, "density"),
                                                .own = (uint32_t)member_int(turn, "own"),
                                                .system = member_text(turn, "system", &workflow->arena),
                                                .counted_by = member_text(turn, "counted_by", &workflow->arena)};
    }
    if (workflow->turn.own > workflow->request.message_count) {
        workflow->turn.own = (uint32_t)workflow->request.message_count;
    }
}

/* A workflow of an older version has none: those of its model's family. */
static void read_rates(struct workflow *workflow, struct json_value root) {
    struct json_value list, item;
    struct json_iterator each;
    size_t at = 0;
    const struct tokens_prior *prior = tokens_prior_of(workflow->request.model);
    workflow->rates = prior->rates;
    tokens_rates_scale(&workflow->rates, prior->margin);
    if (!json_get(root, "rates", &list) || json_type_of(list) != JSON_ARRAY || json_count(list) != TOKENS_CLASSES) {
        return;
    }
    json_iterate(list, &each);
    for (int64_t rate = 0; at < TOKENS_CLASSES && json_next(&each, NULL, &item); at++) {
        if (json_as_int64(item, &rate) && rate > 0 && rate <= UINT32_MAX) {
            workflow->rates.of[at] = (uint32_t)rate;
        }
    }
}

bool workflow_request_read(struct workflow *workflow, struct str text, struct err *err) {
    struct json_value root, generation, orchestration;
    if (!json_parse(workflow->all->parser, text, &root, err)) {
        return false;
    }
    if (!json_get(root, "generation", &generation) || !json_get(root, "orchestration", &orchestration)) {
        return err_set(err, ERR_INTERNAL, "The stored request is not whole.");
    }
    if (!gen_request_read(generation, &workflow->arena, &workflow->request, err) ||
        !orchestration_read_stored(orchestration, &workflow->arena, &workflow->asked, err)) {
        return false;
    }
    workflow->context_length = (uint32_t)member_int(root, "context_length");
    read_rates(workflow, root);
    workflow->verified = member_bool(root, "verified");
    workflow->label = member_text(root, "label", &workflow->arena);
    (void)str_copy(workflow->region, sizeof(workflow->region), member_text(root, "region", &workflow->arena));
    read_turn(workflow, root);
    return true;
}
