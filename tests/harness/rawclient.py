"""A client that logs in by mysql_native_password with just the capabilities it is told, and keeps every byte of a reply."""

import hashlib
import socket
import struct

COM_INIT_DB, COM_QUERY, COM_PING, COM_CHANGE_USER, COM_RESET = 0x02, 0x03, 0x0E, 0x11, 0x1F
COM_PREPARE, COM_EXECUTE, COM_CLOSE, COM_BULK = 0x16, 0x17, 0x19, 0xFA

CLIENT_MYSQL, FOUND_ROWS, LONG_FLAG, WITH_DB, PROTOCOL_41 = 1, 2, 4, 8, 1 << 9
TRANSACTIONS, SECURE, MULTI_STATEMENTS, MULTI_RESULTS = 1 << 13, 1 << 15, 1 << 16, 1 << 17
PS_MULTI_RESULTS, PLUGIN_AUTH, CONNECT_ATTRS = 1 << 18, 1 << 19, 1 << 20
SESSION_TRACK, DEPRECATE_EOF = 1 << 23, 1 << 24
PROGRESS, BULK, EXTENDED, CACHE_METADATA, BULK_RESULTS = 1 << 32, 1 << 34, 1 << 35, 1 << 36, 1 << 37
DEFAULT = (LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE | MULTI_STATEMENTS | MULTI_RESULTS | PS_MULTI_RESULTS |
           PLUGIN_AUTH | DEPRECATE_EOF)

MORE_RESULTS, CURSOR_EXISTS, STATE_CHANGED = 0x08, 0x40, 0x4000


def lenenc(p, at):
    """A length-encoded number and where it ends."""
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(p[at])
    if width is None:
        return p[at], at + 1
    return int.from_bytes(p[at + 1:at + 1 + width], "little"), at + 1 + width


def put_lenenc(data):
    """Data with its length in front; up to 64 KiB."""
    return (bytes([len(data)]) if len(data) < 251 else b"\xfc" + struct.pack("<H", len(data))) + data


def native_reply(password, nonce):
    if not password:
        return b""
    stage1 = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(stage1).digest()).digest()
    return bytes(a ^ b for a, b in zip(stage1, mask))


def attribute_block(attributes):
    return b"".join(put_lenenc(k.encode()) + put_lenenc(v.encode()) for k, v in attributes)


def ok_status(p):
    _, at = lenenc(p, 1)
    _, at = lenenc(p, at)
    return struct.unpack_from("<H", p, at)[0]


class ServerError(Exception):
    """An ERR packet where none was asked for: code, text."""

    def __init__(self, payload):
        super().__init__(struct.unpack_from("<H", payload, 1)[0], payload[9:].decode("utf-8", "replace"))


class RawClient:
    """caps: what is asked for; `caps` is then what was negotiated. login_ok: the payload of the log-in's OK."""

    def __init__(self, where, user, password, caps=DEFAULT, schema=None, attributes=(), collation=45):
        self.socket = socket.create_connection((where.host, where.port), timeout=60)
        self._file = self.socket.makefile("rb")
        self._seq = 0
        self._password = password
        self._greeting(self.packet())
        self.caps = caps & self.offered
        self._log_in(user, schema, attributes, collation)
        self.login_ok = self._logged_in()

    def close(self):
        self._file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def packet(self):
        """The payload of the next packet."""
        head = self._file.read(4)
        if len(head) < 4:
            raise EOFError("the connection closed")
        self._seq = (head[3] + 1) % 256
        return self._file.read(int.from_bytes(head[:3], "little"))

    def _write(self, payload):
        self.socket.sendall(struct.pack("<I", len(payload))[:3] + bytes([self._seq]) + payload)
        self._seq += 1

    def _greeting(self, p):
        if p[0] == 0xFF:
            raise ServerError(p)
        at = p.index(0, 1) + 1
        self.version = p[1:at - 1].decode()
        self.thread_id, = struct.unpack_from("<I", p, at)
        low, _, _, high, _ = struct.unpack_from("<HBHHB", p, at + 13)
        self.offered = low | high << 16
        if not low & CLIENT_MYSQL:
            self.offered |= struct.unpack_from("<I", p, at + 13 + 8 + 6)[0] << 32
        self.offered |= CLIENT_MYSQL
        self._nonce = p[at + 4:at + 12] + p[at + 31:at + 43]

    def _log_in(self, user, schema, attributes, collation):
        if schema:
            self.caps |= WITH_DB
        if attributes:
            self.caps |= CONNECT_ATTRS
        if self.caps >> 32:
            self.caps &= ~CLIENT_MYSQL
        reply = native_reply(self._password, self._nonce)
        p = struct.pack("<IIB19xI", self.caps & 0xFFFFFFFF, 1 << 30, collation, self.caps >> 32)
        p += user.encode() + b"\0" + bytes([len(reply)]) + reply
        if schema:
            p += schema.encode() + b"\0"
        p += b"mysql_native_password\0"
        if attributes:
            p += put_lenenc(attribute_block(attributes))
        self._write(p)

    def _logged_in(self):
        p = self.packet()
        if p[0] == 0xFE and len(p) > 1:  # asked to switch; the nonce follows
            self._nonce = p[p.index(0) + 1:][:20]
            self._write(native_reply(self._password, self._nonce))
            p = self.packet()
        if p[0] == 0xFF:
            raise ServerError(p)
        return p

    def send(self, command, argument=b""):
        self._seq = 0
        self._write(bytes([command]) + argument)

    def change_user(self, user, password, schema=None, collation=45, attributes=()):
        """COM_CHANGE_USER; the payload of its OK."""
        self._password = password
        reply = native_reply(password, self._nonce)
        p = user.encode() + b"\0" + bytes([len(reply)]) + reply + (schema or "").encode() + b"\0"
        p += struct.pack("<H", collation) + b"mysql_native_password\0"
        if self.caps & CONNECT_ATTRS:
            p += put_lenenc(attribute_block(attributes))
        self.send(COM_CHANGE_USER, p)
        return self._logged_in()

    def _definitions(self, count):
        found = [self.packet() for _ in range(count)]
        if count and not self.caps & DEPRECATE_EOF:
            found.append(self.packet())
        return found

    def _result(self):
        """The payloads of one result, and whether more follow."""
        p = self.packet()
        got = [p]
        if p[0] == 0xFF:
            return got, False
        if p[0] == 0x00:
            return got, bool(ok_status(p) & MORE_RESULTS)
        count, at = lenenc(p, 0)
        if at == len(p) or p[at]:  # else metadata is left out
            got += self._definitions(count)
        elif not self.caps & DEPRECATE_EOF:
            got.append(self.packet())
        if not self.caps & DEPRECATE_EOF and struct.unpack_from("<H", got[-1], 3)[0] & CURSOR_EXISTS:
            return got, False
        while True:
            p = self.packet()
            got.append(p)
            if p[0] == 0xFF and len(p) > 3 and p[1:3] == b"\xff\xff":  # a progress report
                continue
            if p[0] == 0xFF:
                return got, False
            if p[0] == 0xFE and len(p) < 0xFFFFFF:
                status = ok_status(p) if self.caps & DEPRECATE_EOF else struct.unpack_from("<H", p, 3)[0]
                return got, bool(status & MORE_RESULTS)

    def results(self):
        """The payloads of a reply to QUERY, EXECUTE and the like."""
        got, more = self._result()
        while more:
            next_one, more = self._result()
            got += next_one
        return got

    def query(self, sql):
        self.send(COM_QUERY, sql.encode())
        return self.results()

    def simple(self, command, argument=b""):
        """A command that one packet answers."""
        self.send(command, argument)
        return self.packet()

    def rows(self, sql):
        """A query's rows as texts; an error is raised."""
        got = self.query(sql)
        if got[-1][0] == 0xFF:
            raise ServerError(got[-1])
        skip = 1 + lenenc(got[0], 0)[0] if got[0][0] else len(got)
        return [_texts(p) for p in got[skip:-1]]

    def value(self, sql):
        return self.rows(sql)[0][0]

    def prepare(self, sql):
        """The statement's id, and the payloads of the reply without it."""
        self.send(COM_PREPARE, sql.encode())
        p = self.packet()
        if p[0] == 0xFF:
            raise ServerError(p)
        stmt, columns, params = struct.unpack_from("<IHH", p, 1)
        return stmt, [p[:1] + p[5:]] + self._definitions(params) + self._definitions(columns)

    def execute(self, stmt, bound=b""):
        """bound: null bitmap, types and values as they are."""
        self.send(COM_EXECUTE, struct.pack("<IBI", stmt, 0, 1) + bound)
        return self.results()


def _texts(row):
    got, at = [], 0
    while at < len(row):
        if row[at] == 0xFB:
            got.append(None)
            at += 1
            continue
        n, at = lenenc(row, at)
        got.append(row[at:at + n].decode("utf-8", "replace"))
        at += n
    return got


def changes(ok):
    """The session-state changes of an OK packet: (kind, name, value) or (kind, value)."""
    _, at = lenenc(ok, 1)
    _, at = lenenc(ok, at)
    status = struct.unpack_from("<H", ok, at)[0]
    at += 4
    if at == len(ok) or not status & STATE_CHANGED:
        return []
    n, at = lenenc(ok, at)
    n, at = lenenc(ok, at + n)
    return list(_entries(ok[at:at + n]))


def _entries(block):
    at = 0
    while at < len(block):
        kind = block[at]
        n, at = lenenc(block, at + 1)
        entry, at = block[at:at + n], at + n
        texts = []
        inside = 0
        while inside < len(entry):
            n, inside = lenenc(entry, inside)
            texts.append(entry[inside:inside + n].decode("utf-8", "replace"))
            inside += n
        yield (kind,) + tuple(texts)
