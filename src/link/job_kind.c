#include "link/job_kind.h"

enum link_job_kind link_job_kind_of(const struct gen_request *request) {
    if (request->bias_count > 0 || request->logprobs) {
        return LINK_JOB_KIND_SAMPLE;
    }
    return request->grammar.len > 0 ? LINK_JOB_KIND_GRAMMAR : LINK_JOB_KIND_GENERATE;
}

bool link_job_kind_generates(enum link_job_kind kind) {
    return kind == LINK_JOB_KIND_GENERATE || kind == LINK_JOB_KIND_GRAMMAR || kind == LINK_JOB_KIND_SAMPLE;
}

const char *link_job_kind_name(enum link_job_kind kind) {
    switch (kind) {
    case LINK_JOB_KIND_GENERATE:
        return "generate";
    case LINK_JOB_KIND_SCORE:
        return "score";
    case LINK_JOB_KIND_GRAMMAR:
        return "grammar";
    case LINK_JOB_KIND_SAMPLE:
        return "sample";
    case LINK_JOB_KIND_EMBED:
        return "embed";
    case LINK_JOB_KIND_TRANSCRIBE:
        return "transcribe";
    case LINK_JOB_KIND_SPEAK:
        return "speak";
    case LINK_JOB_KIND_OTHER:
        break;
    }
    return "other";
}

enum link_job_kind link_job_kind_from_name(struct str name) {
    for (int i = LINK_JOB_KIND_GENERATE; i < LINK_JOB_KIND_OTHER; i++) {
        if (str_equal_cstr(name, link_job_kind_name((enum link_job_kind)i))) {
            return (enum link_job_kind)i;
        }
    }
    return LINK_JOB_KIND_OTHER;
}
