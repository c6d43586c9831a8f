#include "sql/scan.h"
#include "sql/untracked.h"

/* What a statement is by its first word. */
struct start {
    uint8_t kind;
    uint8_t reason;
    uint8_t follow;
    bool writes;
    bool query;   /* names before '(' are functions */
    bool assigns; /* @v in it is assigned */
    bool known;
    uint8_t tables; /* enum sql_tables; NONE becomes SOME at a FROM */
    uint16_t effects;
};

#define READS    .known = true, .kind = SQL_SELECT, .query = true
#define WRITES   .known = true, .reason = SQL_WRITES, .writes = true
#define OTHER    .known = true, .reason = SQL_NOT_SELECT
#define BLOCK    OTHER, .writes = true, .effects = SQL_EFFECT_OPAQUE
#define DDL      WRITES, .kind = SQL_DDL
#define NO_TABLE .tables = SQL_TABLES_NONE
#define TABLES   .tables = SQL_TABLES_SOME

static const struct start starts[TOK_COUNT] = {
    [W_SELECT] = {READS, NO_TABLE},
    [W_WITH] = {READS, NO_TABLE},
    [W_VALUES] = {READS, NO_TABLE},
    [W_TABLE] = {READS, TABLES},
    [W_EXPLAIN] = {.known = true, .follow = FOLLOW_EXPLAIN, .query = true},
    [W_DESCRIBE] = {.known = true, .follow = FOLLOW_EXPLAIN, .query = true},
    [W_DESC] = {.known = true, .follow = FOLLOW_EXPLAIN, .query = true},
    [W_ANALYZE] = {.known = true, .follow = FOLLOW_ANALYZE, .query = true},

    [W_INSERT] = {WRITES, TABLES, .kind = SQL_INSERT},
    [W_UPDATE] = {WRITES, TABLES, .kind = SQL_UPDATE},
    [W_DELETE] = {WRITES, TABLES, .kind = SQL_DELETE},
    [W_REPLACE] = {WRITES, TABLES, .kind = SQL_REPLACE},
    [W_LOAD] = {WRITES, TABLES, .kind = SQL_LOAD, .assigns = true},

    [W_CREATE] = {DDL, .follow = FOLLOW_CREATE},
    [W_ALTER] = {DDL, .follow = FOLLOW_CREATE},
    [W_DROP] = {DDL, .follow = FOLLOW_DROP},
    [W_RENAME] = {DDL, TABLES},
    [W_TRUNCATE] = {DDL, TABLES},
    [W_GRANT] = {DDL},
    [W_REVOKE] = {DDL},
    [W_OPTIMIZE] = {DDL, TABLES},
    [W_REPAIR] = {DDL, TABLES},
    [W_CHECK] = {DDL, TABLES},
    [W_INSTALL] = {DDL},
    [W_UNINSTALL] = {DDL},

    [W_BEGIN] = {OTHER, NO_TABLE, .kind = SQL_BEGIN, .follow = FOLLOW_BEGIN},
    [W_START] = {OTHER, NO_TABLE, .follow = FOLLOW_START},
    [W_COMMIT] = {OTHER, NO_TABLE, .kind = SQL_COMMIT},
    [W_ROLLBACK] = {OTHER, NO_TABLE, .kind = SQL_ROLLBACK, .follow = FOLLOW_ROLLBACK},
    [W_SAVEPOINT] = {OTHER, NO_TABLE},
    [W_RELEASE] = {OTHER, NO_TABLE},
    [W_XA] = {OTHER, NO_TABLE, .effects = SQL_EFFECT_XA},

    [W_SET] = {OTHER, NO_TABLE, .kind = SQL_SET, .follow = FOLLOW_SET, .query = true,
               .assigns = true},
    [W_USE] = {OTHER, NO_TABLE, .kind = SQL_USE},
    [W_SHOW] = {OTHER, .kind = SQL_SHOW, .follow = FOLLOW_SHOW},
    [W_HELP] = {OTHER},
    [W_KILL] = {OTHER, NO_TABLE, .kind = SQL_KILL, .follow = FOLLOW_KILL,
                .effects = SQL_EFFECT_NAMES_IDS},
    [W_DO] = {OTHER, NO_TABLE, .query = true},
    [W_GET] = {OTHER, NO_TABLE, .assigns = true, .effects = SQL_EFFECT_ASKS_WARNINGS},
    [W_CHECKSUM] = {OTHER, TABLES},
    [W_CACHE] = {OTHER},

    [W_LOCK] = {OTHER, TABLES, .effects = SQL_EFFECT_LOCK},
    [W_UNLOCK] = {OTHER, .effects = SQL_EFFECT_UNLOCK},
    [W_BACKUP] = {OTHER, .effects = SQL_EFFECT_LOCK},
    [W_FLUSH] = {OTHER, .writes = true, .follow = FOLLOW_FLUSH},
    [W_HANDLER] = {OTHER, .follow = FOLLOW_HANDLER},

    [W_CALL] = {BLOCK, .kind = SQL_CALL, .assigns = true},
    [W_EXECUTE] = {BLOCK, .assigns = true},
    [W_PREPARE] = {OTHER, .effects = SQL_EFFECT_PREPARE}, /* as the text in it does */
    [W_DEALLOCATE] = {OTHER, .effects = SQL_EFFECT_PREPARE},
    [W_BINLOG] = {BLOCK},
    [W_SIGNAL] = {OTHER},
    [W_RESIGNAL] = {OTHER},
    [W_SHUTDOWN] = {OTHER},
    [W_STOP] = {OTHER},
    [W_CHANGE] = {OTHER},
    [W_RESET] = {OTHER},
    [W_PURGE] = {OTHER},
};

static const struct start compound = {BLOCK};
static const struct start unknown = {BLOCK, .assigns = true, .follow = FOLLOW_LABEL};

static bool is_compound(enum sql_token t)
{
    return t == W_IF || t == W_CASE || t == W_LOOP || t == W_WHILE || t == W_REPEAT || t == W_FOR ||
           t == W_DECLARE;
}

static void set_kind(struct sql_scan *s, enum sql_kind kind)
{
    if (s->out->statements == 1 && !s->inner)
        s->out->kind = kind;
}

static void count(struct sql_scan *s)
{
    if (s->inner)
        return;
    s->out->statements++;
    if (s->out->statements > 1)
        sql_refuse(s, SQL_SEVERAL);
}

void sql_statement_start(struct sql_scan *s, enum sql_token t)
{
    const struct start *row = &starts[t];

    if (t == TOK_OPEN) {
        if (!s->inner && s->out->statements > 0)
            sql_refuse(s, SQL_SEVERAL);
        return;
    }
    if (!row->known)
        row = is_compound(t) ? &compound : &unknown;
    count(s);
    set_kind(s, (enum sql_kind)row->kind);
    s->at_start = false;
    s->follow = (enum sql_follow)row->follow;
    s->query = row->query;
    s->assigns = row->assigns;
    s->set_item = t == W_SET;
    s->out->effects |= row->effects;
    s->out->writes |= row->writes;
    s->out->tables = s->out->statements > 1 || (s->out->effects & SQL_EFFECT_OPAQUE)
                         ? SQL_TABLES_UNKNOWN
                         : (enum sql_tables)row->tables;
    sql_select_at(s, t);
    sql_found_start(s, t);
    if (t == W_SHOW || t == W_GET)
        sql_refuse_question(s, (enum sql_reason)row->reason);
    else if (row->reason)
        sql_refuse(s, (enum sql_reason)row->reason);
    if (is_compound(t))
        sql_block_open(s);
    if (t == W_WITH) {
        s->with |= UINT64_C(1) << s->depth;
        s->cte_next = true;
    }
}

/* EXPLAIN [EXTENDED | PARTITIONS | FORMAT=x] statement, ANALYZE [FORMAT=x] statement: a read where
 * the statement is one. */
static void follow_explain(struct sql_scan *s, enum sql_token t)
{
    switch (t) {
    case TOK_OPEN:
    case TOK_OPERATOR:
    case W_EXTENDED:
    case W_PARTITIONS:
    case W_FORMAT:
        return;
    case TOK_NAME:
    case TOK_STRING:
        if (s->prev == TOK_OPERATOR)
            return;
        sql_refuse(s, SQL_NOT_SELECT);
        break;
    case W_SELECT:
    case W_WITH:
    case W_VALUES:
        set_kind(s, SQL_SELECT);
        s->inner = true;
        sql_statement_start(s, t);
        break;
    case W_INSERT:
    case W_UPDATE:
    case W_DELETE:
    case W_REPLACE:
        sql_refuse(s, SQL_WRITES);
        s->out->writes = true;
        break;
    case W_FOR: /* … CONNECTION 17 */
        s->out->effects |= SQL_EFFECT_NAMES_IDS;
        sql_refuse(s, SQL_NOT_SELECT);
        break;
    default:
        sql_refuse(s, SQL_NOT_SELECT);
        break;
    }
    s->follow = FOLLOW_NONE;
}

/* ANALYZE TABLE and its likes are no EXPLAIN. */
static void follow_analyze(struct sql_scan *s, enum sql_token t)
{
    if (t != W_TABLE && (t != TOK_NAME || s->prev == TOK_OPERATOR)) {
        follow_explain(s, t);
        return;
    }
    set_kind(s, SQL_DDL);
    sql_note_tables(s, SQL_TABLES_SOME);
    sql_refuse(s, SQL_WRITES);
    s->out->writes = true;
    s->follow = FOLLOW_NONE;
}

static bool is_word(const struct sql_scan *s, enum sql_token t, const char *word)
{
    return t == TOK_NAME && span_is_word(sql_lexer_text(&s->lex), word);
}

/* Of a name or a text. */
static bool is_quoted(struct span s)
{
    return s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"' || s.p[0] == '`') && s.p[s.n - 1] == s.p[0];
}

static struct span within_quotes(struct span s)
{
    return (struct span){s.p + 1, s.n - 2};
}

/* A collation's name, bare or in quotes; anything else is not understood. */
static bool read_collation(struct span s, char out[SQL_COLLATION_MAX])
{
    if (is_quoted(s))
        s = within_quotes(s);
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    if (s.n == 0 || s.n >= SQL_COLLATION_MAX)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return true;
}

/* SET NAMES x [COLLATE y]: without COLLATE the character set's default, which is known. DEFAULT is
 * the server's. */
static void set_names(struct sql_scan *s, enum sql_token t)
{
    bool understood = true;

    if (s->prev == W_COLLATE && t != W_DEFAULT)
        understood = read_collation(sql_lexer_text(&s->lex), s->out->collation);
    else if (s->prev == W_NAMES)
        understood = t != W_DEFAULT;
    if (!understood)
        s->out->effects |= SQL_EFFECT_UNTRACKED;
}

static void set_item(struct sql_scan *s, enum sql_token t)
{
    s->set_item = false;
    s->set_names = t == W_NAMES;
    switch (t) {
    case W_CHARACTER: /* the collation becomes the schema's, unreported */
    case W_CHARSET:
        s->out->effects |= SQL_EFFECT_SET | SQL_EFFECT_UNTRACKED;
        break;
    case TOK_USER_VARIABLE:
        break; /* noted where any of them is */
    case TOK_SYSTEM_VARIABLE:
        s->out->effects |= SQL_EFFECT_SET;
        if (sql_scope_is_unsaid(sql_lexer_text(&s->lex)))
            s->out->effects |= SQL_EFFECT_UNTRACKED;
        break;
    case W_ROLE:
        s->out->effects |= SQL_EFFECT_ROLE;
        break;
    case W_PASSWORD:
    case W_DEFAULT: /* SET DEFAULT ROLE */
        s->out->writes = true;
        break;
    case W_STATEMENT:
        s->set_statement = true;
        s->out->effects |= SQL_EFFECT_SET | SQL_EFFECT_RESTORES;
        set_kind(s, SQL_OTHER);
        break;
    default:
        s->out->effects |= SQL_EFFECT_SET;
        break;
    }
}

static void follow_set(struct sql_scan *s, enum sql_token t)
{
    if (s->set_statement && t == W_FOR && s->depth == 0) {
        s->set_statement = false;
        s->follow = FOLLOW_NONE;
        s->at_start = true;
        s->inner = true;
    } else if (s->set_item) {
        set_item(s, t);
    } else if (t == TOK_COMMA && s->depth == 0 && !s->set_statement) {
        s->set_item = true;
    } else if (s->set_names) {
        set_names(s, t);
    }
}

/* Behind CREATE, ALTER, DROP: what is a table, and opened as one. */
static bool is_table_like(const struct sql_scan *s, enum sql_token t)
{
    return t == W_TABLE || t == W_INDEX || is_word(s, t, "view") || is_word(s, t, "sequence");
}

static void follow_create(struct sql_scan *s, enum sql_token t)
{
    if (is_table_like(s, t) || t == W_TRIGGER)
        sql_note_tables(s, SQL_TABLES_SOME);
    switch (t) {
    case W_TEMPORARY:
        s->out->effects |= SQL_EFFECT_TEMPORARY;
        break;
    case W_PROCEDURE:
    case W_FUNCTION:
    case W_TRIGGER:
    case W_EVENT:
    case W_PACKAGE:
        s->routine = true;
        s->follow = FOLLOW_NONE;
        break;
    case W_TABLE:
        s->follow = FOLLOW_NONE;
        break;
    default:
        break;
    }
}

static void follow_drop(struct sql_scan *s, enum sql_token t)
{
    if (t == W_TEMPORARY)
        s->out->effects |= SQL_EFFECT_TEMPORARY;
    if (t == W_TEMPORARY || is_table_like(s, t))
        sql_note_tables(s, SQL_TABLES_SOME);
    if (t == W_PREPARE) {
        s->out->effects |= SQL_EFFECT_PREPARE;
        set_kind(s, SQL_OTHER);
    }
    s->follow = FOLLOW_NONE;
}

/* BEGIN NOT ATOMIC … END, and the anonymous block of the Oracle mode. */
static void follow_begin(struct sql_scan *s, enum sql_token t)
{
    s->follow = FOLLOW_NONE;
    if (t != W_NOT && !s->lex.mode.oracle)
        return;
    set_kind(s, SQL_OTHER);
    s->out->effects |= SQL_EFFECT_OPAQUE;
    s->out->writes = true;
    sql_note_tables(s, SQL_TABLES_UNKNOWN);
    sql_block_open(s);
}

enum {
    KILL_TARGET = 1,
    KILL_NUMBER = 2,
    KILL_USER = 4,
    KILL_NAME = 8,
    KILL_HOST = 16,
    KILL_OPEN = 32,
    KILL_CLOSE = 64,
    KILL_MORE = 128
};

static bool read_number(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)s.p[i] - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return s.n > 0;
}

/* A name, or what stands in quotes, without them; p NULL: neither, or with escapes. */
static struct span name_or_text(bool may_be_bare, struct span s)
{
    static const struct span none;
    struct span inner;

    if (!is_quoted(s))
        return may_be_bare ? s : none;
    inner = within_quotes(s);
    return memchr(inner.p, s.p[0], inner.n) || memchr(inner.p, '\\', inner.n) ? none : inner;
}

/* Behind KILL … USER: user[@host], or CURRENT_USER[()]. */
static uint8_t kill_user_word(struct sql_scan *s, enum sql_token t)
{
    struct sql_kill *k = &s->out->kill;
    struct span text = sql_lexer_text(&s->lex);

    if (!(s->kill_words & KILL_NAME)) {
        k->own_user = t == W_CURRENT_USER;
        k->user = k->own_user ? text : name_or_text(t == TOK_NAME, text);
        return k->user.p ? KILL_NAME : KILL_MORE;
    }
    if (k->own_user && t == TOK_OPEN && !(s->kill_words & KILL_OPEN))
        return KILL_OPEN;
    if (t == TOK_CLOSE && (s->kill_words & (KILL_OPEN | KILL_CLOSE)) == KILL_OPEN)
        return KILL_CLOSE;
    if (k->own_user || t != TOK_USER_VARIABLE || (s->kill_words & KILL_HOST))
        return KILL_MORE;
    k->host = name_or_text(true, (struct span){text.p + 1, text.n - 1});
    return k->host.p ? KILL_HOST : KILL_MORE;
}

static bool kill_is_by_user(uint8_t words)
{
    const uint8_t ends = KILL_OPEN | KILL_CLOSE;

    return (words & KILL_NAME) && !(words & (KILL_NUMBER | KILL_MORE)) &&
           ((words & ends) == 0 || (words & ends) == ends);
}

/* KILL [HARD | SOFT] [CONNECTION | QUERY] {number | USER user} */
static void follow_kill(struct sql_scan *s, enum sql_token t)
{
    struct sql_kill *k = &s->out->kill;

    if ((t == W_HARD || t == W_SOFT) && s->prev == W_KILL) {
        k->soft = t == W_SOFT;
        return;
    }
    if ((t == W_CONNECTION || t == W_QUERY) && !s->kill_words) {
        k->query = t == W_QUERY;
        s->kill_words |= KILL_TARGET;
    } else if (s->kill_words & KILL_USER) {
        s->kill_words |= kill_user_word(s, t);
    } else if (is_word(s, t, "user") && !(s->kill_words & ~KILL_TARGET)) {
        s->kill_words |= KILL_USER;
    } else if (t == TOK_NUMBER && !(s->kill_words & KILL_NUMBER) &&
               read_number(sql_lexer_text(&s->lex), &k->id)) {
        s->kill_words |= KILL_NUMBER;
    } else {
        s->kill_words |= KILL_MORE;
    }
}

static void follow_word(struct sql_scan *s, bool met, uint32_t effect)
{
    if (met)
        s->out->effects |= effect;
}

/* SHOW [SESSION | LOCAL] STATUS */
static bool shows_status(const struct sql_scan *s, enum sql_token t)
{
    bool own = s->prev == W_SHOW || (s->prev == TOK_NAME && (span_is_word(s->name, "session") ||
                                                             span_is_word(s->name, "local")));

    return own && is_word(s, t, "status");
}

static void follow_show(struct sql_scan *s, enum sql_token t)
{
    follow_word(s, shows_status(s, t), SQL_EFFECT_STATUS);
    follow_word(s, t == W_WARNINGS || t == W_ERRORS, SQL_EFFECT_ASKS_WARNINGS);
    if (t == W_WARNINGS || t == W_ERRORS)
        sql_note_tables(s, SQL_TABLES_NONE);
    follow_word(s, t == W_FOR || is_word(s, t, "processlist"), SQL_EFFECT_NAMES_IDS);
    follow_word(s, is_word(s, t, "variables"), SQL_EFFECT_TRACKING);
}

void sql_statement_follow(struct sql_scan *s, enum sql_token t)
{
    switch (s->follow) {
    case FOLLOW_NONE:
        break;
    case FOLLOW_BEGIN:
        follow_begin(s, t);
        break;
    case FOLLOW_CREATE:
        follow_create(s, t);
        break;
    case FOLLOW_DROP:
        follow_drop(s, t);
        break;
    case FOLLOW_EXPLAIN:
        follow_explain(s, t);
        break;
    case FOLLOW_ANALYZE:
        follow_analyze(s, t);
        break;
    case FOLLOW_FLUSH:
        follow_word(s, t == W_LOCK || t == W_EXPORT, SQL_EFFECT_LOCK);
        follow_word(s, is_word(s, t, "status"), SQL_EFFECT_STATUS);
        break;
    case FOLLOW_HANDLER:
        follow_word(s, t == W_OPEN, SQL_EFFECT_LOCK);
        break;
    case FOLLOW_KILL:
        follow_kill(s, t);
        break;
    case FOLLOW_LABEL:
        s->at_start = t == TOK_OPERATOR && *s->lex.start == ':';
        s->inner = s->at_start;
        s->follow = FOLLOW_NONE;
        break;
    case FOLLOW_ROLLBACK:
        if (t == W_TO)
            set_kind(s, SQL_OTHER);
        break;
    case FOLLOW_SET:
        follow_set(s, t);
        break;
    case FOLLOW_SHOW:
        follow_show(s, t);
        break;
    case FOLLOW_START:
        if (t == W_TRANSACTION)
            set_kind(s, SQL_BEGIN);
        s->follow = FOLLOW_NONE;
        break;
    }
}

void sql_statement_end(struct sql_scan *s)
{
    if (s->follow == FOLLOW_EXPLAIN || s->follow == FOLLOW_ANALYZE)
        sql_refuse(s, SQL_NOT_SELECT); /* DESC format */
    if (s->follow == FOLLOW_KILL && s->out->kind == SQL_KILL) {
        s->out->kill.simple = (s->kill_words & ~KILL_TARGET) == KILL_NUMBER;
        s->out->kill.by_user = kill_is_by_user(s->kill_words);
    }
    s->at_start = true;
    s->inner = false;
    s->follow = FOLLOW_NONE;
    s->depth = 0;
    s->with = 0;
    s->tables = 0;
    s->selects = 0;
    s->cte_next = false;
    s->cte_name = false;
    s->qualified = false;
    s->mentioned = false;
    s->routine = false;
    s->set_statement = false;
    s->set_names = false;
    s->nest = 0;
}
