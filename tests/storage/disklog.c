/* Loaded before libc: writes down, in their order, the calls that change the files below ANDOND_LOGGED_DIRECTORY, into
 * ANDOND_DISK_LOG. An entry is: what (1 byte), length of the name (4), offset or size (8), length of the data (8), the
 * name, the data; little-endian. What: C created, W write, T truncate, S sync, U unlink, R rename (data: the new name). */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 1024

static char *names[DESCRIPTORS];
static const char *directory;
static int log_descriptor = -1;

static void begin(void) {
    if (log_descriptor >= 0) return;
    directory = getenv("ANDOND_LOGGED_DIRECTORY");
    const char *log = getenv("ANDOND_DISK_LOG");
    if (directory == NULL || log == NULL) return;
    log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_logged(const char *name) {
    begin();
    return log_descriptor >= 0 && strncmp(name, directory, strlen(directory)) == 0;
}

static void note(char what, const char *name, uint64_t offset, const void *data, uint64_t size) {
    uint32_t length = (uint32_t)strlen(name);
    struct iovec parts[6] = {
        {&what, 1}, {&length, 4}, {&offset, 8}, {&size, 8}, {(void *)name, length}, {(void *)data, (size_t)size}};
    if (syscall(SYS_writev, log_descriptor, parts, 6) < 0) abort();
}

static const char *name_of(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS ? names[descriptor] : NULL;
}

static int open_logged(int at, const char *name, int flags, mode_t mode) {
    char full[PATH_MAX];
    int is_new = 0;
    int logged = name[0] == '/' && is_logged(name) && strlen(name) < sizeof full;
    if (logged) is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, name, F_OK) != 0;
    int descriptor = (int)syscall(SYS_openat, at, name, flags, mode);
    if (!logged || descriptor < 0 || descriptor >= DESCRIPTORS) return descriptor;
    free(names[descriptor]);
    names[descriptor] = strdup(name);
    if (is_new) note('C', name, 0, "", 0);
    if (flags & O_TRUNC) note('T', name, 0, "", 0);
    return descriptor;
}

#define OPEN(function)                                        \
    int function(const char *name, int flags, ...) {          \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = (flags & O_CREAT) ? va_arg(rest, int) : 0; \
        va_end(rest);                                         \
        return open_logged(AT_FDCWD, name, flags, mode);      \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                      \
    int function(int at, const char *name, int flags, ...) {  \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = (flags & O_CREAT) ? va_arg(rest, int) : 0; \
        va_end(rest);                                         \
        return open_logged(at, name, flags, mode);            \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int descriptor) {
    if (name_of(descriptor) != NULL) {
        free(names[descriptor]);
        names[descriptor] = NULL;
    }
    return (int)syscall(SYS_close, descriptor);
}

static ssize_t written(int descriptor, const void *data, ssize_t size, off64_t offset) {
    const char *name = name_of(descriptor);
    if (name != NULL && size > 0) note('W', name, (uint64_t)offset, data, (uint64_t)size);
    return size;
}

ssize_t write(int descriptor, const void *data, size_t size) {
    off64_t offset = name_of(descriptor) == NULL ? 0 : lseek64(descriptor, 0, SEEK_CUR);
    return written(descriptor, data, syscall(SYS_write, descriptor, data, size), offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset) {
    return written(descriptor, data, syscall(SYS_pwrite64, descriptor, data, size, offset), offset);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
    return pwrite64(descriptor, data, size, offset);
}

int ftruncate64(int descriptor, off64_t size) {
    int result = (int)syscall(SYS_ftruncate, descriptor, size);
    if (result == 0 && name_of(descriptor) != NULL) note('T', name_of(descriptor), (uint64_t)size, "", 0);
    return result;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

static int synced(int descriptor, int result) {
    if (result == 0 && name_of(descriptor) != NULL) note('S', name_of(descriptor), 0, "", 0);
    return result;
}

int fsync(int descriptor) { return synced(descriptor, (int)syscall(SYS_fsync, descriptor)); }

int fdatasync(int descriptor) { return synced(descriptor, (int)syscall(SYS_fdatasync, descriptor)); }

int unlink(const char *name) {
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
    if (result == 0 && is_logged(name)) note('U', name, 0, "", 0);
    return result;
}

int rename(const char *name, const char *other) {
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, other, 0);
    if (result == 0 && is_logged(name)) note('R', name, 0, other, strlen(other));
    return result;
}
