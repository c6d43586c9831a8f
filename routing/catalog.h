/* What the proxy knows of the servers' dictionary: version, accounts, variables, collations, stored
 * functions and views. Learnt by the monitor from the primary (or any server that answers),
 * immutable and ref-counted like the topology. */
#ifndef ROUTING_CATALOG_H
#define ROUTING_CATALOG_H

#include "base/cursor.h"
#include "base/ref.h"
#include "routing/account.h"
#include "routing/objects.h"

#include <stdint.h>

enum variable_type { VARIABLE_TEXT, VARIABLE_NUMBER };

struct variable {
    char *name; /* lower case */
    enum variable_type type;
};

struct collation {
    uint16_t id;
    char *name;    /* utf8mb4_general_ci */
    char *charset; /* utf8mb4 */
};

struct catalog {
    struct ref ref;
    char *version;     /* "10.11.19-MariaDB-…" as @@version gives it */
    char *processlist; /* columns of information_schema.PROCESSLIST, by commas; NULL: unknown */
    uint8_t default_collation;       /* id, for the greeting */
    uint64_t wait_timeout_ns;        /* global; 0: not known */
    uint64_t interactive_timeout_ns; /* the same of interactive clients */
    uint64_t fingerprint;            /* xxHash of what was read: equal means nothing changed */
    struct account
        *accounts; /* sorted as the server tries them: most specific host first, then user */
    size_t account_count;
    struct variable *variables; /* session variables, sorted by name */
    size_t variable_count;
    struct collation *collations; /* sorted by id */
    size_t collation_count;
    struct objects *objects; /* stored code and views, judged; NULL: not known */
    uint64_t objects_number; /* … as they were behind the request of this number */
};

/* Sort what was filled in; one reference. Takes all strings (malloc'ed) over. */
void catalog_seal(struct catalog *c);
void catalog_ref(struct catalog *c);
void catalog_unref(struct catalog *c);

/* The account a client of this user name and address (text form of the IP; "localhost" for unix
 * sockets) is, as MariaDB chooses it (https://mariadb.com/kb/en/create-user/#account-names), or
 * NULL. Host names are not resolved: with skip-name-resolve semantics patterns match addresses, and
 * 127.0.0.1/::1 also match "localhost". */
const struct account *catalog_account(const struct catalog *c, struct span user,
                                      const char *address);
/* Whose ways a client of an unknown name is asked for, so that it learns no names: always the same
 * account for the same name, as the server does it. NULL: there is none. */
const struct account *catalog_decoy(const struct catalog *c, struct span user);
const struct variable *catalog_variable(const struct catalog *c, struct span name);
const struct collation *catalog_collation(const struct catalog *c, uint16_t id);

#endif
