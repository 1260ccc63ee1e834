/* Folders beneath a folder: each step is opened from the one before, so that nothing can lead out of it. */
#include "core/base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_step(int at, const char *name) {
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A new folder is on disk before anything is put into it. */
static int make_step(int at, const char *name) {
    if (mkdirat(at, name, 0700) && errno != EEXIST) return -1;
    return fsync(at) ? -1 : open_step(at, name);
}

static int step(int at, const char *path, const char *name, struct hr_error *err) {
    if (!strcmp(name, "..")) return error_set(err, HR_EFAIL, "%s: '..' leads out of the data folder", path), -1;
    int fd = open_step(at, name);
    if (fd < 0 && errno == ENOENT) fd = make_step(at, name);
    if (fd >= 0) return fd;
    struct stat st;
    int why = errno;
    bool link = fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
    error_set(err, HR_EFAIL, "%s: '%s' %s", path, name, link ? "is a link: links are not followed" : strerror(why));
    return -1;
}

int folder_beneath(int base, const char *path, struct hr_error *err) {
    if (*path == '/') return error_set(err, HR_EFAIL, "%s: a path is beneath the data folder (--data-dir), not absolute", path), -1;
    int fd = dup(base);
    if (fd < 0) return error_set(err, HR_EFAIL, "%s: %s", path, strerror(errno)), -1;
    for (const char *p = path; *p;) {
        char name[256];
        size_t n = strcspn(p, "/");
        if (n >= sizeof name) return close(fd), error_set(err, HR_EFAIL, "%s: a name is too long", path), -1;
        memcpy(name, p, n);
        name[n] = '\0';
        p += n + (p[n] == '/');
        if (!n || !strcmp(name, ".")) continue;
        int next = step(fd, path, name, err);
        close(fd);
        if (next < 0) return -1;
        fd = next;
    }
    return fd;
}
