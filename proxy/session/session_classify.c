/* What a statement means, with what the servers' dictionary says of the functions and views it
 * names. */
#include "proxy/session/session_steps.h"

const struct objects *session_objects(const struct session *s)
{
    return s->worker->catalog ? s->worker->catalog->objects : NULL;
}

static void note_objects(struct session *s)
{
    const struct catalog *c = s->worker->catalog;

    s->run.objects_number = c ? c->objects_number : 0;
}

void session_classify(struct session *s, struct span text, bool whole)
{
    struct command_run *run = &s->run;
    struct object_names room;
    const struct sql_names *names = objects_names(session_objects(s), span_of(s->schema), &room);

    note_objects(s);
    run->fingerprint = 0;
    if (whole)
        run->fingerprint =
            verdicts_classify(&s->worker->verdicts, text, s->mode, names, &run->statement);
    else
        sql_classify_with(text, s->mode, true, names, &run->statement);
}

static void classify_stmt(const struct session *s, struct stmt *stmt)
{
    const struct objects *known = session_objects(s);
    struct span text = {(const uint8_t *)stmt->text, stmt->text_len};
    struct object_names room;

    sql_classify_with(text, stmt->mode, false,
                      objects_names(known, span_of(stmt->schema ? stmt->schema : ""), &room),
                      &stmt->statement);
    stmt->statement.function = (struct span){NULL, 0};
    stmt->objects = known ? known->fingerprint : 0;
}

void session_classify_prepared(struct session *s, struct stmt *stmt, struct span text)
{
    stmt->mode = s->mode;
    if (stmt->text) {
        classify_stmt(s, stmt);
    } else {
        session_classify(s, text, false);
        stmt->statement = s->run.statement;
    }
    stmt->statement.function = (struct span){NULL, 0};
}

void session_classify_again(struct session *s, struct stmt *stmt)
{
    const struct objects *known = session_objects(s);

    note_objects(s);
    if (stmt->text && stmt->objects != (known ? known->fingerprint : 0))
        classify_stmt(s, stmt);
}

struct span session_text(const struct session *s)
{
    const struct command_run *run = &s->run;

    if (run->rewritten)
        return packet_argument(buf_span(&s->text));
    if (run->byte == COM_QUERY && run->whole)
        return packet_argument((struct span){stream_data(&s->client), run->size});
    if (run->byte == COM_STMT_EXECUTE && run->stmt && run->stmt->text)
        return (struct span){(const uint8_t *)run->stmt->text, run->stmt->text_len};
    return (struct span){NULL, 0};
}
