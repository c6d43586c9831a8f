"""TLS towards clients: the mariadb program and PyMySQL through the real binary, in front of real servers."""

import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
import time

import pymysql

from proxied import Proxied, main

from harness import paths, scratch, yamlout
from harness.certs import Authority, fingerprint
from harness.cluster import Cluster, TILL_PASSWORD, TILL_USER
from harness.ports import free_port
from harness.tillway import Tillway


class Tls(Proxied):
    replicas = 1

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.authority = Authority(scratch.current().folder("certs"))
        cls.certificate = cls.authority.issue("tillway")
        cls.cluster = cls._stack.enter_context(Cluster(replicas=cls.replicas, options=["--max-allowed-packet=128M"]))
        cls.tillway = Tillway(cls.cluster)
        cls.strict_port = free_port()
        cls.tillway.write_config({"listeners": [
            {"address": "127.0.0.1:%d" % cls.tillway.port, "tls": {"certificate": cls.certificate}},
            {"address": "127.0.0.1:%d" % cls.strict_port,
             "tls": {"certificate": cls.certificate, "ca": cls.authority.pem, "required": True, "min_version": "1.3"}},
            {"address": cls.tillway.socket, "tls": {"certificate": cls.certificate, "required": True}},
        ]})
        cls._stack.enter_context(cls.tillway)
        cls.cluster.primary.query("CREATE DATABASE IF NOT EXISTS shop")
        cls.cluster.primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)")
        cls.cluster.primary.query("INSERT INTO shop.t VALUES (1,'one'),(2,'two'),(3,'three')")
        cls.cluster.wait_in_sync()

    def context(self, certificate=None):
        context = ssl.create_default_context(cafile=self.authority.pem)
        if certificate:
            context.load_cert_chain(certificate)
        return context

    def secure(self, **kw):
        return self.connect(ssl=kw.pop("context", None) or self.context(), **kw)

    def cli(self, sql, *options, port=None, check=True):
        done = subprocess.run(
            [paths.program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(port or self.tillway.port), "-u", TILL_USER,
             "-p" + TILL_PASSWORD, "-N", "--local-infile=1", *options, "-e", sql, "shop"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_verifying_client_logs_in(self):
        c = self.secure()
        self.assertIn(c._sock.version(), ("TLSv1.2", "TLSv1.3"))
        self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=2"), [("two",)])
        self.assertEqual(fingerprint(self.certificate),
                         hashlib.sha256(c._sock.getpeercert(True)).hexdigest())

    def test_plain_clients_are_welcome_where_tls_is_not_required(self):
        self.assertEqual(self.run_sql(self.connect(), "SELECT 7"), [(7,)])

    def test_both_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            c = self.secure(context=context)
            self.assertEqual(c._sock.version(), version.name.replace("_", "."))
            self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=3"), [("three",)])

    def test_the_mariadb_program(self):
        out = self.cli("SELECT v FROM t WHERE id=1; \\s", "--ssl", "--ssl-ca=" + self.authority.pem, "--ssl-verify-server-cert").stdout
        self.assertIn("one", out)
        self.assertIn("Cipher in use is TLS_AES", out)

    def test_big_packets_both_ways(self):
        c = self.secure(max_allowed_packet=1 << 27)
        text = os.urandom(32 << 20).hex()
        self.run_sql(c, "REPLACE INTO t VALUES (50, %s)", (text,))
        self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=50")[0][0], text)
        self.run_sql(c, "DELETE FROM t WHERE id=50")

    def test_load_data_local(self):
        path = os.path.join(self.tillway.folder, "rows.csv")
        with open(path, "w") as f:
            for i in range(1000, 31000):
                f.write("%d,%s\n" % (i, "x" * (i % 300)))
        self.cli("LOAD DATA LOCAL INFILE '%s' INTO TABLE t FIELDS TERMINATED BY ','" % path, "--ssl")
        want = [(30000, sum(i % 300 for i in range(1000, 31000)))]
        self.settle()
        self.assertEqual(self.cluster.primary.query("SELECT COUNT(*), SUM(LENGTH(v)) FROM shop.t WHERE id>=1000"), want)
        self.assertEqual(self.run_sql(self.secure(), "SELECT COUNT(*), CAST(SUM(LENGTH(v)) AS INT) FROM t WHERE id>=1000"), want)
        self.cluster.primary.query("DELETE FROM shop.t WHERE id>=1000")

    def test_a_slow_reader_gets_all(self):
        self.run_sql(self.connect(), "REPLACE INTO t VALUES (60, REPEAT('y', 1000000))")
        self.settle()
        c = self.secure(cursorclass=pymysql.cursors.SSCursor)
        with c.cursor() as cursor:
            cursor.execute("SELECT a.v FROM t a, (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) b, (SELECT 1 UNION ALL SELECT 2"
                           " UNION ALL SELECT 3) d WHERE a.id=60")
            rows = 0
            for (v,) in cursor:
                rows += 1
                self.assertEqual(len(v), 1000000)
                time.sleep(0.05)
        self.assertEqual(rows, 9)

    def test_required_turns_plain_clients_down(self):
        with self.assertRaises(pymysql.err.OperationalError) as e:
            self.connect(port=self.strict_port)
        self.assertIn("insecure transport", str(e.exception))
        self.assertEqual(self.run_sql(self.connect(unix_socket=self.tillway.socket), "SELECT 5"), [(5,)])
        self.assertEqual(self.run_sql(self.secure(port=self.strict_port), "SELECT 6"), [(6,)])

    def test_the_least_version_holds(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((pymysql.err.OperationalError, ssl.SSLError)):
            self.secure(context=context, port=self.strict_port)
        self.tillway.wait_log(r"session\.protocol .*why=.*TLS: unsupported protocol")

    def test_client_certificates(self):
        mine = self.authority.issue("till")
        self.assertEqual(self.run_sql(self.secure(port=self.strict_port, context=self.context(mine)), "SELECT 8"), [(8,)])
        foreign = Authority(scratch.current().folder("foreign"), "foreign").issue("till")
        with self.assertRaises((pymysql.err.OperationalError, ssl.SSLError, OSError)):
            self.run_sql(self.secure(port=self.strict_port, context=self.context(foreign)), "SELECT 8")
        self.tillway.wait_log(r"session\.protocol .*why=.*certificate verify failed")

    def reused(self, port, session):
        """Log in by hand on a raw socket with a session ticket; (whether it was resumed, the newest ticket)."""
        raw = socket.create_connection(("127.0.0.1", port), 10)
        self.addCleanup(raw.close)
        head = raw.recv(4, socket.MSG_WAITALL)
        raw.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL)
        caps = 0x8AA08
        raw.sendall(b"\x20\0\0\1" + caps.to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23))
        context = self.shared_context
        tls = context.wrap_socket(raw, server_hostname="localhost", session=session)
        tls.sendall(b"\x01\0\0\2\0")  # no log-in; what comes back brings the tickets
        with contextlib.suppress(OSError):
            while tls.recv(1000):
                pass
        with tls:
            return tls.session_reused, tls.session

    def test_sessions_resume_on_either_worker_and_after_a_reload(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.shared_context = self.context()
            self.shared_context.minimum_version = self.shared_context.maximum_version = version
            reused, session = self.reused(self.tillway.port, None)
            self.assertFalse(reused)
            for _ in range(6):
                reused, session = self.reused(self.tillway.port, session)
                self.assertTrue(reused, version)
            self.authority.issue("tillway")
            before = self.tillway.log_text().count("daemon.reload file=")
            self.tillway.reload()
            scratch.wait_until("the reload", lambda: self.tillway.log_text().count("daemon.reload file=") > before, 10)
            self.assertTrue(self.reused(self.tillway.port, session)[0])

    def test_reload_takes_the_new_certificate_and_keeps_the_old_where_it_is_broken(self):
        old = self.secure()
        was = old._sock.getpeercert(True)
        self.authority.issue("tillway")
        before = self.tillway.log_text().count("daemon.reload file=")
        self.tillway.reload()
        scratch.wait_until("the reload", lambda: self.tillway.log_text().count("daemon.reload file=") > before, 10)
        now = self.secure()._sock.getpeercert(True)
        self.assertNotEqual(now, was)
        self.assertEqual(self.run_sql(old, "SELECT 9"), [(9,)])
        with open(self.certificate) as f:
            whole = f.read()
        with open(self.certificate, "w") as f:
            f.write(whole[:200])
        self.tillway.reload()
        self.tillway.wait_log(r"daemon\.reload why=.*listeners\[0\]\.tls: certificate .*kept=")
        self.assertEqual(self.secure()._sock.getpeercert(True), now)
        with open(self.certificate, "w") as f:
            f.write(whole)

    def test_check_names_the_broken_file(self):
        path = os.path.join(self.tillway.folder, "empty.pem")
        open(path, "w").close()
        for tls, what in (({"certificate": path}, "empty.pem"), ({"certificate": self.certificate, "key": self.authority.pem}, "key"),
                          ({"certificate": "nowhere.pem"}, "No such file")):
            file = os.path.join(self.tillway.folder, "bad-tls.yaml")
            with open(file, "w") as f:
                f.write(yamlout.dump(dict(self.tillway.config, listeners=[{"address": "127.0.0.1:1", "tls": tls}])))
            done = subprocess.run([self.tillway.binary, "check", "--config", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=20)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("listeners[0].tls", done.stderr)
            self.assertIn(what, done.stderr)


class TowardsServers(Proxied):
    """Servers with certificates of an authority; the accounts demand TLS, of the client and of the proxy alike."""

    replicas = 1

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.authority = Authority(scratch.current().folder("servers"))
        cls.foreign = Authority(scratch.current().folder("foreign"), "foreign")
        pem = cls.authority.issue("db", hosts=("db.example",), file="server")
        cls.cluster = cls._stack.enter_context(Cluster(replicas=1, options=[
            "--max-allowed-packet=128M", "--ssl-cert=" + pem, "--ssl-key=" + pem, "--ssl-ca=" + cls.authority.pem]))
        cls.mine = cls.authority.issue("tillway")
        cls.tillway = Tillway(cls.cluster, config={"servers_tls": {"mode": "require"}})
        cls.tillway.write_config({"listeners": [{"address": "127.0.0.1:%d" % cls.tillway.port,
                                                 "tls": {"certificate": cls.mine, "ca": cls.authority.pem}}]})
        cls._stack.enter_context(cls.tillway)
        primary = cls.cluster.primary
        primary.query("CREATE DATABASE shop")
        primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)")
        primary.query("INSERT INTO shop.t VALUES (1,'one')")
        for name, clause in (("strict", "SSL"), ("known", "SUBJECT '/C=DK/O=Shop/CN=tillway'")):
            primary.query("CREATE USER %s@'%%' IDENTIFIED BY 'pw' REQUIRE %s" % (name, clause))
            primary.query("GRANT ALL ON shop.* TO %s@'%%'" % name)
        cls.cluster.wait_in_sync()

    def mode(self, **keys):
        """Another configuration of servers_tls, in a proxy that starts anew with it."""
        self.tillway.stop()
        self.tillway._ready = keys.pop("ready", True)
        self.tillway.write_config({"servers_tls": None})
        self.tillway.write_config({"servers_tls": keys})
        self.tillway.start()

    def secure(self, certificate=None, **kw):
        context = ssl.create_default_context(cafile=self.authority.pem)
        if certificate:
            context.load_cert_chain(certificate)
        return self.connect(ssl=context, password="pw", **kw)

    def test_accounts_that_require_tls(self):
        self.mode(mode="require")
        c = self.secure(user="strict")
        self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=1"), [("one",)])
        self.assertTrue(self.run_sql(c, "SHOW STATUS LIKE 'Ssl_cipher'")[0][1])
        with self.assertRaises(pymysql.err.OperationalError):  # in clear, although the servers are reached by TLS
            self.connect(user="strict", password="pw")
        with self.assertRaises(pymysql.err.OperationalError):  # the proxy has no certificate to show
            self.secure(self.mine, user="known")
        self.mode(mode="prefer", certificate=self.mine)
        c = self.secure(self.mine, user="known")
        self.assertTrue(self.run_sql(c, "SHOW STATUS LIKE 'Ssl_cipher'")[0][1])
        with self.assertRaises(pymysql.err.OperationalError):  # the client has none
            self.secure(user="known")

    def test_without_tls_the_servers_own_error_comes(self):
        self.mode(mode="off")
        with self.assertRaises(pymysql.err.OperationalError) as e:
            self.secure(user="strict")
        self.assertEqual(e.exception.args[0], 1045)
        self.assertEqual(self.run_sql(self.connect(), "SHOW STATUS LIKE 'Ssl_cipher'"), [("Ssl_cipher", "")])

    def test_big_packets_and_load_data(self):
        self.mode(mode="verify_ca", ca=self.authority.pem)
        c = self.connect(max_allowed_packet=1 << 27, local_infile=True)
        text = os.urandom(32 << 20).hex()
        self.run_sql(c, "REPLACE INTO t VALUES (50, %s)", (text,))
        self.assertEqual(self.run_sql(c, "SELECT /* tillway: primary */ v FROM t WHERE id=50")[0][0], text)
        path = os.path.join(self.tillway.folder, "rows.csv")
        with open(path, "w") as f:
            f.writelines("%d,%s\n" % (i, "x" * (i % 300)) for i in range(1000, 31000))
        self.run_sql(c, "LOAD DATA LOCAL INFILE '%s' INTO TABLE t FIELDS TERMINATED BY ','" % path)
        self.assertEqual(self.run_sql(c, "SELECT /* tillway: primary */ COUNT(*) FROM t WHERE id>=1000"), [(30000,)])
        self.run_sql(c, "DELETE FROM t WHERE id>1")

    def test_verification(self):
        self.mode(mode="verify_ca", ca=self.authority.pem)
        self.assertEqual(self.run_sql(self.connect(), "SELECT 1"), [(1,)])
        self.mode(mode="verify_identity", ca=self.authority.pem, ready=False)
        self.tillway.wait_log(r"server\.(down|refused).*")
        self.mode(mode="verify_ca", ca=self.foreign.pem, ready=False)
        self.tillway.wait_log(r"server\.(down|refused).*certificate")

    def test_reload_that_distrusts_refuses_new_connections_with_the_reason(self):
        self.mode(mode="verify_ca", ca=self.authority.pem)
        self.tillway.reload({"servers_tls": {"mode": "verify_ca", "ca": self.foreign.pem}, "pool": {"idle": "0s"}})
        self.tillway.wait_log(r"daemon\.reload file=")
        self.tillway.wait_log(r"certificate")
        with self.assertRaises(pymysql.err.MySQLError):
            self.connect(user="strict", password="pw")


if __name__ == "__main__":
    main()
