/* The clients of a server that is to take no more writes. */
#ifndef MONITOR_CLIENTS_H
#define MONITOR_CLIENTS_H

#include "monitor/probe.h"

/* End all their connections but those of the probe's own user. False: `a` says why. */
bool clients_end(struct probe *p, struct probe_answer *a) MUST_CHECK;

#endif
