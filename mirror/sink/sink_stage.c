#include "mirror/sink/sink_stage.h"

#include "mirror/sink/sink_letters.h"
#include "mirror/sink/sink_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NO_SUCH_NAMESPACE = 26 };

static const char infix[] = ".tillway_";

/* "<collection>.tillway_<number>"; bson_free() it. */
static char *name_of(const char *collection, int64_t epoch)
{
    return bson_strdup_printf("%s%s%" PRId64, collection, infix, epoch);
}

/* False with e->code NO_SUCH_NAMESPACE where there is none. */
static bool rename_to(struct sink *s, const char *from, const char *to, struct err *e)
{
    mongoc_database_t *admin = mongoc_client_get_database(s->client, "admin");
    char *full_from = bson_strdup_printf("%s.%s", s->database_name, from);
    char *full_to = bson_strdup_printf("%s.%s", s->database_name, to);
    bson_t *command = BCON_NEW("renameCollection", BCON_UTF8(full_from), "to", BCON_UTF8(full_to),
                               "dropTarget", BCON_BOOL(true));
    bool ok = sink_run(s, admin, command, e);

    bson_destroy(command);
    bson_free(full_from);
    bson_free(full_to);
    mongoc_database_destroy(admin);
    return ok;
}

static bool drop(struct sink *s, const char *name, struct err *e)
{
    bson_t *command = BCON_NEW("drop", BCON_UTF8(name));
    bool ok = sink_run(s, s->database, command, e) || e->code == NO_SUCH_NAMESPACE;

    bson_destroy(command);
    return ok;
}

/* Drop what other attempts have left of this collection. */
static bool drop_others(struct sink *s, const char *collection, struct err *e)
{
    bson_error_t error = {.code = 0};
    char **names = mongoc_database_get_collection_names_with_opts(s->database, NULL, &error);
    size_t n = strlen(collection);
    bool ok = true;

    if (!names)
        return sink_failed(e, &error);
    for (char **name = names; ok && *name; name++)
        if (strncmp(*name, collection, n) == 0 &&
            strncmp(*name + n, infix, sizeof infix - 1) == 0 && strcmp(*name, s->stage) != 0)
            ok = drop(s, *name, e);
    bson_strfreev(names);
    return ok;
}

/* With the old one's options (a validator, a collation). */
static bool create(struct sink *s, const char *collection, struct err *e)
{
    bson_t *command = BCON_NEW("create", BCON_UTF8(s->stage));
    bson_t collections = BSON_INITIALIZER;
    bool ok = sink_collections(s, &collections, e);
    bson_iter_t it;
    bson_iter_t option;

    if (bson_iter_init_find(&it, &collections, collection) && bson_iter_recurse(&it, &option))
        while (bson_iter_next(&option))
            (void)bson_append_iter(command, NULL, -1, &option);
    ok = ok && sink_run(s, s->database, command, e);
    bson_destroy(&collections);
    bson_destroy(command);
    return ok;
}

/* The old one's indexes but for that on _id, as elements of `list`; their number, or -1. */
static int list_indexes(struct sink *s, const char *collection, bson_t *list, struct err *e)
{
    mongoc_collection_t *old = mongoc_database_get_collection(s->database, collection);
    mongoc_cursor_t *c = mongoc_collection_find_indexes_with_opts(old, NULL);
    bson_error_t error;
    const bson_t *doc;
    int n = 0;

    while (mongoc_cursor_next(c, &doc)) {
        bson_iter_t it;
        char number[12];

        if (bson_iter_init_find(&it, doc, "name") && strcmp(bson_iter_utf8(&it, NULL), "_id_") == 0)
            continue;
        (void)snprintf(number, sizeof number, "%d", n++);
        (void)bson_append_document(list, number, -1, doc);
    }
    if (mongoc_cursor_error(c, &error) && error.code != NO_SUCH_NAMESPACE) {
        (void)sink_failed(e, &error);
        n = -1;
    }
    mongoc_cursor_destroy(c);
    mongoc_collection_destroy(old);
    return n;
}

static bool copy_indexes(struct sink *s, const char *collection, struct err *e)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(s->stage));
    bson_t list;
    int n;
    bool ok;

    (void)bson_append_array_begin(command, "indexes", -1, &list);
    n = list_indexes(s, collection, &list, e);
    (void)bson_append_array_end(command, &list);
    ok = n == 0 || (n > 0 && sink_run(s, s->database, command, e));
    bson_destroy(command);
    return ok;
}

/* Go on with the one that an earlier claim has begun, under a name that only we know. */
static bool take_over(struct sink *s, const char *collection, int64_t from, bool *resumed,
                      struct err *e)
{
    char *old = name_of(collection, from);
    struct err none = {.kind = ERR_NONE};

    *resumed = rename_to(s, old, s->stage, &none);
    bson_free(old);
    if (*resumed || none.code == NO_SUCH_NAMESPACE)
        return true;
    *e = none;
    return false;
}

bool sink_stage(struct sink *s, const char *collection, int64_t from, bool *resumed, struct err *e)
{
    sink_stage_leave(s);
    *resumed = false;
    s->staged = strdup(collection);
    s->stage = name_of(collection, s->epoch);
    if (!s->staged || !s->stage)
        return err_set(e, ERR_IO, "out of memory");
    if (from && from != s->epoch && !take_over(s, collection, from, resumed, e))
        return false;
    if (!drop_others(s, collection, e))
        return false;
    if (*resumed)
        return true;
    return drop(s, s->stage, e) && letters_forget(s->letters, s, collection, e) &&
           create(s, collection, e) && copy_indexes(s, collection, e);
}

/* A later claim has changed the lease before it touched anything of ours. */
static bool still_ours(struct sink *s, struct err *e)
{
    bson_t *filter = BCON_NEW("_id", "lease", "epoch", BCON_INT64(s->epoch));
    bson_t *same = BCON_NEW("$set", "{", "epoch", BCON_INT64(s->epoch), "}");
    bson_error_t error;
    bson_iter_t it;
    bson_t reply;
    bool ok = mongoc_collection_update_one(s->state, filter, same, NULL, &reply, &error) ||
              sink_failed(e, &error);

    if (ok && !(bson_iter_init_find(&it, &reply, "matchedCount") && bson_iter_as_int64(&it) == 1)) {
        ok = err_set(e, ERR_SERVER, "another mirror has taken over");
        e->code = SINK_ERR_FENCED;
    }
    bson_destroy(&reply);
    bson_destroy(same);
    bson_destroy(filter);
    return ok;
}

bool sink_stage_swap(struct sink *s, struct err *e)
{
    bool ok = sink_flush(s, e) && still_ours(s, e) && rename_to(s, s->stage, s->staged, e);

    if (ok)
        sink_stage_leave(s);
    return ok;
}

void sink_stage_leave(struct sink *s)
{
    free(s->staged);
    bson_free(s->stage);
    s->staged = NULL;
    s->stage = NULL;
}

const char *sink_where(const struct sink *s, const char *collection)
{
    return s->staged && strcmp(s->staged, collection) == 0 ? s->stage : collection;
}
