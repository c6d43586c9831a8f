#include "mirror/sink/sink_part.h"

bool sink_index(struct sink *s, const char *collection, const char *name, const bson_t *keys,
                bool sparse, struct err *e)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(sink_where(s, collection)), "indexes",
                               "[", "{", "name", BCON_UTF8(name), "key", BCON_DOCUMENT(keys),
                               "sparse", BCON_BOOL(sparse), "}", "]");
    bson_t options = BSON_INITIALIZER;
    bson_error_t error;
    bson_t reply;
    bool ok;

    (void)mongoc_write_concern_append(s->concern, &options);
    ok = mongoc_database_write_command_with_opts(s->database, command, &options, &reply, &error);
    bson_destroy(&reply);
    bson_destroy(&options);
    bson_destroy(command);
    return ok || sink_failed(e, &error);
}
