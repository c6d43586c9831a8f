/* A session's prepared statements: the client's id and what it means. Which server connections know
 * it, and under which id, they know themselves: proxy/backend/prepared.h. */
#ifndef PROXY_STMTS_H
#define PROXY_STMTS_H

#include "base/cursor.h"
#include "proxy/backend/prepared.h"
#include "routing/vars.h"
#include "routing/wish.h"
#include "sql/classify.h"

struct stmt {
    UT_hash_handle hh;
    uint32_t id; /* the client's */
    unsigned refs;
    size_t bytes; /* memory it takes, about */
    char *text;   /* NULL: too long to keep; then it lives on one connection only */
    size_t text_len;
    char *schema; /* the session's when it was prepared, and its variables: what the text means */
    struct vars *vars;          /* on any connection */
    struct prepared_key key;    /* the same in short */
    struct sql_class statement; /* its spans are not valid */
    struct route_wish wish;     /* of its comments, and of the rule that it fell under then */
    struct sql_mode mode;       /* as it was prepared */
    uint64_t objects; /* fingerprint of the stored objects that it was classified by; 0: none */
    uint16_t params;
    bool apart;    /* no other statement has its key */
    bool own_text; /* its text is rewritten whenever it is prepared: proxy/session/session_rewrite.c
                    */
    bool prepared; /* a server has accepted it */
    bool long_data; /* COM_STMT_SEND_LONG_DATA came since the last execute: it is on `bound` */
    bool cursor;    /* a cursor may be open on `bound` */
    bool home_only; /* cannot be carried: text or types unknown */
    int bound;      /* server with its long data, cursor, or (home_only) the statement; -1 */
    uint64_t bound_serial;     /* of the connection there; 0: it is lost */
    uint8_t *types;            /* 2 bytes a parameter, as last bound; NULL: never */
    uint64_t types_mark;       /* stands for them; never 0 once there are some */
    struct metadata_mark seen; /* the column definitions that the client was sent last */
};

struct stmts {
    struct prepared_uses *uses; /* the worker's */
    uint32_t owner;             /* the session's id */
    struct stmt *by_id;
    uint32_t last_id;
    uint32_t count;
    size_t bytes;      /* of all of them */
    struct stmt *last; /* id -1 means it */
};

/* NULL where memory refuses. `text` is copied (p NULL: not kept), as are `schema` and `vars`. */
struct stmt *stmts_add(struct stmts *all, struct span text, const char *schema,
                       const struct vars *vars);
struct stmt *stmts_find(struct stmts *all, uint32_t id);
/* No other statement is to have its key, for what is prepared by it is this one's own. False where
 * memory refuses. */
bool stmts_set_apart(struct stmts *all, struct stmt *s) MUST_CHECK;
/* One that others hold lives on until they let go of it. */
void stmts_remove(struct stmts *all, struct stmt *s);
void stmts_clear(struct stmts *all);
void stmt_ref(struct stmt *s);
void stmt_unref(struct stmt *s);
/* Remember the types a client bound (2 * params bytes). */
bool stmts_keep_types(struct stmts *all, struct stmt *s, struct span types) MUST_CHECK;

#endif
