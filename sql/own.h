/* Statements that no server knows and the proxy answers. Pure; any thread. */
#ifndef SQL_OWN_H
#define SQL_OWN_H

#include "sql/mode.h"

/* SHOW TILLWAY SESSION, alone; for a server a syntax error. */
bool sql_shows_session(struct span text, struct sql_mode mode);

#endif
