/* `tillway explain`: the classifier's verdict and the route, as if all configured servers were up
 * and the first were the primary. */
#ifndef PROXY_EXPLAIN_H
#define PROXY_EXPLAIN_H

#include "conf/conf.h"

#include <stdbool.h>

/* Prints to stdout; false where memory refused. */
bool explain_statement(const struct conf *c, const char *sql);

#endif
