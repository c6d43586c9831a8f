#include "monitor/objects_read.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Without mysql.func nobody can tell whether a loadable function stands before a stored one: both
 * or none. */
static const char routines_sql[] =
    "SELECT SUBSTRING_INDEX(type, ' ', 1), db, name, body, CAST(sql_mode AS CHAR), "
    "character_set_client FROM mysql.proc"
    " WHERE type IN ('FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY')"
    " UNION ALL SELECT 'LOADABLE', '', name, NULL, '', '' FROM mysql.func ORDER BY 1, 2, 3";
/* The text is empty for an account without SHOW VIEW and SELECT on the view. */
static const char views_sql[] =
    "SELECT 'VIEW', TABLE_SCHEMA, TABLE_NAME, NULLIF(VIEW_DEFINITION, ''), '', 'utf8mb4'"
    " FROM information_schema.VIEWS"
    " WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')"
    " ORDER BY 2, 3";
/* An account sees the triggers of tables on which it has TRIGGER: all of them, where it was granted
 * that on *.* itself. */
static const char triggers_sql[] =
    "SELECT 'TRIGGER', EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_STATEMENT, SQL_MODE,"
    " CHARACTER_SET_CLIENT FROM information_schema.TRIGGERS ORDER BY 2, 3, TRIGGER_NAME";
static const char all_triggers_sql[] =
    "SELECT 'TRIGGERS' FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER'"
    " AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";
/* Views are told in the quotes of the session. */
static const char mode_sql[] = "SET SESSION sql_mode=''";

enum { COLUMNS = 6, FIRST_ROOM = 64 };

struct reading {
    struct objects *o;
    XXH3_state_t *hash;
    bool failed;
};

static bool room_for_one(struct objects *o)
{
    bool full = o->count == 0 || (o->count >= FIRST_ROOM && (o->count & (o->count - 1)) == 0);
    struct object *list;

    if (!full)
        return true;
    list = realloc(o->list, (o->count ? o->count * 2 : FIRST_ROOM) * sizeof *list);
    if (!list)
        return false;
    o->list = list;
    return true;
}

static enum object_kind kind_of(const char *type)
{
    static const char *const types[OBJECT_KINDS] = {
        [OBJECT_FUNCTION] = "FUNCTION", [OBJECT_PROCEDURE] = "PROCEDURE",
        [OBJECT_LOADABLE] = "LOADABLE", [OBJECT_PACKAGE] = "PACKAGE",
        [OBJECT_VIEW] = "VIEW",         [OBJECT_TRIGGER] = "TRIGGER",
    };
    int kind = 0;

    while (kind < OBJECT_KINDS && strcmp(types[kind], type) != 0)
        kind++;
    return (enum object_kind)kind;
}

static struct sql_mode mode_of(const char *sql_mode, const char *charset)
{
    return (struct sql_mode){
        .ansi_quotes = strstr(sql_mode, "ANSI_QUOTES") != NULL,
        .no_backslash_escapes = strstr(sql_mode, "NO_BACKSLASH_ESCAPES") != NULL,
        .oracle = strstr(sql_mode, "ORACLE") != NULL,
        .unsafe_charset = sql_charset_is_unsafe(span_of(charset)),
        .utf8 = strncmp(charset, "utf8", 4) == 0,
    };
}

/* Each statement may run it; those of the server's own schemas are named by few. */
static bool may_be_random(const struct object *x)
{
    struct span text = {(const uint8_t *)x->text, x->text_len};

    return !sql_is_system_schema(span_of(x->schema)) && x->text && span_holds(text, "rand");
}

bool objects_read_row(struct objects *o, const struct probe_row *row)
{
    enum object_kind kind = kind_of(probe_value_at(row, 0));
    struct object *x;

    if (row->columns != COLUMNS || kind == OBJECT_KINDS || !room_for_one(o))
        return false;
    x = &o->list[o->count++];
    *x = (struct object){.kind = kind,
                         .schema = strdup(probe_value_at(row, 1)),
                         .name = strdup(probe_value_at(row, 2)),
                         .mode = mode_of(probe_value_at(row, 4), probe_value_at(row, 5))};
    if (row->values[3]) {
        x->text_len = row->lengths[3];
        x->text = malloc(x->text_len + 1);
        if (x->text)
            memcpy(x->text, row->values[3], x->text_len);
    }
    if (!x->schema || !x->name || (!x->text && row->values[3]))
        return false;
    o->random = o->random || may_be_random(x);
    return true;
}

static bool on_row(void *ctx, const struct probe_row *row)
{
    struct reading *r = ctx;

    probe_row_hash(row, r->hash);
    r->failed = r->failed || !objects_read_row(r->o, row);
    return !r->failed;
}

static bool on_triggers(void *ctx, const struct probe_row *row)
{
    struct reading *r = ctx;

    probe_row_hash(row, r->hash);
    r->o->triggers = true;
    return true;
}

static bool came(enum probe_result r)
{
    return r == PROBE_OK || r == PROBE_DENIED;
}

/* Whether every answer came; `a` is the refusal, if there was one. */
static bool ask_all(struct reading *r, struct probe *p, struct probe_answer *a)
{
    struct probe_answer routines;

    if (probe_ask(p, mode_sql, NULL, NULL, a) != PROBE_OK ||
        !came(probe_ask(p, all_triggers_sql, on_triggers, r, a)) ||
        !came(probe_ask(p, triggers_sql, on_row, r, a)))
        return false;
    if (!came(probe_ask(p, routines_sql, on_row, r, &routines))) {
        *a = routines;
        return false;
    }
    if (!came(probe_ask(p, views_sql, on_row, r, a)))
        return false;
    if (routines.result == PROBE_DENIED)
        *a = routines;
    return !r->failed;
}

struct objects *objects_read(struct probe *p, struct probe_answer *a)
{
    struct reading r = {.o = objects_new(), .hash = XXH3_createState()};
    bool ok = r.o && r.hash && XXH3_64bits_reset(r.hash) == XXH_OK && ask_all(&r, p, a);

    if (ok) {
        r.o->fingerprint = XXH3_64bits_digest(r.hash);
    } else {
        objects_unref(r.o);
        r.o = NULL;
    }
    (void)XXH3_freeState(r.hash);
    return r.o;
}
