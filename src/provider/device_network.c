#include "provider/device_network.h"

#include "provider/device_read.h"

enum {
    ARPHRD_PPP_TYPE = 512, /* include/uapi/linux/if_arp.h */
    ARPHRD_RAWIP_TYPE = 519,
    INTERFACE_SIZE = 16, /* IFNAMSIZ */
    ROUTE_FIELDS = 11,
    ROUTE_UP = 1,
};

/* The blank-separated words of a line. */
static size_t split_words(struct str line, struct str *words, size_t max) {
    size_t count = 0;
    while (count < max && line.len > 0) {
        size_t begin = 0, end;
        while (begin < line.len && (line.data[begin] == ' ' || line.data[begin] == '\t')) {
            begin++;
        }
        for (end = begin; end < line.len && line.data[end] != ' ' && line.data[end] != '\t'; end++) {
        }
        if (end > begin) {
            words[count++] = (struct str){line.data + begin, end - begin};
        }
        line = (struct str){line.data + end, line.len - end};
    }
    return count;
}

/* /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask ...; flags in hex. The least metric wins. */
static bool find_route(struct str text, char out[INTERFACE_SIZE]) {
    uint64_t best = UINT64_MAX;
    while (text.len > 0) {
        struct str line, words[ROUTE_FIELDS];
        uint64_t metric;
        str_split(text, '\n', &line, &text);
        if (split_words(line, words, ROUTE_FIELDS) < ROUTE_FIELDS || !str_equal_cstr(words[1], "00000000") ||
            !str_equal_cstr(words[7], "00000000") || !str_parse_u64(words[6], UINT32_MAX, &metric)) {
            continue;
        }
        const char flags = words[3].data[words[3].len - 1]; /* an odd last digit has ROUTE_UP */
        const bool up = ((flags > '9' ? flags - 'A' + 10 : flags - '0') & ROUTE_UP) != 0;
        if (up && metric < best) {
            best = metric;
            str_copy(out, INTERFACE_SIZE, words[0]);
        }
    }
    return best != UINT64_MAX;
}

/* /proc/net/ipv6_route: destination and prefix length first, the interface last. */
static bool find_route6(struct str text, char out[INTERFACE_SIZE]) {
    while (text.len > 0) {
        struct str line, words[10];
        str_split(text, '\n', &line, &text);
        if (split_words(line, words, 10) == 10 && str_equal_cstr(words[0], "00000000000000000000000000000000") &&
            str_equal_cstr(words[1], "00") && !str_equal_cstr(words[9], "lo")) {
            return str_copy(out, INTERFACE_SIZE, words[9]);
        }
    }
    return false;
}

/* Drivers of phones that share their connection by USB, and of modems that look like network cards. */
static bool is_phone_or_modem(struct str driver) {
    static const char *const DRIVERS[] = {"rndis_host", "ipheth",         "cdc_mbim",
                                          "qmi_wwan",   "huawei_cdc_ncm", "sierra_net"};
    for (size_t i = 0; i < COUNT_OF(DRIVERS); i++) {
        if (str_equal_cstr(driver, DRIVERS[i])) {
            return true;
        }
    }
    return false;
}

static bool is_metered(const char *root, const char *interface, struct buf *text) {
    char folder[FILE_PATH_MAX], below[FILE_PATH_MAX];
    uint64_t type = 0;
    if (!file_join(folder, root, "sys/class/net", NULL) || !file_join(below, folder, interface, NULL)) {
        return false;
    }
    if (str_parse_u64(device_read_attribute(text, folder, interface, "type"), UINT32_MAX, &type) &&
        (type == ARPHRD_PPP_TYPE || type == ARPHRD_RAWIP_TYPE)) {
        return true;
    }
    device_read_text(text, below, "uevent");
    if (str_equal_cstr(device_find_value(buf_str(text), "DEVTYPE", '='), "wwan")) {
        return true;
    }
    device_read_text(text, below, "device/uevent");
    return is_phone_or_modem(device_find_value(buf_str(text), "DRIVER", '='));
}

bool device_network_is_metered(const char *root, struct buf *text) {
    char interface[INTERFACE_SIZE] = "";
    device_read_text(text, root, "proc/net/route");
    bool found = find_route(buf_str(text), interface);
    if (!found) {
        device_read_text(text, root, "proc/net/ipv6_route");
        found = find_route6(buf_str(text), interface);
    }
    return found && is_metered(root, interface, text);
}
