/* What a session's client is to be told of its session's changes: see session_tracking.c. */
#ifndef PROXY_TELLING_H
#define PROXY_TELLING_H

#include "protocol/tracking.h"

struct telling {
    struct tracking wanted; /* the client's own session_track_… */
    struct buf assigned;    /* SQL for PIN_TRACKING: variables to be reported */
    struct buf untold;      /* changes that an EOF packet had no room for */
};

#endif
