/* Inside the self-test: a real job on an engine of the doctor's own. */
#ifndef NATARIS_PROVIDER_DOCTOR_JOB_H
#define NATARIS_PROVIDER_DOCTOR_JOB_H

#include "provider/doctor_finding.h"

/* Makes `model` answer a short prompt. `path` is its file (NULL: it needs none), `upstream` its name at an upstream
 * (empty: it has none). */
void doctor_check_job(struct doctor *doctor, const char *model, const char *path, const char *upstream);

#endif
