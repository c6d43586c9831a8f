"""A client of few bytes: a log-in by mysql_native_password, and packets as they are. For thousands of connections, and for what
no driver sends."""

import hashlib
import socket
import ssl

from .cluster import TILL_PASSWORD, TILL_USER

PROTOCOL_41, SECURE, PLUGIN_AUTH, CONNECT_WITH_DB = 0x200, 0x8000, 0x80000, 0x8
LOCAL_FILES = 0x80
SSL, COMPRESS, TRANSACTIONS, DEPRECATE_EOF, ZSTD = 0x800, 0x20, 0x2000, 0x1000000, 0x4000000
CAPS = PROTOCOL_41 | SECURE | PLUGIN_AUTH | TRANSACTIONS | DEPRECATE_EOF
COM_QUIT, COM_QUERY, COM_PING = 0x01, 0x03, 0x0E


def packet(payload, seq=0):
    return len(payload).to_bytes(3, "little") + bytes([seq]) + payload


def scramble(password, nonce):
    one = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(one).digest()).digest()
    return bytes(a ^ b for a, b in zip(one, mask))


def trusting():
    """A TLS context for which any certificate will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Raw:
    """Connected; greet() and login() go on. tls: an ssl.SSLContext."""

    def __init__(self, port, host="127.0.0.1", timeout=30):
        self.sock = socket.create_connection((host, port), timeout)
        self.nonce = None

    def close(self):
        self.sock.close()

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError("the connection closed")
            data += more
        return data

    def packet(self):
        """The next packet's sequence number and payload."""
        head = self._exactly(4)
        return head[3], self._exactly(int.from_bytes(head[:3], "little"))

    def greet(self):
        _, greeting = self.packet()
        if greeting[:1] == b"\xff":
            raise PermissionError(greeting[3:].decode("utf-8", "replace"))
        at = greeting.index(b"\0", 1) + 5
        self.nonce = greeting[at:at + 8] + greeting[at + 27:at + 39]
        return self

    def login(self, user=TILL_USER, password=TILL_PASSWORD, database="", caps=0, tls=None, level=3):
        """To the OK (level: of zstd); PermissionError with the server's words otherwise."""
        caps |= CAPS | (CONNECT_WITH_DB if database else 0) | (SSL if tls else 0)
        head = caps.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + b"\0" * 23
        seq = 1
        if tls:
            self.sock.sendall(packet(head, seq))
            self.sock = tls.wrap_socket(self.sock)
            seq = 2
        self.sock.sendall(packet(head + user.encode() + b"\0\x14" + scramble(password, self.nonce) +
                                 (database.encode() + b"\0" if database else b"") + b"mysql_native_password\0" +
                                 (bytes([level]) if caps & ZSTD else b""), seq))
        _, reply = self.packet()
        if reply[:1] != b"\0":
            raise PermissionError(reply[3:].decode("utf-8", "replace"))
        return self

    def send(self, command, argument=b""):
        self.sock.sendall(packet(bytes([command]) + argument))

    def value(self, sql):
        """The first column of the first row, as text."""
        self.send(COM_QUERY, sql.encode())
        _, first = self.packet()
        if first[:1] == b"\xff":
            raise PermissionError(first[3:].decode("utf-8", "replace"))
        for _ in range(first[0]):
            self.packet()
        value, row = None, self.packet()[1]
        while row[:1] != b"\xfe":
            value = row[1:1 + row[0]].decode() if value is None else value
            row = self.packet()[1]
        return value


def connected(port, tls=None, **kw):
    """Logged in."""
    raw = Raw(port)
    try:
        return raw.greet().login(tls=tls, **kw)
    except BaseException:
        raw.close()
        raise
