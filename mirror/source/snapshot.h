/* A consistent snapshot of the source and the place of its binlog that it stands at: all groups up
 * to there are in it and none behind it (MariaDB keeps both together while it commits).
 * https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/ */
#ifndef MIRROR_SNAPSHOT_H
#define MIRROR_SNAPSHOT_H

#include "mirror/source/source.h"
#include "protocol/gtid.h"

struct snapshot {
    char file[512];
    uint64_t position;
};

/* Those of some connections of one server, at the same moment as far as that can be had; each may
 * stand at another place. Ends the ones before, if any. */
bool snapshots_begin(struct source *const *s, unsigned n, struct snapshot *out,
                     struct err *e) MUST_CHECK;
bool snapshot_begin(struct source *s, struct snapshot *out, struct err *e) MUST_CHECK;
bool snapshot_end(struct source *s, struct err *e) MUST_CHECK;
/* The GTID position there; the server reads its binlog file up to it, which may take seconds. */
bool snapshot_gtid(struct source *s, const struct snapshot *at, struct gtid_set *out,
                   struct err *e) MUST_CHECK;
/* <0, 0, >0: place a stands before, at, behind b, in the binlog of one server. */
int snapshot_compare(const char *file_a, uint64_t position_a, const char *file_b,
                     uint64_t position_b);

#endif
