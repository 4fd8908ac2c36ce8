/* Inside the self-test: a real job on an engine of the doctor's own. */
#ifndef NATARIS_PROVIDER_DOCTOR_JOB_H
#define NATARIS_PROVIDER_DOCTOR_JOB_H

#include "provider/doctor_finding.h"

/* Makes `model`, whose file is at `path` (NULL: it needs none), answer a short prompt. */
void doctor_check_job(struct doctor *doctor, const char *model, const char *path);

#endif
