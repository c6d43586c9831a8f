/* Reads a server's binlog as the mirror does and prints each step as a line of JSON; values are the
 * bytes of their text in hex, null, or false where absent.
 *
 *     binlog_dump_tool HOST PORT USER PASSWORD SERVER_ID FROM UNTIL [quiet|rows [CA]]
 *
 * FROM, UNTIL: GTID positions; ends when UNTIL is reached. quiet: only count. CA: of the server's
 * certificate, by TLS. Exit 1: an error,
 * also as a line. */
#include "base/clock.h"
#include "conf/tls.h"
#include "mirror/source/binlog_stream.h"
#include "protocol/binlog/binlog_group.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_S = 100, SCRATCH_MAX = 256 << 20 };

static struct binlog_stream *stream;

struct tool {
    struct binlog_group *group;
    struct gtid_set until;
    struct buf text;
    bool quiet;
    uint64_t rows;
    uint64_t groups;
    uint64_t events;
};

/* SIGTERM interrupts the reader, from a thread of its own. */
static void *await_signal(void *arg)
{
    sigset_t *set = arg;
    int number;

    if (sigwait(set, &number) == 0)
        binlog_stream_interrupt(stream);
    return NULL;
}

static void put_hex(struct span s)
{
    static const char digits[] = "0123456789abcdef";

    (void)putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        (void)putchar(digits[s.p[i] >> 4]);
        (void)putchar(digits[s.p[i] & 15]);
    }
    (void)putchar('"');
}

static void put_value(struct tool *t, const struct binlog_value *v, const struct binlog_column *c)
{
    if (v->kind == BINLOG_ABSENT) {
        (void)fputs("false", stdout);
    } else if (v->kind == BINLOG_NULL) {
        (void)fputs("null", stdout);
    } else {
        buf_clear(&t->text);
        binlog_value_text(v, c, &t->text);
        if (!buf_ok(&t->text))
            abort();
        put_hex(buf_span(&t->text));
    }
}

static void put_image(struct tool *t, const char *name, const struct binlog_value *image,
                      const struct binlog_table *table)
{
    if (!image)
        return;
    printf(", \"%s\": [", name);
    for (uint32_t i = 0; i < table->n_columns; i++) {
        if (i)
            (void)fputs(", ", stdout);
        put_value(t, &image[i], &table->columns[i]);
    }
    (void)putchar(']');
}

static void put_change(struct tool *t, const struct binlog_change *c)
{
    static const char *const ops[] = {"insert", "update", "delete"};
    const struct binlog_table *table = c->table;

    printf("{\"step\": \"%s\", \"serial\": %" PRIu64 ", \"table\": \"%.*s.%.*s\", \"columns\": [",
           ops[c->op], c->table_serial, (int)table->database.n, (const char *)table->database.p,
           (int)table->name.n, (const char *)table->name.p);
    for (uint32_t i = 0; i < table->n_columns; i++)
        printf("%s\"%.*s\"", i ? ", " : "", (int)table->columns[i].name.n,
               (const char *)table->columns[i].name.p);
    (void)fputs("], \"key\": [", stdout);
    for (uint32_t i = 0; i < table->n_key; i++)
        printf("%s[%u, %u]", i ? ", " : "", table->key[i],
               table->columns[table->key[i]].key_prefix);
    (void)fputs("], \"kinds\": [", stdout);
    for (uint32_t i = 0; i < table->n_columns; i++)
        printf("%s%d", i ? ", " : "", (int)table->columns[i].kind);
    (void)putchar(']');
    put_image(t, "before", c->before, table);
    put_image(t, "after", c->after, table);
    (void)fputs("}\n", stdout);
}

static void put_step(const struct binlog_step *step)
{
    static const char *const names[] = {"none",     "begin",     "rows",       "ddl",
                                        "truncate", "statement", "rollback_to"};
    static const char *const ends[] = {"commit",    "rollback",    "xa_prepare",
                                       "xa_commit", "xa_rollback", "abandoned"};
    const struct binlog_position *p = binlog_stream_position(stream);

    printf("{\"step\": \"%s\", \"gtid\": \"%u-%u-%" PRIu64 "\", \"schema\": ", names[step->kind],
           step->gtid.domain, step->gtid.server, step->gtid.seq);
    put_hex(step->query.schema);
    (void)fputs(", \"text\": ", stdout);
    put_hex(step->query.text);
    printf(", \"rows_index\": %u, \"keep\": %u", step->rows_index, step->keep);
    if (step->ended) {
        printf(", \"end\": \"%s\", \"xa\": ", ends[step->end]);
        put_hex(step->xa.data);
        printf(", \"file\": \"%s\", \"pos\": %" PRIu64 ", \"timestamp\": %u", p->file, p->end,
               p->timestamp);
    }
    (void)fputs("}\n", stdout);
}

static bool take_rows(struct tool *t, struct err *e)
{
    struct binlog_change change;
    int got;

    while ((got = binlog_group_row(t->group, &change, e)) == 1) {
        t->rows++;
        if (!t->quiet)
            put_change(t, &change);
    }
    return got == 0;
}

static bool take(struct tool *t, const struct binlog_event *ev, struct err *e)
{
    struct binlog_step step;

    t->events++;
    if (!binlog_group_feed(t->group, ev, &step, e))
        return false;
    if (step.kind == BINLOG_STEP_ROWS && !take_rows(t, e))
        return false;
    t->groups += step.ended;
    if (!t->quiet && (step.kind != BINLOG_STEP_NONE || step.ended))
        put_step(&step);
    return true;
}

static bool run(struct tool *t, struct err *e)
{
    uint64_t deadline = clock_mono_ns() + WAIT_S * CLOCK_NS_PER_S;
    struct binlog_event ev;

    while (!gtid_set_covers(&binlog_stream_position(stream)->done, &t->until)) {
        switch (binlog_stream_next(stream, deadline, &ev, e)) {
        case BINLOG_EVENT:
            if (!take(t, &ev, e))
                return false;
            break;
        case BINLOG_IDLE:
            return err_set(e, ERR_TIMEOUT, "not reached in %d s", WAIT_S);
        case BINLOG_FAILED:
            return false;
        }
    }
    return true;
}

static bool start(struct tool *t, char **argv, const char *ca, struct err *e)
{
    struct conf_servers_tls tls = {
        .mode = CONF_TLS_VERIFY_IDENTITY, .ca = ca, .certificate = "", .key = ""};
    struct binlog_source source = {
        .host = argv[1],
        .port = (uint16_t)strtoul(argv[2], NULL, 10),
        .user = argv[3],
        .password = argv[4],
        .tls = ca ? &tls : NULL,
        .server_id = (uint32_t)strtoul(argv[5], NULL, 10),
        .heartbeat_ms = 500,
    };
    struct gtid_set from;

    if (!gtid_set_parse(span_of(argv[6]), &from) || !gtid_set_parse(span_of(argv[7]), &t->until))
        return err_set(e, ERR_USAGE, "odd GTID position");
    t->group = binlog_group_new(SCRATCH_MAX);
    t->text = buf_with_max(SCRATCH_MAX);
    stream = binlog_stream_open(&source, &from, e);
    return t->group && stream;
}

int main(int argc, char **argv)
{
    struct tool t = {.quiet = argc > 8 && strcmp(argv[8], "quiet") == 0};
    struct err e = {0};
    pthread_t thread = pthread_self();
    sigset_t set;
    uint64_t began;
    bool ok;

    if (argc < 8)
        return 2;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    ok = start(&t, argv, argc > 9 ? argv[9] : NULL, &e);
    if (ok) {
        if (pthread_create(&thread, NULL, await_signal, &set) != 0)
            abort();
        began = clock_mono_ns();
        ok = run(&t, &e);
        printf("{\"step\": \"total\", \"rows\": %" PRIu64 ", \"groups\": %" PRIu64
               ", \"events\": %" PRIu64 ", \"ms\": %" PRIu64 "}\n",
               t.rows, t.groups, t.events, (uint64_t)((clock_mono_ns() - began) / CLOCK_NS_PER_MS));
    }
    if (!ok)
        printf("{\"step\": \"error\", \"kind\": %d, \"code\": %d, \"text\": \"%s\"}\n", (int)e.kind,
               e.code, e.text);
    if (stream) {
        (void)pthread_cancel(thread);
        (void)pthread_join(thread, NULL);
    }
    binlog_stream_close(stream);
    binlog_group_free(t.group);
    buf_free(&t.text);
    return ok ? 0 : 1;
}
