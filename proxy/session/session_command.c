/* Between commands: takes the next one off the client and sends it on its way; and what the proxy
 * answers itself. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"

#include "base/log.h"
#include "sql/own.h"

#include <assert.h>

/* A command that is no SQL text goes where writes go. */
static const struct sql_class no_read = {
    .kind = SQL_OTHER, .reason = SQL_NOT_SELECT, .statements = 1};

enum step session_answer_ok(struct session *s)
{
    session_left_by_proxy(s, false);
    return session_answer_told(s, (struct ok){0});
}

enum step session_answer_told(struct session *s, struct ok ok)
{
    size_t at;

    ok.status = s->status & STATUS_LASTING;
    buf_clear(&s->out);
    at = packet_begin(&s->out);
    ok_encode(&s->out, &ok, s->caps);
    packet_end(&s->out, at, 1);
    session_enter(s, SESSION_REPLY);
    return STEP_MORE;
}

enum step session_answer_error(struct session *s, uint16_t code, const char *sqlstate,
                               const char *text)
{
    size_t at;

    if (reply_kind_of(s->run.byte) == REPLY_NONE) {
        session_stmt_data_lost(s);
        return session_answer_nothing(s);
    }
    session_left_by_proxy(s, true);
    buf_clear(&s->out);
    at = packet_begin(&s->out);
    error_encode(&s->out, code, sqlstate, text);
    packet_end(&s->out, at, 1);
    metric_add(&s->worker->shared->metrics, METRIC_ERRORS, 1);
    log_event(LOG_INFO, "session.error", LOG_NUM("id", s->id), LOG_NUM("code", code),
              LOG_STR("why", text));
    session_enter(s, SESSION_REPLY);
    return STEP_MORE;
}

enum step session_fail(struct session *s, uint16_t code, const char *sqlstate, const char *text)
{
    if (!s->run.log_in)
        return session_answer_error(s, code, sqlstate, text);
    session_end(s, code, sqlstate, text);
    return STEP_WAIT;
}

enum step session_answer_nothing(struct session *s)
{
    session_enter(s, SESSION_REPLY);
    return STEP_MORE;
}

void session_finish_command(struct session *s)
{
    if (s->run.whole)
        stream_consume(&s->client, s->run.size);
    s->run.whole = false;
    s->run.request.done = true;
    session_enter(s, SESSION_READY);
}

/* Take what is left of the command off the client; false: more is to come. */
static bool drain_request(struct session *s)
{
    struct request *r = &s->run.request;

    if (s->run.whole) {
        stream_consume(&s->client, s->run.size);
        s->run.whole = false;
        r->done = true;
    }
    if (!r->done && stream_left(&s->client))
        stream_consume(&s->client,
                       request_take(r, stream_data(&s->client), stream_left(&s->client)));
    if (!r->done)
        stream_read(&s->client, true);
    return r->done;
}

static int zstd_level(const struct session *s)
{
    int level = s->credentials.zstd_level;

    if (level == 0)
        return COMPRESS_ZSTD_LEVEL;
    return level < COMPRESS_ZSTD_LEVEL_MAX ? level : COMPRESS_ZSTD_LEVEL_MAX;
}

/* The OK of the log-in was the last that is not compressed. Who can do both gets zlib, as from
 * MySQL. */
static bool begin_compression(struct session *s)
{
    enum compress_by by = s->caps & CAP_COMPRESS ? COMPRESS_ZLIB : COMPRESS_ZSTD;

    if (s->compressed || !s->run.log_in || !(s->caps & (CAP_COMPRESS | CAP_ZSTD)))
        return true;
    s->compressed = stream_start_compression(&s->client, by, zstd_level(s));
    if (!s->compressed)
        session_end(s, 0, NULL, "out of memory");
    return s->compressed;
}

enum step session_reply(struct session *s)
{
    struct span part;

    if (s->client.writing)
        return STEP_WAIT;
    if (s->out_sent) {
        if (!begin_compression(s))
            return STEP_WAIT;
        s->out_sent = false;
        s->seq = 0; /* an error said out of turn is packet 1, as clients expect it */
        buf_clear(&s->out);
        session_enter(s, SESSION_READY);
        return STEP_MORE;
    }
    if (!drain_request(s)) {
        if (s->client.eof)
            session_end(s, 0, NULL, "client left in the middle of a command");
        return STEP_WAIT;
    }
    if (s->out.len == 0) {
        session_enter(s, SESSION_READY);
        return STEP_MORE;
    }
    if (!s->run.log_in)
        s->seq = s->run.request.seq;
    s->out.data[3] = (uint8_t)(s->seq + 1);
    part = buf_span(&s->out);
    s->out_sent = true;
    if (stream_write(&s->client, &part, 1) != STREAM_FAILED)
        return STEP_MORE;
    session_end(s, 0, NULL, "cannot write to the client");
    return STEP_WAIT;
}

static enum step forward(struct session *s, struct span payload)
{
    (void)payload;
    s->run.statement = no_read;
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

static enum step on_query(struct session *s, struct span payload)
{
    struct span text = {payload.p + 1, payload.n - 1};

    session_classify(s, text, s->run.whole);
    if (s->worker->rules && !session_rule(s, &text))
        return STEP_MORE;
    route_wish_add_hints(&s->run.wish, &s->run.statement.hints, s->worker->topology);
    if (s->run.statement.kill.simple && session_is_id(s->run.statement.kill.id))
        return session_kill(s, &s->run.statement.kill);
    if (s->run.statement.kill.by_user && s->run.whole)
        return session_kill_user(s, &s->run.statement.kill);
    if (s->run.statement.kind == SQL_SHOW && s->run.whole && sql_shows_session(text, s->mode))
        return session_show(s);
    s->run.own_text = s->run.whole && session_text_is_own(s, &s->run.statement);
    s->run.read = sql_is_read(&s->run.statement);
    if (s->run.own_text && session_busy_wanted(s, text))
        return session_busy_ask(s);
    session_enter(s, SESSION_ROUTE);
    return STEP_MORE;
}

static enum step on_quit(struct session *s, struct span payload)
{
    (void)payload;
    session_end(s, 0, NULL, NULL);
    return STEP_WAIT;
}

/* Answered here unless its flags are not known. */
static enum step on_ping(struct session *s, struct span payload)
{
    return s->unsaid.status ? forward(s, payload) : session_answer_ok(s);
}

static enum step on_reset(struct session *s, struct span payload)
{
    (void)payload;
    if (session_sheds(s))
        return STEP_MORE;
    session_release_all(s);
    session_part_all(s);
    session_forget_state(s);
    return session_answer_ok(s);
}

static enum step on_change_user(struct session *s, struct span payload)
{
    size_t size = s->run.size;
    enum step step;

    if (session_sheds(s))
        return STEP_MORE;
    step = session_begin_change_user(s, payload);
    if (s->state.now == SESSION_CLOSING)
        return step;
    stream_consume(&s->client, size);
    s->run.whole = false;
    s->run.log_in = s->run.request.done = true; /* its packet is taken; s->seq counts on */
    return step;
}

static enum step on_process_kill(struct session *s, struct span payload)
{
    struct cursor c = cursor_span(payload);
    struct sql_kill kill = {.simple = true};

    cursor_skip(&c, 1);
    kill.id = cursor_u32(&c);
    if (!cursor_ok(&c)) /* a server would read on in what it received before */
        return session_answer_error(s, ER_NO_SUCH_THREAD, "HY000", "Unknown thread id: 0");
    return session_is_id(kill.id) ? session_kill(s, &kill) : forward(s, payload);
}

static enum step on_set_option(struct session *s, struct span payload)
{
    struct cursor c = cursor_span(payload);

    cursor_skip(&c, 1);
    s->option = cursor_u16(&c);
    return forward(s, payload);
}

static enum step unknown(struct session *s, struct span payload)
{
    (void)payload;
    return session_answer_error(s, ER_UNKNOWN_COM_ERROR, "08S01", "Unknown command");
}

/* How much of a command must be in the buffer before it begins. */
enum need { NEED_WHOLE, NEED_HEAD };

/* All commands; those without a row are refused with error 1047. */
static const struct {
    enum step (*run)(struct session *s, struct span payload);
    enum need need;
} commands[256] = {
    [COM_QUIT] = {on_quit, NEED_WHOLE},
    [COM_INIT_DB] = {forward, NEED_WHOLE},
    [COM_QUERY] = {on_query, NEED_HEAD},
    [COM_FIELD_LIST] = {forward, NEED_WHOLE},
    [COM_CREATE_DB] = {forward, NEED_WHOLE},
    [COM_DROP_DB] = {forward, NEED_WHOLE},
    [COM_REFRESH] = {forward, NEED_WHOLE},
    [COM_SHUTDOWN] = {forward, NEED_WHOLE},
    [COM_STATISTICS] = {forward, NEED_WHOLE},
    [COM_PROCESS_INFO] = {forward, NEED_WHOLE},
    [COM_PROCESS_KILL] = {on_process_kill, NEED_WHOLE},
    [COM_DEBUG] = {forward, NEED_WHOLE},
    [COM_PING] = {on_ping, NEED_WHOLE},
    [COM_CHANGE_USER] = {on_change_user, NEED_WHOLE},
    [COM_STMT_PREPARE] = {session_prepare, NEED_HEAD},
    [COM_STMT_EXECUTE] = {session_execute, NEED_HEAD},
    [COM_STMT_SEND_LONG_DATA] = {session_long_data, NEED_HEAD},
    [COM_STMT_CLOSE] = {session_stmt_close, NEED_WHOLE},
    [COM_STMT_RESET] = {session_stmt_reset, NEED_WHOLE},
    [COM_STMT_FETCH] = {session_fetch, NEED_WHOLE},
    [COM_SET_OPTION] = {on_set_option, NEED_WHOLE},
    [COM_RESET_CONNECTION] = {on_reset, NEED_WHOLE},
    [COM_STMT_BULK_EXECUTE] = {session_bulk_execute, NEED_HEAD},
    [COM_REGISTER_SLAVE] = {forward, NEED_WHOLE},
    [COM_BINLOG_DUMP] = {forward, NEED_WHOLE},
};

enum step session_tell_loss(struct session *s)
{
    s->lost = false;
    if (s->replay && s->replay->tell)
        return session_replay_roll_back(s, session_replay_why_not(s));
    return session_answer_error(
        s, ER_NET_READ_ERROR, "08S01",
        "Lost connection to server: the transaction, temporary tables, locks or user "
        "variables of this session went with it");
}

static void reset_run(struct session *s, uint8_t byte, size_t size)
{
    session_stmt_drop_unprepared(s);
    buf_clear(&s->out);
    buf_clear(&s->text);
    if (session_busy_any(&s->busy))
        session_busy_forget(s);
    s->run = (struct command_run){
        .byte = byte, .whole = size > 0, .size = size, .begun_ms = uv_now(&s->worker->loop)};
    request_begin(&s->run.request);
    s->run.request.renumber = s->compressed;
}

enum step session_command_again(struct session *s)
{
    struct span payload = {stream_data(&s->client) + PACKET_HEADER, s->run.size - PACKET_HEADER};

    if (!s->run.whole) { /* its text was cut, so it means the same by any mode */
        session_enter(s, SESSION_ROUTE);
        return STEP_MORE;
    }
    reset_run(s, s->run.byte, s->run.size);
    return commands[s->run.byte].run(s, payload);
}

static enum step begin(struct session *s, struct packet_header h, struct span payload, bool whole)
{
    uint8_t byte = payload.p[0];

    session_replay_next_command(s);
    reset_run(s, byte, whole ? PACKET_HEADER + h.length : 0);
    stream_next_command(&s->client);
    s->statements++;
    s->bounds.moved = true;
    s->seq = 0;
    session_leave_old_primary(s);
    if (s->lost && byte != COM_QUIT && byte != COM_STMT_CLOSE && byte != COM_STMT_SEND_LONG_DATA)
        return session_tell_loss(s);
    if (!commands[byte].run)
        return unknown(s, payload);
    return commands[byte].run(s, payload);
}

static enum step wait_for_more(struct session *s)
{
    if (s->client.eof) {
        if (stream_left(&s->client))
            session_fault(s, 0, NULL, "client left in the middle of a command");
        else
            session_end(s, 0, NULL, NULL);
        return STEP_WAIT;
    }
    stream_read(&s->client, true);
    return STEP_WAIT;
}

/* A command that can never stand whole in the buffer, and must. */
static enum step too_large(struct session *s)
{
    session_fault(s, ER_NET_PACKET_TOO_LARGE, "08S01",
                  "Got a packet bigger than the proxy's buffer for this command");
    return STEP_WAIT;
}

static enum step head_at_hand(struct session *s, struct packet_header h)
{
    uint8_t *data = stream_data(&s->client);
    size_t left = stream_left(&s->client) - PACKET_HEADER;
    bool whole = h.length < PACKET_MAX_PAYLOAD && h.length <= left;
    enum need need = commands[data[PACKET_HEADER]].need;
    size_t size = h.length < left ? h.length : left;

    if (h.seq != 0) {
        s->seq = h.seq;
        session_fault(s, ER_NET_PACKETS_OUT_OF_ORDER, "08S01", "Got packets out of order");
        return STEP_WAIT;
    }
    if (!whole && !stream_full(&s->client))
        return wait_for_more(s);
    if (!whole && need == NEED_WHOLE)
        return too_large(s);
    return begin(s, h, (struct span){data + PACKET_HEADER, size}, whole);
}

static enum step empty_command(struct session *s)
{
    s->run = (struct command_run){.whole = true, .size = PACKET_HEADER};
    stream_next_command(&s->client);
    s->seq = 0;
    return unknown(s, (struct span){NULL, 0});
}

enum step session_ready(struct session *s)
{
    struct packet_header h;

    if (s->client.writing)
        return STEP_WAIT;
    session_let_go(s);
    if (s->worker->drain_deadline_ns && !(s->pins & PIN_TRANSACTION)) {
        session_end(s, ER_SERVER_SHUTDOWN, "08S01", "Server shutdown in progress");
        return STEP_WAIT;
    }
    if (stream_left(&s->client) < PACKET_HEADER)
        return wait_for_more(s);
    assert(s->client.in);
    h = packet_header_at(stream_data(&s->client));
    if (h.length == 0)
        return empty_command(s);
    if (stream_left(&s->client) == PACKET_HEADER)
        return wait_for_more(s);
    return head_at_hand(s, h);
}
