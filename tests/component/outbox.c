/* Streams that share an outbox, on a loop of the test's own, against sockets that it holds: what is
 * small goes out together, in order, whether by one system call or by one each. */
#include "proxy/transport/outbox.h"

#include "proxy/transport/stream.h"

#include "component/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENDS = 3, LARGE = 3 * OUTBOX_ONE };

struct end {
    struct stream stream;
    int peer; /* the other side's descriptor, which does not block */
    int drained;
    bool closed;
};

static struct scene {
    uv_loop_t loop;
    struct buffers buffers;
    struct end ends[ENDS];
} scene;

static void on_readable(void *owner)
{
    struct end *e = owner;

    stream_consume(&e->stream, stream_left(&e->stream));
}

static void on_drained(void *owner)
{
    struct end *e = owner;

    e->drained++;
}

static void on_closed(void *owner)
{
    struct end *e = owner;

    e->closed = true;
}

static const struct stream_ops ops = {NULL, on_readable, on_drained, on_closed};

static void open_end(struct end *e)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    e->peer = fds[1];
    stream_init(&e->stream, &ops, e, &scene.buffers);
    assert_int_equal(stream_open_fd(&e->stream, &scene.loop, fds[0], true), 0);
    stream_read(&e->stream, true);
}

static int begin(bool together)
{
    scene = (struct scene){.ends = {{.peer = -1}}};
    buffers_init(&scene.buffers, 1 << 15);
    scene.buffers.outbox = outbox_new(together);
    assert_non_null(scene.buffers.outbox);
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    for (int i = 0; i < ENDS; i++)
        open_end(&scene.ends[i]);
    return 0;
}

static int begin_together(void **state)
{
    (void)state;
    return begin(true);
}

static int begin_each(void **state)
{
    (void)state;
    return begin(false);
}

static int finish(void **state)
{
    (void)state;
    for (int i = 0; i < ENDS; i++) {
        stream_close(&scene.ends[i].stream);
        (void)close(scene.ends[i].peer);
    }
    (void)uv_run(&scene.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < ENDS; i++)
        assert_true(scene.ends[i].closed);
    assert_int_equal(uv_loop_close(&scene.loop), 0);
    buffers_free(&scene.buffers);
    return 0;
}

static void flush(void)
{
    outbox_flush(scene.buffers.outbox);
}

static enum stream_sent say(int end, const char *text)
{
    struct span part = {(const uint8_t *)text, strlen(text)};

    return stream_write(&scene.ends[end].stream, &part, 1);
}

/* What the peer has so far, at most `n` bytes of it. */
static size_t take(int end, char *text, size_t n)
{
    ssize_t got = recv(scene.ends[end].peer, text, n, 0);

    return got > 0 ? (size_t)got : 0;
}

static void expect(int end, const char *text)
{
    char got[256];
    size_t n = take(end, got, sizeof got);

    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, n);
}

static void what_is_small_goes_out_when_it_is_flushed(void **state)
{
    (void)state;
    for (int i = 0; i < ENDS; i++)
        assert_int_equal(say(i, "good morning"), STREAM_SENT);
    for (int i = 0; i < ENDS; i++)
        expect(i, "");
    flush();
    for (int i = 0; i < ENDS; i++)
        expect(i, "good morning");
    flush();
    expect(0, "");
}

static void what_one_stream_says_stays_in_order(void **state)
{
    static char large[LARGE + 1];
    static char got[LARGE + 64];

    (void)state;
    memset(large, 'x', LARGE);
    assert_int_equal(say(0, "one "), STREAM_SENT);
    assert_int_equal(say(1, "else"), STREAM_SENT);
    assert_int_equal(say(0, "two "), STREAM_SENT);
    assert_int_equal(say(0, large), STREAM_SENT); /* too large to wait */
    assert_int_equal(take(0, got, sizeof got), 8 + LARGE);
    assert_memory_equal(got, "one two xxx", 11);
    assert_int_equal(say(0, "last"), STREAM_SENT);
    flush();
    expect(0, "last");
    expect(1, "else");
}

/* More writes, and more bytes, than there is room for: nobody has to flush for that. */
static void a_full_one_flushes_by_itself(void **state)
{
    static char text[OUTBOX_ONE + 1];
    static char got[2 * OUTBOX_BYTES];
    size_t n = 0;

    (void)state;
    memset(text, 'y', OUTBOX_ONE);
    for (int i = 0; i < 3 * OUTBOX_MAX; i++) {
        assert_int_equal(say(i % ENDS, i % 2 ? text : "z"), STREAM_SENT);
        if (i % ENDS == 0)
            n += take(0, got, sizeof got);
    }
    flush();
    n += take(0, got, sizeof got);
    assert_int_equal(n, (OUTBOX_ONE + 1) * OUTBOX_MAX / 2);
}

static void turn(void)
{
    (void)uv_run(&scene.loop, UV_RUN_NOWAIT);
}

/* Until its socket is full. */
static size_t fill(struct end *e)
{
    static const char zeros[4096];
    size_t n = 0;
    ssize_t sent;
    uv_os_fd_t fd;

    assert_int_equal(uv_fileno(&e->stream.uv.handle, &fd), 0);
    while ((sent = send(fd, zeros, sizeof zeros, MSG_DONTWAIT)) > 0)
        n += (size_t)sent;
    return n;
}

/* It counts as sent; what comes behind it waits, and the owner hears when it is through. */
static void who_does_not_take_it_gets_it_later(void **state)
{
    static char got[1 << 20];
    struct end *e = &scene.ends[1];
    size_t left = fill(e);

    (void)state;
    assert_int_equal(say(0, "easy"), STREAM_SENT);
    assert_int_equal(say(1, "late "), STREAM_SENT);
    assert_int_equal(say(2, "easy"), STREAM_SENT);
    flush();
    expect(0, "easy");
    expect(2, "easy");
    assert_false(stream_settle(&e->stream));
    assert_int_equal(say(1, "later"), STREAM_BLOCKED);
    while (left > 0)
        left -= take(1, got, left < sizeof got ? left : sizeof got);
    for (int i = 0; i < 1000 && e->drained < 2; i++)
        turn();
    assert_int_equal(e->drained, 2);
    assert_true(stream_settle(&e->stream));
    expect(1, "late later");
}

static void whoever_has_gone_disturbs_nobody(void **state)
{
    struct end *e = &scene.ends[1];

    (void)state;
    assert_int_equal(close(e->peer), 0);
    e->peer = -1;
    for (int i = 0; i < ENDS; i++)
        assert_int_equal(say(i, "hello"), STREAM_SENT);
    flush();
    expect(0, "hello");
    expect(2, "hello");
    for (int i = 0; i < 1000 && !e->stream.eof; i++)
        turn();
    assert_true(e->stream.eof);
}

static void the_last_words_go_out_before_it_closes(void **state)
{
    (void)state;
    assert_int_equal(say(0, "bye"), STREAM_SENT);
    stream_close(&scene.ends[0].stream);
    expect(0, "bye");
    assert_int_equal(say(1, "and so on"), STREAM_SENT);
    assert_true(stream_settle(&scene.ends[1].stream));
    expect(1, "and so on");
}

#define BOTH(f)                                                 \
    cmocka_unit_test_setup_teardown(f, begin_together, finish), \
        cmocka_unit_test_setup_teardown(f, begin_each, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_is_small_goes_out_when_it_is_flushed),
        BOTH(what_one_stream_says_stays_in_order),
        BOTH(a_full_one_flushes_by_itself),
        BOTH(who_does_not_take_it_gets_it_later),
        BOTH(whoever_has_gone_disturbs_nobody),
        BOTH(the_last_words_go_out_before_it_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
