/* The load: many WebSocket clients in one thread that read what a server sends, and count.
 *
 *   load PORT PATH [stamps] [tls=LIBSSL]     over 127.0.0.1; Linux only
 *
 * Commands on standard input, one JSON line on standard output for each:
 *
 *   open COUNT AT_ONCE   open COUNT more connections, AT_ONCE handshakes at a time; answered when all have opened or
 *                        failed
 *   expect FRAMES        count from zero; answered at once, and with a report when so many frames have come
 *   report               what has come since the last expect
 *   quit
 *
 * It looks at frame headers only. With `stamps` a payload that holds "stamp":N (CLOCK_MONOTONIC microseconds) is also
 * timed: over all of them, and for each N when it came first and last. Pings are answered. With `tls` the library is
 * loaded by that name, so that no header file is needed to build this.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, PIECE = 1 << 18, READY = 512, STAMPS = 4096, SLOTS = 1 << 20 };
enum state { CONNECTING, SECURING, ASKING, OPEN, ENDED };

struct client {
    int fd;
    enum state state;
    uint32_t kept;           /* bytes of a frame, or of the answer to the handshake, whose rest has not come */
    uint8_t *rest;
    void *tls;
};
struct stamp { uint64_t at, first, last, count; };

static struct client **clients;
static size_t started, wanted, opening, opened, failed, ended, at_once;
static uint64_t frames, bytes, expected, first_at, last_at;
static struct stamp stamps[STAMPS];
static size_t stamped;
static uint32_t *delays;     /* how many frames took so many microseconds; the last slot holds all longer ones */
static uint64_t timed, longest;
static double opening_began;
static int looks_at_stamps, awaits_open, queue;
static struct sockaddr_in server;
static char request[512];
static uint8_t room[ROOM + PIECE];     /* what a client has kept goes right before what it reads */

static struct {
    void *(*method)(void), *(*context)(const void *), *(*new)(void *);
    int (*set_fd)(void *, int), (*handshake)(void *), (*read)(void *, void *, int);
    int (*write)(void *, const void *, int), (*error)(const void *, int);
    void (*set_connect)(void *), (*clear)(void);
    void *shared;
} tls;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fail(const char *form, ...) {
    va_list values;
    va_start(values, form);
    fputs("load: ", stderr);
    vfprintf(stderr, form, values);
    fputc('\n', stderr);
    exit(1);
}

/* ---- bytes ---- */

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail("%s is missing in the TLS library", name);
    return found;
}

static void load_tls(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (!library) fail("%s", dlerror());
    *(void **)&tls.method = symbol(library, "TLS_client_method");
    *(void **)&tls.context = symbol(library, "SSL_CTX_new");
    *(void **)&tls.new = symbol(library, "SSL_new");
    *(void **)&tls.set_fd = symbol(library, "SSL_set_fd");
    *(void **)&tls.set_connect = symbol(library, "SSL_set_connect_state");
    *(void **)&tls.handshake = symbol(library, "SSL_do_handshake");
    *(void **)&tls.read = symbol(library, "SSL_read");
    *(void **)&tls.write = symbol(library, "SSL_write");
    *(void **)&tls.error = symbol(library, "SSL_get_error");
    *(void **)&tls.clear = symbol(library, "ERR_clear_error");
    if (!(tls.shared = tls.context(tls.method()))) fail("no TLS context");
}

/* Like read(2): 0 at the end, -1 with EAGAIN when nothing is there. */
static ssize_t receive(struct client *c, void *into, size_t size) {
    if (!c->tls) return recv(c->fd, into, size, 0);
    tls.clear();
    int count = tls.read(c->tls, into, (int)size);
    if (count > 0) return count;
    int error = tls.error(c->tls, count);
    errno = error == 2 || error == 3 ? EAGAIN : ECONNRESET;
    return errno == EAGAIN ? -1 : 0;
}

static int transmit(struct client *c, const void *from, size_t size) {
    return (c->tls ? tls.write(c->tls, from, (int)size) : send(c->fd, from, size, MSG_NOSIGNAL)) == (ssize_t)size;
}

static void watch(struct client *c, int operation, uint32_t events) {
    struct epoll_event event = { events, { .ptr = c } };
    if (epoll_ctl(queue, operation, c->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

static void leave(struct client *c) {
    if (c->state == ENDED) return;
    if (c->state == OPEN) ended++, opened--;
    else failed++, opening--;
    c->state = ENDED;
    close(c->fd);
}

/* ---- answers ---- */

static uint64_t delay_at(double share) {
    uint64_t wanted_count = (uint64_t)((double)timed * share), seen = 0;
    for (size_t i = 0; i < SLOTS && timed; i++)
        if ((seen += delays[i]) > wanted_count) return i;
    return longest;
}

static void report(void) {
    printf("{\"frames\":%lu,\"bytes\":%lu,\"first\":%.6f,\"last\":%.6f,\"open\":%zu,\"ended\":%zu,\"timed\":%lu,"
           "\"p50\":%lu,\"p99\":%lu,\"longest\":%lu,\"stamps\":[",
           frames, bytes, (double)first_at / 1e6, (double)last_at / 1e6, opened, ended, timed, delay_at(0.5),
           delay_at(0.99), longest);
    for (size_t i = 0; i < stamped; i++)
        printf("%s[%lu,%lu,%lu,%lu]", i ? "," : "", stamps[i].at, stamps[i].first, stamps[i].last, stamps[i].count);
    puts("]}");
    fflush(stdout);
}

static void begin(uint64_t count) {
    expected = count;
    frames = bytes = first_at = last_at = timed = longest = 0;
    stamped = 0;
    memset(delays, 0, SLOTS * sizeof *delays);
    puts("{\"expecting\":true}");
    fflush(stdout);
}

/* ---- what comes in ---- */

static void note_stamp(const uint8_t *payload, size_t size, uint64_t now) {
    static const char mark[] = "\"stamp\":";
    const uint8_t *found = memmem(payload, size, mark, sizeof mark - 1);
    if (!found) return;
    uint64_t at = 0;
    for (found += sizeof mark - 1; found < payload + size && *found >= '0' && *found <= '9'; found++)
        at = at * 10 + (*found - '0');
    uint64_t delay = now > at ? now - at : 0;
    delays[delay < SLOTS ? delay : SLOTS - 1]++;
    timed++;
    if (delay > longest) longest = delay;
    size_t i = stamped;
    while (i && stamps[i - 1].at != at) i--;
    if (i) {
        stamps[i - 1].last = now;
        stamps[i - 1].count++;
    } else if (stamped < STAMPS) {
        stamps[stamped++] = (struct stamp){ at, now, now, 1 };
    }
}

static void take_frame(struct client *c, const uint8_t *payload, size_t size, int opcode, uint64_t now) {
    if (opcode == 9 && size < 126) {
        uint8_t pong[131] = { 0x8a, 0x80 | (uint8_t)size };     /* masked with zeros */
        memcpy(pong + 6, payload, size);
        transmit(c, pong, 6 + size);
    }
    if (opcode > 2) return;
    if (!frames++) first_at = now;
    last_at = now;
    if (looks_at_stamps) note_stamp(payload, size, now);
    if (frames == expected) report();
}

/* Returns how many of the bytes from p to end are used up. */
static size_t take_frames(struct client *c, const uint8_t *p, const uint8_t *end, uint64_t now) {
    const uint8_t *from = p;
    while (end - p >= 2) {
        size_t head = 2, size = p[1] & 127;
        if (size == 126) head = 4;
        else if (size == 127) fail("a frame of more than 64 KiB");
        if ((size_t)(end - p) < head) break;
        if (head == 4) size = (size_t)p[2] << 8 | p[3];
        if ((size_t)(end - p) < head + size) break;
        take_frame(c, p + head, size, p[0] & 15, now);
        p += head + size;
    }
    return (size_t)(p - from);
}

static size_t take_answer(struct client *c, const uint8_t *p, const uint8_t *end) {
    const uint8_t *head_end = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);
    if (!head_end) return 0;
    if (end - p < 12 || memcmp(p + 9, "101", 3)) {
        leave(c);
        return 0;
    }
    c->state = OPEN;
    opened++, opening--;
    return (size_t)(head_end + 4 - p);
}

static void read_from(struct client *c) {
    do {
        ssize_t count = receive(c, room + ROOM, PIECE);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            leave(c);
            return;
        }
        bytes += (uint64_t)count;
        uint8_t *p = room + ROOM - c->kept, *end = room + ROOM + count;
        if (c->kept) memcpy(p, c->rest, c->kept);
        if (c->state == ASKING) p += take_answer(c, p, end);
        if (c->state == OPEN) p += take_frames(c, p, end, microseconds());
        if (c->state == ENDED) return;
        c->kept = (uint32_t)(end - p);
        if (c->kept > ROOM) fail("an answer of more than 64 KiB");
        if (c->kept) {
            if (!c->rest && !(c->rest = malloc(ROOM))) fail("out of memory");
            memcpy(c->rest, p, c->kept);
        }
    } while (c->tls);
}

/* ---- opening ---- */

static void connect_one(void) {
    struct client *c = clients[started++] = calloc(1, sizeof *c);
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    opening++;
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    if (connect(c->fd, (void *)&server, sizeof server) && errno != EINPROGRESS) leave(c);
}

static void ask(struct client *c) {
    c->state = ASKING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    if (!transmit(c, request, strlen(request))) leave(c);
}

static void go_on(struct client *c) {
    int error = 0;
    socklen_t size = sizeof error;
    if (c->state == CONNECTING) {
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            leave(c);
            return;
        }
        if (!tls.shared) {
            ask(c);
            return;
        }
        if (!(c->tls = tls.new(tls.shared))) fail("no TLS connection");
        tls.set_fd(c->tls, c->fd);
        tls.set_connect(c->tls);
        c->state = SECURING;
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    tls.clear();
    int done = tls.handshake(c->tls);
    if (done == 1) {
        ask(c);
        return;
    }
    error = tls.error(c->tls, done);
    if (error != 2 && error != 3) leave(c);
}

static void open_more(size_t count, size_t limit) {
    wanted += count;
    at_once = limit;
    awaits_open = 1;
    opening_began = seconds();
    if (!(clients = realloc(clients, wanted * sizeof *clients))) fail("out of memory");
}

static void keep_opening(void) {
    while (started < wanted && opening < at_once) connect_one();
    if (awaits_open && started == wanted && !opening) {
        awaits_open = 0;
        printf("{\"opened\":%zu,\"failed\":%zu,\"seconds\":%.4f}\n", opened, failed, seconds() - opening_began);
        fflush(stdout);
    }
}

/* ---- commands ---- */

static void obey(char *line) {
    size_t count, limit;
    if (sscanf(line, "open %zu %zu", &count, &limit) == 2) open_more(count, limit);
    else if (sscanf(line, "expect %zu", &count) == 1) begin(count);
    else if (!strcmp(line, "report")) report();
    else if (!strcmp(line, "quit")) exit(0);
    else fail("no such command: %s", line);
}

static void read_commands(void) {
    char text[1024], *rest = text;
    ssize_t count = read(0, text, sizeof text - 1);
    if (count <= 0) exit(0);
    text[count] = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) obey(line);
}

int main(int argc, char **argv) {
    if (argc < 3) fail("load PORT PATH [stamps] [tls=LIBSSL]");
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "stamps")) looks_at_stamps = 1;
        else if (!strncmp(argv[i], "tls=", 4)) load_tls(argv[i] + 4);
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: YW5kb25kIG1lYXN1cmluZw==\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Protocol: cloudevents.json\r\n\r\n", argv[2], argv[1]);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (!(delays = calloc(SLOTS, sizeof *delays))) fail("out of memory");
    queue = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event commands = { EPOLLIN, { .ptr = 0 } }, ready[READY];
    if (epoll_ctl(queue, EPOLL_CTL_ADD, 0, &commands)) fail("standard input must be a pipe");
    for (;;) {
        keep_opening();
        int count = epoll_wait(queue, ready, READY, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = ready[i].data.ptr;
            if (!c) read_commands();
            else if (c->state == CONNECTING || c->state == SECURING) go_on(c);
            else if (c->state != ENDED) read_from(c);
        }
    }
}
