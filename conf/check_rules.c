/* The rules: doubles, contradictions, targets that nobody is called. */
#include "conf/check.h"
#include "conf/hint.h"

#include <string.h>

enum { NAMES_MAX = 2 * CONF_SERVERS_MAX + 3, FINGERPRINT_DIGITS = 16 };

static const char hexadecimal[] = "0123456789abcdefABCDEF";

static bool has_conditions(const struct conf_rule *r)
{
    return r->users.count || r->schemas.count || r->networks.count || r->tables.count ||
           r->fingerprints.count || r->pattern[0] || r->statement != RULE_ANY;
}

static bool check_doubles(const struct conf *c, size_t i, struct err *e)
{
    const struct conf_rule *r = &c->rules[i];

    for (size_t k = 0; k < i; k++)
        if (strcmp(c->rules[k].name, r->name) == 0)
            return conf_node_err(conf_node_get(r->node, "name"), e, "two rules are called %s",
                                 r->name);
    if (!has_conditions(r) && i + 1 < c->rule_count)
        return conf_node_err(r->node, e,
                             "has no condition, so that the rules behind it are never reached; "
                             "put it last");
    return true;
}

/* Keys of which only one may stand: the first says what the second would do in vain. */
static bool check_pair(const struct conf_rule *r, const char *key, const char *other, struct err *e)
{
    const struct conf_node *both = conf_node_get(r->node, other);

    if (!both || !conf_node_get(r->node, key))
        return true;
    return conf_node_key_err(both, e, "has no meaning beside %s; keep one of the two", key);
}

static bool check_deeds(const struct conf_rule *r, struct err *e)
{
    static const char *const useless[] = {"target", "consistency", "timeout", "rewrite"};

    for (size_t i = 0; i < ARRAY_LEN(useless); i++)
        if (!check_pair(r, "deny", useless[i], e))
            return false;
    if (r->target == RULE_PRIMARY && r->consistency != RULE_DEFAULT)
        return conf_node_key_err(conf_node_get(r->node, "consistency"), e,
                                 "has no meaning where the target is the primary");
    if (r->statement == RULE_WRITE && r->target != RULE_NO_TARGET && r->target != RULE_PRIMARY)
        return conf_node_key_err(conf_node_get(r->node, "target"), e,
                                 "%s cannot be for writes: they go to the primary", r->target_text);
    return true;
}

static bool check_fingerprints(const struct conf_rule *r, struct err *e)
{
    for (size_t i = 0; i < r->fingerprints.count; i++) {
        const char *text = r->fingerprints.all[i];

        if (strlen(text) != FINGERPRINT_DIGITS || strspn(text, hexadecimal) != FINGERPRINT_DIGITS)
            return conf_node_err(conf_node_get(r->node, "fingerprint"), e,
                                 "%s is not 16 hexadecimal digits", text);
    }
    return true;
}

/* The servers of that name or group. */
static uint32_t servers_called(const struct conf *c, const char *name)
{
    uint32_t servers = 0;

    for (size_t i = 0; i < c->server_count; i++)
        if (strcmp(c->servers[i].name, name) == 0 || strcmp(c->servers[i].group, name) == 0)
            servers |= UINT32_C(1) << i;
    return servers;
}

static bool nobody_is_called(const struct conf *c, const struct conf_rule *r, struct err *e)
{
    const char *names[NAMES_MAX] = {"primary", "replica"};
    const char *near;
    size_t n = 2;

    for (size_t i = 0; i < c->server_count; i++) {
        names[n++] = c->servers[i].name;
        if (c->servers[i].group[0])
            names[n++] = c->servers[i].group;
    }
    near = conf_hint_nearest(r->target_text, names);
    return conf_node_err(conf_node_get(r->node, "target"), e,
                         "no server or group is called %s%s%s%s", r->target_text,
                         near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool find_target(const struct conf *c, struct conf_rule *r, struct err *e)
{
    if (r->target_text[0] == 0)
        return true;
    if (strcmp(r->target_text, "primary") == 0) {
        r->target = RULE_PRIMARY;
        return true;
    }
    if (strcmp(r->target_text, "replica") == 0) {
        r->target = RULE_REPLICA;
        return true;
    }
    r->target = RULE_SERVERS;
    r->servers = servers_called(c, r->target_text);
    return r->servers != 0 || nobody_is_called(c, r, e);
}

/* A group's name must not be taken for something else. */
static bool check_groups(const struct conf *c, struct err *e)
{
    const struct conf_node *n = conf_node_first(conf_node_get(conf_doc_root(c->doc), "servers"));

    for (size_t i = 0; i < c->server_count; i++, n = conf_node_next(n)) {
        const char *group = c->servers[i].group;

        if (strcmp(group, "primary") == 0 || strcmp(group, "replica") == 0)
            return conf_node_err(conf_node_get(n, "group"), e,
                                 "%s already means something else as a rule's target", group);
        for (size_t k = 0; k < c->server_count; k++)
            if (strcmp(group, c->servers[k].name) == 0)
                return conf_node_err(conf_node_get(n, "group"), e, "a server is called %s", group);
    }
    return true;
}

bool conf_check_rules(struct conf *c, struct err *e)
{
    const struct conf_node *n = conf_node_first(conf_node_get(conf_doc_root(c->doc), "rules"));

    if (!check_groups(c, e))
        return false;
    for (size_t i = 0; i < c->rule_count; i++, n = conf_node_next(n)) {
        c->rules[i].node = n;
        if (!check_doubles(c, i, e) || !check_fingerprints(&c->rules[i], e) ||
            !find_target(c, &c->rules[i], e) || !check_deeds(&c->rules[i], e))
            return false;
    }
    return true;
}
