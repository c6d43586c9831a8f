/* The configuration's `failover` section. */
#ifndef CONF_FAILOVER_H
#define CONF_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

struct conf_failover {
    bool enabled;
    uint64_t wait_ns; /* how long statements wait for a primary */
    uint64_t lease_ns;
    uint64_t confirm_ns;
    uint64_t drain_ns;
    uint64_t quiesce_ns;
    bool semi_sync;
    uint32_t domain;
    uint64_t replay_budget; /* bytes; a session */
    const char *user;       /* what replicas log in with; the monitor's where the file has none */
    const char *password;   /* goes with `user` */
    const char *password_file;
};

#endif
