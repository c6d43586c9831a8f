#include "sql/classify.h"

#include "sql/functions.h"
#include "sql/scan.h"

#include <assert.h>

bool sql_is_system_schema(struct span name)
{
    switch (name.n) {
    case sizeof("sys") - 1:
        return span_is_word(name, "sys");
    case sizeof("mysql") - 1:
        return span_is_word(name, "mysql");
    case sizeof("information_schema") - 1:
        return span_is_word(name, "information_schema") || span_is_word(name, "performance_schema");
    default:
        return false;
    }
}

void sql_select_at(struct sql_scan *s, enum sql_token t)
{
    struct sql_lexer ahead = s->lex;

    if (t == W_SELECT)
        sql_set_bit(&s->selects, s->depth, true);
    if (t != W_FROM || !(s->selects >> s->depth & 1) || s->out->tables != SQL_TABLES_NONE)
        return;
    if (sql_lexer_next(&ahead) == TOK_NAME && span_is_word(sql_lexer_text(&ahead), "dual"))
        return;
    sql_note_tables(s, SQL_TABLES_SOME);
}

/* It is a table, too. */
static void use_sequence(struct sql_scan *s)
{
    sql_refuse(s, SQL_SEQUENCE);
    s->out->writes = true;
    if (s->out->tables == SQL_TABLES_NONE)
        sql_note_tables(s, SQL_TABLES_SOME);
}

/* @@warning_count, @@error_count, perhaps with @@session. or @@local. */
static bool counts_warnings(struct span variable)
{
    static const char *const names[] = {"warning_count", "error_count"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strlen(names[i]);

        if (variable.n >= n &&
            span_is_word((struct span){variable.p + variable.n - n, n}, names[i]))
            return true;
    }
    return false;
}

static bool is_known_to_read(const struct sql_scan *s, struct span name)
{
    struct span schema = {NULL, 0};

    if (!s->names || (s->qualified && !s->qualifier.p))
        return false;
    if (s->qualified)
        schema = sql_unquoted(s->qualifier);
    return s->names->function_reads(s->names->ctx, schema, sql_unquoted(name));
}

static void unknown_function(struct sql_scan *s, struct span name)
{
    if (!s->query)
        return;
    if (is_known_to_read(s, name)) {
        s->out->looked_up = true;
        return;
    }
    if (s->out->reason == SQL_IS_READ)
        s->out->function = sql_unquoted(name);
    sql_refuse(s, SQL_UNKNOWN_FUNCTION);
    s->out->effects |= SQL_EFFECT_OPAQUE;
    s->out->writes = true;
}

static void call(struct sql_scan *s)
{
    const struct sql_function *f = sql_function_find(s->name);

    if (!f) {
        unknown_function(s, s->name);
        return;
    }
    s->out->effects |= f->effects;
    switch ((enum sql_function_kind)f->kind) {
    case FUNCTION_PURE:
        break;
    case FUNCTION_GLUED:
        if (s->prev_end != s->lex.start)
            unknown_function(s, s->name);
        break;
    case FUNCTION_TABLE:
        sql_set_bit(&s->tables, s->depth, true);
        s->table_name = s->name;
        break;
    case FUNCTION_SESSION:
        if (f->effects & SQL_EFFECTS_ASKS)
            sql_refuse_question(s, SQL_SESSION_FUNCTION);
        else
            sql_refuse(s, SQL_SESSION_FUNCTION);
        break;
    case FUNCTION_SERVER:
        sql_refuse(s, SQL_SERVER_FUNCTION);
        break;
    case FUNCTION_SEQUENCE:
        use_sequence(s);
        break;
    }
}

static void open_paren(struct sql_scan *s)
{
    enum sql_token prev = s->prev;

    if (s->cte_name || !sql_token_is_name(prev)) {
        /* the columns of a WITH clause's part; a group or subquery */
    } else if (prev == TOK_QUOTED || s->qualified) {
        unknown_function(s, s->name);
    } else if (!sql_word_takes_paren(prev)) {
        call(s);
    }
    if (s->depth == SQL_DEPTH_MAX)
        sql_refuse(s, SQL_UNREADABLE);
    else
        s->depth++;
}

static void close_paren(struct sql_scan *s)
{
    sql_set_bit(&s->with, s->depth, false);
    sql_set_bit(&s->selects, s->depth, false);
    if (s->depth > 0)
        s->depth--;
    if (s->tables >> s->depth & 1)
        unknown_function(s, s->table_name);
    sql_set_bit(&s->tables, s->depth, false);
}

static void name_behind_dot(struct sql_scan *s)
{
    bool first = (s->prev == TOK_NAME || s->prev == TOK_QUOTED) && !s->qualified;

    if (!first || !sql_is_system_schema(sql_unquoted(s->name)))
        return;
    sql_refuse(s, SQL_SYSTEM_SCHEMA);
    s->out->effects |= SQL_EFFECT_NAMES_IDS;
}

static void user_variable(struct sql_scan *s)
{
    s->mentioned = true;
    sql_refuse(s, SQL_USER_VARIABLE);
    if (s->assigns || s->prev == W_INTO)
        s->out->effects |= SQL_EFFECT_USER_VARIABLE;
}

static void system_variable(struct sql_scan *s)
{
    if (counts_warnings(sql_lexer_text(&s->lex))) {
        s->out->effects |= SQL_EFFECT_ASKS_WARNINGS;
        sql_refuse_question(s, SQL_SYSTEM_VARIABLE);
    } else {
        sql_refuse(s, SQL_SYSTEM_VARIABLE);
    }
}

static enum sql_token next_token(const struct sql_scan *s)
{
    struct sql_lexer ahead = s->lex;

    return sql_lexer_next(&ahead);
}

/* In a routine: SELECT … INTO a, FETCH … INTO a. */
static bool into_local_variable(const struct sql_scan *s)
{
    struct sql_lexer ahead = s->lex;

    return s->body && sql_lexer_next(&ahead) == TOK_NAME &&
           sql_lexer_next(&ahead) != TOK_STRING; /* OUTFILE 'x' */
}

/* WITH begins a clause at the start of a query, which inside of one is behind a '('. */
static void word_with(struct sql_scan *s)
{
    if (s->prev != TOK_OPEN)
        return;
    sql_set_bit(&s->with, s->depth, true);
    s->cte_next = true;
}

static void word(struct sql_scan *s, enum sql_token t)
{
    switch (t) {
    case W_SELECT:
        sql_set_bit(&s->with, s->depth, false);
        break;
    case W_WITH:
        word_with(s);
        break;
    case W_COLUMNS:
        if (s->depth > 0)
            sql_set_bit(&s->tables, s->depth - 1, false);
        break;
    case W_INTO:
        if (!into_local_variable(s))
            sql_refuse(s, SQL_INTO);
        break;
    case W_SHARE:
        if (s->prev == W_FOR)
            sql_refuse(s, SQL_LOCKING);
        break;
    case W_LOCK:
        sql_refuse(s, SQL_LOCKING);
        break;
    case W_UPDATE:
        sql_refuse(s, s->prev == W_FOR ? SQL_LOCKING : SQL_WRITES);
        break;
    case W_INSERT:
    case W_REPLACE:
        /* INSERT() and REPLACE() are functions; anything else behind these words is a write. */
        if (next_token(s) != TOK_OPEN)
            sql_refuse(s, SQL_WRITES);
        break;
    case W_ALTER:
    case W_CALL:
    case W_CREATE:
    case W_DELETE:
    case W_DROP:
    case W_GRANT:
    case W_LOAD:
    case W_RENAME:
    case W_REVOKE:
        sql_refuse(s, SQL_WRITES);
        break;
    case W_VALUE:
        if (s->prev != W_NEXT && s->prev != W_PREVIOUS)
            break;
        use_sequence(s);
        break;
    case W_CURRENT_USER:
    case W_CURRENT_ROLE:
        sql_refuse(s, SQL_SERVER_FUNCTION);
        break;
    case W_SQL_CALC_FOUND_ROWS:
        sql_refuse(s, SQL_FOUND_ROWS);
        break;
    case W_PROCEDURE:
        sql_refuse(s, SQL_NOT_SELECT);
        break;
    default:
        break;
    }
}

static void mark(struct sql_scan *s, enum sql_token t)
{
    switch (t) {
    case TOK_OPEN:
        open_paren(s);
        break;
    case TOK_CLOSE:
        close_paren(s);
        break;
    case TOK_COMMA:
        s->cte_next = s->prev == TOK_CLOSE && (s->with >> s->depth & 1);
        break;
    case TOK_DOT:
    case TOK_DOT_NAME:
        name_behind_dot(s);
        break;
    case TOK_USER_VARIABLE:
        user_variable(s);
        break;
    case TOK_SYSTEM_VARIABLE:
        system_variable(s);
        break;
    case TOK_ASSIGN:
        if (s->mentioned)
            s->out->effects |= SQL_EFFECT_USER_VARIABLE;
        break;
    case TOK_BAD:
        sql_refuse(s, SQL_UNREADABLE);
        break;
    default:
        break;
    }
}

/* A WITH clause is: name [(columns)] AS (query) {, …}. Behind a part's ')' only a comma goes on. */
static void track_with(struct sql_scan *s, enum sql_token t)
{
    if (s->prev == TOK_CLOSE && t != TOK_COMMA && t != W_AS)
        sql_set_bit(&s->with, s->depth, false);
}

/* seq.NEXTVAL and seq.CURRVAL. */
static void oracle_name(struct sql_scan *s)
{
    struct span name = sql_unquoted(sql_lexer_text(&s->lex));

    if (!span_is_word(name, "nextval") && !span_is_word(name, "currval"))
        return;
    use_sequence(s);
}

/* The variables by which a server reports what a session changes, or a table of all variables.
 * Whether a name is really one of them is not known here: no such statement is a read. */
static bool shows_tracking(struct span name)
{
    if (name.n < sizeof "session_track_" - 1)
        return false;
    name = sql_unquoted(name);
    return span_is_word(name, "session_variables") || span_is_word(name, "system_variables") ||
           span_holds(name, "session_track_");
}

static void note_tracking(struct sql_scan *s, enum sql_token t)
{
    if ((t != TOK_NAME && t != TOK_QUOTED && t != TOK_DOT_NAME && t != TOK_SYSTEM_VARIABLE) ||
        !shows_tracking(sql_lexer_text(&s->lex)))
        return;
    s->out->effects |= SQL_EFFECT_TRACKING;
    sql_refuse(s, SQL_SYSTEM_VARIABLE);
}

void sql_token_inside(struct sql_scan *s, enum sql_token t)
{
    bool named = s->cte_next && t != W_RECURSIVE && sql_token_is_name(t);

    if (s->lex.mode.oracle && sql_token_is_name(t))
        oracle_name(s);
    if (s->with)
        track_with(s, t);
    note_tracking(s, t);
    if (t == W_SELECT || t == W_FROM)
        sql_select_at(s, t);
    if (s->follow)
        sql_statement_follow(s, t);
    if (s->found_looks || sql_found_is_for(t))
        sql_found_token(s, t);
    if (t > TOK_OPERATOR)
        word(s, t);
    else
        mark(s, t);
    s->cte_name = named;
    if (named)
        s->cte_next = false;
}

void sql_token_passed(struct sql_scan *s, enum sql_token t)
{
    if (sql_token_is_name(t)) {
        bool behind_dot = t == TOK_DOT_NAME || s->prev == TOK_DOT;

        if (behind_dot)
            s->qualifier = s->qualified ? (struct span){NULL, 0} : s->name;
        s->qualified = behind_dot;
        s->name = sql_lexer_text(&s->lex);
    }
    s->prev = t;
    s->prev_end = s->lex.p;
}

static void step(struct sql_scan *s, enum sql_token t)
{
    if (s->block || s->routine)
        sql_block_token(s, t);
    if (t == TOK_SEMICOLON && !s->block) {
        if (s->at_start)
            sql_refuse(s, SQL_SEVERAL); /* an empty statement */
        sql_statement_end(s);
    } else if (s->at_start && !s->block) {
        sql_statement_start(s, t);
        if (t <= TOK_OPERATOR)
            mark(s, t);
    } else {
        sql_token_inside(s, t);
    }
    sql_token_passed(s, t);
}

static bool is_reported_call(const struct sql_scan *s, bool cut)
{
    const struct sql_class *out = s->out;
    bool readable = !cut && out->reason != SQL_UNREADABLE;
    bool known = s->names && s->names->procedure_reported;

    return out->kind == SQL_CALL && out->statements == 1 && readable && known &&
           sql_call_reported(s->text, s->lex.mode, s->names);
}

/* What holds of the text as a whole. */
static void finish(struct sql_scan *s, bool cut)
{
    struct sql_class *out = s->out;

    sql_statement_end(s);
    if (out->statements == 0) {
        out->kind = SQL_EMPTY;
        sql_refuse(s, SQL_NOT_SELECT);
    }
    if (*out->collation && out->statements > 1) {
        *out->collation = 0;
        out->effects |= SQL_EFFECT_UNTRACKED;
    }
    if (s->lex.doubtful || s->lex.in_executable)
        sql_refuse(s, SQL_UNREADABLE);
    if (cut && (out->reason == SQL_UNREADABLE || out->reason == SQL_IS_READ))
        out->reason = SQL_TOO_LONG;
    if (out->reason == SQL_UNREADABLE || out->reason == SQL_TOO_LONG)
        out->writes |= out->kind == SQL_SELECT || out->kind == SQL_OTHER;
    if (s->lex.doubtful || cut || out->statements != 1 || out->reason == SQL_UNREADABLE)
        out->kill.simple = out->kill.by_user = false;
    if (s->names && s->names->view_acts && out->reason == SQL_IS_READ) {
        out->looked_up = true;
        if (sql_names_acting_view(s->text, s->lex.mode, s->names))
            out->reason = SQL_VIEW_ACTS;
    }
    if (is_reported_call(s, cut)) {
        out->looked_up = true;
        out->effects |= SQL_EFFECT_REPORTED;
    }
    out->only_asks = (out->effects & SQL_EFFECTS_ASKS) && out->tables == SQL_TABLES_NONE &&
                     !s->bound && !out->writes;
    out->counts |= cut || out->reason == SQL_UNREADABLE;
    out->hints = s->lex.hints;
    if (out->hints.primary)
        sql_refuse(s, SQL_HINT_PRIMARY);
}

/* Any name will do: whether it stands for a table, a column or something else is not told apart. */
bool sql_names_acting_view(struct span text, struct sql_mode mode, const struct sql_names *names)
{
    struct sql_lexer l;
    enum sql_token t;

    sql_lexer_init(&l, text, mode);
    while ((t = sql_lexer_next(&l)) != TOK_END) {
        if (sql_token_is_name(t) && names->view_acts(names->ctx, sql_unquoted(sql_lexer_text(&l))))
            return true;
    }
    return false;
}

bool sql_has_wide_byte(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= 0x80)
            return true;
    }
    return false;
}

void sql_classify_with(struct span text, struct sql_mode mode, bool cut,
                       const struct sql_names *names, struct sql_class *out)
{
    struct sql_scan s = {.text = text, .out = out, .names = names, .at_start = true};
    enum sql_token t;

    *out = (struct sql_class){0};
    sql_lexer_init(&s.lex, text, mode);
    if (mode.unsafe_charset && sql_has_wide_byte(text))
        out->reason = SQL_UNREADABLE;
    while ((t = sql_lexer_next(&s.lex)) != TOK_END)
        step(&s, t);
    finish(&s, cut);
}
