/* The least that the job can cost, to measure against: on each event the token is cut out of the
 * credentials with string functions, both sinks are staged as oauth-sync does (both written, both
 * flushed, both renamed, both folders flushed), and nothing is checked, kept or locked.
 *   floor CREDENTIALS OAUTH_JSON ENV_FILE
 * Writes one byte to stdout when everything of an event is on the disk. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MOST 65536

static void need(int sound, const char *what) {
    if (!sound) {
        perror(what);
        exit(1);
    }
}

static void cut(const char *text, const char *key, const char *ends, char *value) {
    const char *at = strstr(text, key);
    need(at != NULL, key);
    at += strlen(key);
    size_t length = strcspn(at, ends);
    memcpy(value, at, length);
    value[length] = 0;
}

static size_t load(const char *path, char *text) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0, path);
    ssize_t length = read(fd, text, MOST - 1);
    need(length >= 0, path);
    close(fd);
    text[length] = 0;
    return (size_t)length;
}

struct sink {
    const char *path;
    char temp[PATH_MAX];
    int fd, folder;
};

static void prepare(struct sink *sink, const char *path) {
    char copy[PATH_MAX];
    sink->path = path;
    snprintf(sink->temp, sizeof sink->temp, "%s.new", path);
    snprintf(copy, sizeof copy, "%s", path);
    sink->folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    need(sink->folder >= 0, path);
}

static void stage(struct sink *sink, const char *text, size_t length) {
    sink->fd = open(sink->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    need(sink->fd >= 0 && write(sink->fd, text, length) == (ssize_t)length, sink->temp);
}

int main(int argc, char **argv) {
    static char text[MOST], env[MOST], token[MOST], refresh[MOST], expires[MOST], out[2 * MOST];
    struct sink sinks[2];
    char copy[PATH_MAX], events[4096];
    need(argc == 4, "floor CREDENTIALS OAUTH_JSON ENV_FILE");
    for (int i = 0; i < 2; i++)
        prepare(&sinks[i], argv[2 + i]);
    int watch = inotify_init1(IN_CLOEXEC);
    snprintf(copy, sizeof copy, "%s", argv[1]);
    need(inotify_add_watch(watch, dirname(copy), IN_MOVED_TO | IN_CLOSE_WRITE) >= 0, "watch");
    snprintf(copy, sizeof copy, "%s", argv[1]);
    const char *name = basename(copy);
    need(write(STDOUT_FILENO, "r", 1) == 1, "stdout");
    for (;;) {
        ssize_t length = read(watch, events, sizeof events);
        int ours = 0;
        for (char *at = events; at < events + length;) {
            struct inotify_event *event = (struct inotify_event *)at;
            ours |= event->len > 0 && strcmp(event->name, name) == 0;
            at += sizeof *event + event->len;
        }
        if (!ours)
            continue;
        load(argv[1], text);
        cut(text, "\"accessToken\":\"", "\"", token);
        cut(text, "\"refreshToken\":\"", "\"", refresh);
        cut(text, "\"expiresAt\":", ",}", expires);
        int size = snprintf(out, sizeof out,
            "{\n  \"anthropic\": {\n    \"access\": \"%s\",\n    \"refresh\": \"%s\",\n    \"expires\": %s\n  }\n}\n",
            token, refresh, expires);
        stage(&sinks[0], out, (size_t)size);
        size_t old = load(argv[3], env);
        const char *key = "ANTHROPIC_OAUTH_TOKEN=";
        char *line = strstr(env, key);
        need(line != NULL, key);
        char *end = line + strcspn(line, "\n");
        size = snprintf(out, sizeof out, "%.*s%s%s%s", (int)(line - env), env, key, token, end);
        need(old > 0, argv[3]);
        stage(&sinks[1], out, (size_t)size);
        for (int i = 0; i < 2; i++)
            need(fsync(sinks[i].fd) == 0, "fsync");
        for (int i = 0; i < 2; i++)
            need(rename(sinks[i].temp, sinks[i].path) == 0 && close(sinks[i].fd) == 0, "rename");
        for (int i = 0; i < 2; i++)
            need(fsync(sinks[i].folder) == 0, "fsync");
        need(write(STDOUT_FILENO, ".", 1) == 1, "stdout");
    }
}
