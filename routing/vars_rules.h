/* What is special about single variables, and how their names and values are written into a SET. */
#ifndef ROUTING_VARS_RULES_H
#define ROUTING_VARS_RULES_H

#include "routing/vars.h"

/* VARS_CARRIED, VARS_IGNORED or VARS_PINS. */
enum vars_set vars_rule(struct span name);

/* The one name of a variable that has several. */
struct span vars_canonical(struct span name);

/* A character set and its collation, which follow each other: to set the character set sets its
 * default collation, to set the collation sets its character set. */
enum { VARS_CONNECTION, VARS_SERVER, VARS_PAIRS };

struct vars_pair {
    const char *charset;
    const char *collation;
};

extern const struct vars_pair vars_pairs[VARS_PAIRS];

/* Index into vars_pairs, or -1. */
int vars_pair_of(struct span name);

/* The name as an assignment's left side. */
void vars_put_name(struct buf *out, struct span name);
/* Whether literals become texts of two or four bytes a letter on a connection with this value of
 * character_set_connection or collation_connection: some variables do not understand those. */
bool vars_is_wide(struct span charset_or_collation);
/* The value as an assignment's right side: a number, NULL, a quoted text of plain characters, or a
 * hex literal; none of them means something else under another sql_mode or character set. `wide`:
 * see vars_is_wide. */
void vars_put_value(struct buf *out, struct span name, struct span value, const struct catalog *c,
                    bool wide);

#endif
