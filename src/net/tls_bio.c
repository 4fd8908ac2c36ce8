#include "net/tls_bio.h"

#include <string.h>

static int bio_write(BIO *bio, const char *data, size_t len, size_t *written) {
    struct tls_bio *ends = BIO_get_data(bio);
    chunk_append(ends->pool, &ends->output, data, len);
    *written = len;
    return 1;
}

static int bio_read(BIO *bio, char *out, size_t size, size_t *len) {
    struct tls_bio *ends = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (ends->input.len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *len = size < ends->input.len ? size : ends->input.len;
    memcpy(out, ends->input.data, *len);
    ends->input.data += *len;
    ends->input.len -= *len;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
    if (method != NULL) {
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}
