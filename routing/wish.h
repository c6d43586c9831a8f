/* What comments in a statement and the rule that it falls under ask of its routing. */
#ifndef ROUTING_WISH_H
#define ROUTING_WISH_H

#include "routing/topology.h"
#include "sql/hints.h"

/* Consistency of reads (a listener's option, a rule's or a hint's). In the order of
 * conf_consistency. */
enum consistency {
    CONSISTENCY_SESSION,
    CONSISTENCY_EVENTUAL,
    CONSISTENCY_PRIMARY, /* no splitting */
    CONSISTENCY_GLOBAL,  /* as SESSION, once `need` has the primary's position of this moment */
};

/* Never makes a replica run what is not provably a read. All zero: nothing is asked for. */
struct route_wish {
    uint32_t only; /* bits: the servers that a read may go to besides the primary; 0: any */
    bool primary;  /* a read is to go to the primary */
    bool replica;  /* a read may go to a replica although the listener does not split */
    bool has_consistency;
    enum consistency consistency;
    uint32_t timeout_ms; /* the server ends the statement then; 0: no limit */
};

/* Add what comments ask for. A rule's wish, there already, wins over a comment's; of two limits of
 * time the lower holds. A server or group that nobody knows is no wish. */
void route_wish_add_hints(struct route_wish *w, const struct sql_hints *h,
                          const struct topology *t);
/* The consistency that holds where the listener says `standard`. */
enum consistency route_consistency(const struct route_wish *w, enum consistency standard);

#endif
