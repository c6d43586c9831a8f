/* A batch and its checkpoint in one transaction of MongoDB: see sink.h, docs/decisions/0018.
 *
 * What a batch puts is held in memory, then sent in one go, so that the transaction lives for as
 * long as MongoDB needs to take it and no longer: it ends any that is older than a minute. */
#include "mirror/sink/sink_bulk.h"
#include "mirror/sink/sink_letters.h"

#include "base/log.h"

enum { HELD_MAX = 32 << 20 /* bytes */ };

/* Whether the reply to `hello` is one of a server that knows transactions. */
static bool knows_transactions(const bson_t *hello)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, hello, "setName") ||
           (bson_iter_init_find(&it, hello, "msg") && BSON_ITER_HOLDS_UTF8(&it) &&
            strcmp(bson_iter_utf8(&it, NULL), "isdbgrid") == 0);
}

bool sink_check(struct sink *s, struct err *e)
{
    bson_t *hello = BCON_NEW("isMaster", BCON_INT32(1));
    bson_error_t error;
    bson_t reply;
    bool ok;

    ok = mongoc_database_command_simple(s->database, hello, NULL, &reply, &error) ||
         sink_failed(e, &error);
    if (ok && s->atomic && !knows_transactions(&reply))
        ok = err_set(e, ERR_USAGE,
                     "mirror.atomic: a single MongoDB server has no transactions; make it a replica"
                     " set (one member will do), or leave mirror.atomic out");
    bson_destroy(&reply);
    bson_destroy(hello);
    return ok;
}

bool sink_open_session(struct sink *s, bson_t *lease, struct err *e)
{
    bson_error_t error;

    if (!s->atomic)
        return true;
    if (!s->session)
        s->session = mongoc_client_start_session(s->client, NULL, &error);
    if (!s->session)
        return sink_failed(e, &error);
    return bson_append_document(lease, "session", -1, mongoc_client_session_get_lsid(s->session));
}

bool sink_end_session(struct sink *s, const bson_iter_t *lease, struct err *e)
{
    bson_t kill = BSON_INITIALIZER;
    bson_t list;
    bson_error_t error;
    bson_iter_t it;
    bool ok;

    if (!bson_iter_recurse(lease, &it) || !bson_iter_find(&it, "session"))
        return true;
    (void)bson_append_array_begin(&kill, "killSessions", -1, &list);
    (void)bson_append_iter(&list, "0", -1, &it);
    (void)bson_append_array_end(&kill, &list);
    ok = mongoc_database_command_simple(s->database, &kill, NULL, NULL, &error) ||
         sink_failed(e, &error);
    bson_destroy(&kill);
    return ok;
}

void sink_drop_held(struct sink *s)
{
    while (s->held) {
        struct sink_bulk *next = s->held->next;

        bulk_free(s->held);
        s->held = next;
    }
    s->held_bytes = 0;
}

bool sink_begin(struct sink *s, struct err *e)
{
    if (s->atomic) {
        sink_drop_held(s);
        bulk_free(s->bulk);
        s->bulk = NULL;
    }
    if (!sink_flush(s, e))
        return false;
    s->holding = s->session != NULL;
    return true;
}

bool sink_holds(const struct sink *s, const struct sink_bulk *b)
{
    return s->holding && !bulk_is_staged(b);
}

bool sink_hold(struct sink *s, struct sink_bulk *b, struct err *e)
{
    struct sink_bulk **end = &s->held;

    while (*end)
        end = &(*end)->next;
    *end = b;
    s->held_bytes += b->writes.len;
    return s->held_bytes <= HELD_MAX || sink_spill(s, e);
}

bool sink_spill(struct sink *s, struct err *e)
{
    bool ok = true;

    if (s->held)
        log_event(LOG_WARN, "mirror.atomic.split", LOG_NUM("bytes", s->held_bytes));
    s->holding = false;
    for (struct sink_bulk *b = s->held; ok && b; b = b->next)
        ok = bulk_send(b, s, e) && sink_sent(s, b, e);
    sink_drop_held(s);
    return ok;
}

static bool begin_transaction(struct sink *s, struct err *e)
{
    mongoc_transaction_opt_t *options = mongoc_transaction_opts_new();
    bson_error_t error;
    bool ok;

    mongoc_transaction_opts_set_write_concern(options, s->concern);
    ok = mongoc_client_session_start_transaction(s->session, options, &error) ||
         sink_failed(e, &error);
    mongoc_transaction_opts_destroy(options);
    return ok;
}

static enum bulk_got send_held(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    enum bulk_got got = BULK_SENT;

    for (struct sink_bulk *b = s->held; b && got == BULK_SENT; b = b->next)
        got = bulk_send_once(b, s, e);
    if (got == BULK_SENT && !sink_state_put_fenced(s, name, doc, e))
        got = BULK_FAILED;
    return got;
}

/* One transaction, which is kept where all was sent. Whether a commit without an answer came about
 * is found out from the checkpoint, as after a crash. */
static enum bulk_got transact(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    enum bulk_got got;
    bson_error_t error;

    if (!begin_transaction(s, e))
        return BULK_FAILED;
    s->transacting = true;
    got = send_held(s, name, doc, e);
    s->transacting = false;
    if (got != BULK_SENT)
        (void)mongoc_client_session_abort_transaction(s->session, &error);
    else if (!mongoc_client_session_commit_transaction(s->session, NULL, &error)) {
        (void)sink_failed(e, &error);
        got = BULK_FAILED;
    }
    return got;
}

/* A letter for what was refused: before the checkpoint, or a crash in between would lose it. */
static bool keep_refused(struct sink *s, struct err *e)
{
    bool ok = s->letters || err_set(e, ERR_DATA, "a document is refused");

    for (struct sink_bulk *b = s->held; ok && b; b = b->next)
        ok = letters_keep(s->letters, s, b, e);
    return ok;
}

bool sink_commit(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    enum bulk_got got;
    bool ok;

    s->holding = false;
    if (!s->held)
        return sink_state_put_fenced(s, name, doc, e);
    do {
        got = transact(s, name, doc, e);
    } while (got == BULK_REFUSED && keep_refused(s, e));
    ok = got == BULK_SENT;
    for (const struct sink_bulk *b = s->held; ok && b; b = b->next)
        ok = sink_sent(s, b, e);
    sink_drop_held(s);
    return ok;
}
