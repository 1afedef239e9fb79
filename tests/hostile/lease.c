/* lease FILE kill|stop|limit PIDFILE: holds a write lease on FILE, so that who executes or opens it waits; does
 * that to the process that PIDFILE names, or a child of it, once a thread of it has our real uid; then gives the
 * lease back. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void nothing(int signal) { (void)signal; }

static int is_ours(const char *process, const char *thread, int ancestor) {
    char path[600], line[400];
    int uid = -1, parent = -1;
    snprintf(path, sizeof path, "/proc/%s/task/%s/status", process, thread);
    FILE *status = fopen(path, "r");
    if (!status) return 0;
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "PPid:\t%d", &parent);
        sscanf(line, "Uid:\t%d", &uid);
    }
    fclose(status);
    return uid == (int)getuid() && (parent == ancestor || atoi(process) == ancestor);
}

static int act(int id, const char *action) {
    struct rlimit none = {0, 0};
    if (!strcmp(action, "limit")) return prlimit(id, RLIMIT_FSIZE, &none, NULL);
    return kill(id, strcmp(action, "stop") ? SIGKILL : SIGSTOP);
}

static int named(const char *path) {
    int pid = -1;
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    if (fscanf(file, "%d.", &pid) != 1) pid = -1;
    fclose(file);
    return pid;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    signal(SIGIO, nothing);
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK)) { perror(argv[1]); return 2; }
    puts("leased");
    fflush(stdout);
    for (;;) {
        int ancestor = named(argv[3]);
        DIR *processes = opendir("/proc");
        struct dirent *process, *thread;
        while ((process = readdir(processes))) {
            char path[300];
            int pid = atoi(process->d_name);
            if (pid <= 0 || pid == getpid()) continue;
            snprintf(path, sizeof path, "/proc/%s/task", process->d_name);
            DIR *threads = opendir(path);
            while (threads && (thread = readdir(threads))) {
                int id = atoi(thread->d_name);
                if (id <= 0 || !is_ours(process->d_name, thread->d_name, ancestor) || act(id, argv[2])) continue;
                puts("done");
                fflush(stdout);
                if (strcmp(argv[2], "stop")) return 0;
                pause();
            }
            if (threads) closedir(threads);
        }
        closedir(processes);
        usleep(500);
    }
}
