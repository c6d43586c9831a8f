#include "proxy/explain.h"

#include "routing/route.h"

#include <stdio.h>
#include <string.h>

static void fill(struct topology *t, const struct conf *c)
{
    t->count = (int)c->server_count;
    t->primary = t->count ? 0 : -1;
    for (int i = 0; i < t->count; i++) {
        struct server_view *v = &t->servers[i];

        (void)snprintf(v->name, sizeof v->name, "%s", c->servers[i].name);
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
        {SQL_EFFECT_UNTRACKED, "changes variables that cannot be followed (stays on the primary)"},
        {SQL_EFFECT_ASKS_LAST, "asks about the statement before (goes where that went)"},
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

bool explain_statement(const struct conf *c, const char *sql)
{
    struct server_load loads[SERVERS_MAX] = {{0}};
    struct route_policy policy = {c->listener_count ? (enum consistency)c->listeners[0].consistency
                                                    : CONSISTENCY_SESSION,
                                  c->routing.max_lag_ns / 1000000, c->routing.wait_for_replica};
    struct topology *t = topology_new();
    struct sql_class verdict;
    struct causal causal;
    struct route_ask ask = {
        .statement = &verdict, .policy = &policy, .topology = t, .causal = &causal, .loads = loads};
    struct route r;
    char text[512];

    if (!t)
        return false;
    fill(t, c);
    causal_init(&causal);
    sql_classify(span_of(sql), (struct sql_mode){.utf8 = true}, false, &verdict);
    policy.consistency = route_consistency(&verdict, policy.consistency);
    ask.only = route_asked_server(&verdict, t);
    r = route_statement(&ask);
    route_explain(&ask, &r, text, sizeof text);
    print_verdict(&verdict);
    printf("goes to   %s\n", text);
    printf("assuming  all servers up, %s the primary, a fresh session\n",
           t->count ? t->servers[0].name : "none");
    topology_unref(t);
    return true;
}
