/* What sessions suspect of a server that answers the monitor's open connection as ever, found out
 * the way they would find out: over a connection of its own, each time a new one.
 *
 *  - It lets nobody in: connections are accepted, or their packets lost, and no greeting comes. One
 *    that refuses them has just died, perhaps: then the open connection is broken, too.
 *  - A write found no room on its disk. The monitor has a table made, and a row, on that server
 *    alone. InnoDB answers with an error where the binlog waits (facts_full_disk_sql). */
#ifndef MONITOR_DOUBT_H
#define MONITOR_DOUBT_H

#include "monitor/probe.h"

struct doubt {
    struct probe *probe; /* closed between two questions */
    struct probe *open;  /* the monitor's: tells whether the server is there at all */
    bool no_login;       /* nobody has got in since somebody did not */
    bool no_room;        /* to be looked for */
    unsigned full;       /* how often in a row there was none */
    uint64_t room_at_ns; /* not to be looked for before */
    uint64_t room_ns;    /* when it was looked for last and none was missed; 0: never */
};

/* What sessions have told, bits of enum suspicion. */
void doubt_note(struct doubt *d, unsigned suspicions);
/* Look into what is doubted. PROBE_TIMEOUT where it is so, for then the server is as good as one
 * that does not answer; PROBE_OK where it is not, or cannot be told. */
enum probe_result doubt_ask(struct doubt *d, uint64_t now_ns, struct probe_answer *a);

/* Whether an answer says that there is no room. */
bool doubt_is_full(const struct probe_answer *a);

#endif
