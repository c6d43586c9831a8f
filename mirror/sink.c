#include "mirror/sink.h"

#include "base/log.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BULK_DOCUMENTS = 1000, BULK_BYTES = 8 << 20 };

struct sink_target {
    mongoc_uri_t *uri;
    char *database;
    char *state;
};

struct sink {
    mongoc_client_t *client;
    mongoc_database_t *database;
    mongoc_collection_t *state;
    mongoc_write_concern_t *concern;
    mongoc_read_concern_t *read;
    bson_t *upsert; /* options of a replacement */
    mongoc_collection_t *collection;
    mongoc_bulk_operation_t *bulk;
    unsigned n;
    size_t bytes;
    uint64_t written;
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

/* libmongoc keeps counters in shared memory named by the process id, made before main. Killed, a
 * process would leave it behind, and the next one of that id would find the name taken and complain
 * on stderr. Without the name it goes with the process. */
static void unname_counters(void)
{
    char name[32];

    (void)snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
    (void)shm_unlink(name);
}

void sink_library_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    unname_counters();
    mongoc_log_set_handler(take_log, NULL);
    mongoc_init();
    (void)atexit(mongoc_cleanup);
}

static bool failed(struct err *e, const bson_error_t *error)
{
    bool timeout =
        error->domain == MONGOC_ERROR_SERVER_SELECTION || error->domain == MONGOC_ERROR_STREAM;

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

struct sink_target *sink_target_new(const char *uri, const char *database,
                                    const char *state_collection, struct err *e)
{
    bson_error_t error = {.message = "out of memory"};
    struct sink_target *t = calloc(1, sizeof *t);

    if (t) {
        t->uri = mongoc_uri_new_with_error(uri, &error);
        t->database = strdup(database);
        t->state = strdup(state_collection);
    }
    if (!t || !t->uri || !t->database || !t->state) {
        (void)err_set(e, ERR_USAGE, "mirror.uri: %s", error.message);
        sink_target_free(t);
        return NULL;
    }
    set_default(t->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2000);
    set_default(t->uri, MONGOC_URI_CONNECTTIMEOUTMS, 2000);
    set_default(t->uri, MONGOC_URI_SOCKETTIMEOUTMS, 5000);
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
    return s;
}

static void drop_bulk(struct sink *s)
{
    if (s->bulk)
        mongoc_bulk_operation_destroy(s->bulk);
    if (s->collection)
        mongoc_collection_destroy(s->collection);
    s->bulk = NULL;
    s->collection = NULL;
    s->n = 0;
    s->bytes = 0;
}

void sink_close(struct sink *s)
{
    if (!s)
        return;
    drop_bulk(s);
    bson_destroy(s->upsert);
    mongoc_collection_destroy(s->state);
    mongoc_database_destroy(s->database);
    mongoc_read_concern_destroy(s->read);
    mongoc_write_concern_destroy(s->concern);
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
    return ok || failed(e, &error);
}

static void begin_bulk(struct sink *s, const char *collection)
{
    bson_t options = BSON_INITIALIZER;

    s->collection = mongoc_database_get_collection(s->database, collection);
    (void)bson_append_bool(&options, "ordered", -1, false);
    (void)mongoc_write_concern_append(s->concern, &options);
    s->bulk = mongoc_collection_create_bulk_operation_with_opts(s->collection, &options);
    bson_destroy(&options);
}

bool sink_put(struct sink *s, const char *collection, const bson_t *id, const bson_t *doc,
              struct err *e)
{
    bson_error_t error;
    bool ok;

    if (s->bulk && strcmp(mongoc_collection_get_name(s->collection), collection) != 0 &&
        !sink_flush(s, e))
        return false;
    if (!s->bulk)
        begin_bulk(s, collection);
    if (doc)
        ok = mongoc_bulk_operation_replace_one_with_opts(s->bulk, id, doc, s->upsert, &error);
    else
        ok = mongoc_bulk_operation_remove_one_with_opts(s->bulk, id, NULL, &error);
    if (!ok)
        return failed(e, &error);
    s->n++;
    s->bytes += id->len + (doc ? doc->len : 0);
    return (s->n < BULK_DOCUMENTS && s->bytes < BULK_BYTES) || sink_flush(s, e);
}

bool sink_flush(struct sink *s, struct err *e)
{
    bson_error_t error;
    bson_t reply;
    bool ok;

    if (!s->bulk)
        return true;
    ok = mongoc_bulk_operation_execute(s->bulk, &reply, &error) != 0;
    bson_destroy(&reply);
    if (ok)
        s->written += s->n;
    drop_bulk(s);
    return ok || failed(e, &error);
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
        (void)failed(e, &error);
        got = -1;
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    return got;
}

bool sink_state_put(struct sink *s, const char *name, const bson_t *doc, struct err *e)
{
    bson_t *filter = name_filter(name);
    bson_error_t error;
    bool ok = mongoc_collection_replace_one(s->state, filter, doc, s->upsert, NULL, &error);

    bson_destroy(filter);
    return ok || failed(e, &error);
}

bool sink_state_update(struct sink *s, const char *name, const bson_t *change, struct err *e)
{
    bson_t *filter = name_filter(name);
    bson_error_t error;
    bool ok = mongoc_collection_update_one(s->state, filter, change, s->upsert, NULL, &error);

    bson_destroy(filter);
    return ok || failed(e, &error);
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
    c->collection = mongoc_database_get_collection(s->database, collection);
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
    (void)failed(e, &error);
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
