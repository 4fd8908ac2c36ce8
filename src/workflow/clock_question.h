/* Questions for the time or the date of now and here. Pure. */
#ifndef NATARIS_WORKFLOW_CLOCK_QUESTION_H
#define NATARIS_WORKFLOW_CLOCK_QUESTION_H

#include "base/str.h"

#include <stdbool.h>

/* "What time is it?", "今天星期几？", "Wie spät ist es?" with hardly anything around it: not of another place, of another
 * day, or of a train. */
bool clock_is_asked(struct str text);

#endif
