/* A MariaDB server as a test plays it. The listening socket is there from the start; a connection
 * of the proxy's waits in its queue until it is accepted. */
#ifndef COMPONENT_SERVER_H
#define COMPONENT_SERVER_H

#include "component/peer.h"
#include "protocol/consts.h"

struct server {
    const char *name;
    int fd; /* -1: refuses connections */
    uint16_t port;
    uint32_t connections; /* accepted so far */
};

void server_open(struct server *s, const char *name);
void server_close(struct server *s); /* refuse connections from now on */

/* What an OK packet says; a status without AUTOCOMMIT only where `autocommit_off`. */
struct says {
    uint16_t status; /* more flags */
    bool autocommit_off;
    uint64_t affected;
    uint64_t insert_id;
    uint16_t warnings;
    const char *info;
    const char *gtid;        /* last_gtid */
    const char *variable[6]; /* name, value, name, value, … */
    const char *schema;
    bool state;              /* something changed which variables do not tell */
    const char *transaction; /* eight characters */
    const char *characteristics;
};

/* The next connection, and what comes before the first command. */
struct peer *server_accepts(struct server *s);
void server_greets(struct peer *p);
/* The log-in of `user` with `password` (NULL: none), right or the test fails. */
void server_hears_login(struct peer *p, const char *user, const char *password);
/* The log-in, whatever the reply; answers it. Asks for a reply by another plugin to the peer's
 * nonce (32 bytes of it, repeated, for ed25519). */
struct span server_hears_any_login(struct peer *p, const char *user);
/* The log-in of `user` with these connection attributes. */
void server_hears_attributes(struct peer *p, const char *user, struct span attributes);
void server_asks(struct peer *p, const char *plugin);
/* Session tracking switched on: heard and answered. */
void server_hears_setup(struct peer *p);
/* All of it; then for till/secret. */
struct peer *server_lets_in(struct server *s, const char *user, const char *password);
struct peer *server_serves(struct server *s);
/* A log-in of whomsoever, refused. */
void server_refuses(struct server *s, uint16_t code, const char *sqlstate, const char *text);
/* Nobody connects for so long. */
void server_is_left_alone(struct server *s, int ms);

/* A command with this text (or bytes) behind its first byte. What guards a replica in front of it
 * is answered and counted; the question whether code that ran left anything behind is answered: no.
 */
void server_hears(struct peer *p, uint8_t command, const char *text);
void server_hears_command(struct peer *p, uint8_t command, struct span argument);
#define server_hears_query(p, text) server_hears((p), COM_QUERY, (text))
/* A query that begins with these words; answers all of it. What is in front is as above. */
struct span server_hears_about(struct peer *p, const char *words);
/* The question whether the replica comes to have that, in less than a second. */
void server_hears_wait(struct peer *p, const char *gtids);
/* exactly_once's row; answers the number that is written into it. */
uint64_t server_hears_row(struct peer *p);
/* A write of exactly_once, in its transaction, up to the COMMIT; answers the row's number. */
uint64_t server_hears_once(struct peer *p, const char *sql);
/* The questions about a commit in doubt, and what they are answered: `trace` is what tells of the
 * connection before, and that server's uptime. */
void server_tells_outcome(struct peer *p, const char *trace, uint64_t number);
/* What it is asked of the statement before (whose numbers it says), and then of what code that ran
 * has left behind; that is still to be answered. */
void server_hears_probe(struct peer *p, const char *numbers);
/* The execution of a statement of no parameters. */
void server_hears_execute(struct peer *p, uint32_t id);

void server_sends_ok(struct peer *p, const struct says *says);
/* server_says(p, .gtid = "0-1-2"); server_says_ok(p) says nothing more. */
#define server_says(p, ...) server_sends_ok((p), &(struct says){__VA_ARGS__})
#define server_says_ok(p)   server_sends_ok((p), &(struct says){0})
void server_says_error(struct peer *p, uint16_t code, const char *sqlstate, const char *text);
/* A result set of one column; its end as `says`. A row "\\N" is NULL. */
void server_sends_rows(struct peer *p, const struct says *end, const char *const *rows);
#define server_says_rows(p, ...) \
    server_sends_rows((p), &(struct says){0}, (const char *const[]){__VA_ARGS__, NULL})
/* Its parts. */
void server_says_columns(struct peer *p, unsigned n);
void server_says_row(struct peer *p, const char *value);
void server_says_end(struct peer *p, const struct says *end);
/* The reply to PREPARE. */
void server_says_prepared(struct peer *p, uint32_t id, unsigned columns, unsigned params);

#endif
