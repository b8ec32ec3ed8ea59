/* Runs Lichen with a fault in one of its processes; then says what happened, and whether any process of it is left.
 *
 *     faulty DIRECTORY ROLE KIND NTH ERROR MANNER ARGUMENT…
 *
 * DIRECTORY/lichen is a program that needs faults.c. With NTH 0 nothing fails and calls are counted; ERROR is a number, MANNER
 * `once`, `onwards` or `short`. DIRECTORY/report gets lines: `status N` (minus its signal), `left N` processes alive a minute
 * after its end, `hits N`, `place …`, `calls ROLE KIND N`, `descriptors ROLE MOST LAST`. Exit status: the program's. */
#define _GNU_SOURCE
#include "faults.h"
#include "processes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static char path[4096];

static const char *below(const char *directory, const char *name) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int index_of(const char *word, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(word, names[i])) return i;
    fprintf(stderr, "faulty: %s?\n", word);
    exit(2);
}

static struct control *make_control(char **words) {
    static const char *const manners[] = {"once", "onwards", "short"};
    int file = open(below(words[1], "control"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct control)) < 0) exit(2);
    struct control *control = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (control == MAP_FAILED) exit(2);
    close(file);
    control->role = index_of(words[2], role_names, ROLES);
    control->kind = index_of(words[3], kind_names, KINDS);
    control->nth = atoi(words[4]);
    control->error = atoi(words[5]);
    control->manner = index_of(words[6], manners, 3);
    return control;
}

static void report(FILE *file, const struct control *control, int status, int left) {
    fprintf(file, "status %d\nleft %d\nhits %u\nplace %s\n", status, left, control->hits, control->place);
    for (int role = 0; role < ROLES; role++) {
        for (int kind = 0; kind < KINDS; kind++)
            if (control->calls[role][kind])
                fprintf(file, "calls %s %s %u\n", role_names[role], kind_names[kind], control->calls[role][kind]);
        if (control->most_open[role])
            fprintf(file, "descriptors %s %u %u\n", role_names[role], control->most_open[role], control->last_open[role]);
    }
}

int main(int count, char **words) {
    if (count < 8) return 2;
    struct control *control = make_control(words);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t builder = fork();
    if (builder == 0) {
        words[6] = (char *)below(words[1], "lichen");
        execv(words[6], words + 6);
        _exit(127);
    }
    int word;
    while (waitpid(-1, &word, 0) != builder) continue;
    int status = WIFEXITED(word) ? WEXITSTATUS(word) : -WTERMSIG(word);
    int left = count_left();
    FILE *file = fopen(below(words[1], "report"), "we");
    if (!file) return 2;
    report(file, control, status, left);
    return fclose(file) ? 2 : status < 0 ? 128 - status : status;
}
