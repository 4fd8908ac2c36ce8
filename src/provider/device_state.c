#include "provider/device_state.h"

#include "provider/device_heat.h"
#include "provider/device_network.h"
#include "provider/device_read.h"
#include "provider/device_use.h"

static void read_supply(void *context, const char *folder, const char *device) {
    struct device_look *look = context;
    struct device_state *state = look->state;
    struct buf *text = &look->text;
    uint64_t percent;
    if (!str_equal_cstr(device_read_attribute(text, folder, device, "type"), "Battery") ||
        str_equal_cstr(device_read_attribute(text, folder, device, "scope"), "Device") || /* a mouse's or pen's */
        !str_parse_u64(device_read_attribute(text, folder, device, "capacity"), 100, &percent)) {
        return;
    }
    if (state->battery_percent < 0 || (int32_t)percent < state->battery_percent) {
        state->battery_percent = (int32_t)percent;
    }
    if (str_equal_cstr(device_read_attribute(text, folder, device, "status"), "Discharging")) {
        state->charging = false;
    }
}

void device_state_read(struct device_state *state, const char *root) {
    struct device_look look = {.state = state, .root = root};
    buf_init(&look.text, DEVICE_FILE_MAX);
    *state = (struct device_state){.heat = LINK_HEAT_NOMINAL,
                                   .hottest_c = DEVICE_HEAT_UNKNOWN,
                                   .battery_percent = -1,
                                   .charging = true,
                                   .idle_s = DEVICE_IDLE_UNKNOWN};
    device_read_text(&look.text, root, "proc/meminfo");
    state->ram_free_bytes = device_read_kib(buf_str(&look.text), "MemAvailable");
    device_each_entry(root, "sys/class/power_supply", read_supply, &look);
    device_each_entry(root, "sys/class/thermal", device_read_zone, &look);
    device_read_network(&look);
    device_read_use(&look);
    buf_clear(&look.text);
}
