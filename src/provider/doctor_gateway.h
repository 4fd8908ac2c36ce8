/* Inside the self-test: whether the gateway can be reached, who it is, and whether its clock and ours agree. */
#ifndef NATARIS_PROVIDER_DOCTOR_GATEWAY_H
#define NATARIS_PROVIDER_DOCTOR_GATEWAY_H

#include "provider/doctor_finding.h"

void doctor_check_gateway(struct doctor *doctor);

#endif
