/* Stands between the gateway and the C library, for faults that no machine gives on demand: syncs that are forgotten, fail
 * or hang, writes that fail or stop half-way, and a wall clock that jumps. Loaded with LD_PRELOAD; what it does at present
 * stands in a small file that the test writes and this maps. Only files in a folder named `journal` are failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct orders {
    int32_t sync;   /* 0 as it should be, 1 forgotten everywhere, 2 EIO, 3 never returns, 4 ends its thread */
    int32_t write;  /* 0 as it should be, 1 half, 2 ENOSPC, 3 EIO */
    int64_t left;   /* how many operations are still failed; below zero: all */
    int64_t clock;  /* nanoseconds added to the wall clock */
    int64_t failed; /* how many were failed so far */
};

static volatile struct orders *orders;
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("KIT_ORDERS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED) orders = at;
}

static int is_journal(int fd) {
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, "/journal/") != NULL || (n > 8 && strcmp(path + n - 8, "/journal") == 0);
}

/* Whether this operation is one of those to fail. */
static int due(int fd) {
    if (!is_journal(fd)) return 0;
    int64_t left = orders->left;
    while (left > 0 && !__atomic_compare_exchange_n(&orders->left, &left, left - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    if (left == 0) return 0;
    __atomic_add_fetch(&orders->failed, 1, __ATOMIC_SEQ_CST);
    return 1;
}

static int sync_with(int (*real)(int), int fd) {
    int order = orders ? orders->sync : 0;
    if (order == 1) return 0;
    if (order >= 2 && due(fd)) {
        if (order == 3) for (;;) pause();
        if (order == 4) pthread_exit(NULL);
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fdatasync(int fd) { return sync_with(real_fdatasync, fd); }
int fsync(int fd) { return sync_with(real_fsync, fd); }

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    int order = orders ? orders->write : 0;
    if (order != 0 && due(fd)) {
        if (order == 1) return real_pwrite(fd, bytes, n > 1 ? n / 2 : n, at);
        /* As a disk does: a part went through before the error. */
        if (n > 16) real_pwrite(fd, bytes, n / 3, at);
        errno = order == 2 ? ENOSPC : EIO;
        return -1;
    }
    return real_pwrite(fd, bytes, n, at);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = real_clock(clock, now);
    if (done == 0 && orders && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + orders->clock;
        now->tv_sec = ns / 1000000000;
        now->tv_nsec = ns % 1000000000;
    }
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    int done = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return done;
}

time_t time(time_t *out) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (out) *out = precise.tv_sec;
    return precise.tv_sec;
}
