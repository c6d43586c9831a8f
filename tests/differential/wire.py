"""A client that keeps every byte of a reply. pymysql logs in; commands and replies are packets as they are."""

import re
import struct

import pymysql
from pymysql._auth import scramble_native_password
from pymysql.constants import CLIENT

COM_QUERY, COM_CHANGE_USER = 0x03, 0x11
COM_PREPARE, COM_EXECUTE, COM_LONG_DATA, COM_CLOSE, COM_STMT_RESET, COM_FETCH = 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C
DEPRECATE_EOF = 1 << 24
MORE_RESULTS, CURSOR = 0x08, 0x40
LASTING = 0x2202  # the flags that a statement does not change
STATE_CHANGED = 0x4000
READ_ONLY_CURSOR = 1
MAY_DIFFER = (  # in the texts of errors
    (re.compile(rb"\(\d+\)"), b"(ID)"),  # a prepared statement's id is the server's own
    (re.compile(rb"at row \d\b"), b"at row N"),  # MariaDB counts on from what the connection did before
)


def _lenenc(p, at):
    first = p[at]
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
    if width is None:
        return first, at + 1
    return int.from_bytes(p[at + 1:at + 1 + width], "little"), at + 1 + width


def _ok_status(p):
    _, at = _lenenc(p, 1)
    _, at = _lenenc(p, at)
    return struct.unpack_from("<H", p, at)[0]


def _eof_with(p, flags):
    """An EOF packet with no other status flags than these."""
    return p[:3] + struct.pack("<H", struct.unpack_from("<H", p, 3)[0] & flags)


def _is_eof(p):
    return p[:1] == b"\xfe" and len(p) == 5


def masked(payload):
    """A packet without what may differ."""
    if _is_eof(payload):  # MariaDB takes this flag out of OK packets only, for who cannot ask what changed
        return _eof_with(payload, 0xFFFF ^ STATE_CHANGED)
    for pattern, text in MAY_DIFFER if payload[:1] == b"\xff" else MAY_DIFFER[1:]:
        payload = pattern.sub(text, payload)
    return payload


class Client:
    def __init__(self, host, port, user, password, database, new):
        flags = CLIENT.MULTI_STATEMENTS | (DEPRECATE_EOF if new else 0)
        self._new, self._user, self._password = new, user, password
        self._session = pymysql.connect(host=host, port=port, user=user, password=password, database=database,
                                        charset="utf8mb4", autocommit=None, client_flag=flags, connect_timeout=10)
        self._session._sock.settimeout(60)
        self._cursor = self._executed = None  # the statement whose cursor may be open; the one executed last
        self._statements = {}  # the case's number → the server's

    def close(self):
        self._session.close()

    def _send(self, command, argument, seq=0):
        payload = (b"" if command is None else bytes([command])) + argument
        self._session._sock.sendall(struct.pack("<I", len(payload))[:3] + bytes([seq]) + payload)

    def _packet(self, reply):
        head = self._session._rfile.read(4)
        if len(head) < 4:
            raise EOFError("the connection closed")
        payload = self._session._rfile.read(int.from_bytes(head[:3], "little"))
        reply.append((head[3], masked(payload)))
        return payload

    def _end_status(self, p):
        """The status of a packet that ends rows, else None."""
        if p[0] != 0xFE or len(p) >= (0xFFFFFF if self._new else 9):
            return None
        return _ok_status(p) if self._new else struct.unpack_from("<H", p, 3)[0]

    def _rows(self, reply):
        """Up to the end of rows; its status, or 0 behind an error."""
        before = len(reply) - 1
        while True:
            p = self._packet(reply)
            if p[0] == 0xFF:
                self._mask_eof(reply, before, LASTING)
                return 0
            status = self._end_status(p)
            if status is not None:
                self._mask_eof(reply, before, 0xFFFF)
                return status

    def _mask_eof(self, reply, at, flags):
        """Of the EOF in front of rows Tillway cannot know how many warnings there were by then, nor all flags where an error ends them."""
        if at >= 0 and _is_eof(reply[at][1]):
            number, p = reply[at]
            reply[at] = (number, _eof_with(p[:1] + b"\0\0" + p[3:], flags))

    def _result(self, reply):
        """One result; whether more follow."""
        p = self._packet(reply)
        if p[0] == 0xFF:
            return False
        if p[0] == 0x00:
            return bool(_ok_status(p) & MORE_RESULTS)
        for _ in range(_lenenc(p, 0)[0]):
            self._packet(reply)
        if not self._new:
            p = self._packet(reply)
            if p[0] == 0xFF:  # a cursor could not be filled
                return False
            status = self._end_status(p)
            if status & CURSOR and not status & MORE_RESULTS:
                self._cursor = self._executed
                return False
        status = self._rows(reply)
        if status & (CURSOR | MORE_RESULTS) == CURSOR:
            self._cursor = self._executed
        return bool(status & MORE_RESULTS)

    def _results(self):
        reply = []
        while self._result(reply):
            pass
        return reply

    def query(self, sql):
        self._send(COM_QUERY, sql)
        return self._results()

    def simple(self, command, argument=b""):
        self._send(command, argument)
        reply = []
        self._packet(reply)
        return reply

    def change_user(self, database):
        """To the same user; the reply's number is not kept, for who asks for what plugin is each side's own."""
        plugin, charset = b"mysql_native_password\0", struct.pack("<H", 45)
        no_attributes = b"\0"
        self._send(COM_CHANGE_USER, self._user.encode() + b"\0\0" + database.encode() + b"\0" + charset + plugin + no_attributes)
        reply = []
        p = self._packet(reply)
        if p[0] == 0xFE:
            nonce = p[1:].split(b"\0", 1)[1][:20]
            self._send(None, scramble_native_password(self._password.encode(), nonce), reply[0][0] + 1)
            reply = []
            self._packet(reply)
        self._statements.clear()
        return [payload for _, payload in reply]

    def prepare(self, number, sql):
        self._send(COM_PREPARE, sql)
        reply = []
        p = self._packet(reply)
        if p[0] == 0xFF:
            return reply
        self._statements[number], columns, params = struct.unpack_from("<IHH", p, 1)
        reply[0] = (reply[0][0], p[:1] + b"\0\0\0\0" + p[5:])  # the id is the server's own
        for count in (params, columns):
            for _ in range(count + (1 if count and not self._new else 0)):
                self._packet(reply)
        return reply

    def _id(self, number):
        return struct.pack("<I", self._statements.get(number, 0xFFFFFF))

    def execute(self, number, values, cursor=False):
        """Values: None, int or bytes; Ellipsis stands for long data sent before."""
        if number not in self._statements:  # PREPARE failed; Tillway's own errors are not in SHOW ERRORS
            return []
        self._cursor, self._executed = None, number
        nulls, types, body = bytearray((len(values) + 7) // 8), b"", b""
        for i, value in enumerate(values):
            nulls[i // 8] |= (value is None) << (i % 8)
            types += b"\x08\0" if isinstance(value, int) else b"\xfd\0"
            if isinstance(value, int):
                body += struct.pack("<q", value)
            elif isinstance(value, bytes):
                body += bytes([len(value)]) + value
        bound = bytes(nulls) + b"\x01" + types + body if values else b""
        self._send(COM_EXECUTE, self._id(number) + bytes([READ_ONLY_CURSOR if cursor else 0, 1, 0, 0, 0]) + bound)
        return self._results()

    def fetch(self, number, count):
        if self._cursor != number:
            return []
        self._send(COM_FETCH, self._id(number) + struct.pack("<I", count))
        reply = []
        self._rows(reply)
        return reply

    def long_data(self, number, param, data):
        self._send(COM_LONG_DATA, self._id(number) + struct.pack("<H", param) + data)
        return []

    def close_statement(self, number):
        self._send(COM_CLOSE, self._id(number))
        self._statements.pop(number, None)
        return []

    def reset_statement(self, number):
        return self.simple(COM_STMT_RESET, self._id(number)) if number in self._statements else []
