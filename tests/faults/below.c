/* Stands between programs and the C library: fails a chosen call that changes a file, or writes down what was changed.
 *
 * FAULTS_STATE names a file that all processes of a command share (struct state); FAULTS_FOLDERS are the folders that
 * are watched, joined by colons; after a "=" it is the folder itself, without what is in it. Calls that concern other paths, and all calls while `armed` is 0, go through.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))
#define PATHS (2 * PATH_MAX)
#define CLONE 0x40049409 /* FICLONE, linux/fs.h */

enum { FAILS = 1, DIES, CUTS, STAYS }; /* CUTS: half of what is to be written is; STAYS: every call from then on fails */
enum { WRITES = 1, MAKES = 2, TAKES = 4, CHANGES = 8, FLUSHES = 16 };

struct state {
    int64_t count; /* calls so far */
    int64_t at;    /* the call that is to fail, 0 for none */
    int32_t armed;
    int32_t how;
    int32_t error;
    int32_t kinds; /* STAYS: which calls fail later */
    int32_t main;  /* the process of the command itself; DIES takes it along */
    int32_t lock;
    int32_t hit;
    int32_t journal; /* whether everything is written down, with its data */
    int32_t children; /* whether bytecode counts that other processes of the command write */
    char call[2 * PATHS];
    char log[PATH_MAX]; /* calls are written down there, "" for nowhere */
};

static struct state *state;
static const char *folders;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAULTS_STATE");
    folders = getenv("FAULTS_FOLDERS");
    if (name == NULL || folders == NULL) return;
    int file = syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (memory != MAP_FAILED) state = memory;
}

/* Whose path it is. */

static int path_at(int folder, const char *path, char *found)
{
    char link[64];
    ssize_t length;
    if (path != NULL && path[0] == '/') {
        snprintf(found, PATHS, "%s", path);
        return 1;
    }
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    length = readlink(link, found, PATH_MAX - 1);
    if (length <= 0) return 0;
    found[length] = 0;
    if (path != NULL && path[0]) snprintf(found + length, PATHS - length, "/%s", path);
    return 1;
}

static int is_watched(const char *path)
{
    const char *start = folders;
    /* What interpreters write for themselves is nothing that the command does. */
    if (!state->children && getpid() != state->main && strstr(path, "/__pycache__") != NULL) return 0;
    while (start != NULL && *start) {
        size_t length = strcspn(start, ":");
        int alone = *start == '=';
        if (strncmp(path, start + alone, length - alone) == 0) {
            char after = path[length - alone];
            if (after == 0 || (after == '/' && !alone)) return 1;
        }
        start += length + (start[length] == ':');
    }
    return 0;
}

static int is_on(void) { return state != NULL && state->armed; }

/* What is written down. */

static void hold(void)
{
    while (__sync_lock_test_and_set(&state->lock, 1)) sched_yield();
}

static void release(void) { __sync_lock_release(&state->lock); }

static void note(const void *data, size_t size, const char *format, ...)
{
    char text[2 * PATHS + 256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    text[length++] = '\n';
    int file = syscall(SYS_openat, AT_FDCWD, state->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return;
    syscall(SYS_write, file, text, length);
    if (size) syscall(SYS_write, file, data, size);
    syscall(SYS_close, file);
}

/* Decide about a call: 0 lets it through, -1 has set errno, 1 wants it done by half. Journals are held until `done`. */
static int decide(const char *call, int kind, const char *path, const char *other)
{
    int64_t number = __sync_add_and_fetch(&state->count, 1);
    if (state->journal) {
        hold();
        return 0;
    }
    if (state->log[0]) {
        hold();
        note(NULL, 0, "%s\t%d\t%s\t%s", call, kind, path, other ? other : "");
        release();
    }
    if (state->at == 0 || number < state->at) return 0;
    if (number > state->at && (state->how != STAYS || !(state->kinds & kind))) return 0;
    if (number == state->at) {
        snprintf(state->call, sizeof state->call, "%s %s %s", call, path, other ? other : "");
        state->hit = 1;
    }
    if (state->how == DIES) {
        kill(state->main, SIGKILL);
        kill(getpid(), SIGKILL);
    }
    if (state->how == CUTS) return kind == WRITES;
    errno = state->error;
    return -1;
}

static void done(void)
{
    if (state->journal) {
        int error = errno;
        release();
        errno = error;
    }
}

static long long inode(const char *path)
{
    struct stat found;
    return fstatat(AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) ? 0 : (long long) found.st_ino;
}

static long long nanoseconds(const struct stat *found)
{
    return found->st_mtim.tv_sec * 1000000000LL + found->st_mtim.tv_nsec;
}

#define BEFORE(call, kind, path, other)                                                                                \
    int verdict = decide(call, kind, path, other);                                                                     \
    if (verdict < 0) return -1;

#define JOURNAL(result, ...)                                                                                           \
    if (state->journal && (result) >= 0) {                                                                             \
        int kept = errno;                                                                                              \
        note(NULL, 0, __VA_ARGS__);                                                                                    \
        errno = kept;                                                                                                  \
    }                                                                                                                  \
    done();

/* Making and opening files. */

static int opened(const char *call, int (*real)(int, const char *, int, ...), int folder, const char *path, int flags, int mode)
{
    char whole[PATHS];
    int changes = flags & (O_CREAT | O_TRUNC) || (flags & O_ACCMODE) != O_RDONLY;
    if (!is_on() || !changes || !path_at(folder, path, whole) || !is_watched(whole)) return real(folder, path, flags, mode);
    BEFORE(call, MAKES, whole, NULL)
    long long before = state->journal ? inode(whole) : 0;
    int file = real(folder, path, flags, mode);
    if (state->journal && file >= 0) {
        struct stat found;
        fstat(file, &found);
        if (!before) note(NULL, 0, "create\t%s\t%lld\t%o", whole, (long long) found.st_ino, found.st_mode & 07777);
        if (before && flags & O_TRUNC)
            note(NULL, 0, "truncate\t%lld\t0\t%lld", (long long) found.st_ino, nanoseconds(&found));
    }
    done();
    return file;
}

#define MODE(flags)                                                                                                    \
    int mode = 0;                                                                                                      \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode = va_arg(arguments, int);                                                                                 \
        va_end(arguments);                                                                                             \
    }

EXPORT int open(const char *path, int flags, ...)
{
    MODE(flags)
    return opened("open", REAL(openat), AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    MODE(flags)
    return opened("open", REAL(openat), AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
    MODE(flags)
    return opened("open", REAL(openat), folder, path, flags, mode);
}

EXPORT int openat64(int folder, const char *path, int flags, ...)
{
    MODE(flags)
    return opened("open", REAL(openat), folder, path, flags | O_LARGEFILE, mode);
}

EXPORT int __open_2(const char *path, int flags) { return opened("open", REAL(openat), AT_FDCWD, path, flags, 0); }
EXPORT int __open64_2(const char *path, int flags) { return opened("open", REAL(openat), AT_FDCWD, path, flags, 0); }
EXPORT int __openat_2(int folder, const char *path, int flags) { return opened("open", REAL(openat), folder, path, flags, 0); }
EXPORT int __openat64_2(int folder, const char *path, int flags) { return opened("open", REAL(openat), folder, path, flags, 0); }

EXPORT int creat(const char *path, mode_t mode)
{
    return opened("open", REAL(openat), AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

EXPORT int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* Content. */

static int file_of(int file, char *whole)
{
    return is_on() && file > 2 && path_at(file, NULL, whole) && is_watched(whole);
}

static off_t place(int file)
{
    struct stat found;
    if (fcntl(file, F_GETFL) & O_APPEND && fstat(file, &found) == 0) return found.st_size;
    return lseek(file, 0, SEEK_CUR);
}

/* The bytes are read again: so it is one way for all calls. */
static void note_written(int file, off_t start, ssize_t size)
{
    int kept = errno;
    char name[64];
    struct stat found;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int copy = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
    char *data = malloc(size + 1);
    if (copy >= 0 && data != NULL && pread(copy, data, size, start) == size && fstat(file, &found) == 0) {
        data[size] = '\n';
        note(data, size + 1, "write\t%lld\t%lld\t%zd\t%lld", (long long) found.st_ino, (long long) start, size, nanoseconds(&found));
    }
    free(data);
    if (copy >= 0) syscall(SYS_close, copy);
    errno = kept;
}

#define WRITTEN(call, file, size, start, perform, half)                                                                \
    char whole[PATHS];                                                                                                 \
    if (!file_of(file, whole)) return perform;                                                                         \
    int verdict = decide(call, WRITES, whole, NULL);                                                                   \
    if (verdict < 0) return -1;                                                                                        \
    if (verdict && (size) > 1) return half;                                                                            \
    off_t at = state->journal ? (start) : 0;                                                                           \
    ssize_t result = perform;                                                                                          \
    if (state->journal && result > 0) note_written(file, at, result);                                                  \
    done();                                                                                                            \
    return result;

EXPORT ssize_t write(int file, const void *data, size_t size)
{
    WRITTEN("write", file, size, place(file), REAL(write)(file, data, size), REAL(write)(file, data, size / 2))
}

EXPORT ssize_t pwrite(int file, const void *data, size_t size, off_t start)
{
    WRITTEN("pwrite", file, size, start, REAL(pwrite)(file, data, size, start), REAL(pwrite)(file, data, size / 2, start))
}

EXPORT ssize_t pwrite64(int file, const void *data, size_t size, off64_t start) { return pwrite(file, data, size, start); }

EXPORT ssize_t writev(int file, const struct iovec *parts, int count)
{
    WRITTEN("writev", file, count, place(file), REAL(writev)(file, parts, count), REAL(writev)(file, parts, count / 2))
}

EXPORT ssize_t sendfile(int file, int from, off_t *start, size_t size)
{
    WRITTEN("sendfile", file, size, place(file), REAL(sendfile)(file, from, start, size), REAL(sendfile)(file, from, start, 1))
}

EXPORT ssize_t sendfile64(int file, int from, off64_t *start, size_t size) { return sendfile(file, from, start, size); }

EXPORT ssize_t copy_file_range(int from, off64_t *start, int file, off64_t *to, size_t size, unsigned flags)
{
    WRITTEN("copy_file_range", file, size, to ? *to : place(file), REAL(copy_file_range)(from, start, file, to, size, flags),
            REAL(copy_file_range)(from, start, file, to, 1, flags))
}

EXPORT int ioctl(int file, unsigned long request, ...)
{
    char whole[PATHS];
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request != CLONE || !file_of(file, whole)) return REAL(ioctl)(file, request, argument);
    BEFORE("ioctl", MAKES, whole, NULL)
    int result = REAL(ioctl)(file, request, argument);
    struct stat found;
    if (state->journal && result == 0 && fstat(file, &found) == 0) note_written(file, 0, found.st_size);
    done();
    return result;
}

EXPORT int ftruncate(int file, off_t size)
{
    char whole[PATHS];
    struct stat found;
    if (!file_of(file, whole)) return REAL(ftruncate)(file, size);
    BEFORE("ftruncate", CHANGES, whole, NULL)
    int result = REAL(ftruncate)(file, size);
    fstat(file, &found);
    JOURNAL(result, "truncate\t%lld\t%lld\t%lld", (long long) found.st_ino, (long long) size, nanoseconds(&found))
    return result;
}

EXPORT int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

static int flushed(const char *call, int (*real)(int), int file)
{
    char whole[PATHS];
    struct stat found;
    if (!file_of(file, whole)) return real(file);
    BEFORE(call, FLUSHES, whole, NULL)
    int result = real(file);
    fstat(file, &found);
    JOURNAL(result, "sync\t%lld", (long long) found.st_ino)
    return result;
}

EXPORT int fsync(int file) { return flushed("fsync", REAL(fsync), file); }
EXPORT int fdatasync(int file) { return flushed("fdatasync", REAL(fdatasync), file); }

EXPORT int syncfs(int file)
{
    char whole[PATHS];
    if (!file_of(file, whole)) return REAL(syncfs)(file);
    BEFORE("syncfs", FLUSHES, whole, NULL)
    int result = REAL(syncfs)(file);
    JOURNAL(result, "everything")
    return result;
}

/* Names. */

static int renamed(int folder, const char *path, int there, const char *other, unsigned flags)
{
    char whole[PATHS], second[PATHS];
    int (*real)(int, const char *, int, const char *, unsigned) = REAL(renameat2);
    if (!is_on() || !path_at(folder, path, whole) || !path_at(there, other, second) || !(is_watched(whole) || is_watched(second)))
        return real(folder, path, there, other, flags);
    BEFORE("rename", MAKES, whole, second)
    int result = real(folder, path, there, other, flags);
    JOURNAL(result, "rename\t%s\t%s", whole, second)
    return result;
}

EXPORT int rename(const char *path, const char *other) { return renamed(AT_FDCWD, path, AT_FDCWD, other, 0); }
EXPORT int renameat(int folder, const char *path, int there, const char *other) { return renamed(folder, path, there, other, 0); }
EXPORT int renameat2(int folder, const char *path, int there, const char *other, unsigned flags)
{
    return renamed(folder, path, there, other, flags);
}

EXPORT int linkat(int folder, const char *path, int there, const char *other, int flags)
{
    char whole[PATHS], second[PATHS];
    if (!is_on() || !path_at(folder, path, whole) || !path_at(there, other, second) || !is_watched(second))
        return REAL(linkat)(folder, path, there, other, flags);
    BEFORE("link", MAKES, whole, second)
    int result = REAL(linkat)(folder, path, there, other, flags);
    JOURNAL(result, "link\t%s\t%s", whole, second)
    return result;
}

EXPORT int link(const char *path, const char *other) { return linkat(AT_FDCWD, path, AT_FDCWD, other, 0); }

EXPORT int symlinkat(const char *target, int folder, const char *path)
{
    char whole[PATHS];
    if (!is_on() || !path_at(folder, path, whole) || !is_watched(whole)) return REAL(symlinkat)(target, folder, path);
    BEFORE("symlink", MAKES, whole, NULL)
    int result = REAL(symlinkat)(target, folder, path);
    JOURNAL(result, "symlink\t%s\t%lld\t%s", whole, inode(whole), target)
    return result;
}

EXPORT int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

EXPORT int unlinkat(int folder, const char *path, int flags)
{
    char whole[PATHS];
    if (!is_on() || !path_at(folder, path, whole) || !is_watched(whole)) return REAL(unlinkat)(folder, path, flags);
    BEFORE(flags & AT_REMOVEDIR ? "rmdir" : "unlink", TAKES, whole, NULL)
    int result = REAL(unlinkat)(folder, path, flags);
    JOURNAL(result, "%s\t%s", flags & AT_REMOVEDIR ? "rmdir" : "unlink", whole)
    return result;
}

EXPORT int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORT int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

EXPORT int remove(const char *path)
{
    int result = unlinkat(AT_FDCWD, path, 0);
    return result && (errno == EISDIR || errno == EPERM) ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

EXPORT int mkdirat(int folder, const char *path, mode_t mode)
{
    char whole[PATHS];
    struct stat found = {0};
    if (!is_on() || !path_at(folder, path, whole) || !is_watched(whole)) return REAL(mkdirat)(folder, path, mode);
    if (inode(whole)) return REAL(mkdirat)(folder, path, mode); /* of one that is there, the kernel says just that */
    BEFORE("mkdir", MAKES, whole, NULL)
    int result = REAL(mkdirat)(folder, path, mode);
    if (result == 0) fstatat(AT_FDCWD, whole, &found, AT_SYMLINK_NOFOLLOW);
    JOURNAL(result, "mkdir\t%s\t%lld\t%o", whole, (long long) found.st_ino, found.st_mode & 07777)
    return result;
}

EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Modes and times. */

#define CHANGED(call, folder, path, perform)                                                                           \
    char whole[PATHS];                                                                                                 \
    struct stat found = {0};                                                                                           \
    if (!is_on() || !path_at(folder, path, whole) || !is_watched(whole)) return perform;                               \
    BEFORE(call, CHANGES, whole, NULL)                                                                                 \
    int result = perform;                                                                                              \
    if (result == 0) fstatat(AT_FDCWD, whole, &found, 0);                                                              \
    JOURNAL(result, "facts\t%lld\t%o\t%lld", (long long) found.st_ino, found.st_mode & 07777, nanoseconds(&found))     \
    return result;

EXPORT int fchmodat(int folder, const char *path, mode_t mode, int flags)
{
    CHANGED("chmod", folder, path, REAL(fchmodat)(folder, path, mode, flags))
}

EXPORT int chmod(const char *path, mode_t mode) { CHANGED("chmod", AT_FDCWD, path, REAL(chmod)(path, mode)) }
EXPORT int fchmod(int file, mode_t mode) { CHANGED("chmod", file, NULL, REAL(fchmod)(file, mode)) }

EXPORT int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    CHANGED("utime", folder, path, REAL(utimensat)(folder, path, times, flags))
}

EXPORT int futimens(int file, const struct timespec times[2]) { CHANGED("utime", file, NULL, REAL(futimens)(file, times)) }
EXPORT int utime(const char *path, const struct utimbuf *times) { CHANGED("utime", AT_FDCWD, path, REAL(utime)(path, times)) }
EXPORT int utimes(const char *path, const struct timeval times[2]) { CHANGED("utime", AT_FDCWD, path, REAL(utimes)(path, times)) }
EXPORT int futimes(int file, const struct timeval times[2]) { CHANGED("utime", file, NULL, REAL(futimes)(file, times)) }
