/* The configuration's part about rules: what is to be done with statements of some kind. The rules
 * are looked at in their order, the first one whose conditions all hold counts. */
#ifndef CONF_RULES_H
#define CONF_RULES_H

#include "conf/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONF_RULES_MAX = 256 };

struct conf_node;

struct conf_texts {
    size_t count; /* 0: the key does not stand */
    const char **all;
};

enum conf_rule_statement { RULE_ANY, RULE_READ, RULE_WRITE };

/* RULE_DEFAULT: the listener's, or what a comment asks for. */
enum conf_rule_consistency { RULE_DEFAULT, RULE_SESSION, RULE_EVENTUAL, RULE_GLOBAL };

enum conf_rule_target { RULE_NO_TARGET, RULE_PRIMARY, RULE_REPLICA, RULE_SERVERS };

struct conf_rule_rewrite {
    bool present;
    const char *find; /* PCRE2 */
    const char *with;
};

struct conf_rule {
    const char *name;
    /* conditions */
    struct conf_texts users;
    struct conf_texts schemas; /* the session's default schema */
    struct conf_networks networks;
    struct conf_texts tables;       /* "table" or "schema.table" */
    struct conf_texts fingerprints; /* 16 hexadecimal digits each */
    const char *pattern;            /* PCRE2; "" where there is none */
    enum conf_rule_statement statement;
    /* what is to be done */
    const char *target_text; /* as written */
    enum conf_rule_target target;
    uint32_t servers; /* RULE_SERVERS: bit i is servers[i] */
    enum conf_rule_consistency consistency;
    uint64_t timeout_ns; /* 0: none */
    struct conf_rule_rewrite rewrite;
    const char *deny;             /* the error's text; "": it is not denied */
    const struct conf_node *node; /* where it stands */
};

#endif
