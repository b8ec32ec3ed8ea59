/* Ids that a RUN wants and the id map does not have. */
#include "supervise.h"

#include <errno.h>

static const uint32_t no_id = (uint32_t)-1;
enum { MOST_GROUPS = 256 };

static int has(const struct sbx_id_range *ranges, size_t count, uint32_t id) {
    for (size_t i = 0; i < count; i++)
        if (id >= ranges[i].first && id - ranges[i].first < ranges[i].count) return 1;
    return 0;
}

/* Keeps of `ids` those that there are not; each once. */
static size_t keep_missing(const struct sbx_id_range *ranges, size_t range_count, uint32_t *ids, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == no_id || has(ranges, range_count, ids[i])) continue;
        size_t seen = 0;
        while (seen < kept && ids[seen] != ids[i]) seen++;
        if (seen == kept) ids[kept++] = ids[i];
    }
    return kept;
}

/* 1, or 0 with what is missing on record. Where maps are not known the kernel alone decides. */
static int check(struct supervision *s, const struct sbx_call *call, uint32_t *uids, size_t uid_count, uint32_t *gids,
                 size_t gid_count) {
    const struct sbx_supervisor *told = s->told;
    if (!told->knows_ids) return 1;
    uid_count = keep_missing(told->uids, told->uid_count, uids, uid_count);
    gid_count = keep_missing(told->gids, told->gid_count, gids, gid_count);
    if (uid_count + gid_count == 0) return 1;
    told->miss(told->context, call, uids, uid_count, gids, gid_count);
    return 0;
}

int sbx_has_owner(struct supervision *s, const struct sbx_call *call, uint32_t uid, uint32_t gid) {
    return check(s, call, &uid, 1, &gid, 1);
}

/* The list lies in memory that the caller can change; then the kernel finds the missing id itself, and only our record lacks it. */
static struct answer set_groups(struct supervision *s, const struct sbx_call *call) {
    uint32_t ids[MOST_GROUPS];
    int count = (int)call->arguments[0];
    if (count <= 0 || count > MOST_GROUPS) return go_on();
    size_t size = sizeof ids[0] * (size_t)count;
    if (sbx_read_memory(call->tid, call->arguments[1], ids, size) != (ssize_t)size) return go_on();
    if (!sbx_call_waits(s->told->listener, call->id)) return refuse(EPERM);
    if (check(s, call, 0, 0, ids, (size_t)count)) return go_on();
    return refuse(s->told->drops_groups ? EINVAL : EPERM);
}

struct answer sbx_handle_ids(struct supervision *s, const struct sbx_call *call, uint8_t handler) {
    uint32_t ids[3] = {(uint32_t)call->arguments[0], (uint32_t)call->arguments[1], (uint32_t)call->arguments[2]};
    int ok;
    switch (handler) {
    case SBX_HANDLE_SETUID: ok = check(s, call, ids, 1, 0, 0); break;
    case SBX_HANDLE_SETREUID: ok = check(s, call, ids, 2, 0, 0); break;
    case SBX_HANDLE_SETRESUID: ok = check(s, call, ids, 3, 0, 0); break;
    case SBX_HANDLE_SETGID: ok = check(s, call, 0, 0, ids, 1); break;
    case SBX_HANDLE_SETREGID: ok = check(s, call, 0, 0, ids, 2); break;
    case SBX_HANDLE_SETRESGID: ok = check(s, call, 0, 0, ids, 3); break;
    case SBX_HANDLE_SETGROUPS: return set_groups(s, call);
    default: return refuse(EPERM);
    }
    /* The ids are in registers: nobody changes them between here and the kernel, which checks them again. */
    return ok ? go_on() : refuse(EINVAL);
}
