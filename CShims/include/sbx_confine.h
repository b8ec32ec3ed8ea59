/* Shuts a process of ours in before it touches foreign data. */
#pragma once
#include <stdint.h>

struct sbx_confinement {
    int32_t writable;      /* a directory that it may change everything below */
    int32_t readable;      /* one that it may read below */
    uint64_t capabilities; /* the ones to keep */
    const void *filter;    /* struct sock_filter[] */
    uint16_t filter_count;
};

/* The caller is root of its user namespace, in mount, PID, network and IPC namespaces of its own, and has one thread. Its root
 * becomes an empty read-only directory with its own part of /proc; files are reached by descriptors alone, below the two
 * directories. 0, or -errno and what was being done in `*step`. */
int sbx_confine(const struct sbx_confinement *confinement, const char **step);

/* The same for a process that needs no path at all, whoever it is and wherever: it keeps what is open, may open and make
 * nothing, and loses its capabilities. `filter` is struct sock_filter[]. */
int sbx_confine_to_descriptors(const void *filter, uint16_t filter_count, const char **step);
