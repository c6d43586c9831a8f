#include "routing/vars_rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The rest are carried. Sorted by name. */
static const struct rule {
    const char *name;
    enum vars_set rule;
} rules[] = {
    {"binlog_format", VARS_PINS},          /* needs privileges; counts for writes only */
    {"character_set_database", VARS_PINS}, /* follows the schema, unreported */
    {"collation_database", VARS_PINS},
    {"debug_sync", VARS_PINS},
    {"default_master_connection", VARS_PINS},     /* names something of one server */
    {"error_count", VARS_IGNORED},                /* of the last statement */
    {"external_user", VARS_IGNORED},              /* read-only */
    {"gtid_domain_id", VARS_PINS},                /* needs privileges; counts for writes only */
    {"gtid_seq_no", VARS_PINS},                   /* of the next transaction */
    {"identity", VARS_PINS},                      /* last_insert_id */
    {"in_transaction", VARS_IGNORED},             /* read-only */
    {"insert_id", VARS_PINS},                     /* of the next insert */
    {"last_gtid", VARS_IGNORED},                  /* read-only; see routing/causal.h */
    {"last_insert_id", VARS_PINS},                /* changes with each insert */
    {"log_queries_not_using_indexes", VARS_PINS}, /* changes log_slow_filter */
    {"log_slow_admin_statements", VARS_PINS},     /* changes log_slow_disabled_statements */
    {"log_slow_slave_statements", VARS_PINS},
    {"max_join_size", VARS_PINS},   /* changes sql_big_selects */
    {"old", VARS_PINS},             /* changes old_mode */
    {"optimizer_trace", VARS_PINS}, /* the trace is the connection's */
    {"profiling", VARS_PINS},       /* the profiles are the connection's */
    {"proxy_user", VARS_IGNORED},   /* read-only */
    {"pseudo_slave_mode", VARS_PINS},
    {"pseudo_thread_id", VARS_PINS}, /* the connection's */
    {"rand_seed1", VARS_PINS},       /* moves with each RAND() */
    {"rand_seed2", VARS_PINS},
    {"server_id", VARS_PINS},               /* differs between servers */
    {"session_track_schema", VARS_IGNORED}, /* see proxy/session/session_tracking.c */
    {"session_track_state_change", VARS_IGNORED},
    {"session_track_system_variables", VARS_IGNORED},
    {"session_track_transaction_info", VARS_IGNORED},
    {"skip_parallel_replication", VARS_PINS},
    {"skip_replication", VARS_PINS},
    {"sql_auto_is_null", VARS_PINS_ON}, /* looks at the connection's LAST_INSERT_ID() */
    {"sql_log_bin", VARS_PINS},         /* needs privileges; counts for writes only */
    {"sql_slave_skip_counter", VARS_PINS},
    {"timestamp", VARS_PINS},          /* a fixed time cannot be told from the clock's */
    {"warning_count", VARS_IGNORED},   /* of the last statement */
    {"wsrep_causal_reads", VARS_PINS}, /* changes wsrep_sync_wait */
    {"wsrep_gtid_seq_no", VARS_PINS},  /* of the next transaction */
};

/* Of variables with two names each the server reports the one that was used. */
static const struct {
    const char *name;
    const char *canonical;
} aliases[] = {
    {"log_slow_min_examined_row_limit", "min_examined_row_limit"},
    {"log_slow_query", "slow_query_log"},
    {"log_slow_query_time", "long_query_time"},
    {"old_alter_table", "alter_algorithm"},
    {"storage_engine", "default_storage_engine"},
    {"tmp_memory_table_size", "tmp_table_size"},
    {"transaction_isolation", "tx_isolation"},
    {"transaction_read_only", "tx_read_only"},
};

const struct vars_pair vars_pairs[VARS_PAIRS] = {
    [VARS_CONNECTION] = {"character_set_connection", "collation_connection"},
    [VARS_SERVER] = {"character_set_server", "collation_server"},
};

/* Without SESSION they would count for the next transaction only. */
static const char *const of_transactions[] = {"tx_isolation", "tx_read_only"};

/* An empty value of these is NULL. */
static const char *const nullable[] = {"character_set_results", "default_tmp_storage_engine",
                                       "enforce_storage_engine", "innodb_ft_user_stopword_table",
                                       "innodb_tmpdir"};

static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        /* wsrep_OSU_method has capital letters */
        if (!(((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return s.n > 0 && (s.p[0] < '0' || s.p[0] > '9');
}

static int rule_order(const void *key, const void *element)
{
    const struct span *name = key;
    const struct rule *r = element;
    size_t n = strlen(r->name);
    int c = strncasecmp((const char *)name->p, r->name, name->n < n ? name->n : n);

    return c ? c : (name->n > n) - (name->n < n);
}

enum vars_set vars_rule(struct span name)
{
    const struct rule *r;

    if (!is_name(name)) {
        return VARS_PINS;
    }
    r = bsearch(&name, rules, ARRAY_LEN(rules), sizeof(rules[0]), rule_order);
    return r ? r->rule : VARS_CARRIED;
}

struct span vars_canonical(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (span_eq(name, aliases[i].name))
            return span_of(aliases[i].canonical);
    }
    return name;
}

int vars_pair_of(struct span name)
{
    for (int i = 0; i < VARS_PAIRS; i++) {
        if (span_eq(name, vars_pairs[i].charset) || span_eq(name, vars_pairs[i].collation))
            return i;
    }
    return -1;
}

static bool is_one_of(struct span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_eq(name, names[i])) {
            return true;
        }
    }
    return false;
}

void vars_put_name(struct buf *out, struct span name)
{
    if (is_one_of(name, of_transactions, ARRAY_LEN(of_transactions))) {
        buf_put_str(out, "SESSION ");
    }
    buf_put_span(out, name);
}

static size_t digits(struct span s, size_t from)
{
    size_t i = from;

    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
        i++;
    }
    return i - from;
}

/* [-]digits[.digits] */
static bool looks_like_number(struct span s)
{
    size_t at = s.n && s.p[0] == '-' ? 1 : 0;
    size_t whole = digits(s, at);

    at += whole;
    if (at < s.n && s.p[at] == '.') {
        at++;
        at += digits(s, at);
    }
    return whole > 0 && at == s.n;
}

/* Letters that mean the same in each character set a client can have. */
static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (!c || !strchr(" _-+.,:/=*", c))) {
            return false;
        }
    }
    return true;
}

static void put_hex(struct buf *out, struct span s)
{
    static const char hex[] = "0123456789ABCDEF";

    buf_put_str(out, "_utf8mb4 x'");
    for (size_t i = 0; i < s.n; i++) {
        buf_put_u8(out, (uint8_t)hex[s.p[i] >> 4]);
        buf_put_u8(out, (uint8_t)hex[s.p[i] & 15]);
    }
    buf_put_u8(out, '\'');
}

static void put_text(struct buf *out, struct span s, bool wide)
{
    if (!is_plain(s)) {
        put_hex(out, s);
        return;
    }
    if (wide)
        buf_put_str(out, "_utf8mb4 ");
    buf_put_u8(out, '\'');
    buf_put_span(out, s);
    buf_put_u8(out, '\'');
}

bool vars_is_wide(struct span charset_or_collation)
{
    return span_begins_with(charset_or_collation, "ucs2") ||
           span_begins_with(charset_or_collation, "utf16") ||
           span_begins_with(charset_or_collation, "utf32");
}

void vars_put_value(struct buf *out, struct span name, struct span value, const struct catalog *c,
                    bool wide)
{
    const struct variable *known = c ? catalog_variable(c, name) : NULL;
    bool text = known && known->type == VARIABLE_TEXT;
    bool keyword = span_eq(value, "DEFAULT") && span_eq(name, "system_versioning_asof");

    if (value.n == 0 && is_one_of(name, nullable, ARRAY_LEN(nullable)))
        buf_put_str(out, "NULL");
    else if (keyword || (!text && looks_like_number(value)))
        buf_put_span(out, value);
    else
        put_text(out, value, wide);
}
