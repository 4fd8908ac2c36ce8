/* Whether the network costs money, as far as files tell: the interface of the default route is a modem, a dial-up link
 * or a tethered phone. Whether a Wi-Fi is somebody's hot spot no file says that all may read; the owner can. */
#ifndef NATARIS_PROVIDER_DEVICE_NETWORK_H
#define NATARIS_PROVIDER_DEVICE_NETWORK_H

#include "base/buf.h"

#include <stdbool.h>

/* `root` is put before every path; `text` is scratch for the files that are read. */
bool device_network_is_metered(const char *root, struct buf *text);

#endif
