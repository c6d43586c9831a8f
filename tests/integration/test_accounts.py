"""Accounts on real servers: what they require, what a session brings along, and what becomes of sessions when they change."""

import contextlib
import os
import pwd
import ssl

import pymysql

from proxied import Proxied, main

from harness import paths, scratch
from harness.certs import Authority
from harness.cluster import Cluster
from harness.tillway import Tillway

MINE = "SUBJECT '/C=DK/O=Shop/CN=tillway'"
ACCOUNTS = [
    "CREATE USER x509@'%' IDENTIFIED BY 'pw' REQUIRE X509",
    "CREATE USER subject@'%' IDENTIFIED BY 'pw' REQUIRE " + MINE,
    "CREATE USER issuer@'%' IDENTIFIED BY 'pw' REQUIRE ISSUER '/O=Shop/CN=authority' AND " + MINE,
    "CREATE USER nobodys@'%' IDENTIFIED BY 'pw' REQUIRE ISSUER '/O=Shop/CN=nobody'",
    "CREATE USER sock@'%' IDENTIFIED VIA unix_socket USING '{me}' OR mysql_native_password USING PASSWORD('two')",
    "CREATE USER boss@'%' IDENTIFIED BY 'pw'",
    "GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION",
    "GRANT SELECT ON performance_schema.* TO sock@'%'",
    "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
]


class Accounts(Proxied):
    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.authority = Authority(scratch.current().folder("certs"))
        cls.mine, cls.other = cls.authority.issue("tillway"), cls.authority.issue("other")
        me = scratch.current().folder("accounts")
        secrets = os.path.join(me, "accounts.yaml")
        with open(os.open(secrets, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write("sock: two\ned: secret\n")
        cls.cluster = cls._stack.enter_context(Cluster(replicas=1, options=[
            "--performance-schema=ON", "--plugin-dir=" + paths.server_plugins(), "--plugin-load-add=auth_ed25519.so",
            "--ssl-cert=" + cls.mine, "--ssl-key=" + cls.mine, "--ssl-ca=" + cls.authority.pem]))
        for sql in ACCOUNTS:
            cls.cluster.primary.query(sql.format(me=pwd.getpwuid(os.getuid()).pw_name))
        cls.cluster.wait_in_sync()
        cls.tillway = Tillway(cls.cluster)
        cls.tillway.write_config({
            "workers": 1,  # who stays in by another one's password is of the same worker
            "listeners": [{"address": "127.0.0.1:%d" % cls.tillway.port, "tls": {
                "certificate": cls.mine, "ca": cls.authority.pem}}, {"address": cls.tillway.socket}],
            "servers_tls": {"mode": "require", "certificate": cls.mine}, "accounts_file": secrets,
            "pool": {"by_attributes": True}})
        # A reading by itself would hide what a failed log-in and DDL bring about.
        cls.tillway.config["monitor"]["accounts_interval"] = "1h"
        cls.tillway.write_config()
        cls._stack.enter_context(cls.tillway)

    def log_in(self, user, password="pw", certificate=None, **kw):
        if certificate is not None:
            kw["ssl"] = ssl.create_default_context(cafile=self.authority.pem)
            if certificate:
                kw["ssl"].load_cert_chain(certificate)
        connection = self.tillway.connect(user=user, password=password, **kw)
        self.addCleanup(lambda: connection.open and connection.close())
        return connection

    def who(self, *args, **kw):
        return self.run_sql(self.log_in(*args, **kw), "SELECT CURRENT_USER()")[0][0]

    def is_refused(self, user, password="pw", **kw):
        with self.assertRaises(pymysql.err.OperationalError) as e:
            self.log_in(user, password, **kw)
        self.assertEqual(e.exception.args, (
            1045, "Access denied for user '%s'@'127.0.0.1' (using password: YES)" % user))

    def test_what_accounts_require_of_tls(self):
        for user in ("x509", "subject", "issuer"):
            self.assertEqual(self.who(user, certificate=self.mine), user + "@%")
            self.is_refused(user, certificate="")
            self.is_refused(user)
        self.assertEqual(self.who("x509", certificate=self.other), "x509@%")
        self.is_refused("subject", certificate=self.other)
        self.is_refused("issuer", certificate=self.other)
        self.is_refused("nobodys", certificate=self.mine)

    def test_the_systems_user_needs_no_password(self):
        self.assertEqual(self.who("sock", "", unix_socket=self.tillway.socket), "sock@%")
        self.assertEqual(self.who("sock", "two"), "sock@%")

    def test_the_file_has_what_ed25519_does_not_tell(self):
        self.assertEqual(self.who("ed", "secret"), "ed@%")
        self.assertEqual(self.who("ed", "secret", certificate=""), "ed@%")

    def test_connection_attributes_are_the_clients(self):
        for name in ("till7", "till8"):
            c = self.log_in("sock", "two", program_name=name)
            got = dict(self.run_sql(c, "SELECT attr_name, attr_value FROM performance_schema.session_account_connect_attrs"
                                       " WHERE processlist_id = (SELECT processlist_id FROM"
                                       " performance_schema.session_account_connect_attrs WHERE attr_value='%s')" % name))
            self.assertEqual((got["program_name"], got["_client_ip"], got["_client_name"]), (name, "127.0.0.1", "pymysql"))

    def drop_connections(self, user):
        """Those that the proxy has for the user, on every server, and the proxy knows it."""
        for server in self.cluster.servers:
            server.query("KILL USER " + user)

    def until_refused(self, user, password):
        def refused():
            try:
                self.log_in(user, password).close()
            except pymysql.err.OperationalError as e:
                return e.args[0] == 1045
            return False
        scratch.wait_until("the refusal of " + user, refused, 20)

    def test_a_password_changed_behind_the_proxys_back(self):
        primary = self.cluster.primary
        primary.query("CREATE USER rot@'%' IDENTIFIED BY 'old'")
        self.cluster.wait_in_sync()
        live = self.log_in("rot", "old")
        primary.query("ALTER USER rot@'%' IDENTIFIED BY 'new'")
        self.cluster.wait_in_sync()
        self.drop_connections("rot")
        self.is_refused("rot", "old")  # though the proxy has not heard of the new one yet
        other = self.log_in("rot", "new")
        self.run_sql(other, "SET @mine = 1")  # keeps its connection
        self.assertEqual(self.run_sql(live, "SELECT 41 + 1"), [(42,)])
        primary.query("DROP USER rot@'%'")
        self.cluster.wait_in_sync()
        other.close()
        self.drop_connections("rot")
        with self.assertRaises(pymysql.err.OperationalError) as e:
            while True:  # the connection's end may be heard a little later
                self.run_sql(live, "SELECT 41 + 1")
        self.assertEqual(e.exception.args[0], 1045)
        self.is_refused("rot", "new")

    def test_accounts_changed_through_the_proxy(self):
        boss = self.log_in("boss")
        self.run_sql(boss, "CREATE USER ann@'%' IDENTIFIED BY 'one'")
        ann = self.log_in("ann", "one")
        self.run_sql(ann, "SET PASSWORD = PASSWORD('two')")
        self.until_refused("ann", "one")
        self.assertEqual(self.who("ann", "two"), "ann@%")
        self.assertEqual(self.run_sql(ann, "SELECT 5"), [(5,)])
        self.run_sql(boss, "RENAME USER ann@'%' TO bea@'%'")
        self.until_refused("ann", "two")
        self.assertEqual(self.who("bea", "two"), "bea@%")
        self.run_sql(boss, "ALTER USER bea@'%' ACCOUNT LOCK")
        def locked():
            try:
                self.log_in("bea", "two").close()
            except pymysql.err.MySQLError as e:
                return e.args[0] == 4151
        scratch.wait_until("the lock", locked, 20)
        self.run_sql(boss, "DROP USER bea@'%'")
        self.until_refused("bea", "two")


if __name__ == "__main__":
    main()
