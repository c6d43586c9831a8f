/* What the loss of a connection says of its server, for the monitor. */
#ifndef PROXY_SUSPECT_H
#define PROXY_SUSPECT_H

#include "proxy/backend/backend.h"

/* Whether it was lost before it was ready, without a word from there or with half a one. */
static inline enum suspicion backend_suspicion(const struct backend *b)
{
    bool silent = b->error.code == 0 || b->error.code == CR_SERVER_LOST;

    return silent && b->state.now != BACKEND_READY && b->state.now != BACKEND_LOST
               ? SUSPECT_NO_LOGIN
               : SUSPECT_LOST;
}

#endif
