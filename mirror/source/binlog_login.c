#include "mirror/source/binlog_login.h"

#include "base/clock.h"
#include "conf/mysql_tls.h"
#include "mirror/source/binlog_pump.h"

#include <mysql.h>
#include <sys/socket.h>

enum {
    FIRST_EVENT = 4, /* where a binlog file's first event stands */
    /* The server cuts a reader that takes nothing for so long, after a minute by default: while all
     * documents of a collection are made nothing is read. */
    UNREAD_S = 24 * 60 * 60,
};

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
    unsigned silence = (s->heartbeat_ms * BINLOG_MISSED_HEARTBEATS + 999) / 1000;
    unsigned read = s->tls && silence > seconds ? silence : seconds;
    unsigned long packet = s->max_event + 1; /* behind a status byte */
    my_bool no = 0;

    l->mysql = mysql_init(NULL);
    if (!l->mysql)
        return err_set(e, ERR_IO, "no memory for a connection");
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    if (s->tls)
        conf_mysql_tls(l->mysql, s->tls);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_READ_TIMEOUT, &read);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    (void)mysql_optionsv(l->mysql, MYSQL_OPT_RECONNECT, &no);
    (void)mysql_optionsv(l->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(l->mysql, s->socket ? NULL : s->host, s->user, s->password, NULL,
                            s->socket ? 0 : s->port, s->socket, 0))
        return server_error(l->mysql, e, "connecting for the binlog");
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
               " @slave_gtid_strict_mode=1, @slave_gtid_ignore_duplicates=0,"
               " SESSION net_write_timeout=%d",
               s->heartbeat_ms * CLOCK_NS_PER_MS, position, UNREAD_S);
    ok = buf_ok(&sql) ? run(l, buf_text(&sql), e) : err_set(e, ERR_IO, "no memory");
    buf_free(&sql);
    return ok;
}

/* Makes us visible in SHOW SLAVE HOSTS. */
static void put_register(struct buf *b, const struct binlog_source *s)
{
    buf_put_u32(b, s->server_id);
    buf_put_lenenc_bytes(b, span_of("tillway"));
    buf_put_lenenc_bytes(b, span_of(""));
    buf_put_lenenc_bytes(b, span_of(""));
    buf_put_u16(b, 0);
    buf_put_u32(b, 0);
    buf_put_u32(b, 0);
}

/* The position is in @slave_connect_state, so there is no file's name. */
static void put_dump(struct buf *b, const struct binlog_source *s)
{
    buf_put_u32(b, FIRST_EVENT);
    buf_put_u16(b, 0);
    buf_put_u32(b, s->server_id);
}

static bool command(struct binlog_login *l, enum enum_server_command number, struct buf *b,
                    bool answered, struct err *e)
{
    my_bool skip_answer = answered ? 0 : 1;

    if (!buf_ok(b))
        return err_set(e, ERR_IO, "no memory");
    if (l->mysql->methods->db_command(l->mysql, number, buf_text(b), b->len, skip_answer, NULL))
        return server_error(l->mysql, e, "asking for the binlog");
    return true;
}

static bool ask(struct binlog_login *l, const struct binlog_source *s, struct err *e)
{
    struct buf b = buf_with_max(256);
    bool ok;

    put_register(&b, s);
    ok = command(l, COM_REGISTER_SLAVE, &b, true, e);
    buf_clear(&b);
    put_dump(&b, s);
    ok = ok && command(l, COM_BINLOG_DUMP, &b, false, e);
    buf_free(&b);
    return ok;
}

/* From here on libmariadb reads nothing of a connection in the clear. */
static bool begin_reading(struct binlog_login *l, struct err *e)
{
    if (!mysql_get_ssl_cipher(l->mysql)) {
        l->fd = (int)mysql_get_socket(l->mysql);
        return true;
    }
    l->pump = binlog_pump_start(l->mysql, e);
    l->fd = l->pump ? binlog_pump_fd(l->pump) : -1;
    return l->pump != NULL;
}

bool binlog_login_open(const struct binlog_source *s, const struct gtid_set *from,
                       struct binlog_login *l, struct err *e)
{
    *l = (struct binlog_login){NULL, NULL, -1};
    return connect_server(l, s, e) && set_up(l, s, from, e) && ask(l, s, e) && begin_reading(l, e);
}

bool binlog_login_lost(struct binlog_login *l, struct err *e)
{
    return l->pump ? binlog_pump_failed(l->pump, e)
                   : err_set(e, ERR_IO, "the server closed the connection");
}

bool binlog_login_packet(struct st_mysql *mysql, uint8_t **payload, size_t *n, struct err *e)
{
    unsigned long got = mysql_net_read_packet(mysql);

    if (got == packet_error)
        return server_error(mysql, e, "reading the binlog");
    *payload = mysql->net.read_pos;
    *n = got;
    return true;
}

void binlog_login_close(struct binlog_login *l)
{
    int socket = l->mysql ? (int)mysql_get_socket(l->mysql) : -1;

    if (socket >= 0)
        (void)shutdown(socket, SHUT_RDWR); /* the farewell of mysql_close must not wait */
    if (l->pump)
        binlog_pump_stop(l->pump);
    if (l->mysql)
        mysql_close(l->mysql);
    *l = (struct binlog_login){NULL, NULL, -1};
}
