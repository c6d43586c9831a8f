/* The state of one classification: what sql/classify.c, statement.c and block.c share. */
#ifndef SQL_SCAN_H
#define SQL_SCAN_H

#include "sql/lexer.h"
#include "sql/lookup.h"

/* What the words behind a statement's first one decide. */
enum sql_follow {
    FOLLOW_NONE,
    FOLLOW_BEGIN,
    FOLLOW_CREATE,
    FOLLOW_DROP,
    FOLLOW_EXPLAIN,
    FOLLOW_ANALYZE,
    FOLLOW_FLUSH,
    FOLLOW_HANDLER,
    FOLLOW_KILL,
    FOLLOW_LABEL,
    FOLLOW_ROLLBACK,
    FOLLOW_SET,
    FOLLOW_SHOW,
    FOLLOW_START,
};

enum { SQL_DEPTH_MAX = 63 };

struct sql_scan {
    struct span text;
    struct sql_lexer lex;
    struct sql_class *out;
    const struct sql_names *names; /* or NULL */
    enum sql_token prev;           /* the token before, TOK_END at the start of the text */
    const uint8_t *prev_end;       /* where it ended */
    struct span name;              /* the last word or name, with its quotes */
    struct span qualifier; /* of a qualified name: the one before the dot; p NULL: several dots */
    unsigned depth;        /* of parentheses */
    uint64_t with;         /* bit d: at depth d a WITH clause lists its parts */
    uint64_t tables;       /* bit d: behind the '(' opened at depth d COLUMNS has to come */
    struct span table_name;
    uint64_t selects; /* bit d: at depth d a SELECT was met: a FROM there names tables */
    enum sql_follow follow;
    bool at_start;  /* the next token begins a statement (or its inner one) */
    bool inner;     /* … that is part of the one counted already */
    bool query;     /* a name before '(' calls a function here */
    bool assigns;   /* a mentioned @v is assigned */
    bool mentioned; /* @v was met in this statement */
    bool cte_next;  /* a WITH clause: the next name is a part's */
    bool cte_name;  /* … and was: a '(' lists its columns */
    bool qualified; /* the last name follows a dot */
    bool set_item;  /* SET: the next token begins an assignment */
    bool set_statement;
    bool set_names;
    bool body;    /* of a stored function: SELECT … INTO a local variable is nothing special */
    bool routine; /* the body of a procedure, function, trigger or event may come */
    bool block;   /* inside of a compound statement: `nest` ENDs are open */
    bool block_ended;
    unsigned nest;
    enum sql_token first; /* the statement's first word; of EXPLAIN SELECT: EXPLAIN */
    bool found_told;      /* sql/found.c: what comes tells no more */
    bool found_looks;     /* … looks at every token of the statement */
    bool bound;           /* refused for more than a question about statements before */
    uint8_t kill_words;   /* what of KILL was read: see statement.c */
};

static inline bool sql_token_is_name(enum sql_token t)
{
    return t == TOK_NAME || t == TOK_QUOTED || t == TOK_DOT_NAME || t > TOK_OPERATOR;
}

/* For it asks about statements before, which one server knows. The first reason counts. */
static inline void sql_refuse_question(struct sql_scan *s, enum sql_reason why)
{
    if (s->out->reason == SQL_IS_READ)
        s->out->reason = why;
}

/* For something else. */
static inline void sql_refuse(struct sql_scan *s, enum sql_reason why)
{
    sql_refuse_question(s, why);
    s->bound = true;
}

/* Whether the one statement of the text opens tables; of several nobody asks. */
static inline void sql_note_tables(struct sql_scan *s, enum sql_tables tables)
{
    if (s->out->statements == 1)
        s->out->tables = tables;
}

/* sql/classify.c: SELECT … FROM, but not DUAL. */
void sql_select_at(struct sql_scan *s, enum sql_token t);
/* A token inside of a statement, and what is to be known of it for the next. */
void sql_token_inside(struct sql_scan *s, enum sql_token t);
void sql_token_passed(struct sql_scan *s, enum sql_token t);
/* Whether the text has a name that may be a view with effects. */
bool sql_names_acting_view(struct span text, struct sql_mode mode, const struct sql_names *names);
bool sql_has_wide_byte(struct span text);

/* sql/leaves.c: whether this CALL, and all that it runs, leaves nothing that the server does not
 * report. */
bool sql_call_reported(struct span text, struct sql_mode mode, const struct sql_names *names);

/* sql/found.c: the first token of a statement, and any inside of it. */
void sql_found_start(struct sql_scan *s, enum sql_token t);
void sql_found_token(struct sql_scan *s, enum sql_token t);
/* Of statements at whose every token it need not look. */
static inline bool sql_found_is_for(enum sql_token t)
{
    return t == W_SELECT || t == W_FROM || t == W_CALL || t == W_EXECUTE;
}

/* sql/statement.c: the first token of a statement, and those behind it while `follow` says so. */
void sql_statement_start(struct sql_scan *s, enum sql_token t);
void sql_statement_follow(struct sql_scan *s, enum sql_token t);
/* The statement is complete: END or ';'. */
void sql_statement_end(struct sql_scan *s);

/* sql/block.c: a compound statement or a routine's body, whose ';' end nothing. */
void sql_block_open(struct sql_scan *s);
/* Whether the token belongs to the body's frame and needs no more looking at. */
void sql_block_token(struct sql_scan *s, enum sql_token t);

#endif
