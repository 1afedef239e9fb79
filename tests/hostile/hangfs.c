/* hangfs PATH UID [FILE OPENS]: mounts a file system of that user over a directory or a regular file, as
   fusermount(1) does, and answers nothing but the greeting: whoever asks it for anything waits until this process
   ends. With FILE, which PATH then shows, that begins once PATH was opened OPENS times. */
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

static char buffer[1 << 18], text[1 << 16];
static int device;

static void answer(struct fuse_in_header *in, int error, void *what, size_t size) {
    static char out[sizeof(struct fuse_out_header) + sizeof text];
    struct fuse_out_header head = {sizeof head + size, error, in->unique};
    memcpy(out, &head, sizeof head);
    if (size) memcpy(out + sizeof head, what, size);
    if (write(device, out, head.len) < 0) exit(1);
}

int main(int argc, char **argv) {
    char options[200];
    struct stat place;
    unsigned uid = argc >= 3 ? atoi(argv[2]) : 0;
    int opens = argc == 5 ? atoi(argv[4]) : 0;
    ssize_t size = 0;
    if (argc == 5) {
        int file = open(argv[3], O_RDONLY);
        if (file < 0 || (size = read(file, text, sizeof text)) < 0) { perror(argv[3]); return 1; }
        close(file);
    }
    device = open("/dev/fuse", O_RDWR);
    if (device < 0 || argc < 3 || stat(argv[1], &place)) { perror("hangfs"); return 1; }
    snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=%u,group_id=%u,allow_other", device,
             place.st_mode & S_IFMT, uid, uid);
    if (mount("hangfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options)) { perror("mount"); return 1; }
    puts("mounted");
    fflush(stdout);
    for (;;) {
        ssize_t length = read(device, buffer, sizeof buffer);
        struct fuse_in_header *in = (void *)buffer;
        if (length < 0 && errno != EINTR) return 0;
        if (length < 0) continue;
        if (in->opcode == FUSE_INIT) {
            struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
            answer(in, 0, &init, sizeof init);
            continue;
        }
        if (in->opcode == FUSE_OPEN) opens--;
        if (argc != 5 || opens < 0) { opens = -1; continue; }
        struct fuse_attr_out attr = {.attr = {.ino = 1, .size = size, .mode = place.st_mode, .nlink = 1,
                                              .uid = uid, .gid = uid, .mtime = place.st_mtime}};
        struct fuse_open_out opened = {0};
        struct fuse_read_in *wanted = (void *)(in + 1);
        switch (in->opcode) {
        case FUSE_GETATTR: answer(in, 0, &attr, sizeof attr); break;
        case FUSE_OPEN: answer(in, 0, &opened, sizeof opened); break;
        case FUSE_READ:
            if ((ssize_t)wanted->offset >= size) { answer(in, 0, NULL, 0); break; }
            answer(in, 0, text + wanted->offset,
                   size - wanted->offset < wanted->size ? size - wanted->offset : wanted->size);
            break;
        case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: break;
        default: answer(in, in->opcode == FUSE_RELEASE || in->opcode == FUSE_FLUSH ? 0 : -ENOSYS, NULL, 0);
        }
    }
}
