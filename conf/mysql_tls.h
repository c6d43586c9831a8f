/* The section `servers_tls` as options of libmariadb, for those who include mysql.h anyway. */
#ifndef CONF_MYSQL_TLS_H
#define CONF_MYSQL_TLS_H

#include "conf/tls.h"

#include <mysql.h>
#include <stddef.h>

/* Before mysql_real_connect. The texts are copied. */
static inline void conf_mysql_tls(MYSQL *m, const struct conf_servers_tls *t)
{
    my_bool verify = (my_bool)(t->mode == CONF_TLS_VERIFY_IDENTITY);
    my_bool enforce = (my_bool)(t->mode >= CONF_TLS_REQUIRE);
    const char *ca = t->mode >= CONF_TLS_VERIFY_CA && t->ca[0] ? t->ca : NULL;
    const char *certificate = t->certificate[0] ? t->certificate : NULL;

    if (t->mode == CONF_TLS_OFF)
        return;
    (void)mysql_ssl_set(m, certificate ? t->key : NULL, certificate, ca, NULL, NULL);
    (void)mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &enforce);
    (void)mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

#endif
