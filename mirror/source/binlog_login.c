#include "mirror/source/binlog_login.h"

#include "base/clock.h"

#include <mysql.h>
#include <sys/socket.h>

static bool server_error(MYSQL *m, struct err *e, const char *doing)
{
    bool lost = mysql_errno(m) >= 2000 && mysql_errno(m) < 3000;

    (void)err_set(e, lost ? ERR_IO : ERR_SERVER, "%s: %s (%u)", doing, mysql_error(m),
                  mysql_errno(m));
    e->code = (int)mysql_errno(m);
    return false;
}

static bool connect_server(struct binlog_login *l, const struct binlog_source *s, struct err *e)
{
    unsigned seconds = (s->timeout_ms + 999) / 1000;
    my_bool no = 0;

    l->mysql = mysql_init(NULL);
    if (!l->mysql)
        return err_set(e, ERR_IO, "no memory for a connection");
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_RECONNECT, &no);
    (void)mysql_optionsv(l->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(l->mysql, s->socket ? NULL : s->host, s->user, s->password, NULL,
                            s->socket ? 0 : s->port, s->socket, 0))
        return server_error(l->mysql, e, "connecting for the binlog");
    l->fd = (int)mysql_get_socket(l->mysql);
    return true;
}

static bool run(struct binlog_login *l, const char *sql, struct err *e)
{
    if (mysql_real_query(l->mysql, sql, strlen(sql)))
        return server_error(l->mysql, e, "preparing for the binlog");
    return true;
}

/* What a replica of MariaDB says before it asks. Capability 4: it knows GTID events. */
static bool set_up(struct binlog_login *l, const struct binlog_source *s,
                   const struct gtid_set *from, struct err *e)
{
    char position[GTID_SET_TEXT_MAX];
    struct buf sql = buf_with_max(4096);
    bool ok;

    gtid_set_format(from, position, sizeof position);
    buf_printf(&sql,
               "SET @mariadb_slave_capability=4, @master_binlog_checksum=@@global.binlog_checksum,"
               " @master_heartbeat_period=%llu, @slave_connect_state='%s',"
               " @slave_gtid_strict_mode=1, @slave_gtid_ignore_duplicates=0",
               s->heartbeat_ms * CLOCK_NS_PER_MS, position);
    ok = buf_ok(&sql) ? run(l, buf_text(&sql), e) : err_set(e, ERR_IO, "no memory");
    buf_free(&sql);
    return ok;
}

bool binlog_login_open(const struct binlog_source *s, const struct gtid_set *from,
                       struct binlog_login *l, struct err *e)
{
    *l = (struct binlog_login){NULL, -1};
    return connect_server(l, s, e) && set_up(l, s, from, e);
}

void binlog_login_close(struct binlog_login *l)
{
    if (l->fd >= 0)
        (void)shutdown(l->fd, SHUT_RDWR); /* the farewell of mysql_close must not wait */
    if (l->mysql)
        mysql_close(l->mysql);
    *l = (struct binlog_login){NULL, -1};
}
