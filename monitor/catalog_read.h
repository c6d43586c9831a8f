/* The dictionary of one server into a catalog: accounts, session variables, collations, version,
 * stored functions and views. */
#ifndef MONITOR_CATALOG_READ_H
#define MONITOR_CATALOG_READ_H

#include "monitor/probe.h"
#include "routing/catalog.h"

/* Ask on an open probe. One reference to the caller; NULL where a question failed (`a` says; the
 * probe may be closed then). The fingerprint covers everything that was read, in an order that does
 * not depend on the server's. */
struct catalog *catalog_read(struct probe *p, struct probe_answer *a) MUST_CHECK;
/* Read the stored objects on the open probe, too; where they do not come the catalog keeps `known`
 * (NULL: none). False, with `a`: not all could be read. Before the catalog is shared. */
bool catalog_read_objects(struct catalog *c, struct probe *p, struct objects *known,
                          struct probe_answer *a);
/* Keep what was read before. */
void catalog_keep_objects(struct catalog *c, struct objects *known);

/* One account of the row that the accounts' question gives: user, host, plugin, authentication
 * string, access, locked, role, the ways of auth_or as "PLUGIN:TEXT,…" in hex, REQUIRE's type,
 * cipher, issuer and subject, the limit of connections. All but user and host may be NULL. For
 * tests; false: no memory, or no such row. */
bool catalog_read_account(struct catalog *c, const struct probe_row *row) MUST_CHECK;

#endif
