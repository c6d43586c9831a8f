/* Addresses that fail to log in again and again, as max_connect_errors has it. One table for all
 * workers behind a mutex (log-ins only, never statements) and bounded: where it is full, the
 * address whose last failure is the longest ago is forgotten. */
#ifndef PROXY_GUARD_H
#define PROXY_GUARD_H

#include "conf/conf.h"

#include <stdatomic.h>
#include <uv.h>

enum { GUARD_MAX = 4096 };

struct guard_entry; /* one address */

struct guard {
    uv_mutex_t lock;
    struct guard_entry *entries; /* a hash, in the order of the last failures */
    atomic_uint count;           /* 0: nobody has to look */
};

bool guard_init(struct guard *g) MUST_CHECK;
void guard_free(struct guard *g);

/* `address` is a client's as text. Those of this machine ("localhost", 127.0.0.1, ::1) are never
 * counted. Any thread. */
bool guard_blocks(struct guard *g, const char *address, const struct conf_limits *l,
                  uint64_t now_ns);
void guard_failed(struct guard *g, const char *address, const struct conf_limits *l,
                  uint64_t now_ns);
void guard_passed(struct guard *g, const char *address);

#endif
