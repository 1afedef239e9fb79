/* typist: types into every terminal that it can reach, as a program with the terminal of somebody else could. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void) {
    int reached[] = {0, 1, 2, open("/dev/tty", O_RDWR)};
    for (int i = 0; i < 4; i++)
        for (const char *c = "typed by another\n"; *c; c++) ioctl(reached[i], TIOCSTI, c);
    puts("has typed");
    /* What stays behind has no terminal of ours to read from either. */
    if (!fork()) { char c; sleep(1); while (read(0, &c, 1) == 1) {} }
    return 0;
}
