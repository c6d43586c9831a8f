#include "proxy/transport/outbox.h"

#include "proxy/transport/stream.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HOW = MSG_DONTWAIT | MSG_NOSIGNAL };

struct posted {
    struct stream *stream;
    uv_os_fd_t fd;
    size_t at;
    size_t n;
};

struct outbox {
    struct posted posted[OUTBOX_MAX];
    unsigned count;
    size_t used; /* of `bytes` */
    bool together;
    struct io_uring ring; /* where `together` */
    uint8_t bytes[OUTBOX_BYTES];
};

struct outbox *outbox_new(bool together)
{
    struct outbox *o = calloc(1, sizeof *o);

    /* SUBMIT_ALL: one that fails does not hold up those behind it */
    if (o && together)
        o->together = io_uring_queue_init(OUTBOX_MAX, &o->ring, IORING_SETUP_SUBMIT_ALL) == 0;
    return o;
}

bool outbox_is_together(const struct outbox *o)
{
    return o->together;
}

static void leave_ring(struct outbox *o)
{
    if (o->together)
        io_uring_queue_exit(&o->ring);
    o->together = false;
}

void outbox_free(struct outbox *o)
{
    if (!o)
        return;
    leave_ring(o);
    free(o);
}

static bool has_room(const struct outbox *o, size_t n)
{
    return o->count < OUTBOX_MAX && o->used + n <= OUTBOX_BYTES;
}

bool outbox_post(struct outbox *o, struct stream *s, const uv_buf_t *bufs, int count, size_t n)
{
    struct posted *p;

    if (n > OUTBOX_ONE)
        return false;
    if (!has_room(o, n))
        outbox_flush(o);
    p = &o->posted[o->count];
    if (uv_fileno(&s->uv.handle, &p->fd) != 0)
        return false;
    p->stream = s;
    p->at = o->used;
    p->n = n;
    for (int i = 0; i < count; i++) {
        memcpy(o->bytes + o->used, bufs[i].base, bufs[i].len);
        o->used += bufs[i].len;
    }
    o->count++;
    return true;
}

/* Each of `taken`: bytes, or an error's negative number. */

static void send_each(const struct outbox *o, unsigned from, ssize_t taken[OUTBOX_MAX])
{
    for (unsigned i = from; i < o->count; i++) {
        const struct posted *p = &o->posted[i];

        taken[i] = send(p->fd, o->bytes + p->at, p->n, HOW);
        if (taken[i] < 0)
            taken[i] = -errno;
    }
}

static void prepare_all(struct outbox *o)
{
    for (unsigned i = 0; i < o->count; i++) {
        const struct posted *p = &o->posted[i];
        struct io_uring_sqe *sqe = io_uring_get_sqe(&o->ring);

        assert(sqe); /* the ring has as many as `posted` */
        io_uring_prep_send(sqe, p->fd, o->bytes + p->at, p->n, HOW);
        sqe->user_data = i;
    }
}

/* All at once; the results are there when the call returns, for none of them waits. How many the
 * kernel took up. */
static unsigned send_together(struct outbox *o, ssize_t taken[OUTBOX_MAX])
{
    struct io_uring_cqe *cqe;
    unsigned n;
    int rc;

    prepare_all(o);
    rc = io_uring_submit_and_wait(&o->ring, o->count);
    n = rc > 0 ? (unsigned)rc : 0;
    for (unsigned i = 0; i < n; i++)
        taken[i] = -EIO; /* where no result can be had */
    for (unsigned i = 0; i < n && io_uring_wait_cqe(&o->ring, &cqe) == 0; i++) {
        taken[cqe->user_data] = cqe->res;
        io_uring_cqe_seen(&o->ring, cqe);
    }
    return n;
}

static void send_all(struct outbox *o, ssize_t taken[OUTBOX_MAX])
{
    unsigned n = 0;

    if (o->together && o->count > 1) {
        n = send_together(o, taken);
        if (n < o->count)
            leave_ring(o); /* with what it did not take up */
    }
    send_each(o, n, taken);
}

void outbox_flush(struct outbox *o)
{
    ssize_t taken[OUTBOX_MAX];

    send_all(o, taken);
    for (unsigned i = 0; i < o->count; i++) {
        const struct posted *p = &o->posted[i];
        size_t went = taken[i] > 0 ? (size_t)taken[i] : 0;
        bool broken = taken[i] < 0 && taken[i] != -EAGAIN;

        stream_posted(p->stream, o->bytes + p->at + went, p->n - went, broken);
    }
    o->count = 0;
    o->used = 0;
}
