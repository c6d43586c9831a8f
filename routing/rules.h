/* The configuration's rules, ready for use: which one a statement falls under.
 *
 * Immutable but for the counts, ref-counted: any thread, each with a room of its own. Where there
 * are no rules nothing is done; the statement's shape is made only once the first rule is reached
 * that asks for it and whose other conditions hold. */
#ifndef ROUTING_RULES_H
#define ROUTING_RULES_H

#include "base/ref.h"
#include "conf/conf.h"
#include "routing/pattern.h"
#include "routing/route.h"

#include <stdatomic.h>

struct rule {
    const struct conf_rule *conf;
    struct pattern *pattern; /* or NULL */
    struct pattern *find;    /* what is rewritten; or NULL */
    atomic_llong hits;       /* statements that fell under it */
    atomic_llong given_up;   /* matches and replacements that were too much work */
};

struct rules {
    struct ref ref;
    struct conf *conf; /* a reference */
    size_t count;
    struct rule all[];
};

/* One reference; NULL with `e` set (file, line, key) where a pattern is wrong or memory refuses. */
struct rules *rules_new(struct conf *c, struct err *e) MUST_CHECK;
struct rules *rules_ref(struct rules *r); /* returns r */
void rules_unref(struct rules *r);        /* NULL is fine */

/* One thread's. */
struct rules_room {
    struct pattern_room *pattern;
    struct buf shape;
};

bool rules_room_init(struct rules_room *r) MUST_CHECK;
void rules_room_free(struct rules_room *r);

struct rules_ask {
    struct span user;
    struct span schema;  /* the session's default schema */
    const char *address; /* the client's, "localhost" for a unix socket */
    struct span text;
    struct sql_mode mode;
    const struct sql_class *statement;
};

/* The first rule that fits, or NULL. Counts nothing but what was given up. */
struct rule *rules_find(struct rules *r, const struct rules_ask *ask, struct rules_room *room);
/* The statement as the rule wants it, appended to `out`. */
enum pattern_replaced rule_rewrite(struct rule *r, struct rules_room *room, struct span text,
                                   struct buf *out);
/* What it asks of the routing; of NULL: nothing. */
struct route_wish rule_wish(const struct rule *r);
/* The error a client gets: "Access denied; …". */
void rule_denial(const struct rule *r, char *out, size_t size);

/* A line a rule, for `tillway stats`; and as the elements of a JSON array. */
void rules_print(const struct rules *r, struct buf *out);
void rules_print_json(const struct rules *r, struct buf *out);

#endif
