/* The limit: what the kernel allows a server that has nothing to do but send() one frame to every connection in turn.
 *
 *   limit [BYTES]         listens on 127.0.0.1, says {"port":N}; with BYTES a Ping goes behind each so many bytes to a
 *                         connection, in the same send(), and the Pongs are read: what a server does that bounds what
 *                         is in flight
 *
 * Speaks the commands of the measured servers (see servers.py), one JSON line on standard output for each:
 *
 *   flush COUNT SIZE          COUNT frames with SIZE bytes of payload, one send() for each frame and connection
 *   burst COUNT SIZE JOINED   the same frames, as many in one send() as fit into JOINED bytes
 *   pace COUNT SIZE EVERY     one frame each EVERY microseconds, stamped with the moment it was due
 *   quit
 *
 * The handshake's answer is the right one for the key that load.c sends, and for no other.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1 << 16, HEAD = 4, READY = 256, PING = 7 };

static int connections[CONNECTIONS], queue, pongs, listener;
static size_t count_open, between_pings, since_ping;
static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: u8X4uPtgBYcJPLdQygyS+lK/uK0=\r\n\r\n";

static void fail(const char *what) {
    fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- sending ---- */

static void make_frame(uint8_t *frame, size_t size, uint64_t at) {
    char text[40];
    int length = snprintf(text, sizeof text, "{\"stamp\":%016lu,\"fill\":\"", at);
    frame[0] = 0x81, frame[1] = 126, frame[2] = (uint8_t)(size >> 8), frame[3] = (uint8_t)size;
    memset(frame + HEAD, 'x', size);
    memcpy(frame + HEAD, text, (size_t)length);
    memcpy(frame + HEAD + size - 2, "\"}", 2);
}

static void send_all(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            struct pollfd wait = { fd, POLLOUT, 0 };
            if (errno != EAGAIN) fail("send");
            poll(&wait, 1, -1);
            continue;
        }
        bytes += sent, size -= (size_t)sent;
    }
}

static void read_pongs(void) {
    struct epoll_event ready[READY];
    uint8_t heard[256];
    int count = epoll_wait(pongs, ready, READY, 0);
    for (int i = 0; i < count; i++)
        if (recv(ready[i].data.fd, heard, sizeof heard, MSG_DONTWAIT) < 0 && errno != EAGAIN) fail("recv");
}

/* There is room for a Ping behind the bytes. */
static void broadcast(uint8_t *bytes, size_t size) {
    if (between_pings && (since_ping += size) >= between_pings) {
        memcpy(bytes + size, "\x89\x05" "cping", PING);
        size += PING, since_ping = 0;
    }
    for (size_t i = 0; i < count_open; i++) {
        send_all(connections[i], bytes, size);
        if (between_pings && i % READY == READY - 1) read_pongs();
    }
    if (between_pings) read_pongs();
}

static void publish(size_t count, size_t size, size_t joined) {
    size_t frame = HEAD + size, together = joined > frame ? joined / frame : 1;
    uint8_t *bytes = malloc(frame * together + PING);
    if (!bytes) fail("malloc");
    uint64_t began = microseconds();
    while (count) {
        size_t now = count < together ? count : together;
        for (size_t i = 0; i < now; i++) make_frame(bytes + i * frame, size, microseconds());
        broadcast(bytes, now * frame);
        count -= now;
    }
    printf("{\"began\":%.6f,\"ended\":%.6f}\n", (double)began / 1e6, (double)microseconds() / 1e6);
    free(bytes);
}

static void pace(size_t count, size_t size, uint64_t every) {
    uint8_t *bytes = malloc(HEAD + size + PING);
    uint64_t began = microseconds(), due = began;
    if (!bytes) fail("malloc");
    for (; count; count--, due += every) {
        struct timespec until = { (time_t)(due / 1000000), (long)(due % 1000000) * 1000 };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0);
        make_frame(bytes, size, due);
        broadcast(bytes, HEAD + size);
    }
    printf("{\"began\":%.6f,\"ended\":%.6f}\n", (double)began / 1e6, (double)microseconds() / 1e6);
    free(bytes);
}

/* ---- connections ---- */

static void watch(int where, int fd, uint32_t events) {
    struct epoll_event event = { events, { .fd = fd } };
    if (epoll_ctl(where, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void accept_all(void) {
    int fd, yes = 1;
    while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(queue, fd, EPOLLIN);
    }
}

/* A head comes in one piece from a client on the same machine; whatever comes later is not listened to. */
static void open_connection(int fd) {
    char head[2048];
    epoll_ctl(queue, EPOLL_CTL_DEL, fd, 0);
    if (recv(fd, head, sizeof head, 0) <= 0 || count_open == CONNECTIONS) {
        close(fd);
        return;
    }
    send_all(fd, (const uint8_t *)answer, sizeof answer - 1);
    connections[count_open++] = fd;
    if (between_pings) watch(pongs, fd, EPOLLIN | EPOLLET);
}

static void obey(void) {
    char line[256];
    size_t count, size, third;
    ssize_t length = read(0, line, sizeof line - 1);
    if (length <= 0) exit(0);
    line[length] = 0;
    if (sscanf(line, "flush %zu %zu", &count, &size) == 2) publish(count, size, 0);
    else if (sscanf(line, "burst %zu %zu %zu", &count, &size, &third) == 3) publish(count, size, third);
    else if (sscanf(line, "pace %zu %zu %zu", &count, &size, &third) == 3) pace(count, size, third);
    else if (!strncmp(line, "quit", 4)) exit(0);
    else fprintf(stderr, "limit: no such command: %s\n", line), exit(1);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (void *)&address, size) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (void *)&address, &size);
    if (argc > 1) between_pings = strtoul(argv[1], 0, 10);
    queue = epoll_create1(EPOLL_CLOEXEC);
    pongs = epoll_create1(EPOLL_CLOEXEC);
    watch(queue, listener, EPOLLIN);
    watch(queue, 0, EPOLLIN);
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    for (struct epoll_event ready[READY];;) {
        int count = epoll_wait(queue, ready, READY, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == 0) obey();
            else if (fd == listener) accept_all();
            else open_connection(fd);
        }
    }
}
