#pragma once
#include <curl/curl.h>
#include <sys/socket.h>

/*
 * Swift cannot call variadic functions: each kind of option gets a typed door here. All of them are called from the one
 * thread that owns the handle at that moment, keep nothing but what libcurl keeps, and return what libcurl returns.
 */

/* Strings are copied by libcurl; NULL resets the option. */
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* The pointer is kept, not copied: it must live until the transfer is over. */
static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* The bytes are copied by libcurl. */
static inline CURLcode ccurl_set_blob(
    CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return (curl_easy_setopt)(easy, option, &blob);
}

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek_function)(void *context, curl_off_t offset, int origin);

/* For CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION, which share one shape. */
static inline CURLcode ccurl_set_data_function(
    CURL *easy, CURLoption option, ccurl_data_function function) {
    return (curl_easy_setopt)(easy, option, function);
}

static inline CURLcode ccurl_set_seek_function(CURL *easy, ccurl_seek_function function) {
    return (curl_easy_setopt)(easy, CURLOPT_SEEKFUNCTION, function);
}

static inline curl_socket_t ccurl_open_socket(
    void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Connections are born close-on-exec: a child of ours must not hold one open. */
static inline CURLcode ccurl_set_close_on_exec(CURL *easy) {
    return (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_socket);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

/* The result of the transfer that ended, or CURL_LAST where none has. */
static inline CURLcode ccurl_finished(CURLM *multi) {
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE) return message->data.result;
    return CURL_LAST;
}

/* How many connections stay open for the next request. */
static inline CURLMcode ccurl_keep_connections(CURLM *multi, long count) {
    return (curl_multi_setopt)(multi, CURLMOPT_MAXCONNECTS, count);
}
