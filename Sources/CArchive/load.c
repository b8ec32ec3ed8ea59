#include "CArchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define EACH_FUNCTION(DO) \
    DO(read_new) DO(read_append_filter) DO(read_support_format_raw) DO(read_open) DO(read_next_header) DO(read_data) \
    DO(read_free) DO(error_string)

#define POINTER(NAME) __typeof__(&archive_##NAME) NAME;
static struct { EACH_FUNCTION(POINTER) } archive;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];

static void load(void) {
    void *library = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL);
#define FIND(NAME) && (archive.NAME = (__typeof__(archive.NAME))dlsym(library, "archive_" #NAME)) != NULL
    if (library != NULL EACH_FUNCTION(FIND)) return;
    const char *words = dlerror();
    snprintf(problem, sizeof problem, "%s", words != NULL ? words : "libarchive.so.13");
}

const char *carchive_load(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

struct archive *carchive_read_new(void) { return archive.read_new(); }
int carchive_read_append_filter(struct archive *one, int filter) { return archive.read_append_filter(one, filter); }
int carchive_read_support_format_raw(struct archive *one) { return archive.read_support_format_raw(one); }
int carchive_read_free(struct archive *one) { return archive.read_free(one); }
const char *carchive_error_string(struct archive *one) { return archive.error_string(one); }

int carchive_read_open(struct archive *one, void *context, archive_read_callback *read) {
    return archive.read_open(one, context, NULL, read, NULL);
}

int carchive_read_next_header(struct archive *one, struct archive_entry **entry) {
    return archive.read_next_header(one, entry);
}

la_ssize_t carchive_read_data(struct archive *one, void *buffer, size_t count) {
    return archive.read_data(one, buffer, count);
}
