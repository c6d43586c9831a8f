#include "routing/rules.h"

#include "sql/fingerprint.h"
#include "sql/tables.h"

#include <stdlib.h>
#include <strings.h>

enum { SHAPE_MAX = 64 * 1024, NS_PER_MS = 1000000 };

static struct pattern *compile(const struct conf_node *n, const char *text, struct err *e)
{
    char why[160];
    struct pattern *p = pattern_new(text, why, sizeof why);

    if (!p)
        (void)conf_node_err(n, e, "%s", why);
    return p;
}

static bool compile_rule(struct rule *r, struct err *e)
{
    const struct conf_rule *c = r->conf;
    const struct conf_node *rewrite = conf_node_get(c->node, "rewrite");
    const char *why;

    if (c->pattern[0] && !(r->pattern = compile(conf_node_get(c->node, "pattern"), c->pattern, e)))
        return false;
    if (!c->rewrite.present)
        return true;
    r->find = compile(conf_node_get(rewrite, "find"), c->rewrite.find, e);
    if (!r->find)
        return false;
    why = pattern_check_replacement(r->find, c->rewrite.with);
    return !why || conf_node_err(conf_node_get(rewrite, "with"), e, "%s", why);
}

struct rules *rules_new(struct conf *c, struct err *e)
{
    struct rules *r = calloc(1, sizeof *r + c->rule_count * sizeof *r->all);

    if (!r) {
        (void)err_set(e, ERR_IO, "%s: out of memory", c->file);
        return NULL;
    }
    ref_init(&r->ref);
    r->conf = conf_ref(c);
    for (; r->count < c->rule_count; r->count++) {
        r->all[r->count].conf = &c->rules[r->count];
        if (compile_rule(&r->all[r->count], e))
            continue;
        r->count++; /* what there is of it is freed, too */
        rules_unref(r);
        return NULL;
    }
    return r;
}

struct rules *rules_ref(struct rules *r)
{
    ref_get(&r->ref);
    return r;
}

void rules_unref(struct rules *r)
{
    if (!r || !ref_put(&r->ref))
        return;
    for (size_t i = 0; i < r->count; i++) {
        pattern_free(r->all[i].pattern);
        pattern_free(r->all[i].find);
    }
    conf_unref(r->conf);
    free(r);
}

bool rules_room_init(struct rules_room *r)
{
    *r = (struct rules_room){pattern_room_new(), buf_with_max(SHAPE_MAX)};
    return r->pattern != NULL;
}

void rules_room_free(struct rules_room *r)
{
    pattern_room_free(r->pattern);
    buf_free(&r->shape);
}

/* One question, and what was found out for it so far. */
struct search {
    const struct rules_ask *ask;
    struct rules_room *room;
    bool shaped;
    uint64_t fingerprint;
};

/* A shape that does not fit is looked at as far as it does. */
static void make_shape(struct search *s)
{
    if (s->shaped)
        return;
    s->shaped = true;
    buf_clear(&s->room->shape);
    s->fingerprint = sql_normalise(s->ask->text, s->ask->mode, &s->room->shape);
}

static bool has_text(const struct conf_texts *all, struct span text)
{
    for (size_t i = 0; i < all->count; i++)
        if (span_eq(text, all->all[i]))
            return true;
    return all->count == 0;
}

static bool has_statement(const struct conf_rule *r, const struct sql_class *c)
{
    switch (r->statement) {
    case RULE_READ:
        return sql_is_read(c);
    case RULE_WRITE:
        return c->writes;
    case RULE_ANY:
        break;
    }
    return true;
}

struct table_search {
    const struct conf_texts *tables;
    struct span standard; /* schema */
};

static bool is_same(struct span name, const char *text, size_t n)
{
    return name.n == n && strncasecmp((const char *)name.p, text, n) == 0;
}

/* "schema.table" or "table", as the rule has it; how a server compares names depends on its
 * system's files, here capitals are as small letters. */
static bool is_table(void *ctx, struct span schema, struct span name)
{
    const struct table_search *t = ctx;

    for (size_t i = 0; i < t->tables->count; i++) {
        const char *wanted = t->tables->all[i];
        const char *dot = strchr(wanted, '.');
        const char *table = dot ? dot + 1 : wanted;

        if (is_same(name, table, strlen(table)) &&
            (!dot || is_same(schema.p ? schema : t->standard, wanted, (size_t)(dot - wanted))))
            return true;
    }
    return false;
}

static bool has_table(const struct conf_rule *r, const struct rules_ask *ask)
{
    struct table_search t = {&r->tables, ask->schema};

    return r->tables.count == 0 || sql_names_table(ask->text, ask->mode, is_table, &t);
}

static bool has_fingerprint(const struct conf_rule *r, struct search *s)
{
    if (r->fingerprints.count == 0)
        return true;
    make_shape(s);
    for (size_t i = 0; i < r->fingerprints.count; i++)
        if (strtoull(r->fingerprints.all[i], NULL, 16) == s->fingerprint)
            return true;
    return false;
}

static bool has_pattern(struct rule *r, struct search *s)
{
    bool gave_up;
    bool fits;

    if (!r->pattern)
        return true;
    make_shape(s);
    fits = pattern_matches(r->pattern, s->room->pattern, buf_span(&s->room->shape), &gave_up);
    if (gave_up)
        atomic_fetch_add_explicit(&r->given_up, 1, memory_order_relaxed);
    return fits;
}

static bool fits(struct rule *r, struct search *s)
{
    const struct conf_rule *c = r->conf;
    const struct rules_ask *ask = s->ask;

    return has_text(&c->users, ask->user) && has_text(&c->schemas, ask->schema) &&
           (c->networks.count == 0 || conf_networks_have(&c->networks, ask->address)) &&
           has_statement(c, ask->statement) && has_table(c, ask) && has_fingerprint(c, s) &&
           has_pattern(r, s);
}

struct rule *rules_find(struct rules *r, const struct rules_ask *ask, struct rules_room *room)
{
    struct search s = {.ask = ask, .room = room};

    for (size_t i = 0; i < r->count; i++)
        if (fits(&r->all[i], &s))
            return &r->all[i];
    return NULL;
}

enum pattern_replaced rule_rewrite(struct rule *r, struct rules_room *room, struct span text,
                                   struct buf *out)
{
    enum pattern_replaced done;

    if (!r->find)
        return PATTERN_NONE;
    done = pattern_replace(r->find, room->pattern, text, r->conf->rewrite.with, out);
    if (done == PATTERN_FAILED)
        atomic_fetch_add_explicit(&r->given_up, 1, memory_order_relaxed);
    return done;
}

struct route_wish rule_wish(const struct rule *r)
{
    static const enum consistency consistencies[] = {
        [RULE_SESSION] = CONSISTENCY_SESSION,
        [RULE_EVENTUAL] = CONSISTENCY_EVENTUAL,
        [RULE_GLOBAL] = CONSISTENCY_GLOBAL,
    };
    struct route_wish wish = {0};

    if (!r)
        return wish;
    wish.primary = r->conf->target == RULE_PRIMARY;
    wish.replica = r->conf->target == RULE_REPLICA;
    wish.only = r->conf->servers;
    wish.timeout_ms = (uint32_t)(r->conf->timeout_ns / NS_PER_MS);
    wish.has_consistency = r->conf->consistency != RULE_DEFAULT;
    if (wish.has_consistency)
        wish.consistency = consistencies[r->conf->consistency];
    return wish;
}

void rule_denial(const struct rule *r, char *out, size_t size)
{
    (void)snprintf(out, size, "Access denied; %s", r->conf->deny);
}

static long long load(const atomic_llong *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

void rules_print(const struct rules *r, struct buf *out)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct rule *rule = &r->all[i];

        buf_printf(out, "  %10lld  %s", load(&rule->hits), rule->conf->name);
        if (load(&rule->given_up))
            buf_printf(out, " (its patterns took too long %lld times)", load(&rule->given_up));
        buf_put_u8(out, '\n');
    }
}

void rules_print_json(const struct rules *r, struct buf *out)
{
    for (size_t i = 0; i < r->count; i++)
        buf_printf(out, "%s{\"name\":\"%s\",\"hits\":%lld,\"given_up\":%lld}", i ? "," : "",
                   r->all[i].conf->name, load(&r->all[i].hits), load(&r->all[i].given_up));
}
