/* COM_STMT_EXECUTE and its parameter types. https://mariadb.com/kb/en/com_stmt_execute/ */
#ifndef PROTOCOL_STMT_H
#define PROTOCOL_STMT_H

#include "base/buf.h"
#include "protocol/consts.h"

/* MariaDB: the statement that this connection prepared last. */
#define STMT_ID_LAST 0xFFFFFFFFU

enum {
    STMT_EXECUTE_HEAD = 10, /* bytes of an EXECUTE up to its parameters */
    STMT_BULK_HEAD = 7,
    STMT_FLAG_CURSOR = 0x07, /* any of the cursor bits in COM_STMT_EXECUTE's flags */
};

struct stmt_execute {
    uint32_t stmt_id;
    uint8_t flags;
    bool has_types;    /* the packet carries parameter types */
    size_t bound_at;   /* offset in the payload of the "types follow" byte; 0 where there are no
                          parameters */
    struct span types; /* 2 bytes a parameter; empty where !has_types */
};

/* `payload` starts with the command byte and may be cut behind the types (a head of a larger
 * packet); `params` as the PREPARE reply told. Answers 1, 0 if the bytes given are too few
 * (malformed where they are the whole packet), -1 if it is no EXECUTE. */
int stmt_execute_decode(struct span payload, uint16_t params, struct stmt_execute *e);
/* COM_STMT_BULK_EXECUTE (https://mariadb.com/kb/en/com_stmt_bulk_execute/): its types; an empty
 * span where it has none. False: too short, as above. */
bool stmt_bulk_decode(struct span payload, uint16_t params, struct span *types) MUST_CHECK;
/* The statement id of EXECUTE, FETCH, RESET, CLOSE, SEND_LONG_DATA and BULK_EXECUTE; false where
 * too short. */
bool stmt_id_of(struct span payload, uint32_t *id) MUST_CHECK;
/* Write another id over it, in place. */
void stmt_id_patch(uint8_t *payload, uint32_t id);

#endif
