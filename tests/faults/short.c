/* Real short results, which injection into system calls cannot give: loaded before libc, it cuts the n-th call of one
 * function to one byte (SHORT_CALL, SHORT_WHEN; with SHORT_FOREVER all from the n-th on) and leaves a line in
 * SHORT_LOG each time. Where n is 0 it only counts them. Calls for less than two bytes do not count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;

static size_t cut(const char *name, size_t bytes) {
    const char *call = getenv("SHORT_CALL"), *when = getenv("SHORT_WHEN"), *log = getenv("SHORT_LOG");
    if (!call || !when || !log || strcmp(call, name)) return bytes;
    if (bytes < 2) return bytes;
    int now = atomic_fetch_add(&calls, 1) + 1, from = atoi(when);
    int count = from == 0, hit = now == from || (now > from && getenv("SHORT_FOREVER"));
    if (!count && !hit) return bytes;
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (file >= 0) {
        next(file, count ? "(COUNT)\n" : "(SHORT)\n", 8);
        close(file);
    }
    return count ? bytes : 1;
}

ssize_t read(int file, void *into, size_t bytes) {
    ssize_t (*next)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    return next(file, into, cut("read", bytes));
}

ssize_t write(int file, const void *from, size_t bytes) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return next(file, from, cut("write", bytes));
}

ssize_t pread64(int file, void *into, size_t bytes, off64_t offset) {
    ssize_t (*next)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    return next(file, into, cut("pread64", bytes), offset);
}

ssize_t pwrite64(int file, const void *from, size_t bytes, off64_t offset) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return next(file, from, cut("pwrite64", bytes), offset);
}
