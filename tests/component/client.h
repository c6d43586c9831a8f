/* A client (a till) as a test plays it. Every function checks the sequence numbers. */
#ifndef COMPONENT_CLIENT_H
#define COMPONENT_CLIENT_H

#include "component/peer.h"
#include "protocol/consts.h"
#include "protocol/ok.h"

struct rig;

/* What the till asks for unless told. */
#define CLIENT_CAPS                                                                       \
    (CAP_CLIENT_MYSQL | CAP_PROTOCOL_41 | CAP_SECURE_CONNECTION | CAP_PLUGIN_AUTH |       \
     CAP_TRANSACTIONS | CAP_MULTI_RESULTS | CAP_PS_MULTI_RESULTS | CAP_MULTI_STATEMENTS | \
     CAP_LOCAL_FILES | CAP_CONNECT_WITH_DB | CAP_DEPRECATE_EOF)

struct login_as {
    const char *user;     /* NULL: till */
    const char *password; /* NULL: secret; "": none */
    const char *schema;
    const char *plugin; /* NULL: mysql_native_password */
    uint8_t collation;  /* 0: the greeting's */
    uint64_t without;   /* capabilities left out of CLIENT_CAPS */
    uint64_t with;      /* … and added */
    struct span auth;   /* sent instead of the reply to the password, where it is not empty */
    struct span attributes;
};

/* A connection handed to worker `index`; nothing is read yet. */
struct peer *client_connects(struct rig *r, int index);
void client_hears_greeting(struct peer *p);
/* Both, at the first worker. */
struct peer *client_greeted(struct rig *r);
void client_sends_login(struct peer *p, const struct login_as *as);
#define client_logs_in(p, ...) client_sends_login((p), &(struct login_as){__VA_ARGS__})
/* The reply of mysql_native_password to the peer's nonce; 20 bytes. */
void client_native_reply(const struct peer *p, const char *password, uint8_t reply[20]);

/* Whether the next packet asks for a reply by another plugin; else it is yet to be heard. */
bool client_is_asked(struct peer *p);
/* It does, for this plugin; answers the nonce as it came. */
struct span client_hears_switch(struct peer *p, const char *plugin);

void client_sends(struct peer *p, uint8_t command, struct span argument);
void client_asks(struct peer *p, const char *sql);

/* The next packet's OK; its spans are valid until the peer's next step. */
struct ok client_hears_ok(struct peer *p);
/* An ERR packet whose text contains `part`. */
void client_hears_error(struct peer *p, uint16_t code, const char *sqlstate, const char *part);
/* … and the connection ends. */
void client_is_refused(struct peer *p, uint16_t code, const char *sqlstate, const char *part);
/* A result set of one column: exactly these rows. Answers its end. */
struct ok client_hears_result(struct peer *p, const char *const *rows);
#define client_hears_rows(p, ...) client_hears_result((p), (const char *const[]){__VA_ARGS__, NULL})
/* Its parts, as the client's capabilities want them. */
void client_hears_columns(struct peer *p, unsigned n);
void client_hears_row(struct peer *p, const char *value);
struct ok client_hears_end(struct peer *p);
/* Executes a statement of no parameters. */
void client_executes(struct peer *p, uint32_t id);
/* The reply to PREPARE; answers the statement's id. */
uint32_t client_hears_prepared(struct peer *p, unsigned columns, unsigned params);

#endif
