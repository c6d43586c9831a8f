/* Which commands share a connection with others (proxy/backend/line.h), and what that means to
 * their sessions. */
#ifndef PROXY_SESSION_RIDE_H
#define PROXY_SESSION_RIDE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct session;

/* Send the command, which is routed, together with others'; false: it goes the usual way. */
bool session_ride(struct session *s) MUST_CHECK;
/* Whether it is a read of a shape that was short the last times. */
bool session_ride_is_short(const struct session *s);
/* Whether a connection has all of the session's state, and what the command needs. */
bool session_fits_line(struct session *s, const struct backend *b);

/* What the line says to a rider: its reply is next, and the connection as good as its own; … */
void session_ride_begin(struct session *s, struct backend *b);
/* … not any more: the reply, so long in coming, is through or not wanted; … */
void session_ride_end(struct session *s, struct backend *b, uint64_t took_ns);
/* … it goes elsewhere, with its command not yet answered; … */
void session_ride_elsewhere(struct session *s);
/* … it is slow, whatever was known. */
void session_ride_is_slow(struct session *s);

/* A command that might ride was sent the usual way: what becomes of it is the history of the next
 * one. */
void session_ride_sent(struct session *s);
void session_ride_note(struct session *s);
/* The server that it rides on is down. */
void session_ride_lost(struct session *s);

#endif
