/* The self-test of a device: everything that a provider needs, one after the other, ending with a real job on an engine
 * of its own. Blocks; works beside a running provider. */
#ifndef NATARIS_PROVIDER_DOCTOR_H
#define NATARIS_PROVIDER_DOCTOR_H

#include "provider/doctor_finding.h"

/* Returns false when a check failed; warnings are none. */
MUST_CHECK bool doctor_run(struct doctor *doctor);

#endif
