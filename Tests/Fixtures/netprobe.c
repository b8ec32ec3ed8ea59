/* What a RUN's sockets can do, one `name value` a line; an error is its symbol.
 *
 *   netprobe all REFUSED         every way to connect and to send, on loopback; REFUSED may be an address that is refused
 *   netprobe race REFUSED COUNT  connects while another thread changes address and socket; how often REFUSED was reached
 *   netprobe cost COUNT          nanoseconds of a connection, of a datagram with an address, of a socket that is left alone
 *   netprobe hold                begins connections that never stand, and leaves them to other processes
 *   netprobe connect IP PORT     one connection, within three seconds
 *   netprobe ask IP PORT         sends a datagram and prints what comes back
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

extern const char *strerrorname_np(int);

static void say(const char *name, long result) {
    if (result >= 0) printf("%s ok\n", name);
    else printf("%s %s\n", name, strerrorname_np(errno));
    fflush(stdout);
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in four(const char *ip, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, ip, &address.sin_addr);
    return address;
}

static struct sockaddr_in6 six(const char *ip, int port) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    inet_pton(AF_INET6, ip, &address.sin6_addr);
    return address;
}

/* A listener on any port of `ip`; the port. */
static int listening(const char *ip, int type, int backlog, int *fd) {
    struct sockaddr_in address = four(ip, 0);
    socklen_t size = sizeof address;
    *fd = socket(AF_INET, type, 0);
    if (bind(*fd, (struct sockaddr *)&address, size) < 0 || (type == SOCK_STREAM && listen(*fd, backlog) < 0)) exit(1);
    getsockname(*fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static long to_four(int fd, const char *ip, int port) {
    struct sockaddr_in address = four(ip, port);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static long to_six(int fd, const char *ip, int port) {
    struct sockaddr_in6 address = six(ip, port);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static int stream(int flags) { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0); }

/* A connection that does not wait, waited for as event loops do it. */
static long by_poll(const char *ip, int port) {
    int fd = stream(SOCK_NONBLOCK);
    long result = to_four(fd, ip, port);
    if (result < 0 && errno != EINPROGRESS) return -1;
    struct pollfd end = {.fd = fd, .events = POLLOUT};
    poll(&end, 1, 60000);
    int error = -1;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0 && write(fd, "x", 1) != 1) return -1;
    close(fd);
    errno = error;
    return error ? -1 : 0;
}

/* A listener that takes no connection until somebody accepts. */
static int full_port, full_socket;
static void fill(void) {
    full_port = listening("127.0.0.1", SOCK_STREAM, 0, &full_socket);
    for (int i = 0; i < 3; i++) to_four(stream(SOCK_NONBLOCK), "127.0.0.1", full_port);
    /* Full it is with the first that stands. */
    poll(&(struct pollfd){.fd = full_socket, .events = POLLIN}, 1, 60000);
}

static void *accept_later(void *unused) {
    usleep(700000);
    for (int i = 0; i < 4; i++) accept(full_socket, NULL, NULL);
    return unused;
}

static volatile int alarms;
static void on_alarm(int number) { (void)number, alarms++; }

/* `again`: in as many milliseconds after the first one, and so on. */
static void set_alarm(int flags, int milliseconds, int again) {
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {.it_interval = {again / 1000, again % 1000 * 1000},
        .it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    alarms = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Who is late each time does not heed a limit or a signal. Who is late once had no processor: there are some tries. */
enum { TRIES = 20 };

static void waiting(void) {
    fill();
    struct timeval limit = {0, 300000};
    double start, took = 1;
    long result = 0;
    int error = 0;
    for (int i = 0; i < TRIES && took >= 1; i++) {
        int fd = stream(0);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        start = seconds();
        result = to_four(fd, "127.0.0.1", full_port);
        error = errno;
        took = seconds() - start;
        close(fd);
    }
    errno = error;
    say("wait:limit", result);
    printf("wait:limit-kept %s\n", took > 0.25 && took < 1 ? "yes" : "no");
    int is_soon = 0;
    for (int i = 0; i < TRIES && !is_soon; i++) {
        /* The first alarm may come before there is anything to interrupt. */
        set_alarm(0, 200, 200);
        start = seconds();
        int fd = stream(0);
        result = to_four(fd, "127.0.0.1", full_port);
        error = errno;
        is_soon = seconds() - start < 1 && alarms == 1;
        set_alarm(0, 0, 0);
        close(fd);
    }
    errno = error;
    say("wait:interrupted", result);
    printf("wait:interrupted-soon %s\n", is_soon ? "yes" : "no");
    fcntl(full_socket, F_SETFL, 0);
    pthread_t thread;
    set_alarm(SA_RESTART, 200, 0);
    pthread_create(&thread, NULL, accept_later, NULL);
    int fd = stream(0);
    say("wait:stands", to_four(fd, "127.0.0.1", full_port));
    printf("wait:alarms %d\n", alarms);
    printf("wait:blocks %s\n", fcntl(fd, F_GETFL) & O_NONBLOCK ? "no" : "yes");
    close(full_socket);
}

static void streams(const char *refused) {
    int fd, port = listening("127.0.0.1", SOCK_STREAM, 64, &fd), other = listening(refused, SOCK_STREAM, 64, &fd);
    int closed = listening("127.0.0.1", SOCK_STREAM, 1, &fd), connected = stream(0);
    close(fd);
    say("tcp", to_four(connected, "127.0.0.1", port));
    printf("tcp:blocks %s\n", fcntl(connected, F_GETFL) & O_NONBLOCK ? "no" : "yes");
    say("tcp:again", to_four(connected, "127.0.0.1", port));
    say("tcp:closed", to_four(stream(0), "127.0.0.1", closed));
    say("tcp:refused", to_four(stream(0), refused, other));
    char mapped[64];
    snprintf(mapped, sizeof mapped, "::ffff:%s", refused);
    say("tcp6:mapped-refused", to_six(socket(AF_INET6, SOCK_STREAM, 0), mapped, other));
    say("tcp6:mapped", to_six(socket(AF_INET6, SOCK_STREAM, 0), "::ffff:127.0.0.1", port));
    say("tcp6:closed", to_six(socket(AF_INET6, SOCK_STREAM, 0), "::1", closed));
    say("poll", by_poll("127.0.0.1", port));
    say("poll:closed", by_poll("127.0.0.1", closed));
    say("poll:refused", by_poll(refused, other));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    say("tcp:disconnect", connect(connected, &none, sizeof none));
    say("tcp:anew", to_four(connected, "127.0.0.1", port));
    struct sockaddr_in address = four("127.0.0.1", port);
    say("tcp:bad-address", connect(stream(0), (struct sockaddr *)8, sizeof address));
    say("tcp:short", connect(stream(0), (struct sockaddr *)&address, 4));
    say("tcp:empty", connect(stream(0), (struct sockaddr *)&address, 0));
    say("tcp:long", connect(stream(0), (struct sockaddr *)&address, 4000));
    say("tcp:negative", connect(stream(0), (struct sockaddr *)&address, (socklen_t)-1));
    say("tcp:no-descriptor", connect(999, (struct sockaddr *)&address, sizeof address));
    say("tcp:no-socket", connect(open("/", O_RDONLY), (struct sockaddr *)&address, sizeof address));
    say("fastopen:sendto", sendto(stream(0), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address));
    struct iovec bytes = {"x", 1};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &bytes, .msg_iovlen = 1};
    say("fastopen:sendmsg", sendmsg(stream(0), &message, MSG_FASTOPEN));
    say("mptcp", socket(AF_INET, SOCK_STREAM, 262));
    say("smc", socket(AF_INET6, SOCK_STREAM, 256));
}

static void datagrams(const char *refused) {
    int fd, port = listening("127.0.0.1", SOCK_DGRAM, 0, &fd), udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in ours = four("127.0.0.1", port), theirs = four(refused, port), names = four(refused, 53);
    struct sockaddr_in unnamed = theirs;
    unnamed.sin_family = AF_UNSPEC;
    struct iovec bytes = {"x", 1};
    struct mmsghdr messages[2] = {
        {{.msg_name = &ours, .msg_namelen = sizeof ours, .msg_iov = &bytes, .msg_iovlen = 1}, 0},
        {{.msg_name = &ours, .msg_namelen = sizeof ours, .msg_iov = &bytes, .msg_iovlen = 1}, 0}};
    say("udp:sendto", sendto(udp, "x", 1, 0, (struct sockaddr *)&ours, sizeof ours));
    say("udp:sendto-refused", sendto(udp, "x", 1, 0, (struct sockaddr *)&theirs, sizeof theirs));
    say("udp:sendto-unnamed", sendto(udp, "x", 1, 0, (struct sockaddr *)&unnamed, sizeof unnamed));
    say("udp:name-server", sendto(udp, "x", 1, 0, (struct sockaddr *)&names, sizeof names));
    say("udp:sendmsg", sendmsg(udp, &messages[0].msg_hdr, 0));
    say("udp:sendmmsg", sendmmsg(udp, messages, 2, 0));
    messages[1].msg_hdr.msg_name = &theirs;
    say("udp:sendmsg-refused", sendmsg(udp, &messages[1].msg_hdr, 0));
    say("udp:sendmmsg-refused", sendmmsg(udp, messages, 2, 0));
    say("udp:connect-refused", to_four(udp, refused, port));
    say("udp:connect-name-server", to_four(udp, refused, 53));
    say("udp:connect", to_four(udp, "127.0.0.1", port));
    say("udp:send", send(udp, "x", 1, 0));
}

static void others(void) {
    char directory[] = "/tmp/netprobe.XXXXXX";
    if (!mkdtemp(directory) || chdir(directory) < 0) exit(1);
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "socket"}, hidden = {.sun_family = AF_UNIX};
    memcpy(hidden.sun_path + 1, "netprobe", 8);
    socklen_t hidden_size = offsetof(struct sockaddr_un, sun_path) + 9;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), abstract = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&path, sizeof path), listen(listener, 8);
    bind(abstract, (struct sockaddr *)&hidden, hidden_size), listen(abstract, 8);
    say("unix:path", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&path, sizeof path));
    say("unix:abstract", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&hidden, hidden_size));
    struct ucred who = {0};
    socklen_t size = sizeof who;
    getsockopt(accept(listener, NULL, NULL), SOL_SOCKET, SO_PEERCRED, &who, &size);
    printf("unix:peer %s\n", who.pid == getpid() && who.uid == getuid() ? "self" : "other");
    struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "log"};
    bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&log, sizeof log);
    say("unix:sendto", sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&log, sizeof log));
    struct {
        struct nlmsghdr header;
        struct rtgenmsg body;
    } request = {{sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {AF_UNSPEC}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    say("netlink", sendto(netlink, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel));
    char answer[8192];
    printf("netlink:answer %s\n", recv(netlink, answer, sizeof answer, 0) > 100 ? "yes" : "no");
}

// MARK: A race

static struct sockaddr_in target;
static uint32_t addresses[2];
static int sockets[2], shared;
static volatile int racing = 1, reached, stood;

static void *change_address(void *unused) {
    for (unsigned i = 0; racing; i++) ((volatile struct sockaddr_in *)&target)->sin_addr.s_addr = addresses[i & 1];
    return unused;
}

/* Between a Unix socket, whose connections go on, and one of IP. */
static void *change_socket(void *unused) {
    for (unsigned i = 0; racing; i++) dup2(sockets[i & 1], shared);
    return unused;
}

static void *count_reached(void *listener) {
    for (;;) {
        int fd = accept((int)(intptr_t)listener, NULL, NULL);
        if (fd < 0) return NULL;
        reached++;
        close(fd);
    }
}

static void race(const char *refused, long count) {
    int good, bad, port = listening("127.0.0.1", SOCK_STREAM, 4096, &good);
    struct sockaddr_in same = four(refused, port);
    bad = stream(0);
    if (bind(bad, (struct sockaddr *)&same, sizeof same) < 0 || listen(bad, 4096) < 0) exit(1);
    target = four("127.0.0.1", port);
    addresses[0] = four("127.0.0.1", port).sin_addr.s_addr;
    addresses[1] = same.sin_addr.s_addr;
    fcntl(good, F_SETFL, O_NONBLOCK);
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, count_reached, (void *)(intptr_t)bad);
    pthread_create(&threads[1], NULL, change_address, NULL);
    long refusals = 0;
    /* On until the race was on: the other thread may not have had a processor yet. */
    for (long i = 0; i < count || (i < 100 * count && !(stood && (refusals || reached))); i++) {
        int fd = stream(i & 1 ? SOCK_NONBLOCK : 0);
        if (connect(fd, (struct sockaddr *)&target, sizeof target) == 0 || errno == EINPROGRESS) stood++;
        else if (errno == EPERM) refusals++;
        close(fd);
        int from;
        while (i % 64 == 63 && (from = accept(good, NULL, NULL)) >= 0) close(from);
    }
    racing = 0;
    pthread_join(threads[1], NULL);
    printf("stood %s\nrefusals %s\n", stood > 0 ? "some" : "none", refusals > 0 ? "some" : "none");
    racing = 1;
    target.sin_addr.s_addr = addresses[1];
    shared = dup(2);
    sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    sockets[1] = stream(SOCK_NONBLOCK);
    pthread_create(&threads[2], NULL, change_socket, NULL);
    long missed = 0;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    for (long i = 0; i < count; i++) {
        connect(sockets[1], &none, sizeof none);
        if (connect(shared, (struct sockaddr *)&target, sizeof target) < 0 && errno == EACCES) missed++;
    }
    racing = 0;
    pthread_join(threads[2], NULL);
    usleep(100000);
    printf("landlock %s\nreached %d\n", missed > 0 ? "some" : "none", reached);
}

// MARK: The rest

static void cost(long count) {
    int fd, port = listening("127.0.0.1", SOCK_STREAM, 4096, &fd);
    double start = seconds();
    for (long i = 0; i < count; i++) {
        int client = stream(0);
        if (to_four(client, "127.0.0.1", port) < 0) exit(1);
        close(client);
        close(accept(fd, NULL, NULL));
    }
    printf("connection %ld\n", (long)((seconds() - start) * 1e9 / (double)count));
    port = listening("127.0.0.1", SOCK_DGRAM, 0, &fd);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = four("127.0.0.1", port);
    start = seconds();
    for (long i = 0; i < count; i++) sendto(udp, "x", 1, 0, (struct sockaddr *)&address, sizeof address);
    printf("datagram %ld\n", (long)((seconds() - start) * 1e9 / (double)count));
    to_four(udp, "127.0.0.1", port);
    start = seconds();
    for (long i = 0; i < count; i++) send(udp, "x", 1, 0);
    printf("send %ld\n", (long)((seconds() - start) * 1e9 / (double)count));
}

static void hold(void) {
    fill();
    for (int i = 0; i < 200; i++)
        if (fork() == 0) {
            to_four(stream(0), "127.0.0.1", full_port);
            pause();
        }
    usleep(300000);
    int fd;
    say("while-held", to_four(stream(0), "127.0.0.1", listening("127.0.0.1", SOCK_STREAM, 1, &fd)));
}

/* By either family. */
static int to(const char *ip, int port, int type, struct sockaddr_storage *address, socklen_t *size) {
    struct sockaddr_in6 long_one = six(ip, port);
    struct sockaddr_in short_one = four(ip, port);
    int is_long = strchr(ip, ':') != NULL;
    *size = is_long ? sizeof long_one : sizeof short_one;
    memcpy(address, is_long ? (void *)&long_one : (void *)&short_one, *size);
    return socket(is_long ? AF_INET6 : AF_INET, type, 0);
}

static void connect_to(const char *ip, int port) {
    struct sockaddr_storage address;
    socklen_t size;
    int fd = to(ip, port, SOCK_STREAM, &address, &size);
    struct timeval limit = {30, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    say("connect", connect(fd, (struct sockaddr *)&address, size));
}

/* What a server says to whoever connects. */
static void read_from(const char *ip, int port) {
    struct sockaddr_storage address;
    socklen_t size;
    int fd = to(ip, port, SOCK_STREAM, &address, &size);
    struct timeval limit = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int result = connect(fd, (struct sockaddr *)&address, size);
    char text[256];
    long count = result < 0 ? -1 : recv(fd, text, sizeof text, 0);
    if (count < 0) say("read", -1);
    else printf("read %.*s\n", (int)count, text);
}

/* The address of a name, by a name server. */
static void resolve(const char *server, const char *name) {
    unsigned char message[256] = {0x12, 0x34, 1, 0, 0, 1};
    size_t length = 12, label = strcspn(name, ".");
    for (; label; name += label + (name[label] == '.'), label = strcspn(name, ".")) {
        message[length++] = (unsigned char)label;
        memcpy(message + length, name, label);
        length += label;
    }
    memcpy(message + length, "\0\0\1\0\1", 5);
    length += 5;
    struct sockaddr_storage address;
    socklen_t size;
    int fd = to(server, 53, SOCK_DGRAM, &address, &size);
    struct timeval limit = {30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (sendto(fd, message, length, 0, (struct sockaddr *)&address, size) < 0) {
        say("resolve", -1);
        return;
    }
    long count = recv(fd, message, sizeof message, 0);
    unsigned char *last = message + count - 4;
    if (count < (long)length + 4) say("resolve", -1);
    else printf("resolve %d.%d.%d.%d\n", last[0], last[1], last[2], last[3]);
}

static void ask(const char *ip, int port) {
    struct sockaddr_storage address;
    socklen_t size;
    int fd = to(ip, port, SOCK_DGRAM, &address, &size);
    struct timeval limit = {30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    say("ask", sendto(fd, "question", 8, 0, (struct sockaddr *)&address, size));
    char text[256];
    long count = recv(fd, text, sizeof text, 0);
    if (count < 0) say("answer", -1);
    else printf("answer %.*s\n", (int)count, text);
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(command, "all") && argc == 3) streams(argv[2]), datagrams(argv[2]), others(), waiting();
    else if (!strcmp(command, "race") && argc == 4) race(argv[2], atol(argv[3]));
    else if (!strcmp(command, "cost") && argc == 3) cost(atol(argv[2]));
    else if (!strcmp(command, "hold")) hold();
    else if (!strcmp(command, "connect") && argc == 4) connect_to(argv[2], atoi(argv[3]));
    else if (!strcmp(command, "read") && argc == 4) read_from(argv[2], atoi(argv[3]));
    else if (!strcmp(command, "resolve") && argc == 4) resolve(argv[2], argv[3]);
    else if (!strcmp(command, "raw")) say("raw", socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
    else if (!strcmp(command, "ask") && argc == 4) ask(argv[2], atoi(argv[3]));
    else return 64;
    return 0;
}
