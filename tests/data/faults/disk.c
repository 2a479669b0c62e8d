/* A disk that is full or fails, for a program that is started with this library preloaded: while the file that DISK_FAULT
   names exists, writes to the store (ENOSPC if it holds an "f", else EIO) and syncs of it fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(int fd) {
    const char *file = getenv("DISK_FAULT");
    char link[64], path[4096], kind = 'f';
    int saved = errno, told;
    ssize_t length;
    if (!file || (told = open(file, O_RDONLY | O_CLOEXEC)) < 0) {
        errno = saved;
        return 0;
    }
    if (read(told, &kind, 1) != 1) kind = 'f';
    close(told);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, "offhook.db")) return 0;
    return kind == 'f' ? ENOSPC : EIO;
}

#define FAILS(fd) do { int with = fault(fd); if (with) { errno = with; return -1; } } while (0)
#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite(int fd, const void *from, size_t length, off_t at) { REAL(pwrite); FAILS(fd); return real(fd, from, length, at); }
ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) { REAL(pwrite64); FAILS(fd); return real(fd, from, length, at); }
ssize_t write(int fd, const void *from, size_t length) { REAL(write); FAILS(fd); return real(fd, from, length); }
int ftruncate(int fd, off_t length) { REAL(ftruncate); FAILS(fd); return real(fd, length); }
int ftruncate64(int fd, off64_t length) { REAL(ftruncate64); FAILS(fd); return real(fd, length); }
int fsync(int fd) { REAL(fsync); FAILS(fd); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAILS(fd); return real(fd); }
