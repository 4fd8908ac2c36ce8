#include "provider/device_state.h"

#include "base/machine.h"
#include "provider/device_network.h"
#include "provider/device_read.h"

struct look {
    struct device_state *state;
    struct buf text; /* of the file that is read at the moment */
};

static void read_supply(void *context, const char *folder, const char *device) {
    struct look *look = context;
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
    struct look look = {.state = state};
    buf_init(&look.text, DEVICE_FILE_MAX);
    const struct device_heat heat = device_heat_read(root, &look.text);
    const struct device_use use = device_use_read(root, &look.text);
    *state = (struct device_state){.heat = heat.heat,
                                   .hottest_c = heat.hottest_c,
                                   .battery_percent = -1,
                                   .charging = true,
                                   .metered = device_network_is_metered(root, &look.text),
                                   .idle_s = use.idle_s,
                                   .input_events = use.input_events};
    state->ram_free_bytes = machine_memory_available(root);
    device_each_entry(root, "sys/class/power_supply", read_supply, &look);
    buf_clear(&look.text);
}
