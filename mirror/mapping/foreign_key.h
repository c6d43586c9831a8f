/* The foreign keys in what SHOW CREATE TABLE prints. Read from there because it shows them to an
 * account that has nothing but SELECT; information_schema does not. Pure. */
#ifndef MIRROR_FOREIGN_KEY_H
#define MIRROR_FOREIGN_KEY_H

#include "base/cursor.h"

enum { FOREIGN_KEY_COLUMNS_MAX = 8 };

/* What happens to the referring rows. */
enum foreign_key_rule {
    FOREIGN_KEY_REFUSED, /* nothing: the statement fails */
    FOREIGN_KEY_CASCADE,
    FOREIGN_KEY_SET_NULL,
};

/* Names without their backquotes; they point into the text. */
struct foreign_key {
    struct span database; /* of the table referred to; empty: the same */
    struct span table;
    int n;         /* columns */
    bool too_many; /* more than fit here */
    struct span columns[FOREIGN_KEY_COLUMNS_MAX];
    struct span referenced[FOREIGN_KEY_COLUMNS_MAX];
    enum foreign_key_rule on_delete;
    enum foreign_key_rule on_update;
};

/* The next one at or behind *at, which moves on; false where there is none. */
bool foreign_key_next(struct span create, size_t *at, struct foreign_key *out);

#endif
