#include "protocol/binlog/binlog_group.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum {
    TABLES_KEPT = 256, /* descriptors kept beyond their statement: the next is often the same */
    SAVEPOINT_NAME = 258,
};

/* A descriptor and the memory it points into. */
struct slot {
    struct binlog_table table;
    uint8_t *map; /* the event's body, owned */
    size_t map_n;
    uint64_t serial;
    uint64_t statement; /* the last in which it was announced */
    bool unreadable;
    struct err why;
};

struct savepoint {
    uint32_t keep; /* ROWS steps before it */
    uint16_t length;
    uint8_t name[SAVEPOINT_NAME];
};

struct binlog_group {
    struct binlog_track track;
    struct slot *slots[BINLOG_TABLES_MAX];
    uint32_t n_slots;
    uint64_t statement; /* counts statements: table maps hold for one */
    bool statement_over;
    uint64_t serials;
    uint32_t rows_steps; /* of this group */
    struct buf savepoints;
    uint8_t xa[BINLOG_XA_ID_MAX]; /* the group's */
    struct binlog_xa group_xa;
    struct binlog_row_reader reader;
    struct binlog_rows rows;
    struct slot *reading; /* NULL: no rows wait */
    bool begun;           /* the reader */
    struct buf scratch;
    struct binlog_value *values; /* two images of n_values each */
    uint32_t n_values;
};

static void slot_free(struct slot *s)
{
    free(s->table.columns);
    free(s->table.key);
    free(s->map);
    free(s);
}

static struct slot *slot_new(struct span map, uint32_t n_columns)
{
    struct slot *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->map = malloc(map.n ? map.n : 1);
    s->map_n = map.n;
    s->table.columns = calloc(n_columns ? n_columns : 1, sizeof *s->table.columns);
    s->table.key = calloc(n_columns ? n_columns : 1, sizeof *s->table.key);
    if (s->map && s->table.columns && s->table.key) {
        memcpy(s->map, map.p, map.n);
        return s;
    }
    slot_free(s);
    return NULL;
}

static void drop_tables(struct binlog_group *g)
{
    for (uint32_t i = 0; i < g->n_slots; i++)
        slot_free(g->slots[i]);
    g->n_slots = 0;
    g->reading = NULL;
}

struct binlog_group *binlog_group_new(size_t max_scratch)
{
    struct binlog_group *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->scratch = buf_with_max(max_scratch);
    g->savepoints = buf_with_max(BINLOG_SAVEPOINTS_MAX * sizeof(struct savepoint));
    g->statement = 1;
    return g;
}

void binlog_group_reset(struct binlog_group *g)
{
    drop_tables(g);
    buf_clear(&g->savepoints);
    g->track = (struct binlog_track){0};
    g->statement++;
    g->statement_over = false;
}

void binlog_group_free(struct binlog_group *g)
{
    if (!g)
        return;
    drop_tables(g);
    buf_free(&g->savepoints);
    buf_free(&g->scratch);
    free(g->values);
    free(g);
}

static int find_table(const struct binlog_group *g, uint64_t id)
{
    for (uint32_t i = g->n_slots; i-- > 0;) {
        if (g->slots[i]->table.id == id)
            return (int)i;
    }
    return -1;
}

static void drop_table(struct binlog_group *g, uint32_t i)
{
    slot_free(g->slots[i]);
    g->slots[i] = g->slots[--g->n_slots];
}

/* Room for one more: the descriptor that was not used for longest goes, unless this statement's. */
static bool make_room(struct binlog_group *g)
{
    uint32_t oldest = 0;

    if (g->n_slots < TABLES_KEPT)
        return true;
    for (uint32_t i = 1; i < g->n_slots; i++) {
        if (g->slots[i]->statement < g->slots[oldest]->statement)
            oldest = i;
    }
    if (g->slots[oldest]->statement != g->statement)
        drop_table(g, oldest);
    return g->n_slots < BINLOG_TABLES_MAX;
}

static bool feed_table(struct binlog_group *g, struct span map, struct err *e)
{
    uint32_t n_columns;
    uint64_t id;
    struct slot *s;
    int known;

    if (!binlog_table_peek(map, &id, &n_columns, e))
        return false;
    known = find_table(g, id);
    if (known >= 0) {
        s = g->slots[known];
        if (s->map_n == map.n && memcmp(s->map, map.p, map.n) == 0) {
            s->statement = g->statement;
            return true;
        }
        drop_table(g, (uint32_t)known);
    }
    if (!make_room(g))
        return err_set(e, ERR_DATA, "binlog: more than %d tables in one statement",
                       BINLOG_TABLES_MAX);
    s = slot_new(map, n_columns);
    if (!s)
        return err_set(e, ERR_IO, "no memory for a table of %u columns", n_columns);
    s->unreadable =
        !binlog_table_decode((struct span){s->map, s->map_n}, &s->table, n_columns, &s->why);
    if (s->unreadable)
        s->table.n_columns = s->table.n_key = 0;
    s->statement = g->statement;
    s->serial = ++g->serials;
    g->slots[g->n_slots++] = s;
    return true;
}

static bool room_for_values(struct binlog_group *g, uint32_t n, struct err *e)
{
    struct binlog_value *values;

    if (n <= g->n_values)
        return true;
    values = calloc(2 * (size_t)n, sizeof *values);
    if (!values)
        return err_set(e, ERR_IO, "no memory for a row of %u columns", n);
    free(g->values);
    g->values = values;
    g->n_values = n;
    return true;
}

static bool feed_rows(struct binlog_group *g, const struct binlog_rows *rows,
                      struct binlog_step *step, struct err *e)
{
    int known;

    g->statement_over = rows->flags & BINLOG_ROWS_STATEMENT_END;
    if (rows->table_id == BINLOG_TABLE_ID_NONE)
        return true;
    known = find_table(g, rows->table_id);
    if (known < 0 || g->slots[known]->statement != g->statement)
        return err_set(e, ERR_DATA, "binlog rows of table number %llu, which has no table map",
                       (unsigned long long)rows->table_id);
    g->reading = g->slots[known];
    g->rows = *rows;
    g->begun = false;
    step->kind = BINLOG_STEP_ROWS;
    step->rows_index = g->rows_steps++;
    step->table = &g->reading->table;
    step->op = rows->op;
    return true;
}

/* Not before the first row is asked for: of most tables, none is. */
static bool begin_rows(struct binlog_group *g, struct err *e)
{
    if (g->reading->unreadable) {
        *e = g->reading->why;
        return false;
    }
    g->begun = room_for_values(g, g->reading->table.n_columns, e) &&
               binlog_row_begin(&g->reader, &g->rows, &g->reading->table, &g->scratch, e);
    return g->begun;
}

static size_t savepoint_count(const struct binlog_group *g)
{
    return g->savepoints.len / sizeof(struct savepoint);
}

static struct savepoint *savepoint_at(const struct binlog_group *g, size_t i)
{
    return (struct savepoint *)(void *)g->savepoints.data + i;
}

/* The latest of that name, or -1. Names compare without regard to case, as far as ASCII goes. */
static long find_savepoint(const struct binlog_group *g, struct span name)
{
    for (size_t i = savepoint_count(g); i-- > 0;) {
        const struct savepoint *s = savepoint_at(g, i);

        if (s->length == name.n &&
            strncasecmp((const char *)s->name, (const char *)name.p, name.n) == 0)
            return (long)i;
    }
    return -1;
}

/* A second one of a name replaces the first. */
static bool set_savepoint(struct binlog_group *g, struct span name, struct err *e)
{
    struct savepoint s = {.keep = g->rows_steps, .length = (uint16_t)name.n};
    long known;

    if (name.n == 0 || name.n > sizeof s.name)
        return err_set(e, ERR_DATA, "binlog: odd name of a savepoint");
    known = find_savepoint(g, name);
    if (known >= 0) {
        size_t behind = savepoint_count(g) - (size_t)known - 1;

        memmove(savepoint_at(g, (size_t)known), savepoint_at(g, (size_t)known) + 1,
                behind * sizeof s);
        g->savepoints.len -= sizeof s;
    }
    memcpy(s.name, name.p, name.n);
    buf_put(&g->savepoints, &s, sizeof s);
    return buf_ok(&g->savepoints) ||
           err_set(e, ERR_IO, "binlog: a transaction with too many savepoints");
}

static bool roll_back_to(struct binlog_group *g, struct span name, struct binlog_step *step,
                         struct err *e)
{
    long known = find_savepoint(g, name);

    if (known < 0)
        return err_set(e, ERR_DATA, "binlog: ROLLBACK TO %.*s, a savepoint that was not set",
                       (int)name.n, (const char *)name.p);
    step->kind = BINLOG_STEP_ROLLBACK_TO;
    step->keep = savepoint_at(g, (size_t)known)->keep;
    g->savepoints.len = ((size_t)known + 1) * sizeof(struct savepoint);
    return true;
}

static bool feed_query(struct binlog_group *g, const struct binlog_event *ev,
                       enum binlog_query_kind kind, struct binlog_step *step, struct err *e)
{
    step->query = ev->query;
    switch (kind) {
    case BINLOG_QUERY_SAVEPOINT:
        return set_savepoint(g, binlog_query_savepoint(ev->query.text), e);
    case BINLOG_QUERY_ROLLBACK_TO:
        return roll_back_to(g, binlog_query_savepoint(ev->query.text), step, e);
    case BINLOG_QUERY_DDL:
        step->kind = BINLOG_STEP_DDL;
        return true;
    case BINLOG_QUERY_TRUNCATE:
        step->kind = BINLOG_STEP_TRUNCATE;
        return true;
    case BINLOG_QUERY_STATEMENT:
        step->kind = BINLOG_STEP_STATEMENT;
        return true;
    default:
        return true;
    }
}

static void begin_group(struct binlog_group *g, const struct binlog_event *ev,
                        struct binlog_step *step)
{
    struct binlog_xa xa = ev->gtid.xa;

    assert(xa.data.n <= sizeof g->xa);
    if (xa.data.n)
        memcpy(g->xa, xa.data.p, xa.data.n);
    xa.data.p = g->xa;
    g->group_xa = xa;
    g->rows_steps = 0;
    buf_clear(&g->savepoints);
    step->kind = BINLOG_STEP_BEGIN;
}

static void start_statement(struct binlog_group *g)
{
    g->statement++;
    g->statement_over = false;
}

bool binlog_group_feed(struct binlog_group *g, const struct binlog_event *ev,
                       struct binlog_step *step, struct err *e)
{
    struct binlog_mark mark;

    memset(step, 0, sizeof *step);
    g->reading = NULL;
    if (g->statement_over)
        start_statement(g);
    if (!binlog_track_feed(&g->track, ev, &mark, e))
        return false;
    step->ended = mark.ends;
    step->end = mark.end;
    step->gtid = g->track.gtid.gtid;
    step->gtid_flags = g->track.gtid.flags;
    step->timestamp = ev->head.timestamp;
    step->xa = ev->body == BINLOG_XA_PREPARE ? ev->xa_prepare.xa : g->group_xa;
    if (mark.begins)
        begin_group(g, ev, step);
    if (mark.ends)
        start_statement(g);
    switch (ev->body) {
    case BINLOG_TABLE_MAP:
        return feed_table(g, ev->table_map, e);
    case BINLOG_ROWS:
        return feed_rows(g, &ev->rows, step, e);
    case BINLOG_QUERY:
        return feed_query(g, ev, mark.query, step, e);
    case BINLOG_FORMAT:
        drop_tables(g); /* a new file: the server may have started anew and count tables anew */
        return true;
    default:
        return true;
    }
}

int binlog_group_row(struct binlog_group *g, struct binlog_change *c, struct err *e)
{
    struct binlog_value *before;
    struct binlog_value *after;
    int got;

    if (!g->reading)
        return 0;
    if (!g->begun && !begin_rows(g, e))
        return -1;
    before = g->values;
    after = g->values + g->n_values;
    got = binlog_row_next(&g->reader, before, after, e);
    if (got != 1) {
        g->reading = NULL;
        return got;
    }
    c->table = &g->reading->table;
    c->table_serial = g->reading->serial;
    c->op = g->reader.rows.op;
    c->before = c->op == BINLOG_INSERT ? NULL : before;
    c->after = c->op == BINLOG_DELETE ? NULL : after;
    return 1;
}
