/* Two tills whose reads ride together, each with a statement that is known to be short. How they
 * came to do so is the test's. */
#ifndef COMPONENT_RIDE_H
#define COMPONENT_RIDE_H

#include "component/rig.h"

struct ride {
    struct rig *rig;
    struct peer *first;
    struct peer *second;
    struct peer *line;    /* the server's connection that both are on */
    struct peer *primary; /* the first till's there; may be the line */
};

/* The first till's statement, and the second's. */
extern const char ride_read_sql[];
extern const char ride_other_sql[];

/* The server hears the statement and answers the one value, which the till gets. */
void ride_answers(struct peer *server, const char *sql, const char *value, struct peer *till);
/* The same, so often; HISTORY_ENOUGH times make it known to be short. */
void ride_gets_known(struct peer *till, struct peer *server, const char *sql, int times);
/* Both statements are on the connection, unanswered. */
void ride_both_board(struct ride *ride);
void ride_line_says_rows(struct ride *ride, const char *value);
/* Each gets its reply, "1" and "2". */
void ride_both_are_answered(struct ride *ride);
/* Both are on it, and each gets its reply. */
void ride_both(struct ride *ride);

#endif
