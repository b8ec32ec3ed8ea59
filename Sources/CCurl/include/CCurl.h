#pragma once
#include <curl/curl.h>

/*
 * libcurl, loaded when it is first needed: with the 30 libraries that it stands on, it would be half of the time that a command
 * takes to start, and most commands and all workers make no connection.
 *
 * ccurl_load comes first; after it has returned NULL, each ccurl_NAME is libcurl's curl_NAME. Swift cannot call variadic
 * functions: each kind of option gets a typed door here. All of them are called from the one thread that owns the handle at that
 * moment, keep nothing but what libcurl keeps, and return what libcurl returns.
 */

/* Finds the library and all functions, once; from any thread. NULL, or the linker's words for what is missing. */
const char *ccurl_load(void);

CURLcode ccurl_global_init(long flags);
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *easy);
void ccurl_easy_reset(CURL *easy);
const char *ccurl_easy_strerror(CURLcode code);
CURLM *ccurl_multi_init(void);
CURLMcode ccurl_multi_cleanup(CURLM *multi);
CURLMcode ccurl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_remove_handle(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_perform(CURLM *multi, int *running);
/* curl_multi_poll without descriptors of ours. */
CURLMcode ccurl_multi_poll(CURLM *multi, int milliseconds);
CURLMcode ccurl_multi_wakeup(CURLM *multi);
struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);
CURLU *ccurl_url(void);
void ccurl_url_cleanup(CURLU *url);
CURLUcode ccurl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags);
CURLUcode ccurl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags);
void ccurl_free(void *memory);

/* Strings are copied by libcurl; NULL resets the option. */
CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
/* The pointer is kept, not copied: it must live until the transfer is over. */
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);
/* The bytes are copied by libcurl. */
CURLcode ccurl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count);

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek_function)(void *context, curl_off_t offset, int origin);

/* For CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION, which share one shape. */
CURLcode ccurl_set_data_function(CURL *easy, CURLoption option, ccurl_data_function function);
CURLcode ccurl_set_seek_function(CURL *easy, ccurl_seek_function function);
/* Connections are born close-on-exec: a child of ours must not hold one open. */
CURLcode ccurl_set_close_on_exec(CURL *easy);
CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);
/* The result of the transfer that ended, or CURL_LAST where none has. */
CURLcode ccurl_finished(CURLM *multi);
/* How many connections stay open for the next request. */
CURLMcode ccurl_keep_connections(CURLM *multi, long count);
