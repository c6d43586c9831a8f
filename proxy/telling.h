/* What a session's client is to be told of its session's changes: see session_tracking.c. */
#ifndef PROXY_TELLING_H
#define PROXY_TELLING_H

#include "protocol/tracking.h"

/* What a server has for sessions that set none of their own. */
struct tracking_defaults {
    struct tracking values;
    int server;
    unsigned global_sets; /* as in struct session, of the one that asked */
    uint64_t since_ns;    /* when the connection that told them was opened */
};

struct telling {
    struct tracking wanted; /* the client's own session_track_… */
    struct buf assigned;    /* SQL for PIN_TRACKING: variables to be reported */
    struct buf untold;      /* changes that an EOF packet had no room for */
};

#endif
