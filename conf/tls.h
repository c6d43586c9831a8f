/* The configuration's part about TLS, towards clients and towards servers. Paths are found already:
 * absolute, or beside the configuration. */
#ifndef CONF_TLS_H
#define CONF_TLS_H

#include <stdbool.h>

enum conf_tls_version { CONF_TLS_1_2, CONF_TLS_1_3 };

/* TLS towards clients. */
struct conf_listener_tls {
    bool present;
    const char *certificate; /* PEM, the chain behind it; files are found already */
    const char *key;         /* the certificate's file where the file names none */
    const char *ca;          /* "": clients are not asked for a certificate */
    bool required;
    enum conf_tls_version min_version;
};

/* How far TLS towards the servers goes: each one all that the one before does. */
enum conf_tls_mode {
    CONF_TLS_OFF,
    CONF_TLS_PREFER,          /* where the server offers it */
    CONF_TLS_REQUIRE,         /* or else no connection */
    CONF_TLS_VERIFY_CA,       /* and an authority vouches for the server's certificate */
    CONF_TLS_VERIFY_IDENTITY, /* and it is for the name or address that was connected to */
};

struct conf_servers_tls {
    enum conf_tls_mode mode;
    const char *ca;          /* "": the system's authorities; files are found already */
    const char *certificate; /* "": none is shown to the servers */
    const char *key;         /* the certificate's file where the file names none */
};

#endif
