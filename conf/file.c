#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check(int fd, const char *path, bool secret, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(e, ERR_IO, "cannot read %s: %s", path, err_system(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_IO, "cannot read %s: it is not a file", path);
    if (secret && (st.st_mode & 077) != 0)
        return err_set(e, ERR_IO, "%s has mode %04o, others could read the secret; chmod 0600 it",
                       path, (unsigned)st.st_mode & 07777);
    return true;
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    uint8_t chunk[4096];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_IO, "cannot read %s: %s", path, err_system(errno));
        buf_put(out, chunk, (size_t)n);
        if (!buf_ok(out))
            return err_set(e, ERR_IO, "%s is larger than %zu bytes", path, out->max);
    }
    return true;
}

bool conf_file_read(const char *path, bool secret, struct buf *out, struct err *e)
{
    /* Non-blocking, so that a FIFO is refused instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok;

    if (fd < 0)
        return err_set(e, ERR_IO, "cannot read %s: %s", path, err_system(errno));
    ok = check(fd, path, secret, e) && read_all(fd, path, out, e);
    (void)close(fd);
    return ok;
}
