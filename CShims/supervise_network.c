/* Connections of a RUN, where there are addresses that it may not reach.
 *
 * The address lies in memory that the caller can change, and the socket's number can become another socket's: so both are read
 * once, and the connection is made here, on a copy of the socket. What is no socket of IP goes on. That is safe because the caller's
 * Landlock domain refuses every TCP connection that the caller's own threads make (Linux 6.7): whatever stands at the number by
 * then, the kernel makes no such connection.
 *
 * Nothing here waits: a connection of a socket that blocks is begun, and the caller's call stays unanswered until it stands. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sbx_process.h"

enum { NAME_SERVICE_PORT = 53, MOST_MESSAGES = 1024, RESTART = 512 /* ERESTARTSYS */ };

// MARK: Addresses

struct place {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};

/* Where an address leads; 0 if it is none of IP. A datagram's may leave its family out, and is IPv4 then. */
static int find_place(const struct sockaddr_storage *address, size_t length, int is_datagram, struct place *place) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b}; /* 64:ff9b::/96, RFC 6052 */
    int family = address->ss_family;
    if (length >= 8 && (family == AF_INET || (is_datagram && family == AF_UNSPEC))) {
        const struct sockaddr_in *ip = (const struct sockaddr_in *)address;
        memcpy(place->address, mapped, sizeof mapped);
        memcpy(place->address + 12, &ip->sin_addr, 4);
        place->port = ntohs(ip->sin_port);
        return 1;
    }
    if (length >= 24 && family == AF_INET6) {
        const struct sockaddr_in6 *ip = (const struct sockaddr_in6 *)address;
        memcpy(place->address, &ip->sin6_addr, 16);
        if (memcmp(place->address, translated, sizeof translated) == 0) memcpy(place->address, mapped, sizeof mapped);
        place->port = ntohs(ip->sin6_port);
        return 1;
    }
    return 0;
}

/* Whether this may not be reached; then it is on record. Name servers are: some clouds have theirs at the same address. */
static int is_refused(struct supervision *s, const struct sbx_call *call, const struct sockaddr_storage *address,
                      size_t length, int is_datagram) {
    const struct sbx_supervisor *told = s->told;
    struct place place;
    if (!find_place(address, length, is_datagram, &place) || place.port == NAME_SERVICE_PORT) return 0;
    for (size_t i = 0; i < told->refused_count; i++) {
        if (memcmp(told->refused[i].bytes, place.address, sizeof place.address) != 0) continue;
        told->refuse(told->context, call, &told->refused[i], place.port);
        return 1;
    }
    return 0;
}

static int read_address(uint32_t tid, uint64_t at, size_t length, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (length > sizeof *address) return -EINVAL;
    if (length == 0) return 0;
    return sbx_read_memory(tid, at, address, length) == (ssize_t)length ? 0 : -EFAULT;
}

// MARK: Sockets

/* A copy of the caller's descriptor, or -errno. Before Linux 6.9 a process is asked for, and not its thread. */
static int copy_descriptor(struct supervision *s, const struct sbx_call *call, int number) {
    enum { PIDFD_THREAD = O_EXCL };
    int thread = (int)syscall(SYS_pidfd_open, call->tid, PIDFD_THREAD);
    if (thread < 0) {
        uint32_t process;
        if (sbx_process_of(s, call->tid, &process) < 0) return -EPERM;
        thread = (int)syscall(SYS_pidfd_open, process, 0);
        if (thread < 0) return -errno;
    }
    int fd = sbx_pidfd_getfd(thread, number);
    close(thread);
    return fd;
}

static int is_of_ip(int fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && (domain == AF_INET || domain == AF_INET6);
}

/* One step of a connection, without waiting: 0 or an errno. A socket that blocks is made not to for that moment; its flags are the
 * caller's as well. */
static int connect_now(const struct connection *c) {
    int flags = fcntl(c->socket, F_GETFL);
    int blocks = !(flags & O_NONBLOCK);
    if (blocks) fcntl(c->socket, F_SETFL, flags | O_NONBLOCK);
    int error = connect(c->socket, (const struct sockaddr *)&c->address, c->length) < 0 ? errno : 0;
    if (blocks) fcntl(c->socket, F_SETFL, flags);
    return error;
}

static int is_under_way(int error) { return error == EINPROGRESS || error == EALREADY; }

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* When a connection has taken as long as its socket may (SO_SNDTIMEO); INT64_MAX without a limit. */
static int64_t deadline(int socket) {
    struct timeval limit = {0};
    socklen_t size = sizeof limit;
    if (getsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) < 0 || (limit.tv_sec == 0 && limit.tv_usec == 0))
        return INT64_MAX;
    return milliseconds_now() + (int64_t)limit.tv_sec * 1000 + limit.tv_usec / 1000;
}

// MARK: connect

/* Takes the connection's socket. */
static struct answer begin(struct supervision *s, struct connection *c) {
    int blocks = !(fcntl(c->socket, F_GETFL) & O_NONBLOCK);
    int error = connect_now(c);
    if (blocks && is_under_way(error)) {
        if (s->connection_count < MOST_CONNECTIONS) {
            c->error = error;
            c->deadline = deadline(c->socket);
            s->connections[s->connection_count++] = *c;
            return answer_later();
        }
        error = EAGAIN; /* as where no port is left */
    }
    close(c->socket);
    return error ? refuse(error) : give(0);
}

struct answer sbx_handle_connect(struct supervision *s, const struct sbx_call *call) {
    struct connection c = {.call = *call};
    if ((int)call->arguments[2] < 0) return refuse(EINVAL);
    c.length = (socklen_t)call->arguments[2];
    c.socket = copy_descriptor(s, call, (int)call->arguments[0]);
    if (c.socket < 0) return go_on(); /* none, or one that the kernel refuses to connect */
    if (!is_of_ip(c.socket)) {
        close(c.socket);
        return go_on();
    }
    int error = read_address(call->tid, call->arguments[1], c.length, &c.address);
    if (error == 0 && !sbx_call_waits(s->told->listener, call->id)) error = -EPERM;
    if (error == 0 && is_refused(s, call, &c.address, c.length, 0)) error = -EPERM;
    if (error == 0) return begin(s, &c);
    close(c.socket);
    return refuse(-error);
}

// MARK: Connections under way

static void forget(struct supervision *s, size_t i) {
    close(s->connections[i].socket);
    s->connections[i] = s->connections[--s->connection_count];
}

/* Nobody waits for it any more; the socket may be ours alone, and what lingers in it must not hold us. */
static void drop(struct supervision *s, size_t i) {
    struct linger none = {0};
    setsockopt(s->connections[i].socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    forget(s, i);
}

/* What a signal makes of a connection that is waited for: the kernel starts the call again, or it is EINTR, as the handler says. */
static int interruption(void) {
#ifdef __x86_64__
    return RESTART;
#else
    return EINTR;
#endif
}

/* Whether connection `i` has come to its end, and how. `events` as of poll(2). */
static int has_ended(struct supervision *s, struct connection *c, short events, int *error) {
    if (events) {
        *error = connect_now(c);
        if (*error == EISCONN) *error = 0; /* another thread asked first */
        return !is_under_way(*error);
    }
    *error = c->error;
    if (milliseconds_now() >= c->deadline) return 1;
    *error = interruption();
    return sbx_signal_waits(s, c->call.tid);
}

size_t sbx_await_connections(const struct supervision *s, struct pollfd *ends) {
    for (size_t i = 0; i < s->connection_count; i++)
        ends[i] = (struct pollfd){.fd = s->connections[i].socket, .events = POLLOUT};
    return s->connection_count;
}

void sbx_serve_connections(struct supervision *s, const struct pollfd *ends, size_t count) {
    for (size_t i = count; i-- > 0;) {
        struct connection *c = &s->connections[i];
        int error;
        if (!sbx_call_waits(s->told->listener, c->call.id)) {
            drop(s, i);
        } else if (has_ended(s, c, ends[i].revents, &error)) {
            sbx_send_answer(s, &c->call, error ? refuse(error) : give(0));
            forget(s, i);
        }
    }
}

void sbx_end_connections(struct supervision *s) {
    while (s->connection_count) drop(s, s->connection_count - 1);
}

// MARK: Datagrams

static int refuses_address(struct supervision *s, const struct sbx_call *call, uint64_t at, size_t length) {
    struct sockaddr_storage address;
    return at && read_address(call->tid, at, length, &address) == 0 && sbx_call_waits(s->told->listener, call->id) &&
           is_refused(s, call, &address, length, 1);
}

/* Datagrams go on, as they are sent by the kernel from what stands in memory then: a thread of the caller's can send one to a
 * refused address after this look. No metadata service listens for datagrams; the look is for the record. */
struct answer sbx_handle_send(struct supervision *s, const struct sbx_call *call, uint8_t handler) {
    if (handler == SBX_HANDLE_SENDTO)
        return refuses_address(s, call, call->arguments[4], (uint32_t)call->arguments[5]) ? refuse(EPERM) : go_on();
    size_t size = handler == SBX_HANDLE_SENDMSG ? sizeof(struct msghdr) : sizeof(struct mmsghdr);
    size_t count = handler == SBX_HANDLE_SENDMSG ? 1 : (uint32_t)call->arguments[2];
    if (count > MOST_MESSAGES) count = MOST_MESSAGES; /* the kernel's own limit */
    ssize_t have = sbx_read_memory(call->tid, call->arguments[1], s->text, size * count);
    for (size_t i = 0; have > 0 && (i + 1) * size <= (size_t)have; i++) {
        struct msghdr message;
        memcpy(&message, s->text + i * size, sizeof message);
        if (refuses_address(s, call, (uint64_t)(uintptr_t)message.msg_name, message.msg_namelen)) return refuse(EPERM);
    }
    return go_on();
}
