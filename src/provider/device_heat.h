/* How hot the device is. Each thermal zone is judged by its own trip points, as its maker set them; the hottest
 * judgement counts. A zone without trip points is judged by fixed temperatures. */
#ifndef NATARIS_PROVIDER_DEVICE_HEAT_H
#define NATARIS_PROVIDER_DEVICE_HEAT_H

#include "base/buf.h"
#include "link/status.h"

#include <stdint.h>

enum { DEVICE_HEAT_UNKNOWN = INT32_MIN };

struct device_heat {
    enum link_heat heat;
    int32_t hottest_c; /* of the zones that can be read, in degrees Celsius; or DEVICE_HEAT_UNKNOWN */
};

/* `root` is put before every path; `text` is scratch for the files that are read. */
struct device_heat device_heat_read(const char *root, struct buf *text);

#endif
