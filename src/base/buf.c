#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf, size_t limit) {
    *buf = (struct buf){.limit = limit};
}

void buf_clear(struct buf *buf) {
    free(buf->data);
    buf_init(buf, buf->limit);
}

void buf_reset(struct buf *buf) {
    buf->len = 0;
    buf->overflow = false;
}

/* The block is always one byte larger than `capacity`: the place of buf_cstr's NUL. */
static void buf_grow(struct buf *buf, size_t needed) {
    size_t capacity = buf->capacity > 0 ? buf->capacity : BUF_FIRST_CAPACITY;
    while (capacity < needed) {
        capacity = capacity > buf->limit / 2 ? buf->limit : capacity * 2;
    }
    buf->data = mem_realloc(buf->data, capacity + 1);
    buf->capacity = capacity;
}

char *buf_reserve(struct buf *buf, size_t len) {
    if (buf->len > buf->limit || len > buf->limit - buf->len) {
        buf->overflow = true;
        return NULL;
    }
    if (buf->data == NULL || len > buf->capacity - buf->len) {
        buf_grow(buf, buf->len + len);
    }
    return buf->data + buf->len;
}

bool buf_append(struct buf *buf, const void *data, size_t len) {
    char *place = buf_reserve(buf, len);
    if (place == NULL) {
        return false;
    }
    if (len > 0) {
        memcpy(place, data, len);
    }
    buf->len += len;
    return true;
}

bool buf_append_str(struct buf *buf, struct str s) {
    return buf_append(buf, s.data, s.len);
}

bool buf_append_cstr(struct buf *buf, const char *text) {
    return buf_append(buf, text, strlen(text));
}

bool buf_append_u64(struct buf *buf, uint64_t number) {
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return buf_append(buf, digits + at, sizeof(digits) - at);
}

bool buf_append_format(struct buf *buf, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0) {
        buf->overflow = true;
        return false;
    }
    if ((size_t)length < sizeof(text)) {
        return buf_append(buf, text, (size_t)length);
    }
    char *place = buf_reserve(buf, (size_t)length);
    if (place == NULL) {
        return false;
    }
    va_start(arguments, format);
    vsnprintf(place, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buf->len += (size_t)length;
    return true;
}

void buf_consume(struct buf *buf, size_t len) {
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

struct str buf_str(const struct buf *buf) {
    return (struct str){.data = buf->data != NULL ? buf->data : "", .len = buf->len};
}

const char *buf_cstr(struct buf *buf) {
    if (buf->data == NULL) {
        buf_grow(buf, 0);
    }
    buf->data[buf->len] = '\0';
    return buf->data;
}
