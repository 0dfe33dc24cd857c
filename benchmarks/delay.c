/* A slow file system, for programs that call the C library: each call that names a path below one of some folders,
 * and each flush of a file, takes a little longer. Loaded with LD_PRELOAD by benchmarks/delaying.py.
 *
 * DELAY_FOLDERS  absolute paths, separated by colons
 * DELAY_NS       how long, in nanoseconds
 * DELAY_COUNT    a file of eight bytes in which the calls that were delayed are counted
 *
 * What is not delayed: fstat, read, write and close of files that are open (clients answer most of them themselves),
 * and what the dynamic linker opens besides the library that was asked for.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char *folders;
static long delay;
static uint64_t *count;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("DELAY_NS"), *counted = getenv("DELAY_COUNT");
    folders = getenv("DELAY_FOLDERS") ? strdup(getenv("DELAY_FOLDERS")) : NULL;
    delay = text ? atol(text) : 0;
    prctl(PR_SET_TIMERSLACK, 1);
    if (counted) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, counted, O_RDWR);
        if (file >= 0) {
            void *place = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            count = place == MAP_FAILED ? NULL : place;
            close(file);
        }
    }
}

static void wait_for_it(void)
{
    struct timespec left = {0, delay};
    if (count)
        __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    while (delay && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left))
        ;
}

static int below(const char *path)
{
    for (const char *folder = folders; folder && *folder;) {
        size_t length = strcspn(folder, ":");
        if (!strncmp(path, folder, length) && (path[length] == '/' || !path[length]))
            return 1;
        folder += length + (folder[length] == ':');
    }
    return 0;
}

static int open_below(int file)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return below(path);
}

static void named(int folder, const char *path)
{
    char here[PATH_MAX];
    if (!folders || !path)
        return;
    if (path[0] == '/' ? below(path)
                       : folder == AT_FDCWD ? getcwd(here, sizeof here) && below(here) : open_below(folder))
        wait_for_it();
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define AT(result, name, parameters, folder, path, arguments) \
    result name parameters { REAL(name); named(folder, path); return real arguments; }
#define OPEN(name, parameters, folder, path, ...) \
    int name parameters { REAL(name); mode_t mode = 0; \
        if (flags & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); } \
        named(folder, path); return real(__VA_ARGS__, flags, mode); }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, path)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, path)
OPEN(openat, (int folder, const char *path, int flags, ...), folder, path, folder, path)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path, folder, path)
AT(FILE *, fopen, (const char *path, const char *how), AT_FDCWD, path, (path, how))
AT(FILE *, fopen64, (const char *path, const char *how), AT_FDCWD, path, (path, how))
AT(DIR *, opendir, (const char *path), AT_FDCWD, path, (path))
AT(void *, dlopen, (const char *path, int flags), AT_FDCWD, path, (path, flags))
AT(int, stat, (const char *path, struct stat *facts), AT_FDCWD, path, (path, facts))
AT(int, stat64, (const char *path, struct stat64 *facts), AT_FDCWD, path, (path, facts))
AT(int, lstat, (const char *path, struct stat *facts), AT_FDCWD, path, (path, facts))
AT(int, lstat64, (const char *path, struct stat64 *facts), AT_FDCWD, path, (path, facts))
AT(int, access, (const char *path, int mode), AT_FDCWD, path, (path, mode))
AT(int, faccessat, (int folder, const char *path, int mode, int flags), folder, path, (folder, path, mode, flags))
AT(ssize_t, readlink, (const char *path, char *text, size_t size), AT_FDCWD, path, (path, text, size))
AT(ssize_t, readlinkat, (int folder, const char *path, char *text, size_t size), folder, path, (folder, path, text, size))
AT(char *, realpath, (const char *path, char *text), AT_FDCWD, path, (path, text))
AT(int, mkdir, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
AT(int, mkdirat, (int folder, const char *path, mode_t mode), folder, path, (folder, path, mode))
AT(int, rmdir, (const char *path), AT_FDCWD, path, (path))
AT(int, unlink, (const char *path), AT_FDCWD, path, (path))
AT(int, unlinkat, (int folder, const char *path, int flags), folder, path, (folder, path, flags))
AT(int, chmod, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
AT(int, fchmodat, (int folder, const char *path, mode_t mode, int flags), folder, path, (folder, path, mode, flags))
AT(int, utimensat, (int folder, const char *path, const struct timespec times[2], int flags), folder, path,
   (folder, path, times, flags))
AT(int, rename, (const char *from, const char *to), AT_FDCWD, to, (from, to))
AT(int, renameat, (int first, const char *from, int folder, const char *to), folder, to, (first, from, folder, to))
AT(int, renameat2, (int first, const char *from, int folder, const char *to, unsigned flags), folder, to,
   (first, from, folder, to, flags))
AT(int, link, (const char *from, const char *to), AT_FDCWD, to, (from, to))
AT(int, linkat, (int first, const char *from, int folder, const char *to, int flags), folder, to,
   (first, from, folder, to, flags))
AT(int, symlink, (const char *text, const char *path), AT_FDCWD, path, (text, path))
AT(int, symlinkat, (const char *text, int folder, const char *path), folder, path, (text, folder, path))
AT(int, execve, (const char *path, char *const arguments[], char *const variables[]), AT_FDCWD, path,
   (path, arguments, variables))

int fstatat(int folder, const char *path, struct stat *facts, int flags)
{
    REAL(fstatat);
    if (!(flags & AT_EMPTY_PATH && !*path))
        named(folder, path);
    return real(folder, path, facts, flags);
}

int fstatat64(int folder, const char *path, struct stat64 *facts, int flags)
{
    REAL(fstatat64);
    if (!(flags & AT_EMPTY_PATH && !*path))
        named(folder, path);
    return real(folder, path, facts, flags);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *facts)
{
    REAL(statx);
    if (!(flags & AT_EMPTY_PATH && !*path))
        named(folder, path);
    return real(folder, path, flags, mask, facts);
}

/* What stat was called before glibc 2.33. */
#define OLD(name, type) \
    int name(int version, const char *path, struct type *facts); \
    AT(int, name, (int version, const char *path, struct type *facts), AT_FDCWD, path, (version, path, facts))
#define OLD_AT(name, type) \
    int name(int version, int folder, const char *path, struct type *facts, int flags); \
    int name(int version, int folder, const char *path, struct type *facts, int flags) \
    { \
        REAL(name); \
        if (!(flags & AT_EMPTY_PATH && !*path)) \
            named(folder, path); \
        return real(version, folder, path, facts, flags); \
    }
OLD(__xstat, stat)
OLD(__xstat64, stat64)
OLD(__lxstat, stat)
OLD(__lxstat64, stat64)
OLD_AT(__fxstatat, stat)
OLD_AT(__fxstatat64, stat64)

int fsync(int file)
{
    REAL(fsync);
    if (folders && open_below(file))
        wait_for_it();
    return real(file);
}

int fdatasync(int file)
{
    REAL(fdatasync);
    if (folders && open_below(file))
        wait_for_it();
    return real(file);
}

int syncfs(int file)
{
    REAL(syncfs);
    if (folders && open_below(file))
        wait_for_it();
    return real(file);
}
