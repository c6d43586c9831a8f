/* How many sessions there are of one key: a client's address, a user's name. One table for all
 * workers behind a mutex (log-ins and ends of sessions only, never statements); a key without a
 * session has no row. Any thread. */
#ifndef PROXY_QUOTA_H
#define PROXY_QUOTA_H

#include "base/compiler.h"
#include "base/cursor.h"

#include <uv.h>

struct quota_row;

struct quota {
    uv_mutex_t lock;
    struct quota_row *rows; /* a hash */
};

bool quota_init(struct quota *q) MUST_CHECK;
void quota_free(struct quota *q);

/* One more of this key (at most QUOTA_KEY_MAX bytes of it count). False, and not counted: there are
 * `max` already (0: any number), or memory refuses. */
bool quota_take(struct quota *q, struct span key, uint32_t max) MUST_CHECK;
/* One that was taken is no more. */
void quota_give(struct quota *q, struct span key);

enum { QUOTA_KEY_MAX = 128 };

#endif
