/* Whether anybody listens at an address, asked of the kernel there and nobody else. */
#ifndef MONITOR_REACH_H
#define MONITOR_REACH_H

#include "base/compiler.h"
#include "conf/conf.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a connection is refused (ECONNREFUSED; for a unix socket, that its file is missing, too)
 * within the time. A machine that does not answer, or a name that cannot be looked up, refuses
 * nothing. libmariadb does not tell: its error text has the number of the non-blocking connect that
 * it began, EINPROGRESS. */
bool reach_is_refused(const struct conf_address *at, uint64_t timeout_ns) MUST_CHECK;

#endif
