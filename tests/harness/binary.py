"""The binary protocol as libmariadb speaks it: prepared statements with parameters, long data and cursors.

    with Binary(port) as b:
        s = b.prepare("SELECT ?+1 FROM t")
        s.execute(41)        # [("42",)]: values come as text, None for NULL
"""

import ctypes
import ctypes.util

_lib = ctypes.CDLL(ctypes.util.find_library("mariadb") or "libmariadb.so.3")
for _name, _result in (("mysql_init", ctypes.c_void_p), ("mysql_real_connect", ctypes.c_void_p),
                       ("mysql_stmt_init", ctypes.c_void_p), ("mysql_error", ctypes.c_char_p),
                       ("mysql_stmt_error", ctypes.c_char_p), ("mysql_stmt_errno", ctypes.c_uint),
                       ("mysql_errno", ctypes.c_uint), ("mysql_stmt_param_count", ctypes.c_ulong),
                       ("mysql_stmt_close", ctypes.c_byte), ("mysql_stmt_bind_param", ctypes.c_byte),
                       ("mysql_stmt_bind_result", ctypes.c_byte), ("mysql_close", None),
                       ("mysql_stmt_send_long_data", ctypes.c_byte), ("mysql_stmt_attr_set", ctypes.c_byte),
                       ("mysql_stmt_reset", ctypes.c_byte), ("mysql_stmt_free_result", ctypes.c_byte)):
    getattr(_lib, _name).restype = _result

LONGLONG, STRING, NULL = 8, 254, 6
ATTR_CURSOR, ATTR_PREFETCH = 1, 2
CELL = 256


class Bind(ctypes.Structure):
    """MYSQL_BIND of MariaDB Connector/C 3.3 (mariadb_stmt.h)."""

    _fields_ = [("length", ctypes.POINTER(ctypes.c_ulong)), ("is_null", ctypes.POINTER(ctypes.c_byte)),
                ("buffer", ctypes.c_void_p), ("error", ctypes.POINTER(ctypes.c_byte)),
                ("row_ptr", ctypes.c_void_p), ("store", ctypes.c_void_p), ("fetch", ctypes.c_void_p),
                ("skip", ctypes.c_void_p), ("buffer_length", ctypes.c_ulong), ("offset", ctypes.c_ulong),
                ("length_value", ctypes.c_ulong), ("flags", ctypes.c_uint), ("pack_length", ctypes.c_uint),
                ("buffer_type", ctypes.c_int), ("error_value", ctypes.c_byte), ("is_unsigned", ctypes.c_byte),
                ("long_data_used", ctypes.c_byte), ("is_null_value", ctypes.c_byte),
                ("extension", ctypes.c_void_p)]


class Failed(Exception):
    pass


class Statement:
    def __init__(self, handle):
        self._handle = handle
        self._bound = None

    def _check(self, failed):
        if failed:
            raise Failed(_lib.mysql_stmt_errno(self._handle), _lib.mysql_stmt_error(self._handle).decode())

    def bind(self, *values):
        """Bind parameters; bound once, executed again without binding, the types are not sent again."""
        binds = (Bind * max(1, len(values)))()
        keep = []
        for b, v in zip(binds, values):
            if v is None:
                b.buffer_type = NULL
                continue
            if isinstance(v, int):
                cell = ctypes.c_longlong(v)
                b.buffer_type = LONGLONG
            else:
                data = v.encode() if isinstance(v, str) else v
                cell = ctypes.create_string_buffer(data, len(data) + 1)
                b.buffer_type, b.buffer_length = STRING, len(data)
                length = ctypes.c_ulong(len(data))
                b.length = ctypes.pointer(length)
                keep.append(length)
            b.buffer = ctypes.cast(ctypes.pointer(cell), ctypes.c_void_p)
            keep.append(cell)
        self._bound = (binds, keep)
        self._check(_lib.mysql_stmt_bind_param(self._handle, binds))

    def long_data(self, number, data):
        self._check(_lib.mysql_stmt_send_long_data(self._handle, number, data, ctypes.c_ulong(len(data))))

    def cursor(self, rows):
        """Read-only cursor, so many rows a fetch."""
        self._check(_lib.mysql_stmt_attr_set(self._handle, 0, ctypes.byref(ctypes.c_ulong(0))))
        self._check(_lib.mysql_stmt_attr_set(self._handle, ATTR_CURSOR, ctypes.byref(ctypes.c_ulong(1))))
        self._check(_lib.mysql_stmt_attr_set(self._handle, ATTR_PREFETCH, ctypes.byref(ctypes.c_ulong(rows))))

    def run(self):
        self._check(_lib.mysql_stmt_execute(self._handle))

    def rows(self):
        columns = _lib.mysql_stmt_field_count(self._handle)
        if not columns:
            return []
        binds = (Bind * columns)()
        cells = [ctypes.create_string_buffer(CELL) for _ in range(columns)]
        lengths = [ctypes.c_ulong(0) for _ in range(columns)]
        nulls = [ctypes.c_byte(0) for _ in range(columns)]
        for i, b in enumerate(binds):
            b.buffer_type, b.buffer_length = STRING, CELL
            b.buffer = ctypes.cast(cells[i], ctypes.c_void_p)
            b.length, b.is_null = ctypes.pointer(lengths[i]), ctypes.pointer(nulls[i])
        self._check(_lib.mysql_stmt_bind_result(self._handle, binds))
        out = []
        while True:
            status = _lib.mysql_stmt_fetch(self._handle)
            if status == 100:
                break
            self._check(status not in (0, 101))
            out.append(tuple(None if n.value else c.raw[:min(ln.value, CELL)].decode("latin1")
                             for c, ln, n in zip(cells, lengths, nulls)))
        _lib.mysql_stmt_free_result(self._handle)
        return out

    def execute(self, *values):
        if values or self._bound is None:
            self.bind(*values)
        self.run()
        return self.rows()

    def reset(self):
        self._check(_lib.mysql_stmt_reset(self._handle))

    def close(self):
        _lib.mysql_stmt_close(self._handle)


class Binary:
    def __init__(self, port, user="till", password="till", database=None, host="127.0.0.1", socket=None):
        """socket: a unix socket's path, instead of host and port."""
        self._mysql = ctypes.c_void_p(_lib.mysql_init(None))
        if not _lib.mysql_real_connect(self._mysql, None if socket else host.encode(), user.encode(), password.encode(),
                                       database.encode() if database else None, port,
                                       socket.encode() if socket else None, ctypes.c_ulong(0)):
            raise Failed(_lib.mysql_errno(self._mysql), _lib.mysql_error(self._mysql).decode())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    def query(self, sql):
        data = sql.encode()
        if _lib.mysql_real_query(self._mysql, data, ctypes.c_ulong(len(data))):
            raise Failed(_lib.mysql_errno(self._mysql), _lib.mysql_error(self._mysql).decode())

    def prepare(self, sql):
        s = Statement(ctypes.c_void_p(_lib.mysql_stmt_init(self._mysql)))
        data = sql.encode()
        s._check(_lib.mysql_stmt_prepare(s._handle, data, ctypes.c_ulong(len(data))))
        return s

    def close(self):
        _lib.mysql_close(self._mysql)
