/* Numbers of the calculator (workflow/number.h) as text, both ways. Pure. */
#ifndef NATARIS_WORKFLOW_NUMBER_TEXT_H
#define NATARIS_WORKFLOW_NUMBER_TEXT_H

#include "base/buf.h"
#include "base/str.h"
#include "workflow/number.h"

/* Digits with at most one point and an exponent, such as "12.5e3". False: no number, or a longer one than may be. */
MUST_CHECK bool number_read(struct number *number, struct str text, struct err *err);

/* Whole numbers with all their digits, other exact ones too if they end within 30 digits; else 15 digits, and "about "
 * before what is so large that digits before the point are lost. */
void number_write(const struct number *number, struct buf *out);

#endif
