#include "call/batch.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "call/patience.h"
#include "call/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_AT_ONCE = 4,             /* runs of one call */
    BATCH_REFUSED_MS = 120 * 1000, /* how long an account's own limits are waited out, while other parts get on */
    BATCH_TICK_MS = 50,
    BATCH_PART_NATARIS_BYTES = 512, /* what the answer tells of one */
};

struct batch;

struct part {
    struct batch *batch;
    struct run *run; /* NULL: it has not begun, waits, or has ended */
    char id[ID_SIZE], provider_id[ID_SIZE], region[CORE_REGION_SIZE];
    struct buf text; /* once it has ended */
    size_t told;     /* bytes that its client has */
    bool done;
    uint32_t attempts, continued;
    struct run_kept kept;
    struct patience patience;
};

struct batch {
    struct call *call;
    struct loop_timer *timer;
    struct part *parts;
    struct call_choice *choices;
    size_t count, done, running, repeated, bytes;
    bool accepted;
    struct gen_usage usage;
    int64_t cost_nano;
    uint32_t attempts, continued, ttft_ms;
    const char *inference_type;
};

/* In the call's arena. */
struct batching {
    struct idempotency idempotency;
    const char *id_prefix;
    struct batch *batch; /* while it runs */
};

static struct batching *batching_of(const struct call *call) {
    return call->executor_data;
}

void *batch_executor_data(const struct draft *draft, const char *id_prefix) {
    struct batching *batching = ARENA_NEW(draft->arena, struct batching);
    if (batching != NULL) {
        *batching = (struct batching){.idempotency = draft->idempotency, .id_prefix = id_prefix};
    }
    return batching;
}

/* --- Its end --- */

/* Its call may be gone. */
static void batch_free(struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->parts[i].run != NULL) {
            run_cancel(batch->parts[i].run);
        }
        buf_clear(&batch->parts[i].text);
    }
    loop_timer_free(batch->timer);
    free(batch->choices);
    free(batch->parts);
    free(batch);
}

static void write_part(const struct part *part, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", part->id);
    json_write_key(writer, "provider");
    json_begin_object(writer);
    json_member_cstr(writer, "id", part->provider_id[0] != '\0' ? part->provider_id : NULL);
    json_member_cstr(writer, "region", part->region[0] != '\0' ? part->region : NULL);
    json_end_object(writer);
    json_member_int(writer, "attempts", part->attempts);
    if (part->continued > 0) {
        json_member_int(writer, "continued", part->continued);
    }
    json_end_object(writer);
}

static void write_nataris(const struct batch *batch, uint32_t latency_ms, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "inference_type", batch->inference_type);
    json_write_key(&writer, "generations");
    json_begin_array(&writer);
    for (size_t i = 0; i < batch->count; i++) {
        write_part(&batch->parts[i], &writer);
    }
    json_end_array(&writer);
    json_member_int(&writer, "attempts", batch->attempts);
    json_member_int(&writer, "latency_ms", latency_ms);
    json_member_int(&writer, "ttft_ms", batch->ttft_ms);
    json_end_object(&writer);
}

static void batch_end(struct batch *batch) {
    struct call *call = batch->call;
    const uint32_t latency_ms = (uint32_t)(loop_now_ms(call->calls->loop) - call->started_ms);
    struct buf nataris;
    for (size_t i = 0; i < batch->count; i++) {
        batch->choices[i].text = buf_str(&batch->parts[i].text);
    }
    buf_init(&nataris, (batch->count + 1) * BATCH_PART_NATARIS_BYTES);
    write_nataris(batch, latency_ms, &nataris);
    const struct call_result result = {.finish = GEN_FINISH_STOP,
                                       .usage = batch->usage,
                                       .inference_type = batch->inference_type,
                                       .attempts = batch->attempts,
                                       .continued = batch->continued,
                                       .ttft_ms = batch->ttft_ms,
                                       .latency_ms = latency_ms,
                                       .cost_nano = batch->cost_nano,
                                       .composed = true,
                                       .repeated = batch->repeated == batch->count,
                                       .choices = batch->choices,
                                       .choice_count = batch->count,
                                       .nataris = nataris.overflow ? STR("") : buf_str(&nataris)};
    batching_of(call)->batch = NULL;
    call->sink->finished(call, &result);
    buf_clear(&nataris);
    batch_free(batch);
}

static void batch_fail(struct batch *batch, const struct fault *fault) {
    struct call *call = batch->call;
    struct fault told = *fault;
    if (batch->done > 0) {
        const size_t length = strlen(told.message);
        (void)snprintf(told.message + length, sizeof(told.message) - length,
                       " So it was with one of %zu prompts; %zu were answered and charged, which under the same "
                       "Idempotency-Key are not charged again.",
                       batch->count, batch->done);
    }
    batching_of(call)->batch = NULL;
    batch_free(batch); /* the others are cancelled */
    call->sink->failed(call, &told);
}

/* --- What its runs tell --- */

static void on_begun(void *context) {
    struct batch *batch = ((struct part *)context)->batch;
    if (!batch->accepted) {
        batch->accepted = true;
        batch->call->sink->accepted(batch->call);
    }
}

/* False: the call is gone, and the batch with it. */
static bool tell(struct part *part, struct str text) {
    struct call *call = part->batch->call;
    if (text.len == 0) {
        return true;
    }
    part->told += text.len;
    call->choice = (size_t)(part - part->batch->parts);
    return call->sink->deliver(call, text) == CALL_DELIVERED; /* too long no stream is */
}

static void on_text(void *context, struct str text) {
    (void)tell(context, text);
}

static void take_end(struct part *part, const struct answer *answer) {
    struct batch *batch = part->batch;
    const struct call_result *result = answer->result;
    part->done = true;
    (void)str_copy(part->id, sizeof(part->id), str_from(answer->id));
    part->attempts = result->attempts;
    part->continued = result->continued;
    (void)str_copy(part->provider_id, sizeof(part->provider_id), str_from(result->provider_id));
    (void)str_copy(part->region, sizeof(part->region), str_from(result->provider_region));
    buf_append_str(&part->text, answer->text);
    batch->choices[part - batch->parts].finish = result->finish;
    batch->done++;
    batch->repeated += result->repeated;
    batch->bytes += answer->text.len;
    batch->usage.prompt_tokens += result->usage.prompt_tokens;
    batch->usage.completion_tokens += result->usage.completion_tokens;
    batch->usage.cached_tokens += result->usage.cached_tokens;
    batch->cost_nano += result->cost_nano;
    batch->attempts += result->attempts;
    batch->continued += result->continued;
    batch->ttft_ms = batch->done == 1 || result->ttft_ms < batch->ttft_ms ? result->ttft_ms : batch->ttft_ms;
    batch->inference_type = batch->call->identity.kind == STORE_KEY_LIVE ? "p2p" : "sandbox";
}

static void on_end(void *context, const struct answer *answer) {
    struct part *part = context;
    struct batch *batch = part->batch;
    part->run = NULL;
    batch->running--;
    take_end(part, answer);
    if (batch->bytes > LIMIT_ANSWER_BYTES) {
        struct fault fault;
        fault_set(&fault, FAULT_INVALID_REQUEST, "The answers are too long for one. Send fewer prompts at once.");
        batch_fail(batch, &fault);
        return;
    }
    const struct str all = buf_str(&part->text);
    if (batch->call->generation.stream && all.len > part->told &&
        !tell(part, (struct str){.data = all.data + part->told, .len = all.len - part->told})) {
        return;
    }
    if (batch->done == batch->count) {
        batch_end(batch);
    } else {
        loop_timer_start(batch->timer, 0, BATCH_TICK_MS);
    }
}

/* The account's limits are waited out while there is something of its own that uses them. */
static void on_failed(void *context, const struct fault *fault) {
    static const struct patience_terms terms = {.tries_max = 1, .refusals_ms = BATCH_REFUSED_MS};
    struct part *part = context;
    struct batch *batch = part->batch;
    part->run = NULL;
    batch->running--;
    if (fault->code == FAULT_RATE_LIMIT_EXCEEDED && batch->running + batch->done > 0 &&
        patience_after(&part->patience, &terms, fault, loop_now_ms(batch->call->calls->loop)) != PATIENCE_OVER) {
        return; /* the timer has an eye on it */
    }
    batch_fail(batch, fault);
}

static const struct run_events stream_events = {
    .on_begun = on_begun, .on_text = on_text, .on_end = on_end, .on_failed = on_failed};
static const struct run_events plain_events = {.on_begun = on_begun, .on_end = on_end, .on_failed = on_failed};

/* --- Its parts --- */

static void part_start(struct part *part) {
    struct batch *batch = part->batch;
    struct call *call = batch->call;
    const struct batching *batching = batching_of(call);
    const enum idempotency_kind kind = batching->idempotency.kind;
    struct gen_request generation = call->generation;
    generation.prompt = call->prompts->items[part - batch->parts];
    id_make(batching->id_prefix, clock_wall_ms(), part->id);
    const struct run_request asked = {.id = part->id,
                                      .purpose = RUN_REQUEST,
                                      .kind = call->kind,
                                      .identity = &call->identity,
                                      .generation = &generation,
                                      .label = call->label,
                                      .region = call->region,
                                      .verified = call->verified,
                                      .keep = kind != IDEMPOTENCY_NONE,
                                      .again = kind == IDEMPOTENCY_KEY || kind == IDEMPOTENCY_SDK_RETRY,
                                      .kept = &part->kept,
                                      .cost_max_nano = -1};
    batch->running++;
    part->run = run_start(call->calls, &asked, generation.stream ? &stream_events : &plain_events, part);
}

static void batch_go_on(void *context) {
    struct batch *batch = context;
    struct call *call = batch->call;
    for (size_t i = 0; i < batch->count && batch->running < BATCH_AT_ONCE; i++) {
        struct part *part = &batch->parts[i];
        if (!part->done && part->run == NULL && patience_is_due(&part->patience, call->calls, call->generation.model)) {
            part_start(part);
        }
    }
}

/* The name of the request with the part's number; it is the same for who tries again. The first part has that of the
 * request itself, so that any other request under it is refused. */
static void part_init(struct part *part, struct batch *batch, size_t index, const struct idempotency *asked) {
    struct {
        uint8_t scope[DIGEST_SHA256_SIZE];
        char what[8];
        uint64_t index;
    } name = {.what = "part", .index = index};
    *part = (struct part){.batch = batch};
    buf_init(&part->text, LIMIT_ANSWER_BYTES);
    if (asked->kind == IDEMPOTENCY_NONE) {
        return;
    }
    memcpy(name.scope, asked->scope_sha256, sizeof(name.scope));
    if (index == 0) {
        memcpy(part->kept.scope_sha256, asked->scope_sha256, sizeof(part->kept.scope_sha256));
    } else {
        digest_sha256(&name, sizeof(name), part->kept.scope_sha256);
    }
    memcpy(part->kept.body_sha256, asked->body_sha256, sizeof(part->kept.body_sha256));
    part->kept.kept_ms = idempotency_kept_ms(asked->kind);
    part->kept.replaces = asked->kind != IDEMPOTENCY_KEY;
}

static void submit(void *context, struct call *call) {
    (void)context;
    struct batching *batching = batching_of(call);
    struct batch *batch = MEM_NEW(struct batch);
    batch->call = call;
    batch->count = call->prompts->count;
    batch->parts = mem_calloc(batch->count, sizeof(*batch->parts));
    batch->choices = mem_calloc(batch->count, sizeof(*batch->choices));
    batch->timer = loop_timer_new(call->calls->loop, batch_go_on, batch);
    for (size_t i = 0; i < batch->count; i++) {
        part_init(&batch->parts[i], batch, i, &batching->idempotency);
    }
    batching->batch = batch;
    loop_timer_start(batch->timer, BATCH_TICK_MS, BATCH_TICK_MS);
    batch_go_on(batch);
}

static void abandon(void *context, struct call *call) {
    (void)context;
    struct batching *batching = batching_of(call);
    if (batching->batch != NULL) {
        batch_free(batching->batch);
        batching->batch = NULL;
    }
}

const struct executor BATCH_EXECUTOR = {.submit = submit, .abandon = abandon};
