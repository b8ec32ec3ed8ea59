#pragma once
#include <archive.h>
#include <archive_entry.h>

/*
 * libarchive, loaded when it is first needed: contexts and archives that are packed by xz or bzip2 are rare, and it would
 * bring nine libraries into every process.
 *
 * carchive_load comes first; after it has returned NULL, each carchive_NAME is libarchive's archive_NAME.
 */

/* Finds the library and all functions, once; from any thread. NULL, or the linker's words for what is missing. */
const char *carchive_load(void);

struct archive *carchive_read_new(void);
int carchive_read_append_filter(struct archive *archive, int filter);
int carchive_read_support_format_raw(struct archive *archive);
int carchive_read_open(struct archive *archive, void *context, archive_read_callback *read);
int carchive_read_next_header(struct archive *archive, struct archive_entry **entry);
la_ssize_t carchive_read_data(struct archive *archive, void *buffer, size_t count);
int carchive_read_free(struct archive *archive);
const char *carchive_error_string(struct archive *archive);
