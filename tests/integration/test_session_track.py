"""Session tracking passed on: a client is told what the primary would tell it, byte by byte, whatever the proxy has itself told."""

import re

from proxied import Proxied, main  # it finds the harness
from harness import rawclient
from harness.rawclient import DEFAULT, DEPRECATE_EOF, SESSION_TRACK, RawClient, lenenc, put_lenenc

DEFAULT_LIST = "autocommit,character_set_client,character_set_connection,character_set_results,time_zone"
READ = "SELECT v FROM t WHERE id=1"
SETTINGS = (
    "DO 1",
    "SET session_track_system_variables='*'",
    "SET session_track_system_variables='sql_mode,last_gtid', session_track_schema=0",
    "SET session_track_system_variables=CONCAT(@@session_track_system_variables,',auto_increment_increment,sql_mode')",
    "SET session_track_state_change=1, session_track_transaction_info=STATE",
    "SET SESSION session_track_transaction_info='CHARACTERISTICS', session_track_system_variables=''",
    "SET session_track_system_variables=DEFAULT, autocommit=1, session_track_state_change=ON, sql_mode='ANSI'",
    "SET session_track_system_variables=CONCAT_WS(',','session_track_schema','session_track_system_variables')",
)
STATEMENTS = (
    "SET NAMES latin1", "SET NAMES utf8mb4", "SET autocommit=0, time_zone='+01:00', sql_mode='ANSI'", "SELECT @@sql_mode",
    "COMMIT", "SET autocommit=1, sql_mode=DEFAULT", "SET sql_mode='nonsense'", READ,
    "SELECT @@session_track_system_variables, @@session_track_schema, @@session_track_state_change,"
    " @@session_track_transaction_info",
    READ, "SHOW VARIABLES LIKE 'session_track%'", "SET @v=1", "SELECT @v:=2", "USE shop", "USE test", "USE nosuch", "USE shop",
    "CREATE TEMPORARY TABLE x (a INT)", "INSERT INTO x VALUES (1)", "DROP TEMPORARY TABLE x",
    "REPLACE INTO t VALUES (9%d, 'a')", "REPLACE INTO t VALUES (9%d, 'a') RETURNING v",
    "BEGIN", "SELECT 1", "REPLACE INTO t VALUES (19%d, 'b')", "COMMIT", "BEGIN", "REPLACE INTO t VALUES (19%d, 'c')", "ROLLBACK",
    "SET TRANSACTION READ ONLY", "START TRANSACTION", "SELECT 2", "COMMIT", "LOCK TABLES t READ", "UNLOCK TABLES",
    "SET session_track_system_variables='nosuch'", "SET session_track_schema='x'", "SET session_track_system_variables=NULL",
    "SELECT 1; SET time_zone='+02:00'; SET time_zone='+03:00'; REPLACE INTO t VALUES (9%d, 'd'); SELECT 2",
    "CALL several()", "SET ROLE NONE", READ,
    "SET session_track_schema=1, time_zone='+04:00'", "SELECT @@time_zone", "USE test", "USE shop",
    "SET @@session.session_track_transaction_info='OFF'", "BEGIN", "COMMIT", "SELECT VARIABLE_VALUE FROM"
    " information_schema.SESSION_VARIABLES WHERE VARIABLE_NAME LIKE 'session_track_s%' ORDER BY VARIABLE_NAME",
)


def entries(block):
    """The entries of a state block, each with its kind and length. MariaDB tells variables in the order of a hash table that
    differs from process to process and from list to list: sorted here."""
    at, found = 0, []
    while at < len(block):
        n, end = lenenc(block, at + 1)
        found.append(block[at:end + n])
        at = end + n
    return sorted((e for e in found if e[0] == 0)) + [e for e in found if e[0] != 0]


def comparable(payload, tracks):
    """An OK packet with its variables in order; anything else as it is. GTIDs are masked."""
    payload = re.sub(rb"0-1-1\d{6}", b"0-1-#######", payload)
    if payload[:1] == b"\xfe" and len(payload) == 5:  # an EOF packet: that something is still to be told is not shown by Tillway
        return payload[:4] + bytes([payload[4] & 0xBF])
    if payload[:1] not in (b"\0", b"\xfe") or len(payload) < 7 or not tracks:
        return payload
    try:
        return in_order(payload)
    except IndexError:  # a row of the binary protocol begins like an OK packet
        return payload


def in_order(ok):
    _, at = lenenc(ok, 1)
    _, at = lenenc(ok, at)
    at += 4
    if at == len(ok) or not rawclient.ok_status(ok) & rawclient.STATE_CHANGED:
        return ok
    n, start = lenenc(ok, at)
    info_end = start + n
    n, start = lenenc(ok, info_end)
    if start + n != len(ok):
        raise IndexError("not the length of the changes")
    return ok[:info_end] + put_lenenc(b"".join(entries(ok[start:])))


class SessionTrack(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = cls.cluster.primary.connect()
        cls.run_sql(cls, root, "SET gtid_seq_no=1000000")  # so that all are as long
        cls.run_sql(cls, root, "REPLACE INTO shop.t VALUES (9, 'x')")
        root.close()
        cls.cluster.primary.query("CREATE PROCEDURE shop.several() BEGIN SELECT 1; SET time_zone='+05:00'; SELECT 2; END")
        cls.cluster.wait_in_sync()

    def both(self, caps=DEFAULT | SESSION_TRACK, schema="shop"):
        clients = [RawClient(where, "till", "till", caps, schema) for where in (self.cluster.primary, self.tillway)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def same(self, clients, ask):
        tracks = clients[0].caps & SESSION_TRACK
        direct, proxied = [[comparable(p, tracks) for p in ask(client)] for client in clients]
        self.assertEqual(proxied, direct)

    @staticmethod
    def own(clients, client, sql):
        """With a row for each client, for both have transactions open."""
        return sql.replace("%d", str(clients.index(client)))

    def play(self, clients, statements):
        for sql in statements:
            with self.subTest(sql=sql):
                self.same(clients, lambda client, sql=sql: client.query(self.own(clients, client, sql)))

    def test_under_every_setting(self):
        for setting in SETTINGS:
            with self.subTest(setting=setting):
                clients = self.both()
                self.play(clients, (setting,) + STATEMENTS)

    def test_old_clients(self):
        self.play(self.both(DEFAULT & ~DEPRECATE_EOF | SESSION_TRACK), SETTINGS[:2] + STATEMENTS)
        self.play(self.both(DEFAULT), SETTINGS[:5] + STATEMENTS)

    def test_log_in(self):
        for schema in (None, "shop"):
            self.same(self.both(schema=schema), lambda client: [client.login_ok])
        clients = self.both()
        self.play(clients, SETTINGS[2:3])
        self.same(clients, lambda client: [client.change_user("till", "till", "test")])
        self.play(clients, ("SET time_zone='+01:00', sql_mode='ANSI'", "SELECT @@session_track_system_variables"))
        self.same(clients, lambda client: [client.simple(rawclient.COM_INIT_DB, b"shop"), client.simple(rawclient.COM_PING)])
        self.play(clients, SETTINGS[2:3])
        self.same(clients, lambda client: [client.simple(rawclient.COM_RESET)])
        self.play(clients, ("SET time_zone='+02:00', sql_mode='ANSI'", "SELECT @@session_track_system_variables", "USE shop"))
        self.same(clients, lambda client: [client.change_user("till", "till")])

    def test_prepared_statements(self):
        clients = self.both()
        self.play(clients, ("SET session_track_system_variables='*'",))
        for sql in ("SET time_zone='+06:00'", "SELECT @@session_track_system_variables", "REPLACE INTO t VALUES (29%d, 'e')",
                    "SET session_track_system_variables='sql_mode', sql_mode='ANSI'", "SELECT @@sql_mode",
                    "SET sql_mode='', time_zone='+07:00'", "SELECT @@time_zone"):
            with self.subTest(sql=sql):
                ids = {client: client.prepare(self.own(clients, client, sql))[0] for client in clients}
                self.same(clients, lambda client, ids=ids: client.execute(ids[client]))

    def test_reads_are_balanced_again(self):
        """What a connector sets at its log-in is carried, and pins nothing."""
        connection = self.connect(client_flag=SESSION_TRACK)
        self.run_sql(connection, "SET session_track_schema=1, session_track_system_variables="
                                 "CONCAT(@@session_track_system_variables,',sql_mode'), sql_mode='ANSI_QUOTES', time_zone='+03:00', NAMES utf8mb4 COLLATE utf8mb4_bin")
        self.run_sql(connection, "SELECT 1 FROM t LIMIT 1")  # the primary is asked what came of it
        self.assertEqual(self.went_to(connection, READ), "replica")
        for _ in range(6):
            self.assertEqual(self.run_sql(connection, 'SELECT MAX("id") > 0, FROM_UNIXTIME(0), COLLATION(\'a\') FROM "t"'),
                             self.run_sql(connection, 'SELECT MAX("id") > 0, FROM_UNIXTIME(0), COLLATION(\'a\') FROM "t" /* tillway: primary */'))

    def test_writes_are_read_under_any_list(self):
        """The proxy learns of GTIDs although the client does not want to, also by statements that look like SETs."""
        connection = self.connect()
        self.run_sql(connection, "SET session_track_system_variables=''")
        for i in range(20):
            self.run_sql(connection, "REPLACE INTO t VALUES (93, 'v%d')" % i)
            self.assertEqual(self.run_sql(connection, "SELECT v FROM t WHERE id=93"), [("v%d" % i,)])


if __name__ == "__main__":
    main()
