/* hangfs PATH UID: mounts a file system of that user over a directory or a regular file, as fusermount(1)
   does, and answers nothing but the greeting: whoever asks it for anything waits until this process ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char buffer[1 << 18];
    char options[200];
    struct stat place;
    unsigned uid = argc == 3 ? atoi(argv[2]) : 0;
    int fd = open("/dev/fuse", O_RDWR);
    if (fd < 0 || argc != 3 || stat(argv[1], &place)) { perror("hangfs"); return 1; }
    snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=%u,group_id=%u,allow_other", fd,
             place.st_mode & S_IFMT, uid, uid);
    if (mount("hangfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options)) { perror("mount"); return 1; }
    puts("mounted");
    fflush(stdout);
    for (;;) {
        ssize_t length = read(fd, buffer, sizeof buffer);
        struct fuse_in_header *in = (void *)buffer;
        if (length < 0 && errno != EINTR) return 0;
        if (length < 0 || in->opcode != FUSE_INIT) continue;
        struct { struct fuse_out_header head; struct fuse_init_out init; } out = {0};
        out.head.len = sizeof out;
        out.head.unique = in->unique;
        out.init.major = 7;
        out.init.minor = 31;
        out.init.max_write = 4096;
        if (write(fd, &out, sizeof out) < 0) return 1;
    }
}
