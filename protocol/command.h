/* The commands of the protocol, one row a command byte: what it is called, what its reply looks
 * like, and who deals with it. https://mariadb.com/kb/en/2-text-protocol/. */
#ifndef PROTOCOL_COMMAND_H
#define PROTOCOL_COMMAND_H

#include "protocol/reply.h"

enum command_use {
    COMMAND_REFUSED, /* MariaDB 10.11 knows it as little: ER_UNKNOWN_COM_ERROR, SQLSTATE 08S01,
                        "Unknown command" */
    COMMAND_KNOWN,   /* the session has a part in it */
    COMMAND_PRIMARY, /* goes to the primary as it is */
};

struct command_info {
    const char *name; /* "COM_QUERY"; "unknown" where refused */
    enum reply_kind reply;
    enum command_use use;
    bool stmt_id; /* four bytes of statement id follow the command byte */
    bool pins;    /* leaves something on its server connection that nothing reports */
};

/* Static; never NULL. */
const struct command_info *command_of(uint8_t command);

#endif
