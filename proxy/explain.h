/* `tillway explain`: the classifier's verdict, the rule and the route, as if all configured servers
 * were up, the first were the primary and no stored object were known. */
#ifndef PROXY_EXPLAIN_H
#define PROXY_EXPLAIN_H

#include "conf/conf.h"

#include <stdbool.h>

/* Whose statement it is; what is NULL counts as a user, schema or address that no rule names, and
 * the first listener. */
struct explain_ask {
    const char *sql;
    const char *user;
    const char *schema;
    const char *client;
    const char *listener; /* its address as the configuration has it */
};

/* Arguments as on the command line, "--user U", … and the statement; false with `e` set. */
bool explain_parse(int argc, char **argv, struct explain_ask *out, struct err *e) MUST_CHECK;
/* Prints to stdout; false with `e` set where a rule's pattern is wrong, the listener unknown, or
 * memory refused. */
bool explain_statement(struct conf *c, const struct explain_ask *ask, struct err *e) MUST_CHECK;

#endif
