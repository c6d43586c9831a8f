/* What one key alone cannot tell: contradictions, doubles, secrets in files. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/conf.h"

/* Refuse what contradicts itself, and resolve what refers to something else: password files,
 * mirror.source.server, the mirror's account, workers 0. */
bool conf_check(struct conf *c, struct err *e) MUST_CHECK;
/* check_rules.c: the rules' part of that. */
bool conf_check_rules(struct conf *c, struct err *e) MUST_CHECK;

#endif
