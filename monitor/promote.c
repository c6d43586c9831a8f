#include "monitor/promote.h"

#include "base/clock.h"
#include "monitor/clients.h"
#include "protocol/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POSITION_NOT_THERE = 1236, /* the source's binlog does not have the replica's position */
    SQL_MAX = 4096,
    ROW_COLUMNS = 8,
    /* Beside rpl_semi_sync_slave_enabled, which may stand in a server's configuration: not kept
     * over a restart, so it tells that the server has been caught up since. 32 is the default, 1
     * more logs nothing in regular operation. */
    TRACE_LEVEL_OF_ACKER = 33,
    TRACE_LEVEL_DEFAULT = 32,
    /* More than a server can have had under way at once. */
    SEQUENCE_LEAP = 1000000,
};
#define POLL_NS (2 * CLOCK_NS_PER_MS)
/* A replica's thread has noticed that it was killed. */
#define KILLED_NS (20 * CLOCK_NS_PER_MS)
/* information_schema.innodb_trx is a copy, made anew only once nobody has looked at it for 100 ms:
 * who looks more often sees the same for ever (storage/innobase/trx/trx0i_s.cc). */
#define TRX_POLL_NS (110 * CLOCK_NS_PER_MS)

struct work {
    struct probe *probe;
    const struct promote_terms *terms;
    const struct failover_order *order;
    struct failover_answer *answer;
    uint64_t deadline_ns;
    struct probe_answer got;
    /* the last row */
    bool any;
    char column[ROW_COLUMNS][GTID_SET_TEXT_MAX];
    struct facts facts; /* its channels */
    char io_position[GTID_SET_TEXT_MAX];
};

static bool failed(struct work *w, const char *why)
{
    (void)snprintf(w->answer->why, sizeof w->answer->why, "%s", why);
    return false;
}

static bool keep_row(void *ctx, const struct probe_row *row)
{
    struct work *w = ctx;

    w->any = true;
    for (unsigned i = 0; i < row->columns && i < ROW_COLUMNS; i++)
        (void)snprintf(w->column[i], sizeof w->column[i], "%s",
                       row->values[i] ? row->values[i] : "");
    return true;
}

static bool keep_channel(void *ctx, const struct probe_row *row)
{
    struct work *w = ctx;

    facts_take_channel(&w->facts, row);
    (void)snprintf(w->io_position, sizeof w->io_position, "%s", probe_value(row, "Gtid_IO_Pos"));
    return true;
}

static bool ask(struct work *w, const char *sql)
{
    w->any = false;
    memset(w->column, 0, sizeof w->column);
    if (!probe_is_open(w->probe))
        return failed(w, "the session that held the lock is lost");
    if (probe_ask(w->probe, sql, keep_row, w, &w->got) == PROBE_OK)
        return true;
    return failed(w, w->got.why);
}

static bool ask_format(struct work *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool ask_format(struct work *w, const char *fmt, ...)
{
    char sql[SQL_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(sql, sizeof sql, fmt, ap);
    va_end(ap);
    return n > 0 && n < SQL_MAX ? ask(w, sql) : failed(w, "a statement is too long");
}

static bool ask_channels(struct work *w)
{
    w->facts.channel_count = 0;
    w->io_position[0] = 0;
    if (!probe_is_open(w->probe))
        return failed(w, "the session that held the lock is lost");
    return probe_ask(w->probe, facts_channels_sql, keep_channel, w, &w->got) == PROBE_OK ||
           failed(w, w->got.why);
}

static const struct channel *channel_of(const struct work *w)
{
    return w->facts.channel_count > 0 ? &w->facts.channels[0] : NULL;
}

static void pause_for(uint64_t ns)
{
    (void)nanosleep(&(struct timespec){.tv_sec = (time_t)(ns / CLOCK_NS_PER_S),
                                       .tv_nsec = (long)(ns % CLOCK_NS_PER_S)},
                    NULL);
}

static bool has_time(const struct work *w)
{
    return clock_mono_ns() < w->deadline_ns;
}

static bool position_of(struct work *w, const char *expression, struct gtid_set *out)
{
    if (!ask_format(w, "SELECT %s", expression))
        return false;
    return gtid_set_parse(span_of(w->column[0]), out) ||
           failed(w, "its GTID position cannot be read");
}

/* ---- the lock, and the server's row ---- */

/* A session that was closed holds it for a moment longer. */
static bool try_lock(struct work *w)
{
    static const char sql[] =
        "SELECT GET_LOCK('tillway', %s), IS_USED_LOCK('tillway'), CONNECTION_ID()";

    if (!ask_format(w, sql, "0"))
        return false;
    return strcmp(w->column[0], "1") == 0 || w->column[1][0] || ask_format(w, sql, "0.1");
}

/* From whoever has it: by force where that is allowed, or where it is a session of our own before,
 * which we have closed: one that waits for a replica's acknowledgement does not notice. */
static bool get_lock(struct work *w)
{
    uint64_t own;
    uint64_t holder;

    if (!try_lock(w))
        return false;
    holder = strtoull(w->column[1], NULL, 10);
    own = strtoull(w->column[2], NULL, 10);
    if (strcmp(w->column[0], "1") != 0) {
        if (!holder || (!w->order->steal && holder != *w->terms->holder))
            return failed(w, "another Tillway holds the lock");
        if (!ask_format(w, "KILL %llu", (unsigned long long)holder) ||
            !ask(w, "SELECT GET_LOCK('tillway', 0.5)"))
            return false;
        if (strcmp(w->column[0], "1") != 0)
            return failed(w, "the lock cannot be taken by force");
    }
    *w->terms->holder = own;
    return true;
}

static bool make_row(struct work *w)
{
    return ask(w, "CREATE DATABASE IF NOT EXISTS tillway") &&
           ask(w, "CREATE TABLE IF NOT EXISTS tillway.member (id TINYINT UNSIGNED PRIMARY KEY, "
                  "epoch BIGINT UNSIGNED NOT NULL, joined BIGINT UNSIGNED NOT NULL, "
                  "primary_epoch BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB COMMENT='each server''s "
                  "own, not replicated'") &&
           ask(w, "INSERT IGNORE INTO tillway.member VALUES (1, 0, 0, 0)");
}

static bool read_row(struct work *w)
{
    static const char sql[] = "SELECT epoch, joined, primary_epoch FROM tillway.member WHERE id=1";
    bool ok = ask(w, sql);

    if ((!ok && (w->got.code == ER_NO_SUCH_TABLE || w->got.code == ER_BAD_DB_ERROR)) ||
        (ok && !w->any))
        ok = make_row(w) && ask(w, sql);
    w->answer->row =
        (struct failover_row){strtoull(w->column[0], NULL, 10), strtoull(w->column[1], NULL, 10),
                              strtoull(w->column[2], NULL, 10)};
    return ok;
}

static bool do_lock(struct work *w)
{
    const struct failover_order *o = w->order;
    uint64_t promised;

    probe_close(w->probe);
    if (probe_open(w->probe, &w->got) != PROBE_OK)
        return failed(w, w->got.why);
    if (!ask(w, "SET SESSION sql_log_bin=0, lock_wait_timeout=1, innodb_lock_wait_timeout=1") ||
        !get_lock(w) || !read_row(w))
        return false;
    promised = w->answer->row.epoch;
    if (promised > o->epoch || (o->fresh && promised == o->epoch))
        return failed(w, "it has promised a newer epoch");
    return true;
}

static bool do_promise(struct work *w)
{
    return ask_format(w, "UPDATE tillway.member SET epoch=%llu WHERE id=1",
                      (unsigned long long)w->order->epoch);
}

/* A Tillway that has not said within a lease that it has left the epochs before: should it be there
 * still, it finds its row missing, and enrols anew. */
static bool expel(struct work *w)
{
    return !w->order->expel || ask_format(w, "DELETE FROM tillway.proxy WHERE epoch<%llu",
                                          (unsigned long long)w->order->epoch);
}

static bool note_joined(struct work *w, bool primary)
{
    unsigned long long epoch = w->order->epoch;

    return expel(w) &&
           ask_format(w,
                      "UPDATE tillway.member SET epoch=GREATEST(epoch, %llu), joined=%llu, "
                      "primary_epoch=%llu WHERE id=1",
                      epoch, epoch, primary ? epoch : 0);
}

/* ---- the old primary ---- */

static bool do_quiesce(struct work *w)
{
    pause_for(w->terms->settle_ns);
    for (;;) {
        if (!ask(w, "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN "
                    "information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE "
                    "p.user <> 'system user' AND p.id <> CONNECTION_ID()"))
            return false;
        if (strcmp(w->column[0], "0") == 0 || !has_time(w))
            return true;
        pause_for(TRX_POLL_NS);
    }
}

static bool do_fence(struct work *w)
{
    return ask(w, "SET GLOBAL read_only=1") &&
           position_of(w, "@@global.gtid_binlog_pos", &w->answer->position);
}

static bool end_clients(struct work *w)
{
    if (!probe_is_open(w->probe))
        return failed(w, "the session that held the lock is lost");
    return clients_end(w->probe, &w->got) || failed(w, w->got.why);
}

static bool read_acks(struct work *w)
{
    if (!ask_format(w,
                    "SELECT @@global.rpl_semi_sync_slave_enabled AND "
                    "@@global.rpl_semi_sync_slave_trace_level=%d",
                    TRACE_LEVEL_OF_ACKER))
        return false;
    w->answer->acks = strcmp(w->column[0], "1") == 0;
    return true;
}

/* STOP SLAVE wakes the thread up, and again every 2 s. Where the source is frozen that has to be
 * twice: it waits for an event, then for a new connection by which semi-sync ends its own there.
 * KILL is the first time; should the thread be slow to get from here to there, it gives up by
 * itself after 1 s. */
static bool stop_receiving(struct work *w)
{
    if (!ask(w, "SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout=1") ||
        !ask(w, "SELECT id FROM information_schema.processlist WHERE command='Slave_IO'"))
        return false;
    if (w->any) {
        (void)ask_format(w, "KILL %lu", strtoul(w->column[0], NULL, 10));
        pause_for(channel_of(w)->io == CHANNEL_RUNNING ? KILLED_NS : 0);
    }
    return ask(w, "STOP SLAVE IO_THREAD");
}

/* What is in the relay log of a replica that was restarted is thrown away when it replicates again:
 * it does not count. */
static bool do_survey(struct work *w)
{
    struct gtid_set received = {0};
    bool ran;

    if (!ask_channels(w))
        return false;
    if (!channel_of(w))
        return end_clients(w) && do_fence(w);
    ran = channel_of(w)->sql_running;
    if (!stop_receiving(w) || !ask_channels(w) || !read_acks(w) ||
        !position_of(w, "@@global.gtid_slave_pos", &w->answer->position))
        return false;
    if (ran && gtid_set_parse(span_of(w->io_position), &received))
        (void)gtid_set_merge(&w->answer->position, &received);
    return true;
}

/* ---- the new one ---- */

static bool do_drain(struct work *w)
{
    char text[GTID_SET_TEXT_MAX];
    struct gtid_set applied;

    gtid_set_format(&w->order->position, text, sizeof text);
    if (!ask_channels(w) ||
        !position_of(w, channel_of(w) ? "@@global.gtid_slave_pos" : "@@global.gtid_binlog_pos",
                     &applied))
        return false;
    if (gtid_set_covers(&applied, &w->order->position))
        return true;
    if (!channel_of(w))
        return failed(w, "it does not have what it said it had");
    while (has_time(w)) {
        if (!ask_format(w, "SELECT MASTER_GTID_WAIT('%s', 0.05)", text))
            return false;
        if (strcmp(w->column[0], "0") == 0)
            return true;
    }
    return failed(w, "it has not applied all in time");
}

static bool set_primary_semi_sync(struct work *w)
{
    if (!w->terms->semi_sync)
        return true;
    return ask(w, "SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC, "
                  "rpl_semi_sync_master_wait_no_slave=1, "
                  "rpl_semi_sync_master_timeout=4294967295, rpl_semi_sync_master_enabled=1");
}

/* A transaction with this GTID, that changes nothing. */
static bool write_gtid(struct work *w, uint32_t domain, uint64_t seq)
{
    return ask_format(w, "SET SESSION sql_log_bin=1, gtid_domain_id=%lu", (unsigned long)domain) &&
           ask_format(w, "SET SESSION gtid_seq_no=%llu", (unsigned long long)seq) &&
           ask(w, "CREATE DATABASE IF NOT EXISTS tillway");
}

/* What a server throws away when it is started anew, a replica may have: the GTIDs are not given a
 * second time, so that such a replica is told that the binlog lacks what it has (strict mode). */
static bool leap(struct work *w)
{
    struct gtid_set position;

    if (!position_of(w, "@@global.gtid_binlog_pos", &position))
        return false;
    for (uint32_t i = 0; i < position.count; i++) {
        const struct gtid *g = &position.at[i];

        if (g->domain != w->terms->domain && !write_gtid(w, g->domain, g->seq + SEQUENCE_LEAP))
            return false;
    }
    return true;
}

/* Who has what comes behind it has it, too. */
static bool write_mark(struct work *w)
{
    return write_gtid(w, w->terms->domain, w->order->epoch) && (!w->order->leap || leap(w)) &&
           ask(w, "SET SESSION sql_log_bin=0");
}

/* The mark comes before any write: with semi-sync, and somebody who follows, a replica has it
 * before this goes on. */
static bool do_promote(struct work *w)
{
    bool alone = w->order->alone;

    if (w->order->follow && (!ask(w, "STOP SLAVE") || !ask(w, "RESET SLAVE ALL")))
        return false;
    if (alone && (!ask(w, "SET GLOBAL rpl_semi_sync_master_enabled=0") || !write_mark(w)))
        return false;
    return set_primary_semi_sync(w) && (alone || write_mark(w)) && note_joined(w, true) &&
           ask(w, "SET GLOBAL read_only=0");
}

/* ---- the other Tillways ---- */

static bool do_await(struct work *w)
{
    while (has_time(w)) {
        if (!ask_format(w, "SELECT COUNT(*) FROM tillway.proxy WHERE epoch<%llu",
                        (unsigned long long)w->order->epoch))
            return false;
        if (strcmp(w->column[0], "0") == 0)
            return true;
        pause_for(POLL_NS);
    }
    return failed(w, "a Tillway has not said that it has left the epoch before");
}

/* ---- the others ---- */

static bool replicates_from(const struct work *w, const struct conf_server *s)
{
    const struct channel *c = channel_of(w);

    return c && c->io != CHANNEL_STOPPED && c->sql_running && c->port == s->address.port &&
           strcmp(c->host, s->address.host) == 0;
}

/* A text in a statement. */
static bool quote(const char *text, char *out, size_t size)
{
    size_t at = 0;

    for (; *text; text++) {
        if (at + 3 > size)
            return false;
        if (*text == '\'' || *text == '\\')
            out[at++] = '\\';
        out[at++] = *text;
    }
    out[at] = 0;
    return true;
}

/* A replica skips transactions with its own server_id. One that was a primary, or did not finish
 * becoming a replica, may lack such, for its semi-sync recovery throws away what others have: until
 * it has applied all that there was when it began, it goes by another id. */
static bool borrow_id(struct work *w)
{
    const struct channel *c = channel_of(w);

    return (c && c->sql_running) || ask(w, "SET GLOBAL server_id=@@global.server_id | 2147483648");
}

/* A replica throws away what it has received and not applied when it changes its source. Who has
 * applied all that there was loses nothing, and counts from its first transaction on; who has not,
 * once it has been caught up: begin_acks. */
static bool set_acks(struct work *w)
{
    struct gtid_set applied;
    bool whole;

    if (!position_of(w, "@@global.gtid_slave_pos", &applied))
        return false;
    whole = w->order->acks && gtid_set_covers(&applied, &w->order->position);
    return ask_format(w,
                      "SET GLOBAL rpl_semi_sync_slave_enabled=%d, "
                      "rpl_semi_sync_slave_trace_level=%d, rpl_semi_sync_master_enabled=0",
                      whole, whole ? TRACE_LEVEL_OF_ACKER : TRACE_LEVEL_DEFAULT);
}

static bool change_source(struct work *w, const struct conf_server *s)
{
    char user[300];
    char password[2100];
    bool was_replica = channel_of(w) != NULL;

    if (!quote(w->terms->user, user, sizeof user) ||
        !quote(w->terms->password, password, sizeof password))
        return failed(w, "the replication account's name is too long");
    if (!borrow_id(w))
        return false;
    if (was_replica ? !ask(w, "STOP SLAVE")
                    : !ask(w, "SET GLOBAL gtid_slave_pos=@@global.gtid_binlog_pos"))
        return false;
    return set_acks(w) &&
           ask_format(w,
                      "CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%lu, MASTER_USER='%s', "
                      "MASTER_PASSWORD='%s', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos",
                      s->address.host, (unsigned long)s->address.port, user, password) &&
           ask(w, "START SLAVE");
}

/* Until the IO thread runs, or says why it cannot. */
static bool await_attached(struct work *w)
{
    while (has_time(w)) {
        const struct channel *c;

        if (!ask_channels(w))
            return false;
        c = channel_of(w);
        if (c && c->io == CHANNEL_RUNNING)
            return true;
        if (c && c->io_errno == POSITION_NOT_THERE) {
            w->answer->errant = true;
            return failed(w, c->io_error);
        }
        pause_for(POLL_NS);
    }
    return failed(w, "it has not connected to its primary in time");
}

static bool await_received(struct work *w)
{
    struct gtid_set received = {0};
    struct gtid_set applied;

    while (has_time(w)) {
        if (!ask_channels(w) || !position_of(w, "@@global.gtid_slave_pos", &applied))
            return false;
        if (gtid_set_parse(span_of(w->io_position), &received))
            (void)gtid_set_merge(&applied, &received);
        if (gtid_set_covers(&applied, &w->order->position))
            return true;
        pause_for(POLL_NS);
    }
    return false;
}

static bool restart_receiving(struct work *w)
{
    return ask(w, "STOP SLAVE IO_THREAD") && ask(w, "START SLAVE IO_THREAD") && await_attached(w);
}

static bool give_back_id(struct work *w)
{
    char text[GTID_SET_TEXT_MAX];

    if (!ask(w, "SELECT @@global.server_id & 2147483648"))
        return false;
    if (strcmp(w->column[0], "0") == 0)
        return true;
    gtid_set_format(&w->order->position, text, sizeof text);
    while (has_time(w)) {
        if (!ask_format(w, "SELECT MASTER_GTID_WAIT('%s', 0.05)", text))
            return false;
        if (strcmp(w->column[0], "0") == 0)
            return ask(w, "SET GLOBAL server_id=@@global.server_id & 2147483647") &&
                   restart_receiving(w);
    }
    return failed(w, "it is still catching up");
}

/* It counts from now on. The IO thread reads the setting when it starts. */
static bool begin_acks(struct work *w)
{
    w->answer->acks = ask_format(w,
                                 "SET GLOBAL rpl_semi_sync_slave_enabled=1, "
                                 "rpl_semi_sync_slave_trace_level=%d",
                                 TRACE_LEVEL_OF_ACKER) &&
                      restart_receiving(w);
    return w->answer->acks;
}

static bool do_join(struct work *w)
{
    const struct conf_server *source = w->terms->source;

    if (!ask_channels(w) || !ask(w, "SELECT @@global.read_only"))
        return false;
    if (strcmp(w->column[0], "0") == 0 && !end_clients(w))
        return false;
    if (!ask(w, "SET GLOBAL read_only=1"))
        return false;
    if (!replicates_from(w, source) && !change_source(w, source))
        return false;
    if (!await_attached(w) || !note_joined(w, false) || !give_back_id(w) || !read_acks(w))
        return false;
    if (w->order->acks && !w->answer->acks && await_received(w))
        return begin_acks(w);
    return true;
}

static bool (*const doings[ORDER_COUNT])(struct work *) = {
    [ORDER_LOCK] = do_lock,   [ORDER_PROMISE] = do_promise, [ORDER_QUIESCE] = do_quiesce,
    [ORDER_FENCE] = do_fence, [ORDER_SURVEY] = do_survey,   [ORDER_DRAIN] = do_drain,
    [ORDER_AWAIT] = do_await, [ORDER_JOIN] = do_join,       [ORDER_PROMOTE] = do_promote,
};

void promote_carry_out(struct probe *p, const struct promote_terms *t,
                       const struct failover_order *o, struct failover_answer *a)
{
    struct work w = {.probe = p, .terms = t, .order = o, .answer = a};

    /* A tenth less: the answer is to be there in time. */
    w.deadline_ns = clock_mono_ns() + o->limit_ns - o->limit_ns / 10;
    memset(a, 0, sizeof *a);
    a->kind = o->kind;
    a->serial = o->serial;
    a->ok = doings[o->kind](&w);
}
