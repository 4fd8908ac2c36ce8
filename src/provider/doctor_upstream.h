/* Whether the server that a device would pass jobs on to answers, and has its models. */
#ifndef NATARIS_PROVIDER_DOCTOR_UPSTREAM_H
#define NATARIS_PROVIDER_DOCTOR_UPSTREAM_H

#include "provider/doctor_finding.h"
#include "provider/hosted_model_spec.h"

/* Blocks for some 20 seconds at most. True when `model` is one on which a job can be tried. */
bool doctor_check_upstream(struct doctor *doctor, struct hosted_model_spec *model);

#endif
