"""The PROXY protocol, in and out: a balancer's headers, and what MariaDB makes of the proxy's."""

import contextlib
import socket
import threading

import pymysql

from proxied import Proxied, main

from harness.cluster import Cluster
from harness.tillway import Tillway


def balanced(port, header):
    """A port on which one connection is taken and handed on, with the header in front."""
    door = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve():
        with door:
            near, _ = door.accept()
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            far.sendall(header)
            back = threading.Thread(target=pump, args=(far, near))
            back.start()
            pump(near, far)
            back.join()

    threading.Thread(target=serve, daemon=True).start()
    return door.getsockname()[1]


V1 = b"PROXY TCP4 203.0.113.7 127.0.0.1 5123 3306\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([203, 0, 113, 8, 127, 0, 0, 1, 1, 2, 3, 4])


class Addresses(Proxied):
    replicas = 1

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.cluster = cls._stack.enter_context(Cluster(replicas=1, options=["--proxy-protocol-networks=127.0.0.1"]))
        cls.tillway = Tillway(cls.cluster)
        cls.tillway.write_config({
            "listeners": [{"address": "127.0.0.1:%d" % cls.tillway.port, "proxy_protocol": ["127.0.0.1"]}],
            "servers": [dict(s, proxy_protocol=True) for s in cls.tillway.config["servers"]]})
        cls._stack.enter_context(cls.tillway)
        primary = cls.cluster.primary
        primary.query("CREATE DATABASE shop")
        primary.query("CREATE USER bound@'203.0.113.%' IDENTIFIED BY 'pw'")
        primary.query("GRANT SELECT ON shop.* TO bound@'203.0.113.%'")
        cls.cluster.wait_in_sync()

    def test_the_address_counts_for_accounts_and_is_the_servers_too(self):
        for header, address in ((V1, "203.0.113.7"), (V2, "203.0.113.8")):
            c = pymysql.connect(host="127.0.0.1", port=balanced(self.tillway.port, header), user="bound", password="pw",
                                database="shop", connect_timeout=10)
            self.assertEqual(self.run_sql(c, "SELECT USER()"), [("bound@" + address,)])
            self.assertEqual(self.run_sql(c, "SELECT @a, CURRENT_USER()"), [(None, "bound@203.0.113.%")])
            c.close()
        self.tillway.wait_log(r"session\.login .*user=bound address=203\.0\.113\.8")

    def test_without_a_header_the_own_address_counts(self):
        with self.assertRaises(pymysql.err.OperationalError) as e:
            self.connect(user="bound", password="pw")
        self.assertEqual(e.exception.args[0], 1045)
        self.assertEqual(self.run_sql(self.connect(), "SELECT USER()"), [("till@127.0.0.1",)])


class Distrust(Proxied):
    replicas = 0

    def test_a_header_is_refused(self):
        with self.assertRaises(pymysql.err.OperationalError) as e:
            self.connect(port=balanced(self.tillway.port, V1))
        self.assertIn("Proxy header is not accepted from 127.0.0.1", str(e.exception))
        self.tillway.wait_log(r"session\.protocol .*Proxy header is not accepted")


if __name__ == "__main__":
    main()
