/* What a client wants to be told of its session's changes (its session_track_… variables), and the
 * changes of an OK packet cut down to that. https://mariadb.com/kb/en/ok_packet/. Pure. */
#ifndef PROTOCOL_TRACKING_H
#define PROTOCOL_TRACKING_H

#include "base/buf.h"

enum { TRACKING_NAMES_MAX = 256 }; /* bytes; each session has room for as many */

struct tracking {
    bool known; /* else the server's defaults are meant, whatever they are: the rest holds those
                   that MariaDB comes with */
    bool schema;
    bool state;
    enum { TRACKING_OFF, TRACKING_STATE, TRACKING_CHARACTERISTICS } transaction;
    char names[TRACKING_NAMES_MAX]; /* of system variables, by commas; "*": all */
};

/* Not known. */
void tracking_init(struct tracking *t);
/* "CHARACTERISTICS/ON/OFF/autocommit,time_zone": the values of session_track_transaction_info,
 * …schema, …state_change and …system_variables. False: it is something else, or cut; *t is as it
 * was. */
bool tracking_parse(struct tracking *t, struct span text) MUST_CHECK;
/* The first of them as the variable shows it. */
const char *tracking_transaction_name(const struct tracking *t);
/* Append those of the changes (struct ok's) that the client wants, as they are; stops at malformed
 * bytes. Whether the server would call the session's state changed to such a client: also where it
 * wants the transaction's state and only its characteristics changed, of which it is told nothing.
 */
bool tracking_filter(const struct tracking *t, struct span changes, struct buf *out);

#endif
