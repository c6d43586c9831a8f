#include "proxy/backend/backend_login.h"

#include "base/clock.h"
#include "protocol/proxy_header.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const struct state_row rows[] = {
    [BACKEND_CONNECTING] = {"connecting", STATE_BIT(BACKEND_GREETING) | STATE_BIT(BACKEND_FAILED)},
    [BACKEND_GREETING] = {"greeting", STATE_BIT(BACKEND_AUTH) | STATE_BIT(BACKEND_FAILED)},
    [BACKEND_AUTH] = {"auth", STATE_BIT(BACKEND_READY) | STATE_BIT(BACKEND_FAILED)},
    [BACKEND_READY] = {"ready", STATE_BIT(BACKEND_LOST)},
    [BACKEND_FAILED] = {"failed", 0},
    [BACKEND_LOST] = {"lost", 0},
};
static const struct state_table table = {"backend", rows, (int)ARRAY_LEN(rows)};

const char backend_guard_sql[] = "SET SESSION TRANSACTION READ ONLY";
const char backend_setup_sql[] =
    "SET session_track_system_variables='*',session_track_schema=1,session_track_state_change=1,"
    "session_track_transaction_info='CHARACTERISTICS'";

static void tell_owner(struct backend *b)
{
    if (b->notify)
        b->notify(b, b->owner);
}

void backend_fail(struct backend *b, uint16_t code, const char *sqlstate, const char *text)
{
    b->error.code = code;
    (void)snprintf(b->error.sqlstate, sizeof b->error.sqlstate, "%s", sqlstate);
    (void)snprintf(b->error.text, sizeof b->error.text, "%s", text);
    state_enter(&b->state, backend_is_ready(b) ? BACKEND_LOST : BACKEND_FAILED);
}

static bool is_over(const struct backend *b)
{
    return b->state.now == BACKEND_FAILED || b->state.now == BACKEND_LOST;
}

/* Say for whom the connection is. */
static bool introduce(struct backend *b)
{
    proxy_header_encode(&b->out, b->identity->address);
    return buf_ok(&b->out) && backend_write(b, NULL, 0) != STREAM_FAILED;
}

static void on_connected(void *owner, int status)
{
    struct backend *b = owner;

    if (status == 0 && b->proxied && !introduce(b))
        status = b->stream.error;
    if (status == 0) {
        state_enter(&b->state, BACKEND_GREETING);
        stream_read(&b->stream, true);
        return;
    }
    backend_fail(b, CR_SERVER_LOST, "08S01", uv_strerror(status));
    tell_owner(b);
}

static void on_readable(void *owner)
{
    struct backend *b = owner;

    if (!is_over(b) && !backend_is_ready(b))
        backend_login_step(b);
    if (b->stream.error == UV_EPROTO && !is_over(b))
        backend_fail(b, ER_HANDSHAKE_ERROR, "08S01", stream_why(&b->stream));
    if (b->stream.eof && stream_left(&b->stream) == 0 && !is_over(b))
        backend_fail(b, CR_SERVER_LOST, "08S01", "Lost connection to server");
    tell_owner(b);
}

static void on_drained(void *owner)
{
    struct backend *b = owner;

    buf_clear(&b->out);
    on_readable(b);
}

/* What was expected first. */
static void forget_first(struct backend *b)
{
    prepared_unref(b->expect[b->expect_head].prepared);
    b->expect_head = (b->expect_head + 1) % EXPECT_MAX;
    b->expect_count--;
}

static void on_closed(void *owner)
{
    struct backend *b = owner;

    tls_free(b->tls);
    vars_free(b->vars);
    while (b->expect_count > 0)
        forget_first(b);
    prepared_clear(&b->prepared);
    metadata_free(&b->heard);
    identity_unref(b->identity);
    buf_free(&b->out);
    free(b);
}

static const struct stream_ops ops = {on_connected, on_readable, on_drained, on_closed};

struct backend *backend_connect(uv_loop_t *loop, struct buffers *buffers,
                                const struct server_view *server, int index,
                                struct identity *identity, uint8_t collation)
{
    static _Atomic uint64_t serials;
    struct backend *b = calloc(1, sizeof *b);
    int rc;

    if (!b)
        return NULL;
    stream_init(&b->stream, &ops, b, buffers);
    state_init(&b->state, &table, BACKEND_CONNECTING);
    b->server = index;
    b->proxied = server->proxy_protocol;
    b->serial = ++serials;
    b->since_ns = b->sound_ns = clock_mono_ns();
    b->out = buf_with_max(BACKEND_OUT_MAX);
    b->heard = metadata_none();
    b->identity = identity_ref(identity);
    b->multi_statements = (identity->caps & CAP_MULTI_STATEMENTS) != 0;
    b->collation = collation;
    b->vars = vars_new();
    rc = b->vars ? stream_connect(&b->stream, loop, server->host, server->port) : UV_ENOMEM;
    if (rc == 0)
        return b;
    backend_close(b);
    return NULL;
}

void backend_list(struct backend *b, uint32_t session, const char *host)
{
    if (!b->threads || b->listed_for == session)
        return;
    b->listed_for = session;
    threads_set(b->threads, b->server, b->thread_id, session, host);
}

bool backend_use_tls(struct backend *b, struct tls_context *c, const char *host)
{
    b->tls = tls_connect(c, b->server, host);
    return b->tls != NULL;
}

void backend_close(struct backend *b)
{
    if (b->gone)
        b->gone(b);
    b->gone = NULL;
    if (b->threads)
        threads_remove(b->threads, b->server, b->thread_id);
    b->threads = NULL;
    b->notify = NULL;
    b->owner = NULL;
    if (b->load)
        atomic_fetch_sub_explicit(&b->load->busy, 1, memory_order_relaxed);
    b->load = NULL;
    if (b->slot)
        atomic_fetch_sub(&b->slot->connections, 1);
    b->slot = NULL;
    stream_close(&b->stream);
}

bool backend_expect(struct backend *b, enum reply_kind kind, enum expect_role role, uint32_t stmt)
{
    if (kind == REPLY_NONE)
        return true;
    if (b->expect_count == EXPECT_MAX)
        return false;
    b->expect[(b->expect_head + b->expect_count++) % EXPECT_MAX] =
        (struct expect){(uint8_t)kind, (uint8_t)role, stmt, NULL};
    return true;
}

void backend_expect_of(struct backend *b, struct prepared *p)
{
    assert(b->expect_count > 0);
    b->expect[(b->expect_head + b->expect_count - 1) % EXPECT_MAX].prepared = prepared_ref(p);
}

bool backend_command(struct backend *b, uint8_t command, struct span argument,
                     enum expect_role role)
{
    size_t at;

    assert(!b->stream.writing);
    if (argument.n >= BACKEND_OUT_MAX || !backend_expect(b, reply_kind_of(command), role, 0))
        return false;
    at = packet_begin(&b->out);
    buf_put_u8(&b->out, command);
    buf_put_span(&b->out, argument);
    if (buf_ok(&b->out))
        packet_end(&b->out, at, 0);
    return buf_ok(&b->out);
}

enum stream_sent backend_write(struct backend *b, const struct span *parts, int n)
{
    struct span all[STREAM_PARTS];
    enum stream_sent sent;
    int count = 0;

    assert(n < STREAM_PARTS);
    if (b->out.len)
        all[count++] = buf_span(&b->out);
    for (int i = 0; i < n; i++)
        all[count++] = parts[i];
    sent = stream_write(&b->stream, all, count);
    if (sent == STREAM_SENT)
        buf_clear(&b->out);
    return sent;
}

/* What the server leaves out is what it sent last. */
static void put_in_last(struct backend *b, struct prepared *p)
{
    b->reply.columns = p->metadata.packets.data;
    b->reply.columns_n = p->metadata.packets.len;
}

struct expect *backend_due(struct backend *b, uint64_t client_caps, uint16_t status)
{
    struct expect *e = &b->expect[b->expect_head];

    if (b->expect_count == 0)
        return NULL;
    if (b->reply_begun)
        return e;
    b->reply_begun = true;
    if (e->role != EXPECT_CLIENT)
        client_caps = b->caps;
    reply_begin(&b->reply, (enum reply_kind)e->kind, b->caps, client_caps, status);
    b->reply.client_stmt_id = e->stmt;
    b->reply.tells_columns =
        (b->caps & CAP_MARIADB_CACHE_META) != 0 && (e->prepared || e->kind == REPLY_PREPARE);
    if (b->reply.tells_columns)
        metadata_free(&b->heard);
    if (e->prepared)
        put_in_last(b, e->prepared);
    return e;
}

/* The definitions are all there. Those of a statement that the client prepares are kept in `heard`
 * until it is known by a key. */
static void learn_columns(struct backend *b)
{
    struct prepared *p = b->expect[b->expect_head].prepared;

    metadata_complete(&b->heard);
    if (!p)
        return;
    prepared_keep_metadata(&b->prepared, p, &b->heard);
    put_in_last(b, p);
}

void backend_feed(struct backend *b, uint8_t *buf, size_t n, size_t max_whole,
                  struct reply_out *out)
{
    reply_feed(&b->reply, buf, n, max_whole, out);
    if (out->columns.n)
        metadata_gather(&b->heard, (struct span){buf + out->columns.at, out->columns.n});
    if (out->columns.whole)
        learn_columns(b);
}

void backend_done(struct backend *b)
{
    assert(b->expect_count > 0);
    b->unproven = false;
    forget_first(b);
    b->reply_begun = false;
}

bool backend_guard(struct backend *b)
{
    b->guarded = true;
    return backend_command(b, COM_QUERY, span_of(backend_guard_sql), EXPECT_STATE);
}

bool backend_unguard(struct backend *b, struct span mode)
{
    char sql[64];

    b->guarded = false;
    (void)snprintf(sql, sizeof sql, "SET SESSION tx_read_only=%.*s", (int)mode.n,
                   (const char *)mode.p);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_STATE);
}

bool backend_reset(struct backend *b)
{
    vars_clear(b->vars);
    prepared_clear(&b->prepared);
    b->reset_due = b->dirty = b->guarded = b->tells_client = false;
    b->unread = b->diagnostics = b->warned = b->foreign_warnings = false;
    b->insert_id = 0;
    b->limit_ms = 0;
    return backend_command(b, COM_RESET_CONNECTION, (struct span){NULL, 0}, EXPECT_SETUP) &&
           backend_command(b, COM_QUERY, span_of(backend_setup_sql), EXPECT_SETUP);
}
