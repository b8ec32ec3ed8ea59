/* Answers each connection on $PORT with one line of HTTP; with --check it asks such a server instead. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char reply[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n42\n";

static struct sockaddr_in address(in_addr_t host) {
    const char *port = getenv("PORT");
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    a.sin_port = htons((uint16_t)atoi(port != NULL ? port : "8080"));
    return a;
}

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int check(int s) {
    struct sockaddr_in a = address(INADDR_LOOPBACK);
    if (connect(s, (struct sockaddr *)&a, sizeof a) < 0) return fail("connect");
    if (write(s, "GET / HTTP/1.0\r\n\r\n", 18) != 18) return fail("write");
    char line[16] = "";
    if (read(s, line, sizeof line - 1) < 12) return fail("read");
    return strncmp(line, "HTTP/1.0 200", 12) != 0;
}

static int serve(int s) {
    struct sockaddr_in a = address(INADDR_ANY);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(s, (struct sockaddr *)&a, sizeof a) < 0) return fail("bind");
    if (listen(s, 16) < 0) return fail("listen");
    for (;;) {
        char request[1024];
        int c = accept(s, NULL, NULL);
        if (c < 0) continue;
        if (read(c, request, sizeof request) > 0) (void)!write(c, reply, sizeof reply - 1);
        close(c);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0) return fail("socket");
    return argc > 1 && strcmp(argv[1], "--check") == 0 ? check(s) : serve(s);
}
