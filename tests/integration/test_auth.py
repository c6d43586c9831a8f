"""Log-ins by each plugin through the proxy to real servers, in MariaDB's own words."""

import os
import tempfile
import time

import pymysql

import proxied
from harness import paths
from harness.cluster import Cluster
from harness.tillway import Tillway

ACCOUNTS = [
    "CREATE USER nat@'%' IDENTIFIED BY 'secret'",
    "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
    "CREATE USER ed2@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
    "CREATE USER bsock@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('two') OR unix_socket",
    "CREATE USER sockb@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('two')",
    "CREATE USER lck@'%' IDENTIFIED BY 'secret' ACCOUNT LOCK",
    "CREATE USER tls@'%' IDENTIFIED BY 'secret' REQUIRE SSL",
    "CREATE USER exp@'%' IDENTIFIED BY 'secret' PASSWORD EXPIRE",
    "CREATE USER few@'%' IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 1",
]
EXPIRED_PASSWORDS = 1 << 22


class Auth(proxied.unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._stack = proxied.contextlib.ExitStack()
        folder = cls._stack.enter_context(tempfile.TemporaryDirectory())
        secrets = os.path.join(folder, "accounts.yaml")
        with open(os.open(secrets, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write("ed: secret\n")
        cls.cluster = cls._stack.enter_context(
            Cluster(replicas=1, options=["--plugin-dir=" + paths.server_plugins(), "--plugin-load-add=auth_ed25519.so"]))
        for sql in ACCOUNTS:
            cls.cluster.primary.query(sql)
        cls.cluster.wait_in_sync()
        cls.tillway = cls._stack.enter_context(Tillway(cls.cluster, config={"accounts_file": secrets}))

    @classmethod
    def tearDownClass(cls):
        cls._stack.close()

    def log_in(self, user, password, **kw):
        connection = self.tillway.connect(user=user, password=password, **kw)
        self.addCleanup(lambda: connection.open and connection.close())
        return connection

    @staticmethod
    def ask(connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def direct_error(self, user, password):
        try:
            self.cluster.primary.connect(user=user, password=password).close()
        except pymysql.err.MySQLError as error:
            return error.args
        return None

    def test_the_right_password_by_each_plugin(self):
        for user, password in (("nat", "secret"), ("ed", "secret"), ("bsock", "two"), ("sockb", "two")):
            self.assertEqual(self.ask(self.log_in(user, password), "SELECT CURRENT_USER()")[0][0], user + "@%")

    def test_errors_are_the_servers_own(self):
        for user, password in (("nat", "x"), ("nat", ""), ("ed", "x"), ("bsock", "x"), ("sockb", "x"),
                               ("lck", "secret"), ("lck", "x"), ("tls", "secret"), ("tls", "x")):
            with self.subTest(user=user, password=password):
                with self.assertRaises(pymysql.err.MySQLError) as caught:
                    self.log_in(user, password)
                self.assertEqual(caught.exception.args, self.direct_error(user, password))

    def test_a_password_that_is_not_known_is_asked_for_in_words(self):
        with self.assertRaisesRegex(pymysql.err.OperationalError, "accounts_file must have it"):
            self.log_in("ed2", "secret")

    def test_the_limit_of_connections_counts_sessions(self):
        first = self.log_in("few", "secret")
        with self.assertRaisesRegex(pymysql.err.OperationalError, "max_user_connections"):
            self.log_in("few", "secret")
        first.close()
        deadline = time.monotonic() + 20
        while True:  # the server notices a little later
            try:
                self.log_in("few", "secret").close()
                return
            except pymysql.err.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def test_an_expired_password_can_be_set(self):
        connection = self.log_in("exp", "secret", client_flag=EXPIRED_PASSWORDS, database=None)
        with self.assertRaisesRegex(pymysql.err.MySQLError, "You must SET PASSWORD"):
            self.ask(connection, "SELECT 1")
        self.ask(connection, "SET PASSWORD=PASSWORD('new')")
        self.assertEqual(self.ask(connection, "SELECT 1"), ((1,),))
        self.assertEqual(self.ask(self.log_in("exp", "new"), "SELECT 2"), ((2,),))


if __name__ == "__main__":
    proxied.main()
