/* MariaDB GTIDs, domain-server-sequence, and positions: one GTID a domain.
 * https://mariadb.com/kb/en/gtid/. Plain values: copy them freely. */
#ifndef PROTOCOL_GTID_H
#define PROTOCOL_GTID_H

#include "base/cursor.h"

struct gtid {
    uint32_t domain;
    uint32_t server;
    uint64_t seq;
};

enum {
    GTID_DOMAINS_MAX = 16,
    GTID_TEXT_MAX = 43,
    GTID_SET_TEXT_MAX = GTID_DOMAINS_MAX * (GTID_TEXT_MAX + 1) + 1
};

/* Sorted by domain; at most one per domain. An all-zero value is the empty position. */
struct gtid_set {
    uint32_t count;
    struct gtid at[GTID_DOMAINS_MAX];
};

/* "0-1-42"; false where malformed. */
bool gtid_parse(struct span text, struct gtid *g) MUST_CHECK;
/* "0-1-42,1-7-3", blanks and newlines between allowed, "" is the empty position; false where
 * malformed or over GTID_DOMAINS_MAX. */
bool gtid_set_parse(struct span text, struct gtid_set *s) MUST_CHECK;
/* NUL-terminated text; `size` at least GTID_SET_TEXT_MAX. */
void gtid_set_format(const struct gtid_set *s, char *out, size_t size);

/* Move the domain's position forward to g (never back); false where there is no room for a new
 * domain. */
bool gtid_set_advance(struct gtid_set *s, const struct gtid *g);
/* Each domain to the larger of the two. */
bool gtid_set_merge(struct gtid_set *s, const struct gtid_set *more);
/* Replace the domain's position by g, also backwards (what a replica is told). */
bool gtid_set_put(struct gtid_set *s, const struct gtid *g);
/* The domain's position; NULL: it has none. */
const struct gtid *gtid_set_of(const struct gtid_set *s, uint32_t domain);
/* Whether everything in `need` is contained in `have`: for each domain the sequence is at least as
 * high. */
bool gtid_set_covers(const struct gtid_set *have, const struct gtid_set *need);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);

#endif
