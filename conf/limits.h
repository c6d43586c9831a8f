/* What a client, or all of them, may use, and the connections to the servers: the sections `limits`
 * and `pool`. Part of struct conf. */
#ifndef CONF_LIMITS_H
#define CONF_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct conf_limits {
    uint64_t login_timeout_ns;
    uint64_t read_timeout_ns;  /* 0: for ever */
    uint64_t write_timeout_ns; /* 0: for ever */
    uint32_t login_packets;
    uint32_t max_login_errors; /* 0: any number */
    uint64_t login_block_ns;
    uint64_t connect_timeout_ns;
    uint64_t drain_timeout_ns;
    uint32_t max_sessions;
    uint32_t max_address_sessions; /* of one client address; 0: any number */
    uint32_t max_user_sessions;    /* of one user name; 0: any number */
    uint32_t max_prepared;         /* a session */
    uint64_t session_memory;       /* bytes of a session's prepared statements */
    uint64_t buffer;               /* bytes; a direction of a session */
};

struct conf_pool {
    bool multiplexing;
    bool by_attributes; /* shared only by clients with equal connection attributes */
    bool pipelining;    /* of several sessions: proxy/backend/line.h */
    uint64_t idle_ns;
    uint32_t min_idle; /* of each account and server, over all workers */
    uint64_t wait_ns;
    uint64_t check_after_ns; /* 0: never */
    uint64_t max_age_ns;     /* 0: any */
    uint64_t diagnostics_ns; /* how long warnings and errors wait for their session */
    uint64_t prepared;       /* bytes; a server connection */
};

#endif
