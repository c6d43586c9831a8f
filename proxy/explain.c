#include "proxy/explain.h"

#include "routing/rules.h"
#include "sql/fingerprint.h"

#include <stdio.h>
#include <string.h>

static void fill(struct topology *t, const struct conf *c)
{
    t->count = (int)c->server_count;
    t->primary = t->count ? 0 : -1;
    for (int i = 0; i < t->count; i++) {
        struct server_view *v = &t->servers[i];

        (void)snprintf(v->name, sizeof v->name, "%s", c->servers[i].name);
        (void)snprintf(v->group, sizeof v->group, "%s", c->servers[i].group);
        v->weight = c->servers[i].weight;
        v->role = i == 0 ? ROLE_PRIMARY : ROLE_REPLICA;
        v->health = HEALTH_UP;
    }
}

static void print_effects(uint32_t effects)
{
    static const struct {
        uint32_t bit;
        const char *text;
    } words[] = {
        {SQL_EFFECT_OPAQUE, "runs code that its text does not show"},
        {SQL_EFFECT_USER_VARIABLE, "may assign user variables"},
        {SQL_EFFECT_TEMPORARY, "temporary tables"},
        {SQL_EFFECT_LOCK, "takes locks"},
        {SQL_EFFECT_ROLE, "changes the role"},
        {SQL_EFFECT_PREPARE, "SQL-level prepared statements"},
        {SQL_EFFECT_XA, "XA transaction"},
        {SQL_EFFECT_SET, "sets variables (carried to every server)"},
        {SQL_EFFECT_UNTRACKED, "changes variables unreported (the server is asked)"},
        {SQL_EFFECTS_ASKS, "asks about the statement before (goes where that went)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (effects & words[i].bit)
            printf("effect    %s\n", words[i].text);
}

static void print_verdict(const struct sql_class *v)
{
    printf("kind      %s%s\n", sql_kind_name(v->kind),
           v->statements > 1 ? " (the first of several)" : "");
    printf("verdict   %s%s", sql_is_read(v) ? "read" : "not provably a read: ",
           sql_is_read(v) ? "" : sql_reason_text(v->reason));
    if (v->function.n)
        printf(": %.*s()", (int)v->function.n, (const char *)v->function.p);
    printf("\n");
    print_effects(v->effects);
}

/* All that one explanation works with. */
struct story {
    struct conf *conf;
    const struct explain_ask *ask;
    struct topology *topology;
    struct rules *rules;
    struct rules_room room;
    struct buf text; /* the statement as a rule has rewritten it, or as it was */
    struct sql_class verdict;
    struct rule *rule;
    struct route_wish wish;
    enum consistency consistency;
};

static const struct sql_mode lexis = {.utf8 = true};

static bool find_listener(const struct conf *c, const char *address, enum consistency *out,
                          struct err *e)
{
    *out = c->listener_count ? (enum consistency)c->listeners[0].consistency : CONSISTENCY_SESSION;
    for (size_t i = 0; address && i < c->listener_count; i++) {
        if (strcmp(c->listeners[i].address.text, address) != 0)
            continue;
        *out = (enum consistency)c->listeners[i].consistency;
        return true;
    }
    return !address || err_set(e, ERR_USAGE, "no listener has the address %s", address);
}

static struct span span_or_none(const char *text)
{
    return text ? span_of(text) : (struct span){NULL, 0};
}

static void apply_rule(struct story *s)
{
    const struct rules_ask ask = {span_or_none(s->ask->user),
                                  span_or_none(s->ask->schema),
                                  s->ask->client ? s->ask->client : "",
                                  span_of(s->ask->sql),
                                  lexis,
                                  &s->verdict};

    s->rule = rules_find(s->rules, &ask, &s->room);
    s->wish = rule_wish(s->rule);
    if (s->rule && rule_rewrite(s->rule, &s->room, ask.text, &s->text) == PATTERN_REPLACED)
        sql_classify(buf_span(&s->text), lexis, false, &s->verdict);
    route_wish_add_hints(&s->wish, &s->verdict.hints, s->topology);
}

static void print_shape(const struct story *s)
{
    struct buf shape = buf_with_max(1 << 20);
    uint64_t digest = sql_normalise(span_of(s->ask->sql), lexis, &shape);

    printf("shape     %s\ndigest    %016llx\n", buf_text(&shape), (unsigned long long)digest);
    buf_free(&shape);
}

static void print_wish(const struct route_wish *w)
{
    static const char *const consistencies[] = {"session", "eventual", "primary", "global"};

    if (w->has_consistency)
        printf("reads     with consistency %s\n", consistencies[w->consistency]);
    if (w->timeout_ms)
        printf("limit     %u.%03u s\n", w->timeout_ms / 1000, w->timeout_ms % 1000);
}

static void print_rule(struct story *s)
{
    if (s->rules->count == 0)
        return;
    printf("rule      %s\n", s->rule ? s->rule->conf->name : "none fits");
    if (s->text.len)
        printf("rewritten %s\n", buf_text(&s->text));
    if (s->wish.only && s->rule && s->rule->conf->servers && !sql_is_read(&s->verdict))
        printf("          its target is for reads alone\n");
}

static void print_route(const struct story *s)
{
    struct server_load loads[SERVERS_MAX] = {{0}};
    struct route_policy policy = {.consistency = route_consistency(&s->wish, s->consistency),
                                  .wait_for_replica = s->conf->routing.wait_for_replica,
                                  .primary_reads = s->conf->routing.primary_reads};
    struct causal causal;
    struct route_ask ask = {.statement = &s->verdict,
                            .policy = &policy,
                            .topology = s->topology,
                            .causal = &causal,
                            .loads = loads,
                            .wish = s->wish};
    struct route r;
    char text[512];

    causal_init(&causal);
    r = route_statement(&ask);
    route_explain(&ask, &r, text, sizeof text);
    print_wish(&s->wish);
    printf("goes to   %s\n", text);
}

static void print_story(struct story *s)
{
    char text[512];

    print_verdict(&s->verdict);
    print_shape(s);
    print_rule(s);
    if (s->rule && s->rule->conf->deny[0]) {
        rule_denial(s->rule, text, sizeof text);
        printf("goes to   nowhere: error 1227 (42000): %s\n", text);
    } else {
        print_route(s);
    }
    printf("assuming  all servers up, %s the primary, a fresh session, no stored function or view "
           "known\n",
           s->topology->count ? s->topology->servers[0].name : "none");
}

static bool tell(struct story *s, struct err *e)
{
    if (!find_listener(s->conf, s->ask->listener, &s->consistency, e))
        return false;
    s->rules = rules_new(s->conf, e);
    if (!s->rules)
        return false;
    s->topology = topology_new();
    if (!s->topology)
        return err_set(e, ERR_IO, "out of memory");
    fill(s->topology, s->conf);
    sql_classify(span_of(s->ask->sql), lexis, false, &s->verdict);
    apply_rule(s);
    print_story(s);
    return true;
}

bool explain_statement(struct conf *c, const struct explain_ask *ask, struct err *e)
{
    struct story s = {.conf = c, .ask = ask, .text = buf_with_max(1 << 24)};
    bool ok = rules_room_init(&s.room) ? tell(&s, e) : err_set(e, ERR_IO, "out of memory");

    topology_unref(s.topology);
    rules_unref(s.rules);
    rules_room_free(&s.room);
    buf_free(&s.text);
    return ok;
}

bool explain_parse(int argc, char **argv, struct explain_ask *out, struct err *e)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"--user", &out->user},
                   {"--schema", &out->schema},
                   {"--client", &out->client},
                   {"--listener", &out->listener}};

    *out = (struct explain_ask){.user = NULL};
    for (int i = 0; i < argc; i++) {
        const char **value = NULL;

        for (size_t k = 0; k < ARRAY_LEN(options); k++)
            if (strcmp(argv[i], options[k].name) == 0)
                value = options[k].value;
        if (value && ++i == argc)
            return err_set(e, ERR_USAGE, "%s needs a value", argv[i - 1]);
        if (!value && (out->sql || strncmp(argv[i], "--", 2) == 0))
            return err_set(e, ERR_USAGE,
                           "explain takes one statement and --user, --schema, "
                           "--client, --listener; not %s",
                           argv[i]);
        *(value ? value : &out->sql) = argv[i];
    }
    return out->sql || err_set(e, ERR_USAGE, "explain takes one statement");
}
