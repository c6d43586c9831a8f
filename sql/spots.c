#include "sql/spots.h"

#include "sql/functions.h"
#include "sql/lexer.h"

enum { DEPTH_MAX = 63, HEADING_MAX = 255 };

/* A select list, at one depth of parentheses. */
struct list {
    bool open;
    bool holder;          /* the parentheses are those of IS_USED_LOCK() */
    bool spotted;         /* the item has a spot */
    const uint8_t *begin; /* behind its SELECT; NULL: there was none at this depth */
    const uint8_t *start; /* of the item; NULL before its first token */
};

/* How the tokens of a statement are to be read. */
enum place {
    PLACE_QUERY,      /* spots count */
    PLACE_DEFINITION, /* CREATE TABLE: they count from its SELECT on */
    PLACE_CLOSED,     /* another definition: to the end of the text, for bodies hold semicolons */
};

struct finder {
    struct sql_lexer lex;
    struct sql_spots *out;
    bool in_schema;
    bool overflow;
    bool at_start;
    bool object_known; /* what a CREATE or ALTER is about */
    enum place place;
    enum sql_token first; /* token of the statement */
    enum sql_token prev;
    enum sql_token prev2;
    const uint8_t *begin; /* of the statement */
    const uint8_t *prev_end;
    struct span word;       /* the token before */
    const uint8_t *schema;  /* where "information_schema" of a table's name begins; NULL */
    unsigned words;         /* tokens of the statement so far */
    bool kill_other;        /* KILL … ID or USER: no connection's id */
    const uint8_t *kill_at; /* where KILL's expression begins; NULL before */
    const uint8_t *taken;   /* up to here it is part of a spot; NULL */
    bool holder_follows;    /* IS_USED_LOCK was told, its parenthesis is next */
    bool for_connection;    /* EXPLAIN … FOR [CONNECTION]: a number is an id */
    bool explains;
    unsigned depth;
    struct list lists[DEPTH_MAX + 1];
};

static struct sql_spot *add(struct finder *f, enum sql_spot_kind kind, const uint8_t *from,
                            const uint8_t *to)
{
    struct sql_spot *spot = &f->out->spots[f->out->count];

    if (f->out->count == SPOTS_MAX) {
        f->overflow = true;
        return NULL;
    }
    f->out->count++;
    *spot = (struct sql_spot){.kind = kind, .where = {from, (size_t)(to - from)}};
    return spot;
}

static void mark_items(struct finder *f)
{
    for (unsigned d = 0; d <= f->depth; d++)
        f->lists[d].spotted = f->lists[d].open;
}

/* Whether what ends the item is surely no alias. Where it is in doubt there will be no heading: a
 * second alias would be an error. */
static bool ends_without_alias(const struct finder *f)
{
    static const char *const values[] = {"NULL", "TRUE", "FALSE", NULL};

    switch (f->prev) {
    case TOK_CLOSE:
    case TOK_NUMBER:
    case TOK_PARAM:
    case TOK_USER_VARIABLE:
    case TOK_SYSTEM_VARIABLE:
        return true;
    case TOK_NAME:
        if (span_is_one_of(f->word, values))
            return true;
        /* fall through */
    case TOK_STRING:
    case TOK_QUOTED:
        return f->prev2 == TOK_OPERATOR;
    default:
        return false;
    }
}

static void end_item(struct finder *f, struct list *l)
{
    size_t n = l->start ? (size_t)(f->prev_end - l->start) : 0;

    if (l->spotted && n && n <= HEADING_MAX && ends_without_alias(f)) {
        struct sql_spot *spot = add(f, SPOT_HEADING, f->prev_end, f->prev_end);

        if (spot)
            spot->text = (struct span){l->start, n};
    }
    l->spotted = false;
    l->start = NULL;
}

static bool ends_list(enum sql_token t, struct span text)
{
    static const char *const clauses[] = {"ORDER", "WINDOW", "FETCH", "OFFSET", "MINUS", NULL};

    switch (t) {
    case W_FROM:
    case W_INTO:
    case W_WHERE:
    case W_GROUP:
    case W_HAVING:
    case W_UNION:
    case W_EXCEPT:
    case W_INTERSECT:
    case W_LIMIT:
    case W_FOR:
    case W_LOCK:
    case W_PROCEDURE:
    case TOK_CLOSE:
    case TOK_SEMICOLON:
    case TOK_END:
        return true;
    case TOK_NAME:
        return span_is_one_of(text, clauses);
    default:
        return false;
    }
}

static bool is_option(enum sql_token t, struct span text)
{
    static const char *const options[] = {"HIGH_PRIORITY",
                                          "SQL_SMALL_RESULT",
                                          "SQL_BIG_RESULT",
                                          "SQL_BUFFER_RESULT",
                                          "SQL_NO_CACHE",
                                          "SQL_CACHE",
                                          NULL};

    return t == W_DISTINCT || t == W_DISTINCTROW || t == W_ALL || t == W_STRAIGHT_JOIN ||
           t == W_SQL_CALC_FOUND_ROWS || (t == TOK_NAME && span_is_one_of(text, options));
}

/* Before the token's own meaning is looked at. */
static void track_list(struct finder *f, enum sql_token t, struct span text)
{
    struct list *l = &f->lists[f->depth];

    if (!l->open)
        return;
    if (ends_list(t, text)) {
        end_item(f, l);
        l->open = false;
    } else if (t == TOK_COMMA) {
        end_item(f, l);
    } else if (!l->start && !is_option(t, text)) {
        l->start = text.p;
    }
}

static void open_list(struct finder *f)
{
    f->lists[f->depth] = (struct list){.open = true, .begin = f->lex.p};
    if (f->place == PLACE_DEFINITION)
        f->place = PLACE_QUERY;
}

/* A function that takes no arguments. */
static void try_call(struct finder *f, enum sql_spot_kind kind)
{
    struct sql_lexer ahead = f->lex;

    if (f->prev == TOK_DOT || sql_lexer_next(&ahead) != TOK_OPEN ||
        sql_lexer_next(&ahead) != TOK_CLOSE)
        return;
    mark_items(f);
    (void)add(f, kind, f->lex.start, ahead.p);
}

/* Whether the token told last is a value, or a call that is no aggregate. */
static bool is_value(const struct sql_lexer *lex, enum sql_token t)
{
    struct sql_lexer ahead = *lex;
    const struct sql_function *f;

    switch (t) {
    case TOK_STRING:
    case TOK_NUMBER:
    case TOK_PARAM:
    case TOK_USER_VARIABLE:
    case TOK_SYSTEM_VARIABLE:
    case TOK_ASSIGN:
    case TOK_OPEN:
    case TOK_CLOSE:
    case TOK_COMMA:
    case TOK_OPERATOR:
        return true;
    case TOK_NAME:
        f = sql_function_find(sql_lexer_text(lex));
        return f && (f->kind == FUNCTION_PURE || f->kind == FUNCTION_SESSION) &&
               sql_lexer_next(&ahead) == TOK_OPEN;
    default:
        return false;
    }
}

/* Behind the parentheses that follow, with values and calls alone in them, no column: these mean
 * the same inside of a subquery. NULL: others. */
static const uint8_t *behind_values(struct sql_lexer ahead)
{
    unsigned depth = 0;

    do {
        enum sql_token t = sql_lexer_next(&ahead);

        if (!is_value(&ahead, t))
            return NULL;
        depth += t == TOK_OPEN;
        depth -= t == TOK_CLOSE;
    } while (depth > 0);
    return ahead.p;
}

/* IS_USED_LOCK(…), where a subquery may stand in its place; and in KILL, where none may. */
static void try_holder(struct finder *f, struct span text)
{
    struct sql_lexer ahead = f->lex;
    const uint8_t *end;

    if (!span_is_word(text, "IS_USED_LOCK") || f->prev == TOK_DOT || f->explains ||
        f->first == W_ANALYZE || f->first == W_EXECUTE || f->first == W_HANDLER ||
        f->first == W_PREPARE)
        return;
    end = sql_lexer_next(&ahead) == TOK_OPEN ? behind_values(f->lex) : NULL;
    if (!end)
        return;
    if (f->first == W_KILL) {
        (void)add(f, SPOT_KILL_HOLDER, text.p, end);
        f->taken = end;
        return;
    }
    mark_items(f);
    f->holder_follows = add(f, SPOT_HOLDER, text.p, text.p) != NULL;
}

/* Whether an alias stands behind a table. */
static bool alias_follows(struct sql_lexer ahead)
{
    static const char *const clauses[] = {"ORDER", "WINDOW", "FETCH", "OFFSET", "MINUS",
                                          "LEFT",  "RIGHT",  "INNER", "CROSS",  "NATURAL",
                                          "FORCE", "IGNORE", "END",   "THEN",   NULL};
    enum sql_token t = sql_lexer_next(&ahead);

    return t == W_AS || t == TOK_QUOTED ||
           (t == TOK_NAME && !span_is_one_of(sql_lexer_text(&ahead), clauses));
}

static bool names_table(enum sql_token before)
{
    return before == W_FROM || before == W_JOIN || before == W_STRAIGHT_JOIN ||
           before == TOK_COMMA || before == TOK_OPEN;
}

/* The next item of a select list; answers the token behind it. `column`: the last part of its name
 * where it is a column alone, else empty. */
static enum sql_token read_item(struct sql_lexer *lex, struct span *column)
{
    enum sql_token prev = TOK_DOT; /* a name may follow */
    unsigned depth = 0;
    bool alone = true;

    *column = (struct span){0};
    for (;;) {
        enum sql_token t = sql_lexer_next(lex);
        struct span text = sql_lexer_text(lex);

        if (t == TOK_END || t == TOK_BAD || (!depth && (t == TOK_COMMA || ends_list(t, text))))
            return t;
        if (prev == TOK_DOT && is_option(t, text))
            continue;
        if (prev == TOK_DOT)
            alone = alone && (t == TOK_NAME || t == TOK_QUOTED);
        else
            alone = alone && (t == TOK_DOT || t == TOK_DOT_NAME);
        *column = alone ? text : (struct span){0};
        depth += t == TOK_OPEN;
        depth -= t == TOK_CLOSE;
        prev = t;
    }
}

static void add_heading(struct finder *f, struct span column)
{
    struct span name = sql_unquoted(column);
    const uint8_t *at = column.p + column.n;
    struct sql_spot *spot = sql_is_plain_name(name) ? add(f, SPOT_HEADING, at, at) : NULL;
    struct sql_spot moved;

    if (!spot)
        return;
    spot->text = name;
    for (; spot > f->out->spots && spot[-1].where.p > at; spot--) {
        moved = spot[-1];
        spot[-1] = spot[0];
        spot[0] = moved;
    }
}

/* The server heads a table's columns as the statement writes them, a subquery's as the subquery
 * does. Those in front of the table at `from`: a name in the list itself may look like one. */
static void head_columns(struct finder *f, const uint8_t *from)
{
    struct sql_lexer lex = f->lex;
    enum sql_token behind = TOK_COMMA;

    for (lex.p = f->lists[f->depth].begin; lex.p && behind == TOK_COMMA;) {
        struct span column;

        behind = read_item(&lex, &column);
        if (column.p && column.p < from)
            add_heading(f, column);
    }
    f->lists[f->depth].begin = NULL; /* of two such tables in a query the first does it */
}

static void found_table(struct finder *f, const uint8_t *from)
{
    struct sql_spot *spot;

    head_columns(f, from);
    spot = add(f, SPOT_PROCESSLIST, from, f->lex.p);
    if (spot)
        spot->bare = !alias_follows(f->lex);
}

static bool is_queried(const struct finder *f)
{
    return f->first != W_SHOW && f->first != W_DESC && f->first != W_DESCRIBE &&
           f->first != W_TRUNCATE && f->first != W_LOCK && f->first != W_KILL;
}

/* information_schema.processlist in its spellings; `schema` is where the first part began. */
static void try_table(struct finder *f, enum sql_token t, struct span text)
{
    bool dotted = t == TOK_DOT_NAME || f->prev == TOK_DOT;

    if (!span_is_word(sql_unquoted(text), "processlist") || !is_queried(f))
        return;
    if (dotted && f->schema)
        found_table(f, f->schema);
    else if (!dotted && f->in_schema && names_table(f->prev))
        found_table(f, text.p);
}

static void remember_schema(struct finder *f, enum sql_token t, struct span text)
{
    if ((t == TOK_NAME || t == TOK_QUOTED) &&
        span_is_word(sql_unquoted(text), "information_schema") && names_table(f->prev))
        f->schema = text.p;
    else if (t != TOK_DOT)
        f->schema = NULL;
}

/* SHOW [FULL] PROCESSLIST, all of it. */
static void try_show(struct finder *f, struct span text)
{
    struct sql_lexer ahead = f->lex;
    bool full = f->words == 2 && f->prev == TOK_NAME && span_is_word(f->word, "FULL");
    enum sql_token next;

    if (!span_is_word(text, "processlist") || f->first != W_SHOW || !(full || f->words == 1))
        return;
    next = sql_lexer_next(&ahead);
    if (next == TOK_END || next == TOK_SEMICOLON)
        (void)add(f, full ? SPOT_SHOW_FULL_PROCESSLIST : SPOT_SHOW_PROCESSLIST, f->begin, f->lex.p);
}

static void end_kill(struct finder *f)
{
    struct sql_spot *spot = NULL;

    if (f->kill_at && !f->kill_other)
        spot = add(f, SPOT_KILL_END, f->prev_end, f->prev_end);
    if (spot)
        spot->text = (struct span){f->kill_at, (size_t)(f->prev_end - f->kill_at)};
}

/* KILL [HARD|SOFT] [CONNECTION|QUERY] id */
static void track_kill(struct finder *f, enum sql_token t, struct span text)
{
    if (t == TOK_END || t == TOK_SEMICOLON) {
        end_kill(f);
        return;
    }
    if (f->kill_at || t == W_HARD || t == W_SOFT || t == W_CONNECTION || t == W_QUERY ||
        t == W_KILL)
        return;
    f->kill_at = text.p;
    f->kill_other = span_is_word(text, "USER") || span_is_word(text, "ID");
    if (!f->kill_other)
        (void)add(f, SPOT_KILL, text.p, text.p);
}

/* SHOW EXPLAIN|ANALYZE … FOR 17; EXPLAIN … FOR CONNECTION 17 */
static void track_explain(struct finder *f, enum sql_token t, struct span text)
{
    f->explains = f->explains || f->first == W_EXPLAIN || f->first == W_DESC ||
                  f->first == W_DESCRIBE ||
                  (f->first == W_SHOW && (t == W_EXPLAIN || t == W_ANALYZE));
    if (t == TOK_NUMBER && f->for_connection)
        (void)add(f, SPOT_THREAD, text.p, text.p + text.n);
    f->for_connection = f->explains && ((t == W_FOR && f->first == W_SHOW) ||
                                        (t == W_CONNECTION && f->prev == W_FOR));
}

/* CREATE [OR REPLACE] [TEMPORARY] TABLE … SELECT is a query at its end; of any other definition
 * nothing is. */
static void track_definition(struct finder *f, enum sql_token t)
{
    if (f->place != PLACE_DEFINITION || f->object_known || t == W_CREATE || t == W_OR ||
        t == W_REPLACE || t == W_TEMPORARY)
        return;
    f->object_known = true;
    if (t != W_TABLE)
        f->place = PLACE_CLOSED;
}

static void begin_statement(struct finder *f, enum sql_token t, struct span text)
{
    f->at_start = false;
    f->first = t;
    f->begin = text.p;
    f->words = 0;
    f->kill_at = NULL;
    f->kill_other = f->explains = f->for_connection = f->object_known = false;
    if (f->place != PLACE_CLOSED)
        f->place = t == W_CREATE || t == W_ALTER ? PLACE_DEFINITION : PLACE_QUERY;
}

static void end_statement(struct finder *f)
{
    f->at_start = true;
    f->kill_at = NULL;
    f->depth = 0;
    f->lists[0] = (struct list){0};
}

static const struct {
    const char *name;
    enum sql_spot_kind kind;
} calls[] = {
    {"CONNECTION_ID", SPOT_CONNECTION_ID},
    {"ROW_COUNT", SPOT_ROW_COUNT},
    {"FOUND_ROWS", SPOT_FOUND_ROWS},
};

static void name(struct finder *f, enum sql_token t, struct span text)
{
    if (f->taken && text.p < f->taken)
        return;
    if (t == TOK_NAME)
        for (size_t i = 0; i < ARRAY_LEN(calls); i++)
            if (span_is_word(text, calls[i].name))
                try_call(f, calls[i].kind);
    if (t == TOK_NAME && span_is_word(text, "RETURNING") && f->depth == 0)
        open_list(f);
    if (t == TOK_NAME)
        try_holder(f, text);
    try_table(f, t, text);
    if (t == TOK_NAME)
        try_show(f, text);
}

static void parenthesis(struct finder *f, enum sql_token t)
{
    if (t == TOK_OPEN && f->depth < DEPTH_MAX) {
        f->lists[++f->depth] = (struct list){.holder = f->holder_follows};
        f->holder_follows = false;
    } else if (t == TOK_OPEN) {
        f->overflow = true;
    } else if (t == TOK_CLOSE && f->depth > 0) {
        if (f->lists[f->depth--].holder)
            (void)add(f, SPOT_HOLDER_END, f->lex.p, f->lex.p);
    }
}

static void token(struct finder *f, enum sql_token t, struct span text)
{
    track_list(f, t, text);
    if (t == W_SELECT)
        open_list(f);
    if (f->place == PLACE_QUERY) {
        if (f->first == W_KILL)
            track_kill(f, t, text);
        track_explain(f, t, text);
        if (t == TOK_NAME || t == TOK_QUOTED || t == TOK_DOT_NAME)
            name(f, t, text);
    }
    remember_schema(f, t, text);
    parenthesis(f, t);
    if (t == TOK_SEMICOLON)
        end_statement(f);
}

static void step(struct finder *f, enum sql_token t)
{
    struct span text = sql_lexer_text(&f->lex);

    if (f->at_start && t != TOK_SEMICOLON && t != TOK_END) {
        if (f->begin)
            f->out->several = true;
        begin_statement(f, t, text);
    }
    track_definition(f, t);
    token(f, t, text);
    f->words++;
    f->prev2 = f->prev;
    f->prev = t;
    f->prev_end = f->lex.p;
    f->word = text;
}

bool sql_spots_find(struct span text, struct sql_mode mode, bool in_schema, struct sql_spots *out)
{
    struct finder f = {.out = out, .in_schema = in_schema, .at_start = true};
    enum sql_token t;

    out->count = 0;
    out->several = false;
    sql_lexer_init(&f.lex, text, mode);
    do {
        t = sql_lexer_next(&f.lex);
        if (t == TOK_BAD)
            return false;
        step(&f, t);
    } while (t != TOK_END && !f.overflow);
    return out->count > 0 && !f.overflow;
}
