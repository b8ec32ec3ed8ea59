/* What faults.c, in each process of Lichen, and faulty.c, which starts them, share: a page of memory in a file. */
#include <stdint.h>

enum role { BUILDER, WORKER, UNPACKER, STEP, ROLES };
/* What writes: one kind for all calls that can fail for the same reason at the same place of a program. */
enum kind { READ, WRITE, CREATE, SYNC, RENAME, MKDIR, NODE, SYMLINK, LINK, REMOVE, LENGTH, OWNER, MODE, TIMES, ATTRIBUTE, CLOSE, KINDS };

/* ONCE: call number `nth` fails. ONWARDS: that call and all after it, as on a disk that is full. SHORT: each write writes half. */
enum manner { ONCE, ONWARDS, SHORT };

struct control {
    int32_t role, kind, nth, error, manner;
    /* Calls so far. */
    uint32_t calls[ROLES][KINDS];
    /* Calls that failed, and which file the first of them was about. */
    uint32_t hits;
    char place[256];
    /* Open descriptors: the most that there ever were, and those at the end. */
    uint32_t most_open[ROLES], last_open[ROLES];
};

static const char *const role_names[] = {"builder", "worker", "unpacker", "step"};
static const char *const kind_names[] = {"read", "write", "create", "sync", "rename", "mkdir", "node", "symlink", "link", "remove",
                                         "length", "owner", "mode", "times", "attribute", "close"};
