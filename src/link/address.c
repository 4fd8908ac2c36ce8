#include "link/address.h"

#include "base/buf.h"
#include "base/mem.h"
#include "link/version.h"
#include "net/ws_url.h"

#include <string.h>

bool link_address_of(const char *url, bool has_tls, char **out, struct err *err) {
    struct ws_url parsed;
    struct str path = str_from(url);
    if (!ws_url_parse(&parsed, url, err)) {
        return false;
    }
    if (strchr(url, '?') != NULL) {
        return err_set(err, ERR_INVALID, "the gateway's address may hold no '?'");
    }
    if (parsed.secure && !has_tls) {
        return err_set(err, ERR_INVALID, "the gateway's address wants TLS, which is not set up here");
    }
    while (path.len > 0 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    struct buf text;
    buf_init(&text, path.len + sizeof(LINK_PATH));
    (void)buf_append_str(&text, path);
    (void)buf_append_cstr(&text, LINK_PATH);
    *out = mem_strdup(buf_cstr(&text));
    buf_clear(&text);
    return true;
}
