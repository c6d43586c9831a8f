/* One request goes round all workers, the asker's own last. For the process list each appends its
 * sessions that have a statement under way on a server that is not the primary, as JSON: the server
 * makes a table of it. For EXPLAIN FOR CONNECTION and its likes the one whose session it is tells
 * that server. */
#include "proxy/session/session_busy.h"

#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"
#include "sql/spots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INFO_MAX = 1024, /* bytes of a statement's text */
    ROW_MAX = 8192,  /* of a row: each of its characters may take six */
};

struct busy_request {
    struct message message;
    struct worker *from;
    uint32_t asker;
    bool sees_all;
    uint32_t explained; /* the session whose server is wanted; 0: the list is */
    int server;         /* its server; -1: it runs nothing elsewhere */
    struct busy busy;
    uint32_t user_len;
    uint8_t user[]; /* the asker's */
};

/* Bytes of the character that `text` begins with, of two or three in UTF-8; 0: it is none. */
static size_t character_of(struct span text)
{
    uint8_t lead = text.p[0], next = text.n > 1 ? text.p[1] : 0;

    if ((next & 0xC0) != 0x80)
        return 0;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if ((lead & 0xF0) != 0xE0 || text.n < 3 || (text.p[2] & 0xC0) != 0x80)
        return 0;
    return (lead == 0xE0 && next < 0xA0) || (lead == 0xED && next >= 0xA0) ? 0 : 3;
}

/* A JSON string. What is not in UTF-8, or not in three bytes, is a question mark. */
static void put_text(struct buf *out, struct span text, bool utf8)
{
    size_t n;

    buf_put_u8(out, '"');
    for (size_t i = 0; i < text.n; i += n) {
        uint8_t c = text.p[i];
        size_t wide = 0;

        if (c >= 0x80 && utf8)
            wide = character_of((struct span){text.p + i, text.n - i});
        n = wide ? wide : 1;
        if (wide)
            buf_put(out, text.p + i, wide);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else
            buf_put_u8(out, c < 0x80 ? c : '?');
    }
    buf_put_str(out, "\",");
}

static const char *command_name(uint8_t byte)
{
    switch (byte) {
    case COM_STMT_PREPARE:
        return "\"Prepare\",";
    case COM_STMT_EXECUTE:
        return "\"Execute\",";
    default:
        return "\"Query\",";
    }
}

static struct span text_of(const struct session *s)
{
    const struct stmt *stmt = s->run.stmt;
    struct span text = session_text(s);

    if (!text.n && stmt && stmt->text)
        text = (struct span){(const uint8_t *)stmt->text, stmt->text_len};
    return (struct span){text.p, text.n < INFO_MAX ? text.n : INFO_MAX};
}

static void put_host(struct buf *out, const struct session *s)
{
    char host[THREAD_HOST_MAX];

    session_host(s, host);
    put_text(out, span_of(host), true);
}

static void put_row(struct busy *busy, const struct session *s)
{
    struct buf *out = &busy->rows;
    uint64_t ms = uv_now(&s->worker->loop) - s->run.begun_ms;
    bool listed = threads_of(&s->worker->shared->threads, s->worker->topology->primary, s->id) != 0;

    busy->unlisted = busy->unlisted || !listed;
    buf_printf(out, "%s[%u,%d,", out->len ? "," : "", s->id, listed);
    put_text(out, session_user(s), true);
    put_host(out, s);
    if (s->schema[0])
        put_text(out, span_of(s->schema), true);
    else
        buf_put_str(out, "null,");
    buf_put_str(out, command_name(s->run.byte));
    buf_printf(out, "%" PRIu64 ",%" PRIu64 ",", ms / 1000, ms);
    put_text(out, text_of(s), s->mode.utf8);
    buf_printf(out, "%" PRIu64 "]", session_query_id(s));
}

static bool is_busy(const struct session *s)
{
    bool under_way = s->state.now == SESSION_SYNC || s->state.now == SESSION_SHARE ||
                     s->state.now == SESSION_RELAY || session_waits(s);

    return under_way && s->identity && !s->run.log_in &&
           (s->line || s->run.route.server != s->worker->topology->primary);
}

static void collect(struct busy_request *k, const struct worker *w)
{
    struct span asker = {k->user, k->user_len};

    for (const struct session *s = w->sessions; s; s = s->next)
        if (is_busy(s) && (k->sees_all || span_same(session_user(s), asker)) &&
            k->busy.rows.len + ROW_MAX <= k->busy.rows.max)
            put_row(&k->busy, s);
}

static void find(struct busy_request *k, struct worker *w)
{
    const struct session *s = session_by_id(w, k->explained);

    if (s && is_busy(s))
        k->server = s->run.route.server;
}

/* What a statement's plan is told by is a read, where that statement runs. */
static void read_there(struct session *s, int server)
{
    s->run.statement.reason = SQL_IS_READ;
    s->run.read = true;
    s->run.wish.only = 1u << server;
    s->run.wish.primary = false;
    s->run.wish.has_consistency = true;
    s->run.wish.consistency = CONSISTENCY_EVENTUAL;
}

static void answer(struct busy_request *k, struct worker *w)
{
    struct session *s = session_by_id(w, k->asker);

    if (!s || s->state.now != SESSION_ASK) {
        buf_free(&k->busy.rows);
        return;
    }
    session_busy_forget(s);
    s->busy = k->busy;
    if (k->server >= 0 && k->server != w->topology->primary)
        read_there(s, k->server);
    session_enter(s, SESSION_ROUTE);
    session_step(s);
}

static void carry_out(struct message *m, void *receiver)
{
    struct busy_request *k = (struct busy_request *)(void *)m;
    struct worker *w = receiver;

    if (k->explained)
        find(k, w);
    else
        collect(k, w);
    if (w != k->from) {
        worker_send_next(w, &k->message);
        return;
    }
    answer(k, w);
    free(k);
}

enum step session_busy_ask(struct session *s)
{
    struct span user = session_user(s);
    struct busy_request *k = calloc(1, sizeof *k + user.n);

    if (!k)
        return session_answer_error(s, ER_UNKNOWN_ERROR, "HY000", "out of memory");
    k->message.run = carry_out;
    k->from = s->worker;
    k->asker = s->id;
    k->sees_all = session_may(s, ACCESS_PROCESS);
    k->explained = s->run.explains;
    k->server = -1;
    k->busy.rows = buf_with_max(BUSY_MAX);
    k->user_len = (uint32_t)user.n;
    if (user.n)
        memcpy(k->user, user.p, user.n);
    session_enter(s, SESSION_ASK);
    worker_send_next(s->worker, &k->message);
    return STEP_WAIT;
}

/* Of several statements the others might not be reads. */
static bool explains(struct session *s, const struct sql_spots *found)
{
    bool alone = !found->several && found->spots[0].kind == SPOT_THREAD;
    uint64_t id = alone ? session_id_told(found->spots[0].where) : 0;

    if (session_is_id(id) && s->run.byte == COM_QUERY)
        s->run.explains = (uint32_t)id;
    return s->run.explains != 0;
}

bool session_busy_wanted(struct session *s, struct span text)
{
    struct sql_spots found;

    if (!session_names_ids(s, &s->run.statement) ||
        !sql_spots_find(text, s->mode, session_in_information_schema(s), &found))
        return false;
    if (explains(s, &found))
        return true;
    for (int i = 0; i < found.count; i++)
        if (sql_spot_lists_processes(&found.spots[i]))
            return s->worker->catalog->processlist != NULL;
    return false;
}

/* A text as the process list's own columns are, beside which it stands; its place follows. */
#define TEXT " CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci PATH "

void session_busy_put_table(const struct busy *busy, struct buf *sql)
{
    buf_put_str(sql, "JSON_TABLE(_utf8mb4 x'5B");
    for (size_t i = 0; i < busy->rows.len; i++)
        buf_printf(sql, "%02x", busy->rows.data[i]);
    buf_put_str(sql, "5D','$[*]' COLUMNS("
                     "session BIGINT PATH '$[0]',"
                     "listed TINYINT PATH '$[1]',"
                     "user VARCHAR(128)" TEXT "'$[2]',"
                     "host VARCHAR(64)" TEXT "'$[3]',"
                     "db VARCHAR(64)" TEXT "'$[4]',"
                     "command VARCHAR(16)" TEXT "'$[5]',"
                     "time INT PATH '$[6]',"
                     "time_ms DECIMAL(22,3) PATH '$[7]',"
                     "info LONGTEXT" TEXT "'$[8]',"
                     "query BIGINT PATH '$[9]')) b");
}

void session_busy_forget(struct session *s)
{
    buf_free(&s->busy.rows);
    s->busy = (struct busy){0};
}
