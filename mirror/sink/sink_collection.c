/* A collection as a whole: its options, and commands that change it. */
#include "mirror/sink/sink_part.h"

#include "base/clock.h"

#include <time.h>

enum {
    INDEX_IS_BEING_BUILT = 12587,
    BUILT_TRIES = 100,
    BUILT_PAUSE_MS = 50,
};

static bool run_once(struct sink *s, mongoc_database_t *on, const bson_t *command, struct err *e)
{
    bson_t options = BSON_INITIALIZER;
    bson_error_t error;
    bson_t reply;
    bool ok;

    (void)mongoc_write_concern_append(s->concern, &options);
    ok = mongoc_database_write_command_with_opts(on, command, &options, &reply, &error);
    bson_destroy(&reply);
    bson_destroy(&options);
    return ok || sink_failed(e, &error);
}

bool sink_run(struct sink *s, mongoc_database_t *on, const bson_t *command, struct err *e)
{
    const struct timespec pause = {0, BUILT_PAUSE_MS * (long)CLOCK_NS_PER_MS};
    bool ok = run_once(s, on, command, e);

    for (int i = 0; !ok && e->code == INDEX_IS_BEING_BUILT && i < BUILT_TRIES; i++) {
        (void)nanosleep(&pause, NULL);
        ok = run_once(s, on, command, e);
    }
    return ok;
}

bool sink_collections(struct sink *s, bson_t *out, struct err *e)
{
    mongoc_cursor_t *c = mongoc_database_find_collections_with_opts(s->database, NULL);
    bson_error_t error;
    const bson_t *doc;
    bson_iter_t name;
    bson_iter_t options;
    bool ok;

    while (mongoc_cursor_next(c, &doc))
        if (bson_iter_init_find(&name, doc, "name") &&
            bson_iter_init_find(&options, doc, "options"))
            (void)bson_append_iter(out, bson_iter_utf8(&name, NULL), -1, &options);
    ok = !mongoc_cursor_error(c, &error) || sink_failed(e, &error);
    mongoc_cursor_destroy(c);
    return ok;
}

bool sink_index(struct sink *s, const char *collection, const char *name, const bson_t *keys,
                bool sparse, struct err *e)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(sink_where(s, collection)), "indexes",
                               "[", "{", "name", BCON_UTF8(name), "key", BCON_DOCUMENT(keys),
                               "sparse", BCON_BOOL(sparse), "}", "]");
    bool ok = sink_run(s, s->database, command, e);

    bson_destroy(command);
    return ok;
}

/* The validator among a collection's options; empty: it has none. */
static void validator_of(const bson_iter_t *options, bson_t *out)
{
    bson_iter_t it;
    const uint8_t *data;
    uint32_t n;

    if (!bson_iter_recurse(options, &it) || !bson_iter_find(&it, "validator") ||
        !BSON_ITER_HOLDS_DOCUMENT(&it))
        return;
    bson_iter_document(&it, &n, &data);
    bson_destroy(out);
    (void)bson_init_static(out, data, n);
}

static bool is_ours(const bson_t *validator)
{
    bson_iter_t it;
    bson_iter_t title;

    return bson_iter_init(&it, validator) &&
           bson_iter_find_descendant(&it, "$jsonSchema.title", &title) &&
           BSON_ITER_HOLDS_UTF8(&title) &&
           strcmp(bson_iter_utf8(&title, NULL), SINK_VALIDATOR_TITLE) == 0;
}

static bool change_validator(struct sink *s, const char *name, const bson_t *validator,
                             struct err *e)
{
    bson_t *command = BCON_NEW("collMod", BCON_UTF8(name), "validator", BCON_DOCUMENT(validator),
                               "validationLevel", "strict", "validationAction", "error");
    bool ok = sink_run(s, s->database, command, e);

    bson_destroy(command);
    return ok;
}

bool sink_validates(const struct sink *s)
{
    return s->validate;
}

bool sink_validator(struct sink *s, const bson_t *collections, const char *collection,
                    const bson_t *wanted, struct err *e)
{
    const char *name = sink_where(s, collection);
    bson_t now = BSON_INITIALIZER;
    bson_t none = BSON_INITIALIZER;
    bson_iter_t options;
    bool ok = true;

    if (!bson_iter_init_find(&options, collections, name))
        return true;
    validator_of(&options, &now);
    if (wanted ? !bson_equal(&now, wanted) : is_ours(&now))
        ok = change_validator(s, name, wanted ? wanted : &none, e);
    bson_destroy(&none);
    bson_destroy(&now);
    return ok;
}
