/* The formats that there are, and how one is found. */
#ifndef NATARIS_FORMAT_FORMATS_H
#define NATARIS_FORMAT_FORMATS_H

#include "format/format.h"

/* Those that the gateway serves. */
extern const struct formats FORMATS;

/* The one with that name, path, or stored number; NULL: there is none. */
const struct format *format_by_name(const struct formats *formats, struct str name);
const struct format *format_by_path(const struct formats *formats, struct str path);
const struct format *format_by_stored(const struct formats *formats, enum store_job_kind stored);

#endif
