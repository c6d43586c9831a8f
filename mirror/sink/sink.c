#include "mirror/sink/sink_part.h"

#include "base/clock.h"
#include "base/log.h"
#include "mirror/sink/sink_bulk.h"
#include "mirror/sink/sink_letters.h"
#include "mirror/sink/sink_stage.h"
#include "mirror/sink/sink_writers.h"

#include <stdio.h>
#include <stdlib.h>

enum { ID_CHANGED = 66 /* ImmutableField, of the `_id` that a fenced replacement has */ };

struct sink_target {
    mongoc_uri_t *uri;
    char *database;
    char *state;
    char *letters; /* the collection of the dead letters */
    unsigned writers;
    bool atomic;
    bool validate;
};

struct sink_cursor {
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor;
};

/* libmongoc's own log goes into ours; what is of interest comes back as errors as well. */
static void take_log(mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
    (void)data;
    if (level <= MONGOC_LOG_LEVEL_WARNING)
        log_event(LOG_DEBUG, "mirror.mongoc", LOG_STR("domain", domain),
                  LOG_STR("message", message));
}

void sink_library_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    mongoc_log_set_handler(take_log, NULL);
    mongoc_init();
    (void)atexit(mongoc_cleanup);
}

bool sink_is_fence(int64_t code, const char *message)
{
    return code == ID_CHANGED || (code == SINK_ERR_FENCED && strstr(message, "index: _id_"));
}

bool sink_failed(struct err *e, const bson_error_t *error)
{
    bool timeout =
        error->domain == MONGOC_ERROR_SERVER_SELECTION || error->domain == MONGOC_ERROR_STREAM;

    if (sink_is_fence(error->code, error->message)) {
        (void)err_set(e, ERR_SERVER, "another mirror has taken over");
        e->code = SINK_ERR_FENCED;
        return false;
    }
    (void)err_set(e, timeout ? ERR_IO : ERR_SERVER, "MongoDB: %s (%u)", error->message,
                  error->code);
    e->code = (int)error->code;
    return false;
}

/* Deadlines, where the user's URI has none. */
static void set_default(mongoc_uri_t *uri, const char *option, int ms)
{
    if (!mongoc_uri_has_option(uri, option))
        (void)mongoc_uri_set_option_as_int32(uri, option, ms);
}

static char *letters_name(const char *state)
{
    static const char suffix[] = "_letters";
    size_t room = strlen(state) + sizeof suffix;
    char *name = malloc(room);

    if (name)
        (void)snprintf(name, room, "%s%s", state, suffix);
    return name;
}

struct sink_target *sink_target_new(const struct conf_mirror *c, struct err *e)
{
    bson_error_t error = {.message = "out of memory"};
    struct sink_target *t = calloc(1, sizeof *t);

    if (t) {
        t->uri = mongoc_uri_new_with_error(c->uri, &error);
        t->database = strdup(c->database);
        t->state = strdup(c->state_collection);
        t->letters = letters_name(c->state_collection);
        t->writers = c->writers;
        t->atomic = c->atomic;
        t->validate = c->validate;
    }
    if (!t || !t->uri || !t->database || !t->state || !t->letters) {
        (void)err_set(e, ERR_USAGE, "mirror.uri: %s", error.message);
        sink_target_free(t);
        return NULL;
    }
    set_default(t->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2000);
    set_default(t->uri, MONGOC_URI_CONNECTTIMEOUTMS, 2000);
    set_default(t->uri, MONGOC_URI_SOCKETTIMEOUTMS, 5000);
    /* What failed is done again from the checkpoint: MongoDB need not note each write for that. */
    if (!mongoc_uri_has_option(t->uri, MONGOC_URI_RETRYWRITES))
        (void)mongoc_uri_set_option_as_bool(t->uri, MONGOC_URI_RETRYWRITES, false);
    if (!mongoc_uri_has_option(t->uri, MONGOC_URI_SERVERSELECTIONTRYONCE))
        (void)mongoc_uri_set_option_as_bool(t->uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    return t;
}

void sink_target_free(struct sink_target *t)
{
    if (!t)
        return;
    if (t->uri)
        mongoc_uri_destroy(t->uri);
    free(t->database);
    free(t->state);
    free(t->letters);
    free(t);
}

/* A client of its own for each thread: it has no threads, and a new one forgets which servers did
 * not answer. */
struct sink *sink_open(const struct sink_target *t)
{
    struct sink *s = calloc(1, sizeof *s);
    bson_error_t error;

    if (!s)
        abort(); /* once a connection */
    s->target = t;
    s->database_name = t->database;
    s->atomic = t->atomic;
    s->validate = t->validate;
    s->client = mongoc_client_new_from_uri_with_error(t->uri, &error);
    if (!s->client)
        abort(); /* the URI was good before; no memory */
    (void)mongoc_client_set_error_api(s->client, MONGOC_ERROR_API_VERSION_2);
    (void)mongoc_client_set_appname(s->client, "tillway mirror");
    s->concern = mongoc_write_concern_new();
    mongoc_write_concern_set_wmajority(s->concern, 0);
    mongoc_write_concern_set_journal(s->concern, true);
    s->read = mongoc_read_concern_new();
    (void)mongoc_read_concern_set_level(s->read, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
    s->database = mongoc_client_get_database(s->client, t->database);
    s->state = mongoc_database_get_collection(s->database, t->state);
    mongoc_collection_set_write_concern(s->state, s->concern);
    mongoc_collection_set_read_concern(s->state, s->read);
    s->upsert = bson_new();
    (void)bson_append_bool(s->upsert, "upsert", -1, true);
    (void)bson_append_bool(s->upsert, "validate", -1, false);
    s->insert = bson_new();
    (void)bson_append_bool(s->insert, "validate", -1, false);
    return s;
}

void sink_close(struct sink *s)
{
    if (!s)
        return;
    writers_free(s->writers);
    bulk_free(s->bulk);
    sink_drop_held(s);
    letters_free(s->letters);
    sink_stage_leave(s);
    bson_destroy(s->insert);
    bson_destroy(s->upsert);
    mongoc_collection_destroy(s->state);
    mongoc_database_destroy(s->database);
    mongoc_read_concern_destroy(s->read);
    mongoc_write_concern_destroy(s->concern);
    if (s->session)
        mongoc_client_session_destroy(s->session);
    mongoc_client_destroy(s->client);
    free(s);
}

bool sink_ping(struct sink *s, struct err *e)
{
    bson_t ping = BSON_INITIALIZER;
    bson_error_t error;
    bool ok;

    (void)bson_append_int32(&ping, "ping", -1, 1);
    ok = mongoc_database_command_simple(s->database, &ping, NULL, NULL, &error);
    bson_destroy(&ping);
    return ok || sink_failed(e, &error);
}

void sink_put_fence(const struct sink *s, const char *epoch, bson_t *filter)
{
    bson_t at;
    bson_t not ;

    if (s->epoch == 0)
        return;
    (void)bson_append_document_begin(filter, epoch, -1, &at);
    (void)bson_append_document_begin(&at, "$not", -1, &not );
    (void)bson_append_int64(&not, "$gt", -1, s->epoch);
    (void)bson_append_document_end(&at, &not );
    (void)bson_append_document_end(filter, &at);
}

bool sink_sent(struct sink *s, const struct sink_bulk *b, struct err *e)
{
    s->written += b->n - b->n_refusals;
    if (s->letters)
        return letters_settle(s->letters, s, b, e);
    return b->n_refusals == 0 ||
           err_set(e, ERR_DATA, "%s: %s", b->collection, b->refusals[0].reason);
}

static bool sent(void *to, const struct sink_bulk *b, struct err *e)
{
    return sink_sent(to, b, e);
}

/* Let a writer have the full bulk, or hold it. */
static bool hand_on(struct sink *s, struct err *e)
{
    struct sink_bulk *b = s->bulk;

    s->bulk = NULL;
    if (sink_holds(s, b))
        return sink_hold(s, b, e);
    if (!s->writers)
        s->writers = writers_new(s, s->target->writers);
    if (s->writers)
        return writers_give(s->writers, b, sent, s, e);
    bulk_free(b);
    return err_set(e, ERR_IO, "no thread for the mirror's writes");
}

bool sink_put_fields(struct sink *s, const char *collection, const bson_t *id, const bson_t *doc,
                     const char *but, struct err *e)
{
    if (s->bulk && strcmp(s->bulk->collection, collection) != 0 && !hand_on(s, e))
        return false;
    if (!s->bulk)
        s->bulk = bulk_new(collection, sink_where(s, collection));
    if (!s->bulk)
        return err_set(e, ERR_IO, "out of memory");
    if (!bulk_add(s->bulk, id, doc, but, e))
        return false;
    return !bulk_full(s->bulk) || hand_on(s, e);
}

bool sink_put(struct sink *s, const char *collection, const bson_t *id, const bson_t *doc,
              struct err *e)
{
    return sink_put_fields(s, collection, id, doc, "", e);
}

/* The last bulk goes out from this thread: a small batch needs no other. */
static bool send_last(struct sink *s, struct err *e)
{
    struct sink_bulk *b = s->bulk;
    bool ok;

    s->bulk = NULL;
    if (!b)
        return true;
    if (sink_holds(s, b))
        return sink_hold(s, b, e);
    ok = bulk_send(b, s, e) && sink_sent(s, b, e);
    bulk_free(b);
    return ok;
}

bool sink_flush(struct sink *s, struct err *e)
{
    bool ok = send_last(s, e);

    if (s->writers)
        ok = writers_wait(s->writers, sent, s, ok ? e : &(struct err){.kind = ERR_NONE}) && ok;
    return ok;
}

const char *sink_letters_collection(const struct sink *s)
{
    return s->target->letters;
}

bool sink_has_letters(const struct sink *s)
{
    return s->letters && s->letters->known.n > 0;
}

uint64_t sink_written(const struct sink *s)
{
    return s->written;
}

static bson_t *name_filter(const char *name)
{
    bson_t *filter = bson_new();

    (void)bson_append_utf8(filter, "_id", -1, name, -1);
    return filter;
}

int sink_state_get(struct sink *s, const char *name, bson_t *out, struct err *e)
{
    bson_t *filter = name_filter(name);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(s->state, filter, NULL, NULL);
    const bson_t *doc;
    bson_error_t error;
    int got = 0;

    if (mongoc_cursor_next(cursor, &doc)) {
        bson_copy_to(doc, out);
        got = 1;
    } else if (mongoc_cursor_error(cursor, &error)) {
        (void)sink_failed(e, &error);
        got = -1;
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    return got;
}

/* `filter` is given away. */
static bool replace_state(struct sink *s, bson_t *filter, const bson_t *doc, struct err *e)
{
    bson_error_t error;
    bson_t options;
    bool ok;

    bson_copy_to(s->upsert, &options);
    ok = (!s->transacting || mongoc_client_session_append(s->session, &options, &error)) &&
         mongoc_collection_replace_one(s->state, filter, doc, &options, NULL, &error);
    bson_destroy(&options);
    bson_destroy(filter);
    return ok || sink_failed(e, &error);
}

bool sink_state_put(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    return replace_state(s, name_filter(name), doc, e);
}

bool sink_state_put_fenced(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    bson_t *filter = name_filter(name);

    sink_put_fence(s, "epoch", filter);
    return replace_state(s, filter, doc, e);
}

static bool update_state(struct sink *s, const char *name, const bson_t *change, struct err *e)
{
    bson_t *filter = name_filter(name);
    bson_error_t error;
    bool ok = mongoc_collection_update_one(s->state, filter, change, s->upsert, NULL, &error);

    bson_destroy(filter);
    return ok || sink_failed(e, &error);
}

bool sink_state_set(struct sink *s, const char *name, const bson_t *fields, struct err *e)
{
    bson_t change = BSON_INITIALIZER;
    bool ok;

    (void)bson_append_document(&change, "$set", -1, fields);
    ok = update_state(s, name, &change, e);
    bson_destroy(&change);
    return ok;
}

/* {$inc: {epoch: 1}, $set: …} */
static bool lease_change(struct sink *s, const bson_oid_t *owner, bson_t *out, struct err *e)
{
    bson_t set;
    bool ok;

    BCON_APPEND(out, "$inc", "{", "epoch", BCON_INT64(1), "}");
    (void)bson_append_document_begin(out, "$set", -1, &set);
    (void)bson_append_oid(&set, "owner", -1, owner);
    (void)bson_append_date_time(&set, "at", -1, (int64_t)clock_wall_ms());
    (void)bson_append_bool(&set, "intact", -1, false);
    ok = sink_open_session(s, &set, e);
    (void)bson_append_document_end(out, &set);
    return ok;
}

/* The lease as it was is in the reply to findAndModify. */
static bool take_over(struct sink *s, const bson_t *reply, struct err *e)
{
    bson_iter_t it;
    bson_iter_t before;

    if (!bson_iter_init_find(&it, reply, "value") || !bson_iter_recurse(&it, &before) ||
        !bson_iter_find(&before, "epoch"))
        return err_set(e, ERR_SERVER, "the lease was dropped meanwhile");
    s->epoch = bson_iter_as_int64(&before) + 1;
    s->intact = bson_iter_recurse(&it, &before) && bson_iter_find(&before, "intact") &&
                bson_iter_as_bool(&before);
    return sink_end_session(s, &it, e);
}

/* The lease's number goes up to the clock, so that it never falls back where somebody drops the
 * state collection, then by one. */
static bool take_lease(struct sink *s, const bson_oid_t *owner, struct err *e)
{
    bson_t *filter = name_filter("lease");
    bson_t update = BSON_INITIALIZER;
    mongoc_find_and_modify_opts_t *opts = mongoc_find_and_modify_opts_new();
    bson_t reply;
    bson_error_t error;
    bool ok = lease_change(s, owner, &update, e);

    (void)mongoc_find_and_modify_opts_set_update(opts, &update);
    if (ok) {
        ok = mongoc_collection_find_and_modify_with_opts(s->state, filter, opts, &reply, &error) ||
             sink_failed(e, &error);
        ok = ok && take_over(s, &reply, e);
        bson_destroy(&reply);
    }
    mongoc_find_and_modify_opts_destroy(opts);
    bson_destroy(&update);
    bson_destroy(filter);
    return ok;
}

/* Unless a later claim's number stands there; `update` is given away. */
static bool fenced_update(struct sink *s, const char *name, bson_t *update, struct err *e)
{
    bson_t *filter = name_filter(name);
    bson_error_t error;
    bool ok;

    sink_put_fence(s, "epoch", filter);
    ok = mongoc_collection_update_one(s->state, filter, update, NULL, NULL, &error);
    bson_destroy(update);
    bson_destroy(filter);
    return ok || sink_failed(e, &error);
}

/* From here on a state document takes nobody's word but ours. */
static bool fence(struct sink *s, const char *name, const bson_oid_t *owner, struct err *e)
{
    bson_t *update =
        BCON_NEW("$set", "{", "epoch", BCON_INT64(s->epoch), "owner", BCON_OID(owner), "}");

    return fenced_update(s, name, update, e);
}

static bool keep_letters(struct sink *s, struct err *e)
{
    if (!s->letters)
        s->letters = letters_new();
    return letters_load(s->letters, s, e);
}

bool sink_claim(struct sink *s, const bson_oid_t *owner, struct err *e)
{
    bson_t *clock = BCON_NEW("$max", "{", "epoch", BCON_INT64((int64_t)clock_wall_ms()), "}");
    bool ok = update_state(s, "lease", clock, e) && take_lease(s, owner, e);

    bson_destroy(clock);
    return ok && fence(s, "status", owner, e) && fence(s, "checkpoint", owner, e) &&
           keep_letters(s, e);
}

bool sink_found_intact(const struct sink *s)
{
    return s->intact;
}

bool sink_leave_intact(struct sink *s, struct err *e)
{
    return fenced_update(s, "lease", BCON_NEW("$set", "{", "intact", BCON_BOOL(true), "}"), e);
}

void sink_under(struct sink *s, int64_t epoch)
{
    s->epoch = epoch;
}

int64_t sink_epoch(const struct sink *s)
{
    return s->epoch;
}

struct sink_cursor *sink_find(struct sink *s, const char *collection, const bson_t *filter,
                              const bson_t *fields)
{
    struct sink_cursor *c = calloc(1, sizeof *c);
    bson_t options = BSON_INITIALIZER;

    if (!c)
        abort(); /* a few bytes */
    if (fields)
        (void)bson_append_document(&options, "projection", -1, fields);
    (void)mongoc_read_concern_append(s->read, &options);
    c->collection = mongoc_database_get_collection(s->database, sink_where(s, collection));
    c->cursor = mongoc_collection_find_with_opts(c->collection, filter, &options, NULL);
    bson_destroy(&options);
    return c;
}

int sink_next(struct sink_cursor *c, const bson_t **doc, struct err *e)
{
    bson_error_t error;

    if (mongoc_cursor_next(c->cursor, doc))
        return 1;
    if (!mongoc_cursor_error(c->cursor, &error))
        return 0;
    (void)sink_failed(e, &error);
    return -1;
}

void sink_cursor_free(struct sink_cursor *c)
{
    if (!c)
        return;
    mongoc_cursor_destroy(c->cursor);
    mongoc_collection_destroy(c->collection);
    free(c);
}
