/* Routes of a step's own network namespace, by rtnetlink(7); the rules of child_common.c hold. */
#include "sbx_spawn.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute;
    uint8_t address[16];
};

static int is_ipv4(const struct sbx_address *address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    for (size_t i = 0; i < sizeof mapped; i++)
        if (address->bytes[i] != mapped[i]) return 0;
    return 1;
}

static size_t fill(struct request *request, const struct sbx_address *address) {
    size_t skipped = is_ipv4(address) ? 12 : 0, count = 16 - skipped;
    request->attribute = (struct rtattr){.rta_len = (unsigned short)RTA_LENGTH(count), .rta_type = RTA_DST};
    for (size_t i = 0; i < count; i++) request->address[i] = address->bytes[skipped + i];
    request->route = (struct rtmsg){.rtm_family = skipped ? AF_INET : AF_INET6,
                                    .rtm_dst_len = (unsigned char)(8 * count),
                                    .rtm_table = RT_TABLE_MAIN,
                                    .rtm_protocol = RTPROT_STATIC,
                                    .rtm_scope = RT_SCOPE_UNIVERSE,
                                    .rtm_type = RTN_PROHIBIT};
    size_t size = offsetof(struct request, address) + count;
    request->header = (struct nlmsghdr){.nlmsg_len = (uint32_t)size,
                                        .nlmsg_type = RTM_NEWROUTE,
                                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE};
    return size;
}

/* The kernel answers before the write returns. */
static int ask(int socket, const struct request *request, size_t size) {
    union {
        char space[512];
        struct {
            struct nlmsghdr header;
            struct nlmsgerr error;
        } message;
    } answer = {0};
    if (write(socket, request, size) != (ssize_t)size) return -1;
    ssize_t count = read(socket, &answer, sizeof answer);
    if (count < 0) return -1;
    if ((size_t)count < sizeof answer.message || answer.message.header.nlmsg_type != NLMSG_ERROR) {
        errno = EBADMSG;
        return -1;
    }
    errno = -answer.message.error.error;
    return errno == 0 ? 0 : -1;
}

int sbx_child_refuse_route(const struct sbx_address *address) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -1;
    struct request request;
    size_t size = fill(&request, address);
    int result = ask(fd, &request, size);
    int error = errno;
    close(fd);
    /* Where there is no IPv6, nothing leads there by it. */
    if (result < 0 && !is_ipv4(address) && (error == EOPNOTSUPP || error == EAFNOSUPPORT)) return 0;
    errno = error;
    return result;
}
