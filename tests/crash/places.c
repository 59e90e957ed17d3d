/* Counts the calls by which a process changes files below one folder, and stops it, or fills the disk, at one of them.
 *
 * Preloaded. Does nothing until `places_arm` names the folder. Syncs and synchronous writes return at once then, unless
 * calls are logged: a killed process loses nothing that the system was given. `places_log` writes down what a power loss
 * needs to know: see power.py, which reads it. Only calls that go through the dynamic linker are seen.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL_BEFORE = 1, KILL_AFTER = 2, FULL = 3 };
enum { PASS, FAIL, DIE_AFTER };

static char root[PATH_MAX];
static size_t root_length;
static long wanted, count;
static int mode, full, log_handle = -1;
static char last_call[64];
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* -- what the test calls ------------------------------------------------------------------------------------------- */

void places_arm(const char *folder, long place, int what) {
    snprintf(root, sizeof root, "%s", folder);
    wanted = place; mode = what; count = 0; full = 0;
    root_length = strlen(root);
}
long places_count(void) { return __atomic_load_n(&count, __ATOMIC_SEQ_CST); }
int places_is_full(void) { return full; }
void places_make_room(void) { full = 0; if (mode == FULL) wanted = 0; }
const char *places_last(void) { return last_call; }
void places_log(int handle) { log_handle = handle; }

/* -- which call this is -------------------------------------------------------------------------------------------- */

static int below(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int path_of(int handle, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int whole_path(int folder, const char *name, char *path) {
    if (!root_length) return 0;
    if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
    else {
        char base[PATH_MAX];
        if (folder == AT_FDCWD) { if (!getcwd(base, sizeof base)) return 0; }
        else if (!path_of(folder, base)) return 0;
        if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return 0;
    }
    return below(path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call. `takes_room`: a full disk refuses it. */
static int place(const char *call, const char *path, int takes_room) {
    long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (number == wanted) {
        snprintf(last_call, sizeof last_call, "%.16s %.40s", call, path + root_length);
        if (mode == KILL_BEFORE) die();
        if (mode == KILL_AFTER) return DIE_AFTER;
        if (mode == FULL) full = 1;
    }
    return full && takes_room ? FAIL : PASS;
}

static int finish(int decision) {
    if (decision == DIE_AFTER) die();
    return 0;
}

/* -- the log of a power loss --------------------------------------------------------------------------------------- */

struct entry { uint32_t kind, path_bytes, other_bytes, synced; uint64_t inode, offset, size, data_bytes; };

static void note(uint32_t kind, const char *path, const char *other, uint64_t inode, uint64_t offset, uint64_t size,
                 const void *data, uint64_t data_bytes, uint32_t synced) {
    REAL(ssize_t, "write", int, const void *, size_t);
    struct entry entry = {kind, strlen(path), strlen(other), synced, inode, offset, size, data_bytes};
    pthread_mutex_lock(&log_mutex);
    struct { const void *at; size_t bytes; } pieces[] = {
        {&entry, sizeof entry}, {path, entry.path_bytes}, {other, entry.other_bytes}, {data, data_bytes}};
    for (int i = 0; i < 4; i++)
        for (size_t done = 0; done < pieces[i].bytes;) {
            ssize_t written = real(log_handle, (const char *)pieces[i].at + done, pieces[i].bytes - done);
            if (written < 0) abort();
            done += written;
        }
    pthread_mutex_unlock(&log_mutex);
}

static int logging(void) { return log_handle >= 0; }

static uint64_t inode_of(int handle) {
    struct stat found;
    return fstat(handle, &found) ? 0 : found.st_ino;
}

void places_mark(const char *text) {
    if (root_length && logging()) note('A', text, "", 0, 0, 0, "", 0, 0);
}

/* A synced folder: its names and inodes, as "inode name\0". A synced file: all of its bytes. */
static void note_sync(int handle, const char *path) {
    struct stat found;
    if (fstat(handle, &found)) return;
    if (S_ISDIR(found.st_mode)) {
        char *data = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&data, &bytes);
        DIR *folder = opendir(path);
        for (struct dirent *each; folder && (each = readdir(folder));)
            if (strcmp(each->d_name, ".") && strcmp(each->d_name, ".."))
                fprintf(out, "%llu %s%c", (unsigned long long)each->d_ino, each->d_name, 0);
        if (folder) closedir(folder);
        fclose(out);
        note('D', path, "", found.st_ino, 0, 0, data, bytes, 1);
        free(data);
        return;
    }
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", handle);
    int reader = open(own, O_RDONLY);
    char *data = malloc(found.st_size + 1);
    ssize_t bytes = pread(reader, data, found.st_size, 0);
    close(reader);
    note('S', path, "", found.st_ino, 0, found.st_size, data, bytes < 0 ? 0 : bytes, 1);
    free(data);
}

static void note_write(int handle, const char *path, off_t offset, const void *data, ssize_t bytes) {
    if (logging() && bytes > 0)
        note('W', path, "", inode_of(handle), offset, 0, data, bytes, (fcntl(handle, F_GETFL) & O_DSYNC) != 0);
}

/* -- calls on open files ------------------------------------------------------------------------------------------- */

static ssize_t vector_at(int handle, const struct iovec *parts, int number, off_t offset, const char *call) {
    char path[PATH_MAX];
    size_t bytes = 0, done = 0;
    for (int i = 0; i < number; i++) bytes += parts[i].iov_len;
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    int ours = path_of(handle, path), was_full = full;
    int decision = ours ? place(call, path, 1) : PASS;
    /* Half of it, when the process dies in it, or when this is the write that fills the disk. */
    size_t wish = decision == PASS ? bytes : bytes / 2;
    if (decision == FAIL && (was_full || !wish)) { errno = ENOSPC; return -1; }
    for (int i = 0; i < number && done < wish; i++) {
        size_t part = parts[i].iov_len < wish - done ? parts[i].iov_len : wish - done;
        ssize_t written = real(handle, parts[i].iov_base, part, offset + done);
        if (written < 0) return done ? (ssize_t)done : written;
        if (ours) note_write(handle, path, offset + done, parts[i].iov_base, written);
        done += written;
    }
    finish(decision);
    return done;
}

ssize_t pwrite64(int handle, const void *data, size_t bytes, off_t offset) {
    struct iovec part = {(void *)data, bytes};
    return vector_at(handle, &part, 1, offset, "pwrite");
}
ssize_t pwrite(int handle, const void *data, size_t bytes, off_t offset) { return pwrite64(handle, data, bytes, offset); }
ssize_t pwritev64(int handle, const struct iovec *parts, int number, off_t offset) {
    return vector_at(handle, parts, number, offset, "pwritev");
}
ssize_t pwritev(int handle, const struct iovec *parts, int number, off_t offset) {
    return pwritev64(handle, parts, number, offset);
}

ssize_t write(int handle, const void *data, size_t bytes) {
    char path[PATH_MAX];
    REAL(ssize_t, "write", int, const void *, size_t);
    if (!root_length || !path_of(handle, path)) return real(handle, data, bytes);
    int was_full = full, decision = place("write", path, 1);
    size_t wish = decision == PASS ? bytes : bytes / 2;
    if (decision == FAIL && (was_full || !wish)) { errno = ENOSPC; return -1; }
    off_t offset = lseek(handle, 0, SEEK_CUR);
    ssize_t written = real(handle, data, wish);
    note_write(handle, path, offset, data, written);
    finish(decision);
    return written;
}

ssize_t writev(int handle, const struct iovec *parts, int number) {
    char path[PATH_MAX];
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (!root_length || !path_of(handle, path)) return real(handle, parts, number);
    ssize_t done = 0;
    for (int i = 0; i < number; i++) {
        ssize_t written = write(handle, parts[i].iov_base, parts[i].iov_len);
        if (written < 0) return done ? done : written;
        done += written;
        if ((size_t)written < parts[i].iov_len) break;
    }
    return done;
}

static int synced(int handle, const char *call, int (*really)(int)) {
    char path[PATH_MAX];
    if (!root_length || !path_of(handle, path)) return really(handle);
    int decision = place(call, path, 1);
    if (decision == FAIL) { errno = ENOSPC; return -1; }
    if (logging()) note_sync(handle, path);
    return finish(decision);
}
int fsync(int handle) { REAL(int, "fsync", int); return synced(handle, "fsync", real); }
int fdatasync(int handle) { REAL(int, "fdatasync", int); return synced(handle, "fdatasync", real); }

int msync(void *start, size_t bytes, int flags) {
    REAL(int, "msync", void *, size_t, int);
    return real(start, bytes, flags); /* nothing below the folder is written through a mapping, but lock.mdb */
}

int ftruncate64(int handle, off_t size) {
    char path[PATH_MAX];
    struct stat found;
    REAL(int, "ftruncate64", int, off_t);
    if (!root_length || !path_of(handle, path)) return real(handle, size);
    int decision = place("ftruncate", path, !fstat(handle, &found) && size > found.st_size);
    if (decision == FAIL) { errno = ENOSPC; return -1; }
    int result = real(handle, size);
    if (logging() && !result) note('T', path, "", inode_of(handle), 0, size, "", 0, 0);
    finish(decision);
    return result;
}
int ftruncate(int handle, off_t size) { return ftruncate64(handle, size); }

int posix_fallocate64(int handle, off_t offset, off_t bytes) {
    char path[PATH_MAX];
    REAL(int, "posix_fallocate64", int, off_t, off_t);
    if (!root_length || !path_of(handle, path)) return real(handle, offset, bytes);
    int decision = place("fallocate", path, 1);
    if (decision == FAIL) return ENOSPC;
    int result = real(handle, offset, bytes);
    finish(decision);
    return result;
}
int posix_fallocate(int handle, off_t offset, off_t bytes) { return posix_fallocate64(handle, offset, bytes); }

/* -- calls on names ------------------------------------------------------------------------------------------------ */

static int opened(int folder, const char *name, int flags, mode_t permissions,
                  int (*really)(int, const char *, int, ...)) {
    char path[PATH_MAX];
    struct stat found;
    int creates = flags & O_CREAT && whole_path(folder, name, path) && stat(path, &found);
    if (whole_path(folder, name, path) && !logging()) flags &= ~(O_SYNC | O_DSYNC);
    int decision = creates ? place("create", path, 1) : PASS;
    if (decision == FAIL) { errno = ENOSPC; return -1; }
    int handle = really(folder, name, flags, permissions);
    if (logging() && handle >= 0 && creates) note('C', path, "", inode_of(handle), 0, 0, "", 0, 0);
    if (logging() && handle >= 0 && !creates && flags & O_TRUNC && whole_path(folder, name, path))
        note('T', path, "", inode_of(handle), 0, 0, "", 0, 0);
    finish(decision);
    return handle;
}
#define PERMISSIONS(last) mode_t permissions = 0; \
    if (flags & O_CREAT) { va_list rest; va_start(rest, last); permissions = va_arg(rest, int); va_end(rest); }

int openat64(int folder, const char *name, int flags, ...) {
    PERMISSIONS(flags)
    REAL(int, "openat64", int, const char *, int, ...);
    return opened(folder, name, flags, permissions, real);
}
int openat(int folder, const char *name, int flags, ...) { PERMISSIONS(flags) return openat64(folder, name, flags, permissions); }
int open64(const char *name, int flags, ...) { PERMISSIONS(flags) return openat64(AT_FDCWD, name, flags, permissions); }
int open(const char *name, int flags, ...) { PERMISSIONS(flags) return openat64(AT_FDCWD, name, flags, permissions); }

int truncate64(const char *name, off_t size) {
    int handle = open(name, O_WRONLY);
    if (handle < 0) return -1;
    int result = ftruncate64(handle, size), problem = errno;
    close(handle);
    errno = problem;
    return result;
}
int truncate(const char *name, off_t size) { return truncate64(name, size); }

int mkdirat(int folder, const char *name, mode_t permissions) {
    char path[PATH_MAX];
    struct stat found;
    REAL(int, "mkdirat", int, const char *, mode_t);
    if (!whole_path(folder, name, path) || !stat(path, &found)) return real(folder, name, permissions);
    int decision = place("mkdir", path, 1);
    if (decision == FAIL) { errno = ENOSPC; return -1; }
    int result = real(folder, name, permissions);
    if (logging() && !result && !stat(path, &found)) note('M', path, "", found.st_ino, 0, 0, "", 0, 0);
    finish(decision);
    return result;
}
int mkdir(const char *name, mode_t permissions) { return mkdirat(AT_FDCWD, name, permissions); }

int renameat(int old_folder, const char *old, int new_folder, const char *new) {
    char from[PATH_MAX], to[PATH_MAX];
    REAL(int, "renameat", int, const char *, int, const char *);
    if (!whole_path(old_folder, old, from) || !whole_path(new_folder, new, to)) return real(old_folder, old, new_folder, new);
    int decision = place("rename", from, 1);
    if (decision == FAIL) { errno = ENOSPC; return -1; }
    int result = real(old_folder, old, new_folder, new);
    if (logging() && !result) note('R', from, to, 0, 0, 0, "", 0, 0);
    finish(decision);
    return result;
}
int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }

int unlinkat(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    struct stat found;
    REAL(int, "unlinkat", int, const char *, int);
    if (!whole_path(folder, name, path) || lstat(path, &found)) return real(folder, name, flags);
    int decision = place("unlink", path, 0);
    int result = real(folder, name, flags);
    if (logging() && !result) note('U', path, "", found.st_ino, 0, 0, "", 0, 0);
    finish(decision);
    return result;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int statvfs64(const char *path, struct statvfs64 *found) {
    REAL(int, "statvfs64", const char *, struct statvfs64 *);
    int result = real(path, found);
    if (!result && full && below(path)) found->f_bavail = 0;
    return result;
}
int statvfs(const char *path, struct statvfs *found) {
    REAL(int, "statvfs", const char *, struct statvfs *);
    int result = real(path, found);
    if (!result && full && below(path)) found->f_bavail = 0;
    return result;
}
