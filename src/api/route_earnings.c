#include "api/route_earnings.h"

#include "api/page.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/json_values.h"
#include "store/owed.h"
#include "store/usage.h"

/* Three questions to the store, one after the other: the period, what is owed now, the lines. In the
 * exchange's arena. */
struct earnings_query {
    struct period period;
    struct page page;
    struct store_earnings in_period;
    struct store_owed owed;
};

static void write_line(struct json_writer *writer, const struct store_generation *generation) {
    json_begin_object(writer);
    page_write_generation(writer, generation);
    json_member_cstr(writer, "provider_id", generation->device_id);
    json_member_int(writer, "prompt_tokens", generation->prompt_tokens);
    json_member_int(writer, "completion_tokens", generation->completion_tokens);
    json_member_usd(writer, "earned_usd", generation->provider_nano);
    json_member_usd(writer, "given_usd", generation->provider_given_nano);
    json_end_object(writer);
}

static void write_ripening(struct json_writer *writer, const struct store_owed *owed) {
    char text[CLOCK_TEXT_SIZE];
    json_write_key(writer, "ripens");
    json_begin_array(writer);
    for (size_t i = 0; i < owed->day_count; i++) {
        clock_format_utc(owed->days[i].ripe_ms, text);
        json_begin_object(writer);
        json_member_cstr(writer, "by", text);
        json_member_usd(writer, "amount_usd", owed->days[i].amount_nano);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* As of now, whatever the period. */
static void write_owed(struct json_writer *writer, const struct store_owed *owed, uint32_t hold_days) {
    json_member_usd(writer, "payable_usd", owed->suspended ? 0 : owed->payable_nano);
    json_member_usd(writer, "ripening_usd", owed->ripening_nano);
    json_member_usd(writer, "escrow_usd", owed->escrow_nano);
    json_member_usd(writer, "given_escrow_usd", owed->given_escrow_nano);
    json_member_int(writer, "hold_days", hold_days);
    write_ripening(writer, owed);
}

static void respond_earnings(struct api_request *request, const struct store_generation *generations, size_t count,
                             bool more) {
    const struct earnings_query *query = request->handler_data;
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "provider.earnings");
    json_member_cstr(&writer, "period_start", query->period.start);
    json_member_cstr(&writer, "period_end", query->period.end);
    json_member_usd(&writer, "given_usd", query->in_period.given_nano);
    write_owed(&writer, &query->owed, store_hold_days(request->api->calls->store));
    json_member_usd(&writer, "earned_usd", query->in_period.earned_nano);
    json_member_usd(&writer, "paid_usd", query->in_period.paid_nano);
    json_member_usd(&writer, "owed_usd", query->owed.earnings_nano);
    json_member_int(&writer, "jobs", query->in_period.generations);
    json_member_int(&writer, "tokens", query->in_period.tokens);
    json_write_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        write_line(&writer, &generations[i]);
    }
    json_end_array(&writer);
    json_member_bool(&writer, "has_more", more);
    respond_json_end(request, 200, &writer);
}

static void on_lines(void *context, const struct store_generation *generations, size_t count, bool more,
                     const struct err *err) {
    struct api_request *request = pending_answered(context, err, "request", "after");
    if (request != NULL) {
        respond_earnings(request, generations, count, more);
    }
}

static void on_owed(void *context, const struct store_owed *owed, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "request", "after");
    if (request == NULL) {
        return;
    }
    struct earnings_query *query = request->handler_data;
    query->owed = *owed;
    store_generations_page(request->api->calls->store, request->identity.account_id, true, query->page.after,
                           query->page.limit, on_lines, pending_new(request, NULL));
}

static void on_period(void *context, const struct store_earnings *earnings, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "request", "after");
    if (request == NULL) {
        return;
    }
    struct earnings_query *query = request->handler_data;
    query->in_period = *earnings;
    store_owed_read(request->api->calls->store, request->identity.account_id, on_owed, pending_new(request, NULL));
}

static void handle(struct api_request *request) {
    struct earnings_query *query = ARENA_NEW(http_exchange_arena(request->exchange), struct earnings_query);
    struct fault fault;
    if (query == NULL) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = query;
    if (!page_read_period(request, &query->period, &fault) || !page_read(request, "request", &query->page, &fault)) {
        respond_fault(request, &fault);
    } else if (request_is_test(request)) {
        respond_earnings(request, NULL, 0, false); /* no device works for the sandbox */
    } else {
        store_earnings_read(request->api->calls->store, request->identity.account_id, query->period.from_ms,
                            query->period.to_ms, on_period, pending_new(request, NULL));
    }
}

static const struct route routes[] = {
    {"GET", "/v1/provider/earnings", true, handle, NULL},
};

const struct route_set ROUTES_EARNINGS = {routes, COUNT_OF(routes)};
