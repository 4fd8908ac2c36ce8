#include "gateway/canary_prompt.h"

#include "base/compiler.h"

enum { TEXT_MAX = 16 * 1024, SENTENCES_MAX = 24 };

static const char *const TASKS[] = {
    "Write a short story about",
    "Explain in a few paragraphs, for somebody who has never heard of it, all about",
    "List eight things that matter most about",
    "Write a friendly letter to a colleague about",
    "Give me a plan for a week that has to do with",
    "Compare two ways of thinking about",
    "What could go wrong with",
    "Write an article for a local newspaper about",
    "Describe step by step how one would begin with",
    "Summarise what a beginner should know about",
    "Write a dialogue of two friends about",
    "Argue for and then against",
};
static const char *const THINGS[] = {
    "a small harbour",
    "sorting a list of names",
    "growing tomatoes on a balcony",
    "the night train",
    "a broken clock",
    "learning the violin",
    "bread without yeast",
    "an old library",
    "moving to a new city",
    "repairing a bicycle",
    "the first snow",
    "a parser for dates",
    "keeping bees",
    "a lost letter",
    "saving energy at home",
    "a choir in a village",
    "writing tests",
    "walking in the mountains",
    "a garden in the desert",
    "lending tools to neighbours",
    "the price of coffee",
    "a lighthouse",
    "teaching children to swim",
    "reading maps",
};
static const char *const WHO[] = {
    "a retired teacher", "two sisters",      "a young doctor",     "the owner of a shop", "a student of physics",
    "my grandmother",    "a tired engineer", "someone in a hurry", "a group of tourists", "the new mayor",
};
static const char *const VERBS[] = {
    "wants to understand", "has to decide about", "remembers",         "is afraid of",
    "would like to sell",  "keeps dreaming of",   "has written about", "cannot stop talking about",
};
static const char *const ENDS[] = {
    "It should not be too short.",    "Be concrete, and give at least one example.",
    "Please use plain words.",        "At least a hundred words, please.",
    "Take your time and say it all.", "Finish with a question.",
};
static const char *const SYSTEMS[] = {
    "You are a helpful assistant.",
    "You answer in clear, complete sentences.",
    "You are an experienced editor who helps people to write.",
    "Answer thoroughly. Do not apologise.",
};

#define PICK(random, list) ((list)[random_below((random), COUNT_OF(list))])

static bool chance(struct random_source *random, uint64_t percent) {
    return random_below(random, 100) < percent;
}

static void add_sentence(struct buf *out, struct random_source *random) {
    const char *who = PICK(random, WHO);
    buf_append_cstr(out, "There is ");
    buf_append_cstr(out, who);
    buf_append_cstr(out, " who ");
    buf_append_cstr(out, PICK(random, VERBS));
    buf_append_cstr(out, " ");
    buf_append_cstr(out, PICK(random, THINGS));
    buf_append_format(out, ", %u %s ago. ", (unsigned)(2 + random_below(random, 40)),
                      chance(random, 50) ? "days" : "years");
}

static void add_user(struct buf *out, struct random_source *random) {
    const char *thing = PICK(random, THINGS);
    buf_append_cstr(out, PICK(random, TASKS));
    buf_append_cstr(out, " ");
    buf_append_cstr(out, thing);
    if (chance(random, 60)) {
        buf_append_cstr(out, chance(random, 50) ? " and " : " with ");
        buf_append_cstr(out, PICK(random, WHO));
    }
    buf_append_cstr(out, ". ");
    buf_append_cstr(out, PICK(random, ENDS));
    if (chance(random, 35)) { /* something that was pasted in */
        buf_append_cstr(out, "\n\nUse this:\n");
        for (uint64_t left = 2 + random_below(random, SENTENCES_MAX); left > 0; left--) {
            add_sentence(out, random);
        }
    }
}

/* Mostly what the API gives those who say nothing, and temperature 0; it tells the most. */
static void set_sampling(struct gen_request *request, struct random_source *random) {
    static const double TEMPERATURES[] = {0.2, 0.3, 0.5, 0.8, 1.0};
    static const uint32_t LENGTHS[] = {64, 80, 100, 128, 150, 200, 256};
    const uint64_t kind = random_below(random, 100);
    if (kind < 30) {
        request->temperature = 0;
    } else if (kind < 55) {
        request->temperature = PICK(random, TEMPERATURES);
        request->top_p = chance(random, 50) ? 0.95 : request->top_p;
    }
    request->max_tokens = PICK(random, LENGTHS);
    request->max_tokens_given = true;
    request->stream = chance(random, 65);
}

void canary_prompt_make(struct canary_prompt *prompt, struct random_source *random, struct gen_request *request) {
    size_t count = 0;
    buf_init(&prompt->system, TEXT_MAX);
    buf_init(&prompt->user, TEXT_MAX);
    if (chance(random, 40)) {
        buf_append_cstr(&prompt->system, PICK(random, SYSTEMS));
        prompt->messages[count++] =
            (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = buf_str(&prompt->system), .tool_call_id = STR("")};
    }
    add_user(&prompt->user, random);
    prompt->messages[count++] =
        (struct gen_message){.role = GEN_ROLE_USER, .content = buf_str(&prompt->user), .tool_call_id = STR("")};
    set_sampling(request, random);
    request->messages = prompt->messages;
    request->message_count = count;
}

void canary_prompt_clear(struct canary_prompt *prompt) {
    buf_clear(&prompt->system);
    buf_clear(&prompt->user);
}
