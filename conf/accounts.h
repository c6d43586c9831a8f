/* The file of passwords beside the configuration: a YAML map of users to their passwords. */
#ifndef CONF_ACCOUNTS_H
#define CONF_ACCOUNTS_H

#include "base/cursor.h"
#include "conf/conf.h"

/* A password that cannot be learnt from every log-in. c->accounts is sorted by user. */
struct conf_account {
    const char *user;
    const char *password; /* never empty */
};

/* Read c->accounts_file, found at `path`, into c->accounts; errors name the place. */
bool conf_accounts_read(struct conf *c, const char *path, struct err *e) MUST_CHECK;
/* What accounts_file has for a user; empty: nothing. */
struct span conf_account_password(const struct conf *c, struct span user);

#endif
