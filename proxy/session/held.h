#ifndef PROXY_HELD_H
#define PROXY_HELD_H

#include "base/clock.h"

/* How often it is looked at again. */
#define HELD_LOOK_NS (100 * CLOCK_NS_PER_MS)

/* What becomes of a reply that has come and is not read yet. */
enum held {
    HELD_NOT,  /* it is taken as it is */
    HELD_BACK, /* it stays where it is; the session's deadline looks again */
    HELD_LOST, /* it does not count: as if the connection had been lost before it came */
};

#endif
