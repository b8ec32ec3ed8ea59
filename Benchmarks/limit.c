// What the machine can do: the least work that a build has to do for the same bytes, with the libraries that Lichen uses.
//
//   limit stat DIR                 looks at every name below DIR
//   limit unpack BLOB DIR          inflates a gzip layer in memory and writes its files, without owners and times
//   limit pack OUT [LEVEL] DIR...  reads each file once: tar, SHA-256, gzip by blocks on all processors, SHA-256, one write
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *must(void *memory) {
    if (!memory) fail("memory");
    return memory;
}

// MARK: stat

static long walk(int directory) {
    DIR *entries = fdopendir(directory);
    if (!entries) fail("fdopendir");
    long count = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        struct stat status;
        if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW)) fail(entry->d_name);
        count++;
        if (!S_ISDIR(status.st_mode)) continue;
        int below = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (below < 0) fail(entry->d_name);
        count += walk(below);
    }
    closedir(entries);
    return count;
}

static void stat_tree(const char *path) {
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) fail(path);
    printf("%ld\n", walk(directory));
}

// MARK: unpack

static uint8_t *map(const char *path, size_t *size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status)) fail(path);
    *size = (size_t)status.st_size;
    uint8_t *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED) fail(path);
    close(file);
    return bytes;
}

// Members say how long they are at their end; the first one's length is known only when it is inflated, so there is room to grow.
static uint8_t *inflate_all(const uint8_t *input, size_t size, size_t *length) {
    struct libdeflate_decompressor *inflater = must(libdeflate_alloc_decompressor());
    size_t room = size * 6 + (1 << 20), used = 0;
    uint8_t *output = must(malloc(room));
    while (size > 0) {
        size_t in = 0, out = 0;
        enum libdeflate_result result =
            libdeflate_gzip_decompress_ex(inflater, input, size, output + used, room - used, &in, &out);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
            room *= 2;
            output = must(realloc(output, room));
            continue;
        }
        if (result != LIBDEFLATE_SUCCESS) {
            fprintf(stderr, "the layer is damaged\n");
            exit(1);
        }
        input += in, size -= in, used += out;
    }
    libdeflate_free_decompressor(inflater);
    *length = used;
    return output;
}

static uint64_t number(const char *field, size_t length) {
    char text[16] = {0};
    memcpy(text, field, length);
    return strtoull(text, NULL, 8);
}

static void make_file(const char *path, const uint8_t *content, size_t size, mode_t mode) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode | 0600);
    if (file < 0) fail(path);
    if (size > 0 && write(file, content, size) != (ssize_t)size) fail(path);
    close(file);
}

// Only what mmdebstrap's tars have: plain names, PAX paths and link paths.
static void pax(const char *records, size_t size, char *path, char *link) {
    for (const char *end = records + size; records < end && *records;) {
        char *key;
        size_t length = strtoull(records, &key, 10);
        if (length == 0) return;
        const char *value = strchr(++key, '=') + 1;
        size_t count = (size_t)(records + length - 1 - value);
        if (count < 4096 && !strncmp(key, "path=", 5)) memcpy(path, value, count), path[count] = 0;
        if (count < 4096 && !strncmp(key, "linkpath=", 9)) memcpy(link, value, count), link[count] = 0;
        records += length;
    }
}

static void unpack(const char *blob, const char *target) {
    size_t size, length;
    const uint8_t *packed = map(blob, &size);
    uint8_t *tar = inflate_all(packed, size, &length);
    if (chdir(target)) fail(target);
    char path[4097] = "", link[4097] = "";
    for (size_t at = 0; at + 512 <= length && tar[at];) {
        const char *header = (const char *)tar + at;
        uint64_t count = number(header + 124, 12);
        mode_t mode = (mode_t)number(header + 100, 8) & 0777;
        const uint8_t *content = tar + at + 512;
        at += 512 + (count + 511) / 512 * 512;
        if (header[156] == 'x') {
            pax((const char *)content, count, path, link);
            continue;
        }
        if (!*path) snprintf(path, sizeof path, header[345] ? "%.155s/%.100s" : "%.0s%.100s", header + 345, header);
        if (!*link) snprintf(link, sizeof link, "%.100s", header + 157);
        const char *name = path[0] == '/' ? path + 1 : path;
        switch (header[156]) {
        case '5':
            if (mkdir(name, mode | 0700) && errno != EEXIST) fail(name);
            break;
        case '2':
            if (symlink(link, name)) fail(name);
            break;
        case '1':
            if (linkat(AT_FDCWD, link, AT_FDCWD, name, 0)) fail(name);
            break;
        case '0':
        case 0: make_file(name, content, count, mode); break;
        }
        *path = *link = 0;
    }
}

// MARK: pack

enum { BLOCK = 512 << 10 };

struct block {
    uint8_t *input, *output;
    size_t filled, packed;
    enum { EMPTY, FULL, TAKEN, DONE } state;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct block *blocks;
    long count, filled, taken, written;
    int ended, level, output;
    EVP_MD_CTX *inner, *outer;
    size_t bound;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static struct block *current;

static void hand_on(void) {
    if (!current || current->filled == 0) return;
    EVP_DigestUpdate(ring.inner, current->input, current->filled);
    pthread_mutex_lock(&ring.lock);
    current->state = FULL;
    ring.filled++;
    current = NULL;
    pthread_cond_broadcast(&ring.change);
    pthread_mutex_unlock(&ring.lock);
}

static struct block *room(void) {
    if (current && current->filled == BLOCK) hand_on();
    if (current) return current;
    pthread_mutex_lock(&ring.lock);
    current = &ring.blocks[ring.filled % ring.count];
    while (current->state != EMPTY) pthread_cond_wait(&ring.change, &ring.lock);
    pthread_mutex_unlock(&ring.lock);
    current->filled = 0;
    return current;
}

static void put(const void *bytes, size_t count) {
    while (count > 0) {
        struct block *block = room();
        size_t part = BLOCK - block->filled < count ? BLOCK - block->filled : count;
        if (bytes) memcpy(block->input + block->filled, bytes, part), bytes = (const uint8_t *)bytes + part;
        else memset(block->input + block->filled, 0, part);
        block->filled += part, count -= part;
    }
}

static void *compress(void *unused) {
    struct libdeflate_compressor *compressor = must(libdeflate_alloc_compressor(ring.level));
    pthread_mutex_lock(&ring.lock);
    for (;;) {
        while (ring.taken == ring.filled && !ring.ended) pthread_cond_wait(&ring.change, &ring.lock);
        if (ring.taken == ring.filled) break;
        struct block *block = &ring.blocks[ring.taken++ % ring.count];
        pthread_mutex_unlock(&ring.lock);
        block->packed = libdeflate_gzip_compress(compressor, block->input, block->filled, block->output, ring.bound);
        pthread_mutex_lock(&ring.lock);
        block->state = DONE;
        pthread_cond_broadcast(&ring.change);
    }
    pthread_mutex_unlock(&ring.lock);
    libdeflate_free_compressor(compressor);
    return unused;
}

static void *write_out(void *unused) {
    pthread_mutex_lock(&ring.lock);
    for (;;) {
        struct block *block = &ring.blocks[ring.written % ring.count];
        while (block->state != DONE && !(ring.ended && ring.written == ring.filled))
            pthread_cond_wait(&ring.change, &ring.lock);
        if (block->state != DONE) break;
        pthread_mutex_unlock(&ring.lock);
        EVP_DigestUpdate(ring.outer, block->output, block->packed);
        if (write(ring.output, block->output, block->packed) != (ssize_t)block->packed) fail("write");
        pthread_mutex_lock(&ring.lock);
        block->state = EMPTY;
        ring.written++;
        pthread_cond_broadcast(&ring.change);
    }
    pthread_mutex_unlock(&ring.lock);
    return unused;
}

static int add(const char *path, const struct stat *status, int kind, struct FTW *position) {
    (void)kind, (void)position;
    uint8_t header[512] = {0};
    snprintf((char *)header, 100, "%s", path);
    put(header, sizeof header);
    if (!S_ISREG(status->st_mode)) return 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    size_t size = 0;
    for (;;) {
        struct block *block = room();
        ssize_t count = read(file, block->input + block->filled, BLOCK - block->filled);
        if (count < 0) fail(path);
        if (count == 0) break;
        block->filled += (size_t)count, size += (size_t)count;
    }
    close(file);
    put(NULL, (512 - size % 512) % 512);
    return 0;
}

static void pack(const char *path, int level, char **directories) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    ring.output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (ring.output < 0) fail(path);
    ring.level = level;
    ring.count = processors + 4;
    ring.bound = libdeflate_gzip_compress_bound(NULL, BLOCK);
    ring.blocks = must(calloc((size_t)ring.count, sizeof *ring.blocks));
    for (long i = 0; i < ring.count; i++)
        ring.blocks[i] = (struct block){.input = must(malloc(BLOCK)), .output = must(malloc(ring.bound))};
    ring.inner = EVP_MD_CTX_new(), ring.outer = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ring.inner, EVP_sha256(), NULL);
    EVP_DigestInit_ex(ring.outer, EVP_sha256(), NULL);
    pthread_t writer, workers[processors];
    pthread_create(&writer, NULL, write_out, NULL);
    for (long i = 0; i < processors; i++) pthread_create(&workers[i], NULL, compress, NULL);
    for (; *directories; directories++)
        if (nftw(*directories, add, 64, FTW_PHYS)) fail(*directories);
    put(NULL, 1024);
    hand_on();
    pthread_mutex_lock(&ring.lock);
    ring.ended = 1;
    pthread_cond_broadcast(&ring.change);
    pthread_mutex_unlock(&ring.lock);
    for (long i = 0; i < processors; i++) pthread_join(workers[i], NULL);
    pthread_join(writer, NULL);
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "stat")) stat_tree(words[2]);
    else if (count == 4 && !strcmp(words[1], "unpack")) unpack(words[2], words[3]);
    else if (count >= 5 && !strcmp(words[1], "pack")) pack(words[2], atoi(words[3]), words + 4);
    else {
        fprintf(stderr, "usage: limit stat DIR | unpack BLOB DIR | pack OUT LEVEL DIR...\n");
        return 64;
    }
    return 0;
}
