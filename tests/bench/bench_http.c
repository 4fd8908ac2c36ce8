/* A load generator for `make bench`: keep-alive connections to one loopback address, in one of three ways.
 *
 *   bench_http HOST:PORT rate N     sends N requests a second whatever the answers do (open loop), prints latencies
 *   bench_http HOST:PORT closed N   N connections, each asks again when it is answered
 *   bench_http HOST:PORT stream N   likewise, begun one by one over the first second, so that the streams are not in step;
 *                                   counts the events also of answers that are cut off at the end
 *
 * followed by SECONDS and a file that holds the whole request (head and body). Prints one line of JSON. Latency is
 * counted from when a request was due, so a slow server cannot hide its queue (no coordinated omission). */
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, READ_SIZE = 256 * 1024, SAMPLES_MAX = 4 * 1000 * 1000, RATE_CONNECTIONS = 256 };

struct client {
    int fd;
    bool busy, chunked, head_seen;
    size_t body_left; /* of an answer with Content-Length */
    uint64_t due_ns;
    char tail[8]; /* the last bytes of the pieces before, to find what a read boundary cuts */
    size_t tail_len;
};

struct bench {
    struct sockaddr_in address;
    char *request;
    size_t request_len;
    int epoll;
    struct client clients[CONNECTIONS_MAX];
    size_t client_count, idle_count;
    size_t idle[CONNECTIONS_MAX];
    uint32_t *latencies_us;
    size_t answers, events, failures, tokens;
    uint64_t last_answer_ns;
    char *piece;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "bench_http: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void client_connect(struct bench *bench, size_t index) {
    struct client *client = &bench->clients[index];
    const int on = 1;
    *client = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&bench->address, sizeof(bench->address)) != 0) {
        die("cannot connect");
    }
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = index};
    epoll_ctl(bench->epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void client_send(struct bench *bench, size_t index, uint64_t due_ns) {
    struct client *client = &bench->clients[index];
    client->busy = true;
    client->head_seen = false;
    client->tail_len = 0;
    client->due_ns = due_ns;
    if (send(client->fd, bench->request, bench->request_len, MSG_NOSIGNAL) != (ssize_t)bench->request_len) {
        die("cannot send a whole request");
    }
}

static size_t count_events(const char *data, size_t len) {
    size_t count = 0;
    for (const char *at = data; (at = memmem(at, len - (size_t)(at - data), "data: {", 7)) != NULL; at += 7) {
        count++;
    }
    return count;
}

/* The whole answer has come. */
static void client_answered(struct bench *bench, size_t index, uint64_t now) {
    struct client *client = &bench->clients[index];
    const uint64_t us = (now - client->due_ns) / 1000;
    if (bench->answers < SAMPLES_MAX) {
        bench->latencies_us[bench->answers] = (uint32_t)us;
    }
    bench->answers++;
    bench->last_answer_ns = now;
    client->busy = false;
    bench->idle[bench->idle_count++] = index;
}

/* Reads status and framing from the head at the start of `data`; returns what the head takes. */
static size_t read_head(struct bench *bench, struct client *client, const char *data, size_t len) {
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL) {
        fprintf(stderr, "bench_http: an answer's head came in pieces\n");
        exit(1);
    }
    const size_t head_len = (size_t)(end - data) + 4;
    if (len < 12 || memcmp(data + 9, "200", 3) != 0) {
        if (bench->failures++ == 0) {
            fprintf(stderr, "bench_http: %.*s\n", (int)len, data);
        }
    }
    const char *length = memmem(data, head_len, "Content-Length: ", 16);
    client->chunked = length == NULL;
    client->body_left = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    client->head_seen = true;
    return head_len;
}

static void count_tokens(struct bench *bench, const char *data, size_t len) {
    static const char NAME[] = "\"completion_tokens\":";
    const char *at = memmem(data, len, NAME, sizeof(NAME) - 1);
    if (at != NULL) {
        bench->tokens += strtoul(at + sizeof(NAME) - 1, NULL, 10);
    }
}

static bool ends_chunked(struct client *client, const char *data, size_t len) {
    char last[16];
    const size_t from_data = len < 5 ? len : 5;
    memcpy(last, client->tail, client->tail_len);
    memcpy(last + client->tail_len, data + len - from_data, from_data);
    const size_t have = client->tail_len + from_data;
    const size_t keep = have < 5 ? have : 5;
    memcpy(client->tail, last + have - keep, keep);
    client->tail_len = keep;
    return keep == 5 && memcmp(client->tail, "0\r\n\r\n", 5) == 0;
}

static void client_readable(struct bench *bench, size_t index) {
    struct client *client = &bench->clients[index];
    const ssize_t got = recv(client->fd, bench->piece, READ_SIZE, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        errno = got == 0 ? ECONNRESET : errno;
        die("connection lost");
    }
    const char *data = bench->piece;
    size_t len = (size_t)got;
    if (!client->head_seen) {
        const size_t head = read_head(bench, client, data, len);
        data += head;
        len -= head;
    }
    bench->events += count_events(data, len);
    count_tokens(bench, data, len);
    bool done = false;
    if (client->chunked) {
        done = len > 0 && ends_chunked(client, data, len);
    } else {
        client->body_left -= len;
        done = client->body_left == 0;
    }
    if (done) {
        client_answered(bench, index, now_ns());
    }
}

static void wait_and_read(struct bench *bench, uint64_t until_ns) {
    struct epoll_event events[256];
    const uint64_t now = now_ns();
    const uint64_t wait = until_ns > now ? until_ns - now : 0;
    const struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000U), .tv_nsec = (long)(wait % 1000000000U)};
    const int count = epoll_pwait2(bench->epoll, events, 256, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        client_readable(bench, events[i].data.u64);
    }
}

static void run_rate(struct bench *bench, double rate, uint64_t end_ns) {
    const double gap_ns = 1e9 / rate;
    const uint64_t start_ns = now_ns();
    for (uint64_t sent = 0;;) {
        const uint64_t due_ns = start_ns + (uint64_t)((double)sent * gap_ns);
        if (due_ns >= end_ns) {
            break;
        }
        if (now_ns() >= due_ns && bench->idle_count > 0) {
            client_send(bench, bench->idle[--bench->idle_count], due_ns);
            sent++;
        } else {
            wait_and_read(bench, bench->idle_count > 0 ? due_ns : due_ns + 1000000);
        }
    }
}

/* `spread_ns`: the connections begin one by one over so long. */
static void run_closed(struct bench *bench, uint64_t end_ns, uint64_t spread_ns) {
    const uint64_t start_ns = now_ns();
    const size_t total = bench->client_count;
    for (uint64_t now = start_ns; now < end_ns; now = now_ns()) {
        const uint64_t share = spread_ns == 0 ? total : 1 + (now - start_ns) * total / spread_ns;
        const size_t begun = share < total ? (size_t)share : total;
        while (bench->idle_count > total - begun) {
            client_send(bench, bench->idle[--bench->idle_count], now_ns());
        }
        wait_and_read(bench, begun < total ? start_ns + begun * spread_ns / total + 1 : end_ns);
    }
    if (spread_ns > 0) {
        bench->last_answer_ns = now_ns();
    }
}

static int compare_u32(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(const struct bench *bench, double part) {
    const size_t count = bench->answers < SAMPLES_MAX ? bench->answers : SAMPLES_MAX;
    return count == 0 ? 0 : bench->latencies_us[(size_t)((double)(count - 1) * part)];
}

static void read_request(struct bench *bench, const char *path) {
    FILE *file = fopen(path, "rb");
    bench->request = mem_alloc(1024 * 1024);
    if (file == NULL) {
        die(path);
    }
    bench->request_len = fread(bench->request, 1, 1024 * 1024, file);
    fclose(file);
}

static void open_clients(struct bench *bench, const char *address, size_t count) {
    char host[64];
    struct str name, port;
    uint64_t number = 0;
    if (!str_split(str_from(address), ':', &name, &port) || !str_copy(host, sizeof(host), name) ||
        !str_parse_u64(port, 65535, &number) || inet_pton(AF_INET, host, &bench->address.sin_addr) != 1) {
        errno = EINVAL;
        die(address);
    }
    bench->address.sin_family = AF_INET;
    bench->address.sin_port = htons((uint16_t)number);
    bench->epoll = epoll_create1(EPOLL_CLOEXEC);
    bench->client_count = count;
    for (size_t i = 0; i < count; i++) {
        client_connect(bench, i);
        bench->idle[bench->idle_count++] = i;
    }
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: bench_http HOST:PORT rate|closed|stream N SECONDS REQUEST_FILE\n");
        return 2;
    }
    struct bench *bench = MEM_NEW(struct bench);
    const double n = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
    const bool open_loop = strcmp(argv[2], "rate") == 0, stream = strcmp(argv[2], "stream") == 0;
    if (n < 1 || (!open_loop && n > CONNECTIONS_MAX)) {
        fprintf(stderr, "bench_http: N is 1 to %d\n", CONNECTIONS_MAX);
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    bench->latencies_us = mem_alloc(SAMPLES_MAX * sizeof(*bench->latencies_us));
    bench->piece = mem_alloc(READ_SIZE);
    read_request(bench, argv[5]);
    open_clients(bench, argv[1], open_loop ? RATE_CONNECTIONS : (size_t)n);
    const uint64_t start_ns = now_ns(), end_ns = start_ns + (uint64_t)(seconds * 1e9);
    if (open_loop) {
        run_rate(bench, n, end_ns);
    } else {
        run_closed(bench, end_ns, stream ? 1000000000U : 0);
    }
    const size_t sampled = bench->answers < SAMPLES_MAX ? bench->answers : SAMPLES_MAX;
    qsort(bench->latencies_us, sampled, sizeof(*bench->latencies_us), compare_u32);
    printf(
        "{\"answers\":%zu,\"failures\":%zu,\"events\":%zu,\"tokens\":%zu,\"seconds\":%.6f,\"p50_us\":%u,\"p90_us\":%u,"
        "\"p99_us\":%u}\n",
        bench->answers, bench->failures, bench->events, bench->tokens, (double)(bench->last_answer_ns - start_ns) / 1e9,
        percentile(bench, 0.5), percentile(bench, 0.9), percentile(bench, 0.99));
    return bench->failures == 0 ? 0 : 1;
}
