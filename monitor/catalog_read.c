#include "monitor/catalog_read.h"

#include "base/clock.h"
#include "monitor/objects_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* JSON_TABLE came with 10.6, the oldest that is supported. Of the ways in auth_or one may be empty:
 * its place is that of the way at the top. They come as "PLUGIN:TEXT" in hex, with commas between.
 */
static const char accounts_sql[] =
    "SELECT User, Host, JSON_VALUE(Priv, '$.plugin'), JSON_VALUE(Priv, '$.authentication_string'),"
    " JSON_VALUE(Priv, '$.access'), JSON_VALUE(Priv, '$.account_locked'),"
    " JSON_VALUE(Priv, '$.is_role'),"
    " (SELECT GROUP_CONCAT(HEX(IFNULL(t.plugin, '')), ':', HEX(IFNULL(t.text, ''))"
    " ORDER BY t.n SEPARATOR ',') FROM JSON_TABLE(Priv, '$.auth_or[*]' COLUMNS("
    "n FOR ORDINALITY, plugin VARCHAR(64) PATH '$.plugin',"
    " text VARCHAR(1024) PATH '$.authentication_string')) t),"
    " JSON_VALUE(Priv, '$.ssl_type'), JSON_VALUE(Priv, '$.ssl_cipher'),"
    " JSON_VALUE(Priv, '$.x509_issuer'), JSON_VALUE(Priv, '$.x509_subject'),"
    " GREATEST(IFNULL(JSON_VALUE(Priv, '$.max_connections'), 0),"
    " ABS(IFNULL(JSON_VALUE(Priv, '$.max_user_connections'), @@global.max_user_connections)))"
    " FROM mysql.global_priv ORDER BY Host, User";
static const char variables_sql[] =
    "SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE FROM information_schema.SYSTEM_VARIABLES"
    " WHERE VARIABLE_SCOPE IN ('SESSION', 'SESSION ONLY') ORDER BY 1";
/* From 10.10 on a collation's id stands in the second table: the UCA-1400 ones have one for each
 * character set. Before, it stands in the first. */
static const char collations_sql[] =
    "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME"
    " FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY ORDER BY ID";
static const char old_collations_sql[] =
    "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS ORDER BY ID";
static const char version_sql[] =
    "SELECT @@version, @@global.collation_server,"
    " (SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'PROCESSLIST'),"
    " @@global.wait_timeout, @@global.interactive_timeout";

enum { UNKNOWN_COLUMN = 1054, FALLBACK_COLLATION = 45 /* utf8mb4_general_ci */ };
enum { FIRST_ROOM = 64, COLLATION_ID_MAX = 65535 };

struct reading {
    struct catalog *c;
    XXH3_state_t *hash;
    char *default_collation; /* its name */
    bool failed;             /* memory, or a row that is not as asked for */
    bool (*take)(struct catalog *c, const struct probe_row *row);
};

/* Room for one more element of an array that grows by doubling from FIRST_ROOM; NULL: none. */
static void *grow(void *array, size_t count, size_t size)
{
    bool full = count == 0 || (count >= FIRST_ROOM && (count & (count - 1)) == 0);

    if (!full)
        return array;
    return realloc(array, (count ? count * 2 : FIRST_ROOM) * size);
}

enum account_column {
    A_USER,
    A_HOST,
    A_PLUGIN,
    A_TEXT,
    A_ACCESS,
    A_LOCKED,
    A_IS_ROLE,
    A_WAYS,
    A_TLS,
    A_TLS_CIPHER,
    A_TLS_ISSUER,
    A_TLS_SUBJECT,
    A_LIMIT,
    ACCOUNT_COLUMNS,
};

static bool is_true(const char *json)
{
    return strcmp(json, "1") == 0 || strcmp(json, "true") == 0;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, toupper((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Hex digits up to `end` to text; returns what follows `end`, NULL where it is no such text. */
static const char *unhex(const char *p, char end, char *out, size_t room)
{
    size_t n = 0;

    for (; *p && *p != end; p += 2) {
        int high = hex_digit(p[0]);
        int low = high < 0 ? -1 : hex_digit(p[1]);

        if (low < 0 || n + 1 >= room)
            return NULL;
        out[n++] = (char)(high << 4 | low);
    }
    out[n] = 0;
    return *p ? p + 1 : p;
}

static bool take_ways(struct account *a, const struct probe_row *row)
{
    const char *p = probe_value_at(row, A_WAYS);
    char plugin[80];
    char text[1100 * 4];

    if (!*p)
        return account_add_way(a, probe_value_at(row, A_PLUGIN), probe_value_at(row, A_TEXT));
    while (*p) {
        p = unhex(p, ':', plugin, sizeof plugin);
        p = p ? unhex(p, ',', text, sizeof text) : NULL;
        if (!p)
            return false;
        if (!(plugin[0]
                  ? account_add_way(a, plugin, text)
                  : account_add_way(a, probe_value_at(row, A_PLUGIN), probe_value_at(row, A_TEXT))))
            return false;
    }
    return true;
}

static bool take_tls(struct account *a, const struct probe_row *row)
{
    unsigned long type = strtoul(probe_value_at(row, A_TLS), NULL, 10);

    /* what a newer server may know besides is not less than an X.509 certificate */
    a->tls = type <= ACCOUNT_TLS_SPECIFIED ? (enum account_tls)type : ACCOUNT_TLS_X509;
    a->tls_cipher = strdup(probe_value_at(row, A_TLS_CIPHER));
    a->tls_issuer = strdup(probe_value_at(row, A_TLS_ISSUER));
    a->tls_subject = strdup(probe_value_at(row, A_TLS_SUBJECT));
    return a->tls_cipher && a->tls_issuer && a->tls_subject;
}

bool catalog_read_account(struct catalog *c, const struct probe_row *row)
{
    struct account *list;
    struct account *a;

    if (row->columns != ACCOUNT_COLUMNS)
        return false;
    list = grow(c->accounts, c->account_count, sizeof *list);
    if (!list)
        return false;
    c->accounts = list;
    a = &list[c->account_count++];
    memset(a, 0, sizeof *a);
    a->user = strdup(probe_value_at(row, A_USER));
    a->host = strdup(probe_value_at(row, A_HOST));
    a->access = strtoull(probe_value_at(row, A_ACCESS), NULL, 10);
    a->locked = is_true(probe_value_at(row, A_LOCKED));
    a->is_role = is_true(probe_value_at(row, A_IS_ROLE));
    a->limited = strtoull(probe_value_at(row, A_LIMIT), NULL, 10) != 0;
    return a->user && a->host && take_ways(a, row) && take_tls(a, row);
}

/* Numbers are set without quotes; everything else, booleans too, with them. */
static enum variable_type type_of(const char *type)
{
    return strncmp(type, "BIGINT", 6) == 0 || strncmp(type, "INT", 3) == 0 ||
                   strcmp(type, "DOUBLE") == 0
               ? VARIABLE_NUMBER
               : VARIABLE_TEXT;
}

static bool take_variable(struct catalog *c, const struct probe_row *row)
{
    struct variable *list = grow(c->variables, c->variable_count, sizeof *list);

    if (!list)
        return false;
    c->variables = list;
    list[c->variable_count].name = strdup(probe_value_at(row, 0));
    list[c->variable_count].type = type_of(probe_value_at(row, 1));
    return list[c->variable_count++].name != NULL;
}

static bool take_collation(struct catalog *c, const struct probe_row *row)
{
    struct collation *list = grow(c->collations, c->collation_count, sizeof *list);
    unsigned long id = strtoul(probe_value_at(row, 0), NULL, 10);
    struct collation *one;

    if (!list)
        return false;
    c->collations = list;
    if (id == 0 || id > COLLATION_ID_MAX)
        return true;
    one = &list[c->collation_count++];
    one->id = (uint16_t)id;
    one->name = strdup(probe_value_at(row, 1));
    one->charset = strdup(probe_value_at(row, 2));
    return one->name && one->charset;
}

static bool on_row(void *ctx, const struct probe_row *row)
{
    struct reading *r = ctx;

    probe_row_hash(row, r->hash);
    if (!r->take(r->c, row))
        r->failed = true;
    return !r->failed;
}

/* As nanoseconds; 0 where it is no number. */
static uint64_t seconds(const char *text)
{
    return strtoull(text, NULL, 10) * CLOCK_NS_PER_S;
}

static bool on_version(void *ctx, const struct probe_row *row)
{
    struct reading *r = ctx;

    probe_row_hash(row, r->hash);
    free(r->c->version);
    free(r->default_collation);
    r->c->version = strdup(probe_value_at(row, 0));
    r->default_collation = strdup(probe_value_at(row, 1));
    free(r->c->processlist);
    r->c->processlist = probe_value_at(row, 2)[0] ? strdup(probe_value_at(row, 2)) : NULL;
    r->c->wait_timeout_ns = seconds(probe_value_at(row, 3));
    r->c->interactive_timeout_ns = seconds(probe_value_at(row, 4));
    r->failed = !r->c->version || !r->default_collation;
    return !r->failed;
}

static bool ask(struct reading *r, struct probe *p, const char *sql,
                bool (*take)(struct catalog *, const struct probe_row *), struct probe_answer *a)
{
    r->take = take;
    return probe_ask(p, sql, take ? on_row : on_version, r, a) == PROBE_OK && !r->failed;
}

static bool ask_collations(struct reading *r, struct probe *p, struct probe_answer *a)
{
    if (ask(r, p, collations_sql, take_collation, a))
        return true;
    return a->result == PROBE_DENIED && a->code == UNKNOWN_COLUMN &&
           ask(r, p, old_collations_sql, take_collation, a);
}

/* The greeting has one byte for it; what does not fit there is named by its character set's usual
 * collation, as utf8mb4 is what all servers with such defaults use. */
static uint8_t default_id(const struct reading *r)
{
    for (size_t i = 0; i < r->c->collation_count; i++)
        if (r->c->collations[i].id <= UINT8_MAX &&
            strcmp(r->c->collations[i].name, r->default_collation) == 0)
            return (uint8_t)r->c->collations[i].id;
    return FALLBACK_COLLATION;
}

static bool read_all(struct reading *r, struct probe *p, struct probe_answer *a)
{
    return r->c && r->hash && XXH3_64bits_reset(r->hash) == XXH_OK &&
           ask(r, p, version_sql, NULL, a) && ask(r, p, accounts_sql, catalog_read_account, a) &&
           ask(r, p, variables_sql, take_variable, a) && ask_collations(r, p, a);
}

static void drop(struct catalog *c)
{
    if (!c)
        return;
    ref_init(&c->ref);
    catalog_unref(c);
}

struct catalog *catalog_read(struct probe *p, struct probe_answer *a)
{
    struct reading r = {.c = calloc(1, sizeof *r.c), .hash = XXH3_createState()};

    *a = (struct probe_answer){.result = PROBE_OK};
    if (read_all(&r, p, a)) {
        catalog_seal(r.c);
        r.c->default_collation = default_id(&r);
        r.c->fingerprint = XXH3_64bits_digest(r.hash);
    } else {
        if (a->result == PROBE_OK) /* a row that was not as asked for, or no memory */
            *a = (struct probe_answer){.result = PROBE_LOST,
                                       .why = "the dictionary's rows cannot be read"};
        drop(r.c);
        r.c = NULL;
    }
    free(r.default_collation);
    (void)XXH3_freeState(r.hash);
    return r.c;
}

void catalog_keep_objects(struct catalog *c, struct objects *known)
{
    if (!known)
        return;
    objects_ref(known);
    c->objects = known;
    c->fingerprint ^= known->fingerprint;
}

static bool is_variable(const void *catalog, struct span name)
{
    return catalog_variable(catalog, name) != NULL;
}

bool catalog_read_objects(struct catalog *c, struct probe *p, struct objects *known,
                          struct probe_answer *a)
{
    struct objects *o = objects_read(p, a);

    if (!o) {
        catalog_keep_objects(c, known);
        return false;
    }
    objects_judge(o, c, is_variable);
    c->objects = o;
    c->fingerprint ^= o->fingerprint;
    return a->result == PROBE_OK;
}
