/* What a statement means for routing: one pass over its bytes, no allocation, no look-up on any
 * server; what servers know of names (stored functions, views) is handed in.
 *
 * The law: `read` is true only where the tokens prove that the statement changes nothing and
 * depends on nothing but table contents and carried session state. Whatever the lexer cannot follow
 * (an unfinished string or comment, a character set whose bytes hide quotes, text cut at the
 * buffer's end) is not a read. Pure; any thread. */
#ifndef SQL_CLASSIFY_H
#define SQL_CLASSIFY_H

#include "base/cursor.h"
#include "sql/effects.h"
#include "sql/hints.h"
#include "sql/mode.h"

#include <stdbool.h>
#include <stdint.h>

/* What kind of statement it is, by its leading keyword(s). Of several statements in one text: the
 * first's. */
enum sql_kind {
    SQL_OTHER, /* unknown, or known to be none of the below */
    SQL_EMPTY, /* nothing but blanks and comments */
    SQL_SELECT,
    SQL_SHOW,
    SQL_SET,
    SQL_USE,
    SQL_BEGIN, /* BEGIN, START TRANSACTION */
    SQL_COMMIT,
    SQL_ROLLBACK, /* without TO SAVEPOINT */
    SQL_INSERT,
    SQL_UPDATE,
    SQL_DELETE,
    SQL_REPLACE,
    SQL_LOAD,
    SQL_CALL,
    SQL_KILL,
    SQL_DDL, /* CREATE, ALTER, DROP, RENAME, TRUNCATE, GRANT, … */
    SQL_KIND_COUNT,
};

/* Why it is not a read; in words by sql_reason_text. The first one met counts. */
enum sql_reason {
    SQL_IS_READ = 0,
    SQL_NOT_SELECT, /* another statement than SELECT, VALUES, TABLE, WITH … SELECT, EXPLAIN/DESCRIBE
                       of a read */
    SQL_WRITES,     /* INSERT, UPDATE, … somewhere in it (also under EXPLAIN/ANALYZE) */
    SQL_LOCKING,    /* FOR UPDATE, LOCK IN SHARE MODE */
    SQL_INTO,       /* SELECT … INTO @v, OUTFILE, DUMPFILE */
    SQL_USER_VARIABLE,    /* mentions @v */
    SQL_SYSTEM_VARIABLE,  /* mentions @@x: servers differ */
    SQL_SESSION_FUNCTION, /* LAST_INSERT_ID(), CONNECTION_ID(), GET_LOCK(), FOUND_ROWS(), … :
                             belongs to one connection */
    SQL_SERVER_FUNCTION,  /* LOAD_FILE(), USER()…: differs between servers */
    SQL_SEQUENCE,         /* NEXT VALUE FOR, NEXTVAL(), … */
    SQL_UNKNOWN_FUNCTION, /* may be a stored function that writes: see `function` */
    SQL_VIEW_ACTS,        /* names a view that may write, or depends on more than tables */
    SQL_SYSTEM_SCHEMA,    /* names information_schema, performance_schema, mysql or sys */
    SQL_FOUND_ROWS,       /* SQL_CALC_FOUND_ROWS: the next statement may ask FOUND_ROWS() */
    SQL_SEVERAL,          /* more than one statement in the text */
    SQL_UNREADABLE,       /* the lexer could not follow to the end */
    SQL_TOO_LONG,         /* the text was cut: only its head is known */
    SQL_HINT_PRIMARY,     /* a comment asks for the primary */
    SQL_REASON_COUNT,
};

/* Whether it opens tables: one that does begins a new list of warnings, one that does not and has
 * none itself leaves that of an earlier statement. */
enum sql_tables { SQL_TABLES_UNKNOWN, SQL_TABLES_NONE, SQL_TABLES_SOME };

enum { SQL_COLLATION_MAX = 64 };

struct sql_kill {
    bool query;  /* KILL QUERY; else the connection */
    bool soft;   /* KILL SOFT */
    bool simple; /* KILL [HARD|SOFT] [CONNECTION|QUERY] <number>: the proxy answers it; others but
                    `by_user` go to the primary */
    uint64_t id;
    bool by_query; /* KILL QUERY ID: `id` is a statement's; set by the proxy */
    bool by_user;  /* KILL [HARD|SOFT] [CONNECTION|QUERY] USER <user>[@<host>]: the proxy answers it
                    */
    struct span user; /* points into the text, without quotes; no bytes: an empty name */
    struct span host; /* likewise; p NULL: not said */
    bool own_user;    /* USER CURRENT_USER[()]: `user` is the session's */
};

struct sql_class {
    enum sql_kind kind;
    enum sql_reason reason; /* SQL_IS_READ: may go to a replica */
    uint32_t effects;       /* SQL_EFFECT_* */
    uint32_t statements;    /* in the text; a trailing ';' does not count */
    enum sql_tables tables; /* of several statements: UNKNOWN */
    struct span function;   /* SQL_UNKNOWN_FUNCTION: its name, else empty; points into the text */
    char collation[SQL_COLLATION_MAX]; /* SET NAMES x COLLATE y: y, which the server does not
                                          report; the session's collation_connection once it said
                                          OK; "" */
    struct sql_kill kill;              /* kind SQL_KILL */
    struct sql_hints hints;            /* of its comments */
    bool counts;                       /* FOUND_ROWS() is of it from then on, see sql/found.c */
    bool only_asks; /* SQL_EFFECTS_ASKS and nothing else that binds it to a server: it sees no data
                       and leaves nothing behind */
    bool looked_up; /* whether it is a read was decided by `struct sql_names`: holds as long as they
                       do, and for one default schema */
    bool writes; /* surely or possibly changes data (for statistics and read-your-writes); false for
                    reads, SET, USE, SHOW … */
};

static inline bool sql_is_read(const struct sql_class *c)
{
    return c->reason == SQL_IS_READ;
}

struct sql_names; /* sql/lookup.h */
/* `cut`: the text goes on beyond `text` (only its head is in the buffer). `names` NULL: nothing is
 * known. */
void sql_classify_with(struct span text, struct sql_mode mode, bool cut,
                       const struct sql_names *names, struct sql_class *out);
static inline void sql_classify(struct span text, struct sql_mode mode, bool cut,
                                struct sql_class *out)
{
    sql_classify_with(text, mode, cut, NULL, out);
}

/* "it assigns or reads a user variable"; static. */
const char *sql_reason_text(enum sql_reason r);
const char *sql_kind_name(enum sql_kind k);

/* Whether a default schema of this name makes every unqualified table a system table. */
bool sql_is_system_schema(struct span name);

#endif
