/* What a session knows of the command under way, from its first byte to the last of its reply. */
#ifndef PROXY_COMMAND_RUN_H
#define PROXY_COMMAND_RUN_H

#include "protocol/stmt.h"
#include "proxy/session/request.h"
#include "proxy/session/stmts.h"
#include "routing/route.h"

/* What a step of it answers: step again, or wait for an event. */
enum step { STEP_MORE, STEP_WAIT };

struct command_run {
    uint8_t byte;
    bool log_in;    /* no command: a log-in or COM_CHANGE_USER lays on its state, then says OK */
    bool rewritten; /* session->text goes to the server in the place of the client's bytes; only
                       where `whole` */
    bool own_text;  /* a QUERY or PREPARE whose text may have to be another for the connection */
    bool fitted;    /* … and is: session->fitted goes to the server */
    bool whole;     /* stands whole in the client's buffer, not yet consumed: can be sent again */
    bool read; /* provably a read: may be sent again while nothing of the reply was forwarded */
    uint64_t timed_ns;    /* when it was sent, where that is measured; 0: it is not */
    uint64_t fingerprint; /* of its text; 0: not made yet */
    uint64_t shape;       /* its history's key, where it may ride: session_ride.h; 0: it may not */
    uint64_t sent_ns;     /* when it was sent, where its history is to be written; 0: it is not */
    size_t replied;       /* bytes of the reply so far */
    uint32_t explains; /* EXPLAIN FOR CONNECTION and its likes: that session's statement; 0: none */
    bool alone;        /* it does not ride again: it was sent elsewhere once */
    bool sent;         /* its first byte was written to the server, … */
    bool guarded;      /* … over a connection that only reads */
    bool answered;     /* a byte of the reply was forwarded */
    bool position_asked; /* what the session saw on the primary is being bounded by its position */
    bool asking;         /* the session asks before it routes the command */
    bool position_known; /* the primary has told it, and s->causal has it */
    uint64_t wait_since_ns; /* it waits for a replica with others since then; 0: it has not */
    size_t size;            /* bytes on the wire, where whole */
    uint64_t begun_ms;      /* by the worker's loop */
    struct sql_class statement;
    uint64_t objects_number; /* … of the catalog that it was judged by */
    struct route_wish wish;
    struct route route;
    uint32_t exclude;            /* servers that failed it */
    struct stmt *stmt;           /* PREPARE, EXECUTE, FETCH, RESET, SEND_LONG_DATA: the statement */
    struct stmt_execute execute; /* EXECUTE; its span is not valid */
    struct request request;
    uint64_t no_room_ns;    /* clock_mono_ns when it was refused for want of room; 0: it was not */
    bool leased;            /* it counts by the lease of the server it was sent to, … */
    uint64_t held_until_ns; /* … which was over when its reply came: that waits; 0: it does not */
    uint8_t conflicts; /* how often it was repeated for it lost against another Galera node's */
    uint8_t resent;    /* how often a connection was lost before it was sent */
    uint64_t wait_until_ns; /* there is no primary: it waits for one till then; 0: it does not */
    bool waited;            /* in vain */
    bool finished;          /* the reply is complete; only its last bytes are still pinned */
    size_t request_pinned; /* bytes of the client's buffer that a write to the server still needs */
    size_t reply_pinned;   /* bytes of the server's buffer that a write to the client still needs */
    bool failed;           /* an ERR packet ended it */
    bool warned;           /* an OK packet of it counted warnings */
    bool gtid_seen;        /* a reply of it told a GTID: causal_wrote covers what it saw */
    bool variable_changed; /* a variable or the schema changed, as the server told */
    bool barrier_told;     /* Galera's barrier before it is what changed, as the server told */
    bool kept_by_rollback; /* it wrote to a table that is not transactional */
    bool state_changed;    /* the server said that something changed which variables do not tell */
};

#endif
