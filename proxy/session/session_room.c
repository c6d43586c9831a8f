/* The disk of the primary is full, and InnoDB says so before the binlog waits for room.
 *
 * The statement that was refused has had no effect, so it may be executed on the next primary as if
 * it had never been sent. Whether there will be one the monitor knows in a second or two: it finds
 * room (the table was full for another reason: the client gets its error), or none, twice, and the
 * primary is replaced (failover.c). Until then the error stays in the connection's buffer. */
#include "proxy/session/session_room.h"

#include "base/clock.h"
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_steps.h"

/* So long the monitor may take to say something of a server that it takes for well. */
#define PATIENCE_NS (5 * CLOCK_NS_PER_S)

uint16_t session_error_ahead(const struct session *s, const struct backend *b)
{
    enum { ERR = 0xff };
    const uint8_t *p = stream_data(&b->stream);
    bool begins = !s->run.replied && b->expect[b->expect_head].role == EXPECT_CLIENT;

    return begins && stream_left(&b->stream) >= PACKET_HEADER + 3 && p[PACKET_HEADER] == ERR
               ? (uint16_t)(p[PACKET_HEADER + 1] | p[PACKET_HEADER + 2] << 8)
               : 0;
}

/* As InnoDB says it, which without room for its undo log takes a transaction for one that only
 * reads. A table of a kind that is kept in memory may be full, too: the monitor finds that out. */
static bool says_no_room(const struct session *s, uint16_t code)
{
    return code == ER_RECORD_FILE_FULL || code == ER_DISK_FULL ||
           (code == ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION &&
            !(s->status & STATUS_IN_TRANS_READONLY));
}

bool session_may_have_begun(const struct session *s)
{
    return (s->run.statement.effects & SQL_EFFECT_OPAQUE) && !session_once_is_barred(s);
}

/* Whether the command could go on elsewhere. */
static bool may_wait(const struct session *s)
{
    const struct worker *w = s->worker;

    return w->conf->failover.enabled && !w->topology->galera && w->topology->count > 1 &&
           s->run.whole && !s->run.answered &&
           (!session_may_have_begun(s) || session_once_will_tell(s));
}

/* Nothing more is to be waited for. */
static bool is_settled(const struct session *s, const struct server_view *at, uint64_t now_ns)
{
    uint64_t begun_ns = s->run.no_room_ns;
    uint64_t limit_ns = s->worker->conf->failover.wait_ns;

    if (at->health == HEALTH_UP && limit_ns > PATIENCE_NS)
        limit_ns = PATIENCE_NS;
    return at->room_ns > begun_ns || now_ns - begun_ns > limit_ns;
}

enum held session_room(struct session *s, const struct backend *b)
{
    const struct shared *shared = s->worker->shared;
    const struct topology *t = s->worker->topology;
    uint16_t code = session_error_ahead(s, b);
    uint64_t now_ns;

    if (!code || s->run.read || !says_no_room(s, code))
        return HELD_NOT;
    now_ns = clock_mono_ns();
    if (!s->run.no_room_ns) {
        if (b->server != t->primary)
            return HELD_NOT;
        s->run.no_room_ns = now_ns;
        shared->suspect(shared->monitor, b->server, SUSPECT_NO_ROOM);
    }
    if (!may_wait(s) || is_settled(s, &t->servers[b->server], now_ns))
        return HELD_NOT;
    if (topology_has_replaced(t, b->server))
        return HELD_LOST;
    s->deadline_ns = worker_now_ns() + HELD_LOOK_NS;
    return HELD_BACK;
}

void session_room_lost(struct session *s)
{
    if (s->run.no_room_ns && !session_may_have_begun(s))
        s->run.sent = false;
    s->run.no_room_ns = 0;
}
